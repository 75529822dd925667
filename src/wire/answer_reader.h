// The client's side of a connection: bytes in, answers out, pipelined ones too. Sans-IO: the owner
// of the socket brings bytes and time limits.
//
// What belongs to the next answer stays with the caller. A body is handed out as it comes, so an
// answer of any size can be read in bounded memory. After a fault the connection has no framing any
// more: close it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/http.h"
#include "wire/http_chunked.h"

namespace kvs {

/// What the head of an answer says to a client of docs/api.md.
struct AnswerHead {
  unsigned status = 0;
  bool keep_alive = false;  // the server takes another request on this connection
  bool partial = false;     // X-KVS-Source: partial
  std::optional<std::uint32_t> retry_after_s;
  std::optional<std::int64_t> timestamp_ms;  // X-KVS-Timestamp
  std::string etag;                          // without quotes; empty: none

  [[nodiscard]] bool fine() const { return status >= 200 && status < 300; }
};

/// Reads one answer after the other (none to HEAD or CONNECT); the same for every way in which the
/// bytes are cut. Interim answers (1xx) are skipped.
class AnswerReader {
 public:
  enum class State : std::uint8_t { in_head, in_body, complete, failed };

  /// Bodies of more than `body_bytes_max` are a fault.
  explicit AnswerReader(std::size_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  /// Takes bytes off the front of `input`: all of them, unless the answer ends in it or is at
  /// fault.
  State take(std::string_view& input);

  /// The server has ended the connection: that completes a body without a length, and is a fault
  /// within an answer of any other kind.
  State end();

  [[nodiscard]] State state() const { return state_; }

  /// True if nothing of an answer has come since the last one.
  [[nodiscard]] bool untouched() const { return state_ == State::in_head && head_bytes_.empty(); }

  /// Valid once the state is in_body or complete.
  [[nodiscard]] const AnswerHead& head() const { return head_; }

  /// What has come of the body since the last call.
  [[nodiscard]] std::string take_body();

  /// After a complete answer: ready for the next one.
  void next();

  /// Why it failed: a code of wire/http.
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  enum class Framed : std::uint8_t { by_length, by_chunks, by_end };

  State fail_with(Errc code, std::string_view detail);
  /// True if a final head is complete.
  bool take_head(std::string_view& input);
  void read_head(const ResponseHead& head);
  State take_body_bytes(std::string_view& input);

  std::size_t body_bytes_max_;
  State state_ = State::in_head;
  std::string head_bytes_;
  HeadScan scan_;
  ResponseHead parsed_;
  AnswerHead head_;
  Framed framed_ = Framed::by_length;
  std::size_t body_left_ = 0;   // by_length: still to come
  std::size_t body_bytes_ = 0;  // by_end: how many came
  std::optional<ChunkedDecoder> chunks_;
  std::string body_;
  Error error_{};
};

}  // namespace kvs
