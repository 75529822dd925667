// Peer messages to frames and back. docs/protocol.md is normative for every byte.
//
// A frame is checked from the outside in: size, checksum, version, kind, envelope, body. Nothing of
// it is believed before the checksum is right, and even then no size or count is: a frame that a
// broken or hostile peer sealed costs at most a bounded multiple of `frame_bytes_max` of memory,
// and is refused or decodes to values that keep the invariants of their types (see
// wire/peer_records for what is checked).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/member.h"
#include "core/peer_message.h"

namespace kvs {

/// What frames may hold unless values may be larger than that.
inline constexpr std::size_t kPeerFrameBytesMax = std::size_t{4} << 20U;

/// The limit where values have up to `value_bytes_max` bytes: one record always fits.
[[nodiscard]] constexpr std::size_t peer_frame_bytes_max(std::size_t value_bytes_max) {
  constexpr std::size_t kAllElse = std::size_t{64} * 1024;
  return std::max(kPeerFrameBytesMax, value_bytes_max + kAllElse);
}

/// What whoever will read a frame can read. The defaults suit everybody.
struct WireOptions {
  std::uint16_t peer_protocol = 1;  // Member.protocol
  std::uint64_t peer_features = 0;  // Member.features
};

/// The options for frames to a member; `reader` may be null: nothing is known of it.
[[nodiscard]] WireOptions wire_options(const Member* reader);

struct DecodeLimits {
  std::size_t frame_bytes_max = kPeerFrameBytesMax;  // as sent, and after inflation
};

/// One frame, of the highest version that both sides speak. Bodies of 16 KiB and more are
/// compressed if the peer can read that and it helps. The caller keeps a message small enough for
/// the peer's limit, counting paths and values whole.
[[nodiscard]] std::string encode(const PeerEnvelope& envelope, const PeerRequest& request,
                                 const WireOptions& options);
[[nodiscard]] std::string encode(const PeerEnvelope& envelope, const PeerAnswer& answer,
                                 const WireOptions& options);

struct DecodedRequest {
  PeerEnvelope envelope;
  PeerRequest message;
};

struct DecodedAnswer {
  PeerEnvelope envelope;
  PeerAnswer message;
};

/// Reads one frame, all of `bytes`. Errors: corrupt_data (no frame, cut, or its checksum is wrong);
/// not_implemented (a later version of the protocol, or a flag that it may have);
/// bad_request (an unknown kind, which the detail names; a body that makes no sense; too large).
Result<DecodedRequest> decode_request(std::string_view bytes, const DecodeLimits& limits = {});
Result<DecodedAnswer> decode_answer(std::string_view bytes, const DecodeLimits& limits = {});

/// Where the request is sent: one of the four paths, static storage.
[[nodiscard]] std::string_view path_of(const PeerRequest& request);

}  // namespace kvs
