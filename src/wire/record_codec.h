// Records and the node's own state to bytes and back: what io/store keeps on disk.
//
// docs/storage.md is normative for the layout. Every stored value begins with a format byte and
// carries a CRC-32C over all the rest and over the key it belongs to, so that a flipped bit, a torn
// tail or a record under another's key is noticed wherever it is read. Integers are little-endian.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/effects.h"
#include "core/record.h"

namespace kvs {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, continuing from `crc` (0 to begin).
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

/// The same on any processor: what crc32c() does where there is no instruction for it.
[[nodiscard]] std::uint32_t crc32c_by_tables(std::string_view bytes, std::uint32_t crc = 0);

/// Appends the stored form of a record under `key`.
void encode_record(Key key, const RecordView& record, std::string& out);

/// Reads a stored record; the value is a view into `bytes`. Error: corrupt_data if anything is off.
Result<RecordView> decode_record(Key key, std::string_view bytes);

/// The stored form of an entry of the index of what expires, under its key (wire/store_keys).
[[nodiscard]] std::string encode_expiry(const ExpiryEntry& entry);

/// Error: corrupt_data if `key` or `bytes` are off.
Result<ExpiryEntry> decode_expiry(std::string_view key, std::string_view bytes);

/// The stored form of the time by which what had expired was hidden.
[[nodiscard]] std::string encode_expiry_reserve(WallTime reserve);
Result<WallTime> decode_expiry_reserve(std::string_view bytes);

/// The stored form of what is known of one origin.
[[nodiscard]] std::string encode_knowledge(const OriginKnowledge& known);
Result<OriginKnowledge> decode_knowledge(std::string_view bytes);

/// The stored form of a folder's identity.
[[nodiscard]] std::string encode_identity(const Identity& identity);
Result<Identity> decode_identity(std::string_view bytes);

/// The stored form of the fingerprint of all records.
[[nodiscard]] std::string encode_fingerprint(const Fingerprint& root);
Result<Fingerprint> decode_fingerprint(std::string_view bytes);

/// The stored form of a list of members: who they are and where, not how they stand.
[[nodiscard]] std::string encode_roster(const std::vector<Member>& roster);
Result<std::vector<Member>> decode_roster(std::string_view bytes);

/// The stored form of a clock reserve.
[[nodiscard]] std::string encode_stamp(Stamp stamp);
Result<Stamp> decode_stamp(std::string_view bytes);

}  // namespace kvs
