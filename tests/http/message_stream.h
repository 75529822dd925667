// A connection's reading side, as small as can be: bytes in, whole messages out. What the tests of
// the HTTP codec share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "wire/http.h"
#include "wire/http_chunked.h"

namespace kvs::http_test {

/// Copies of everything that the codec said about one message.
struct Message {
  std::string method;  // of a response: its status
  std::string target;
  std::string path;
  std::string query;
  std::string host;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool keep_alive = false;

  bool operator==(const Message&) const = default;
};

inline Message copy(const RequestHead& head) {
  Message message{.method = std::string(head.method_name),
                  .target = std::string(head.target),
                  .path = std::string(head.path),
                  .query = head.query ? "?" + std::string(*head.query) : "",
                  .host = std::string(head.host),
                  .fields = {},
                  .body = {},
                  .keep_alive = head.framing.keep_alive};
  for (const HeaderField& field : head.fields.all()) {
    message.fields.emplace_back(field.name, field.value);
  }
  return message;
}

inline Message copy(const ResponseHead& head) {
  Message message;
  message.method = std::to_string(head.status);
  message.keep_alive = head.framing.keep_alive;
  for (const HeaderField& field : head.fields.all()) {
    message.fields.emplace_back(field.name, field.value);
  }
  return message;
}

enum class Ending : std::uint8_t { clean, incomplete, refused };

struct Outcome {
  std::vector<Message> messages;
  Ending ending = Ending::clean;
  Errc code{};
  std::string detail;

  bool operator==(const Outcome&) const = default;
};

/// What a MessageStream allows.
struct StreamLimits {
  HttpLimits head{};
  std::uint64_t body_bytes_max = 1024 * 1024;
};

template <class Head>
class MessageStream {
 public:
  explicit MessageStream(const StreamLimits& limits = {})
      : limits_(limits), decoder_(limits.body_bytes_max) {}

  /// The first `arrived.size()` bytes of the stream are there; earlier calls gave fewer of them.
  void feed(std::string_view arrived) {
    while (outcome_.ending != Ending::refused && advance(arrived.substr(consumed_))) {
    }
  }

  [[nodiscard]] const Outcome& outcome() const { return outcome_; }

  /// Bytes of the stream that belong to finished parts of messages.
  [[nodiscard]] std::size_t consumed() const { return consumed_; }

 private:
  enum class Phase : std::uint8_t { head, body, chunks };

  /// True if there may be more to do.
  bool advance(std::string_view rest) {
    if (phase_ != Phase::body && rest.empty()) {
      return false;
    }
    outcome_.ending = Ending::incomplete;
    switch (phase_) {
      case Phase::head:
        return take_head(rest);
      case Phase::body:
        return take_body(rest);
      case Phase::chunks:
        break;
    }
    const ParseResult result = decoder_.decode(rest, message_.body);
    note(result, rest);
    return result.complete() && finish();
  }

  bool take_head(std::string_view rest) {
    if (!outcome_.messages.empty() && !outcome_.messages.back().keep_alive) {
      refuse(Errc::bad_request, "data after the last message");
      return false;
    }
    const ParseResult result = parse(rest, head_);
    note(result, rest);
    if (!result.complete()) {
      return false;
    }
    KVS_CHECK(result.consumed > 0, "an empty head");
    message_ = copy(head_);
    body_left_ = head_.framing.content_length.value_or(0);
    phase_ = head_.framing.chunked ? Phase::chunks : Phase::body;
    return true;
  }

  bool take_body(std::string_view rest) {
    const std::size_t count = std::min<std::uint64_t>(body_left_, rest.size());
    message_.body.append(rest.substr(0, count));
    consumed_ += count;
    body_left_ -= count;
    return body_left_ == 0 && finish();
  }

  bool finish() {
    outcome_.messages.push_back(std::move(message_));
    outcome_.ending = Ending::clean;
    decoder_ = ChunkedDecoder(limits_.body_bytes_max);
    phase_ = Phase::head;
    return true;
  }

  ParseResult parse(std::string_view input, RequestHead& head) {
    return parse_request_head(input, limits_.head, scan_, head);
  }

  ParseResult parse(std::string_view input, ResponseHead& head) {
    return parse_response_head(input, limits_.head, scan_, head);
  }

  void note(const ParseResult& result, std::string_view rest) {
    KVS_CHECK(result.consumed <= rest.size(), "consumed more than there is");
    KVS_CHECK(result.failed() != result.detail.empty(), "an error has a sentence");
    consumed_ += result.consumed;
    if (result.failed()) {
      refuse(result.code, result.detail);
    }
  }

  void refuse(Errc code, std::string_view detail) {
    outcome_.ending = Ending::refused;
    outcome_.code = code;
    outcome_.detail = detail;
  }

  StreamLimits limits_;
  Outcome outcome_;
  Phase phase_ = Phase::head;
  Head head_;
  HeadScan scan_;
  Message message_;
  ChunkedDecoder decoder_;
  std::uint64_t body_left_ = 0;
  std::size_t consumed_ = 0;
};

/// The outcome of `input` in steps of `step` bytes.
template <class Head>
Outcome run_in_steps(std::string_view input, std::size_t step, const StreamLimits& limits = {}) {
  MessageStream<Head> stream(limits);
  for (std::size_t end = 0; end < input.size();) {
    end = std::min(input.size(), end + step);
    stream.feed(input.substr(0, end));
  }
  return stream.outcome();
}

template <class Head>
Outcome run_whole(std::string_view input, const StreamLimits& limits = {}) {
  return run_in_steps<Head>(input, std::max<std::size_t>(1, input.size()), limits);
}

}  // namespace kvs::http_test
