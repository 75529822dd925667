// Fingerprints of sets of records: a sum, so that the order of insertion does not matter and any
// record can be taken out again.
//
// Range-based set reconciliation, Meyer 2022 (arXiv:2212.13567); the sum of hashes mod 2^128 beside
// the count, as in negentropy. Equal fingerprints of different sets have a chance of about 2^-128
// each, if nobody chooses the records for it.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/record.h"

namespace kvs {

struct Fingerprint {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::uint64_t count = 0;

  void add(const Fingerprint& other);
  void remove(const Fingerprint& other);

  bool operator==(const Fingerprint&) const = default;
};

/// 32 bits of a record's fingerprint, by which a record is named to a peer that probably holds it.
/// Two records may share them: whoever relies on such names proves the outcome by fingerprints.
using ShortHash = std::uint32_t;

[[nodiscard]] constexpr ShortHash short_hash(const Fingerprint& record) {
  return static_cast<ShortHash>(record.low);
}

/// Stands where a fingerprint of all records is kept that nobody has counted.
inline constexpr Fingerprint kUncounted{.high = 0, .low = 0, .count = UINT64_MAX};

/// The fingerprint of the set that is this record alone: of its path, version (dot included), kind
/// and expiry. Where nothing expires it is what it was before there was such a thing.
[[nodiscard]] Fingerprint fingerprint_of(std::string_view path, const RecordHeader& header);

}  // namespace kvs
