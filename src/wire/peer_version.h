// Which versions of the peer protocol this build speaks: 1 to peer_protocol(). docs/protocol.md
// tells what later versions may change and how nodes of different versions get along.
//
// Behind these functions so that a test can link the node of a version that does not exist yet, and
// let it live in one cluster with this one. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace kvs {

/// The highest version that is spoken here.
[[nodiscard]] std::uint16_t peer_protocol();

/// What stands behind the fields known here at the end of each envelope, row of a member, and
/// message, uncompressed: nothing in version 1. At most 64 bytes, static storage.
[[nodiscard]] std::string_view peer_additions();

}  // namespace kvs
