// When a record's time is over: its place among all that expire, in the order in which they do.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "core/record.h"

namespace kvs {

/// What expires is ordered by its time, and within a millisecond by the name of the write: so no
/// two records have the same place, and a place is the same on every node.
struct ExpiryPlace {
  std::int64_t expires_ms = 0;
  Dot dot;

  auto operator<=>(const ExpiryPlace&) const = default;
};

/// Of a record that expires.
[[nodiscard]] inline ExpiryPlace place_of(const RecordHeader& header) {
  return {.expires_ms = header.expires_ms, .dot = header.version.dot};
}

/// After all that has expired when the expiry clock shows `clock`, before all that has not.
[[nodiscard]] inline ExpiryPlace end_of(WallTime clock) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  return {.expires_ms = clock.ms, .dot = {.origin = Origin{kMax}, .seq = kMax}};
}

/// An entry of the store's index of what expires. The path may hold another version by now.
struct ExpiryEntry {
  ExpiryPlace place;
  std::string path;

  bool operator==(const ExpiryEntry&) const = default;
};

}  // namespace kvs
