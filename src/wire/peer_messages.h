// The bodies of peer messages to bytes and back; wire/peer_codec puts the frame around them.
//
// Each kind of message has a number that never changes its meaning: the high bit says answer, the
// bits below it, with the low bits zero, the path that the request goes to. What follows the fields
// of a message was added by a later version and is skipped.
#pragma once

#include <cstdint>
#include <optional>

#include "core/peer_message.h"
#include "wire/peer_bytes.h"

namespace kvs {

/// The number of a message's kind.
[[nodiscard]] std::uint8_t kind_of(const PeerRequest& request);
[[nodiscard]] std::uint8_t kind_of(const PeerAnswer& answer);

void put_body(PeerWriter& writer, const PeerRequest& request);
void put_body(PeerWriter& writer, const PeerAnswer& answer);

/// Reads a body of that kind; nothing if there is no such kind. Whether it could be read, `reader`
/// knows.
[[nodiscard]] std::optional<PeerRequest> take_request(std::uint8_t kind, PeerReader& reader);
[[nodiscard]] std::optional<PeerAnswer> take_answer(std::uint8_t kind, PeerReader& reader);

}  // namespace kvs
