// From the bytes of a connection to whole requests: head and decoded body.
//
// Bytes are lent for one turn, between lend() and keep(); only what is unfinished or has to wait is
// copied. A head that is needed again, because its body came later, is parsed again instead of
// being stored: views never outlive their bytes.
//
// Turn: lend(), then next() and consume() as often as wanted, then keep().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "wire/http.h"
#include "wire/http_chunked.h"

namespace kvs {

/// Empties `text` and frees its memory, which neither clear() nor assignment does.
inline void free_memory(std::string& text) {
  std::string().swap(text);
}

/// Memory that `text` holds outside itself.
[[nodiscard]] inline std::size_t heap_bytes(const std::string& text) {
  return text.capacity() > sizeof(std::string) ? text.capacity() : 0;
}

class RequestReader {
 public:
  enum class Status : std::uint8_t {
    need_more,
    head,     // a head whose body is to follow: call accept_body(), or give up
    request,  // head and body() are whole
    error,    // the framing is lost
  };

  struct Step {
    Status status = Status::need_more;
    Errc code{};              // if error
    std::string_view detail;  // if error; static storage
  };

  /// Adds bytes. They must stay where they are until keep().
  void lend(std::string_view bytes);

  /// Reads on. `head` is filled for the statuses head and request, and valid until consume() or
  /// keep(). Without consume() the same request comes again.
  Step next(const HttpLimits& limits, RequestHead& head);

  /// Has the body of the head just seen read; chunked ones are cut off at `bytes_max`.
  void accept_body(std::uint64_t bytes_max);

  /// The body of the request just read.
  [[nodiscard]] std::string_view body() const;

  /// Steps over the request just read.
  void consume();

  /// Copies what is left of the lent bytes.
  void keep();

  /// Drops everything.
  void clear();

  /// True if not a byte of a next request is there.
  [[nodiscard]] bool empty() const { return phase_ == Phase::head && window().empty(); }

  /// The bytes from the current request on, as they are held.
  [[nodiscard]] std::string_view unread() const { return window(); }

  /// True between a head and the end of its body.
  [[nodiscard]] bool in_body() const { return phase_ == Phase::body; }

  /// True if the client waits for `100 Continue`. Call continued() when it has been sent.
  [[nodiscard]] bool wants_continue() const { return wants_continue_; }

  void continued() { wants_continue_ = false; }

  /// Memory held.
  [[nodiscard]] std::size_t bytes() const;

 private:
  enum class Phase : std::uint8_t { head, body, request };

  struct ChunkedBody {
    ChunkedDecoder decoder;
    std::string text;
  };

  /// From the first byte of the current request on.
  [[nodiscard]] std::string_view window() const {
    return lent_.empty() ? std::string_view(kept_).substr(kept_begin_) : lent_;
  }

  Step read_head(const HttpLimits& limits, RequestHead& head);
  Step read_body();
  void drop_decoded();

  std::string_view lent_;  // used only while kept_ is empty
  std::string kept_;
  std::size_t kept_begin_ = 0;
  std::size_t head_bytes_ = 0;
  std::size_t end_ = 0;  // of the request in window(); with a chunked body, of what is decoded
  HeadScan scan_;
  std::unique_ptr<ChunkedBody> chunked_;
  Phase phase_ = Phase::head;
  bool chunked_follows_ = false;  // between Status::head and accept_body
  bool head_is_parsed_ = false;   // the caller's head belongs to this request, in this turn
  bool wants_continue_ = false;
};

}  // namespace kvs
