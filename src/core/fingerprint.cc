#include "core/fingerprint.h"

#include <string>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"

namespace kvs {

void Fingerprint::add(const Fingerprint& other) {
  low += other.low;
  high += other.high + (low < other.low ? 1 : 0);
  count += other.count;
}

void Fingerprint::remove(const Fingerprint& other) {
  const std::uint64_t borrow = low < other.low ? 1 : 0;
  low -= other.low;
  high -= other.high + borrow;
  count -= other.count;
}

Fingerprint fingerprint_of(std::string_view path, const RecordHeader& header) {
  const Version& version = header.version;
  std::string bytes;
  bytes.reserve(80 + path.size());
  put_le(bytes, version.stamp.bits);
  put_le(bytes, version.verdict.votes);
  put_le(bytes, static_cast<std::uint64_t>(version.verdict.oldest_join_ms));
  put_le(bytes, version.verdict.voters_hash);
  put_le(bytes, version.uuid.high);
  put_le(bytes, version.uuid.low);
  put_le(bytes, static_cast<std::uint64_t>(version.dot.origin));
  put_le(bytes, version.dot.seq);
  // Whether the bytes of what expired are still here makes no difference.
  const bool expires = header.expires_ms != 0;
  const std::uint8_t kind = expires ? 2 : header.kind == RecordKind::tombstone ? 1 : 0;
  put_le(bytes, kind);
  if (expires) {
    put_le(bytes, static_cast<std::uint64_t>(header.expires_ms));
  }
  bytes.append(path);  // last, and all before it of known size: no two records give the same bytes
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {.high = hash.high64, .low = hash.low64, .count = 1};
}

}  // namespace kvs
