// The calling side of a connection between nodes: requests to bytes, bytes to answers. Sans-IO: the
// owner of the socket brings bytes and time limits.
//
// Strict, since both sides are KVS: an answer is HTTP/1.1 with Content-Length and a final status.
// Calls on a connection do not overlap, so whatever follows an answer is a fault. After a fault the
// connection has no framing any more: close it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/http.h"

namespace kvs {

/// The media type of frames, in requests and in answers.
inline constexpr std::string_view kPeerContentType = "application/x-kvs";

/// Appends `POST path` with `body`, which is a frame. `host` is the address that is called.
void append_peer_request(std::string_view path, std::string_view host, std::string_view body,
                         std::string& out);

/// An answer as it arrived.
struct PeerResponse {
  unsigned status = 0;
  bool keep_alive = false;  // the peer takes another request on this connection
  std::string body;
};

/// Reads one answer after the other; the same for every way in which the bytes are cut.
class PeerResponseReader {
 public:
  enum class State : std::uint8_t { need_more, complete, failed };

  /// Answers with more than `body_bytes_max` in their body are refused.
  explicit PeerResponseReader(std::size_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  /// The bytes that have arrived since the last call. Memory grows with them, not with what they
  /// announce.
  State take(std::string_view bytes);

  [[nodiscard]] State state() const { return state_; }

  /// True if something of an answer is here. A kept connection that the peer closes before that may
  /// have been closed before it saw the request.
  [[nodiscard]] bool started() const { return state_ != State::need_more || !head_.empty(); }

  /// The answer, once it is complete; then the reader is ready for the next one.
  [[nodiscard]] PeerResponse take_response();

  /// Why it failed: bad_request, headers_too_large, value_too_large (the body) or another code of
  /// wire/http.
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  State fail_with(Errc code, std::string_view detail);
  State take_head(std::string_view bytes);
  State check_head(const ResponseHead& head);
  State take_body(std::string_view bytes);

  std::size_t body_bytes_max_;
  State state_ = State::need_more;
  bool in_body_ = false;
  std::string head_;
  HeadScan scan_;
  std::size_t body_left_ = 0;
  PeerResponse response_;
  Error error_{};
};

}  // namespace kvs
