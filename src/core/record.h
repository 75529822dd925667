// Records: what a path holds, and the total order of its versions.
//
// docs/consistency.md is normative for the order. Invariant: two records of one path with equal
// versions are the same record, so "the larger version wins" is a merge that commutes, associates
// and repeats.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"

namespace kvs {

/// A hybrid logical clock reading (Kulkarni et al. 2014): 48 bits of Unix milliseconds, then a
/// 16-bit counter. As one number it is strictly increasing at every node; the API shows the
/// milliseconds.
struct Stamp {
  std::uint64_t bits = 0;

  static constexpr Stamp from_ms(std::int64_t ms) {
    return {static_cast<std::uint64_t>(ms < 0 ? 0 : ms) << 16U};
  }

  [[nodiscard]] constexpr std::int64_t ms() const { return static_cast<std::int64_t>(bits >> 16U); }

  constexpr auto operator<=>(const Stamp&) const = default;
};

/// What a ballot decided about two versions with equal stamps. No votes: no verdict.
struct Verdict {
  std::uint32_t votes = 0;
  std::int64_t oldest_join_ms = 0;  // joined_timestamp of the oldest voter
  std::uint64_t voters_hash = 0;

  [[nodiscard]] bool given() const { return votes > 0; }

  bool operator==(const Verdict&) const = default;
};

/// The name and rank of one version of one path.
struct Version {
  Stamp stamp;
  Verdict verdict;
  Uuid uuid;
  Dot dot;

  bool operator==(const Version&) const = default;
  /// By stamp, verdict votes, seniority of the verdict (the earlier oldest voter is larger), voters
  /// hash, uuid, dot. The larger wins.
  std::strong_ordering operator<=>(const Version& other) const;
};

enum class RecordKind : std::uint8_t {
  value,
  tombstone,
  expired,  // a value whose time is over, and whose bytes are gone: from now on as a tombstone
};

/// The latest time at which a record may expire (Unix ms): it is some time in the year 2255.
inline constexpr std::int64_t kExpiresMsMax = 9'000'000'000'000;

/// A record without its bytes: all that merging needs.
struct RecordHeader {
  Version version;
  RecordKind kind = RecordKind::value;

  /// From this time of the cluster's clock on (Unix ms) the record counts as a deletion; 0: never.
  /// Fixed with the write, and no part of the order of versions.
  std::int64_t expires_ms = 0;

  [[nodiscard]] bool live() const { return kind == RecordKind::value; }

  /// True if clients see the value while the expiry clock (core/expirer) shows `clock`.
  [[nodiscard]] bool shows(WallTime clock) const {
    return live() && (expires_ms == 0 || clock.ms < expires_ms);
  }

  /// A value whose time is over is the same record whether its bytes are still here or not: each
  /// node frees them when it suits it.
  bool operator==(const RecordHeader& other) const {
    return version == other.version && expires_ms == other.expires_ms &&
           (kind == RecordKind::tombstone) == (other.kind == RecordKind::tombstone);
  }
};

/// A record whose value somebody else keeps alive. The value of what is not live is empty.
struct RecordView {
  RecordHeader header;
  std::string_view value;
};

/// A record with its value: JSON text exactly as a client sent it; empty if it is not live.
struct Record {
  RecordHeader header;
  std::string value;

  [[nodiscard]] RecordView view() const { return {.header = header, .value = value}; }

  bool operator==(const Record&) const = default;
};

}  // namespace kvs
