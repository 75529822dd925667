// Members and state digests to bytes of the peer protocol and back.
//
// A row carries its size: fields that a later version adds behind those known here are skipped.
#pragma once

#include <cstddef>
#include <vector>

#include "core/member.h"
#include "wire/peer_bytes.h"

namespace kvs {

/// The longest node id (UTF-8) and the longest host:port.
inline constexpr std::size_t kPeerNodeIdBytesMax = 255;
inline constexpr std::size_t kPeerAddressBytesMax = 320;

[[nodiscard]] Mode take_mode(PeerReader& reader);

void put_digest(PeerWriter& writer, const StateDigest& digest);
[[nodiscard]] StateDigest take_digest(PeerReader& reader);

void put_member(PeerWriter& writer, const Member& member);
[[nodiscard]] Member take_member(PeerReader& reader);

void put_members(PeerWriter& writer, const std::vector<Member>& members);
[[nodiscard]] std::vector<Member> take_members(PeerReader& reader);

}  // namespace kvs
