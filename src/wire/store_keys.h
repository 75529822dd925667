// The keys under which the store keeps a node's own state, in one key space with the records.
//
// State keys begin with a zero byte, which no record's key contains (core/key refuses control
// characters), so they sort before all records. One key space is one log position and one memtable:
// however a log ends, what is recovered is a prefix of the commits, K and records alike.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "core/expiry.h"
#include "core/key.h"

namespace kvs {

inline constexpr std::string_view kClockKey("\0clock", 6);
inline constexpr std::string_view kIdentityKey("\0identity", 9);
inline constexpr std::string_view kKnowledgePrefix("\0known/", 7);
inline constexpr std::string_view kRootKey("\0root", 5);
inline constexpr std::string_view kRosterKey("\0roster", 7);
inline constexpr std::string_view kLostPrefix("\0lost/", 6);
inline constexpr std::string_view kExpiryPrefix("\0expiry/", 8);
inline constexpr std::string_view kExpiryReserveKey("\0expired", 8);

/// Where records begin: above every state key, at or below every record's.
inline constexpr std::string_view kFirstRecordKey("\x01", 1);

[[nodiscard]] inline bool is_state_key(std::string_view key) {
  return key < kFirstRecordKey;
}

/// Where a live record that an exchange dropped is kept: the prefix, its path, a zero byte, its
/// dot, and when it was dropped (Unix ms).
[[nodiscard]] inline std::string lost_record_key(Key key, Dot dot, WallTime when) {
  std::string lost(kLostPrefix);
  lost += key.text();
  lost += '\0';
  put_le(lost, static_cast<std::uint64_t>(dot.origin));
  put_le(lost, dot.seq);
  put_le(lost, static_cast<std::uint64_t>(when.ms));
  return lost;
}

struct LostRecordKey {
  std::string_view path;
  std::int64_t lost_ms = 0;
};

/// Nothing if `key` is another kind of key.
[[nodiscard]] inline std::optional<LostRecordKey> parse_lost_record_key(std::string_view key) {
  constexpr std::size_t kTail = 1 + sizeof(Dot) + sizeof(std::uint64_t);
  if (!key.starts_with(kLostPrefix) || key.size() <= kLostPrefix.size() + kTail) {
    return std::nullopt;
  }
  const std::string_view path =
      key.substr(kLostPrefix.size(), key.size() - kLostPrefix.size() - kTail);
  const auto ms = get_le<std::uint64_t>(key.data() + key.size() - sizeof(std::uint64_t));
  return LostRecordKey{.path = path, .lost_ms = static_cast<std::int64_t>(ms)};
}

/// The key of an entry of the index of what expires: the prefix, and the place in 24 bytes,
/// big-endian, so that the keys have the order of the places.
[[nodiscard]] inline std::string expiry_key(const ExpiryPlace& place) {
  std::string key(kExpiryPrefix);
  const auto put = [&key](std::uint64_t word) {
    for (unsigned shift = 64; shift > 0; shift -= 8) {
      key += static_cast<char>((word >> (shift - 8)) & 0xffU);
    }
  };
  put(static_cast<std::uint64_t>(place.expires_ms));
  put(static_cast<std::uint64_t>(place.dot.origin));
  put(place.dot.seq);
  return key;
}

/// Nothing if `key` is another kind of key.
[[nodiscard]] inline std::optional<ExpiryPlace> parse_expiry_key(std::string_view key) {
  if (!key.starts_with(kExpiryPrefix) ||
      key.size() != kExpiryPrefix.size() + 3 * sizeof(std::uint64_t)) {
    return std::nullopt;
  }
  key.remove_prefix(kExpiryPrefix.size());
  const auto take = [&key] {
    std::uint64_t word = 0;
    for (const char c : key.substr(0, sizeof(word))) {
      word = (word << 8U) | static_cast<unsigned char>(c);
    }
    key.remove_prefix(sizeof(word));
    return word;
  };
  ExpiryPlace place;
  place.expires_ms = static_cast<std::int64_t>(take());
  place.dot.origin = Origin{take()};
  place.dot.seq = take();
  return place;
}

/// The prefix and the origin, eight bytes, little-endian.
[[nodiscard]] inline std::string knowledge_key(Origin origin) {
  std::string key(kKnowledgePrefix);
  put_le(key, static_cast<std::uint64_t>(origin));
  return key;
}

/// The origin in a knowledge key; nothing if `key` is another kind of key.
[[nodiscard]] inline std::optional<Origin> origin_of(std::string_view key) {
  const std::size_t prefix = kKnowledgePrefix.size();
  if (!key.starts_with(kKnowledgePrefix) || key.size() != prefix + sizeof(Origin)) {
    return std::nullopt;
  }
  return Origin{get_le<std::uint64_t>(key.data() + prefix)};
}

}  // namespace kvs
