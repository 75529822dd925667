// How many bytes a message between nodes takes, about: the fast path sends values and encodes
// nothing, and yet the traffic of a run is to be known.
//
// Counted are the fields at the sizes that the protocol gives them, with small numbers as one byte
// where it packs them; wire/peer_codec is exact.
#pragma once

#include <cstddef>

#include "core/peer_message.h"

namespace kvs {

[[nodiscard]] std::size_t bytes_of(const PeerRequest& request);
[[nodiscard]] std::size_t bytes_of(const PeerAnswer& answer);

}  // namespace kvs
