// A member of the cluster, as others tell of it.
//
// Three identities: `node_id` is configured and shown; `instance` is one data folder, and by it the
// member table, votes and the quorum of tombstones go; an origin is one run that wrote.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "core/fingerprint.h"
#include "core/mode.h"

namespace kvs {

/// In the order in which news of one incarnation override each other.
enum class MemberState : std::uint8_t { alive, suspect, failed, left };

/// A bit of Member.features: it reads peer frames that are compressed with zstd.
inline constexpr std::uint64_t kFeatureZstd = 1;

/// Another: it answers ranges of a Compare that are asked by short hashes. Earlier nodes refuse the
/// whole message.
inline constexpr std::uint64_t kFeatureShortHashes = 2;

/// Another: it reads records that expire. Earlier nodes refuse the whole message, so while one is a
/// member nobody accepts a write that expires.
inline constexpr std::uint64_t kFeatureExpiry = 4;

/// What a node holds, in a few bytes.
struct StateDigest {
  std::uint64_t knowledge_hash = 0;
  Fingerprint root;       // of all records; meaningless unless `counted`
  bool counted = false;   // false while fingerprints are being built after a start
  std::uint64_t run = 0;  // random, one a process start
  Origin origin{};        // of this run; 0 before its first write
  std::uint64_t seq = 0;  // its last durable write: whoever covers less is behind
  Stamp newest;           // the largest stamp it has met

  bool operator==(const StateDigest&) const = default;
};

struct Member {
  Instance instance{};
  std::string node_id;
  std::string address;  // host:port at which others reach it
  std::int64_t joined_ms = 0;
  std::int64_t started_ms = 0;  // wall clock at the start of its process
  std::uint64_t run = 0;
  std::uint64_t incarnation = 0;
  MemberState state = MemberState::alive;
  Mode mode = Mode::normal;
  std::uint16_t protocol = 1;  // highest version of the peer protocol that it speaks
  std::uint64_t features = 0;  // 0: it has not told them
  Instance accuser{};          // of a suspect: who says so
  StateDigest digest;          // as of when the member last spoke itself

  bool operator==(const Member&) const = default;
};

}  // namespace kvs
