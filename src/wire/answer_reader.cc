#include "wire/answer_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"

namespace kvs {

namespace {

constexpr HttpLimits kLimits{};

template <class Number>
std::optional<Number> read_number(std::optional<std::string_view> text) {
  Number number{};
  if (!text) {
    return std::nullopt;
  }
  const char* const end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, number);
  return error == std::errc{} && stopped == end ? std::optional(number) : std::nullopt;
}

std::string_view without_quotes(std::string_view tag) {
  const bool quoted = tag.size() >= 2 && tag.front() == '"' && tag.back() == '"';
  return quoted ? tag.substr(1, tag.size() - 2) : std::string_view();
}

bool is_interim(unsigned status) {
  return status < 200;
}

bool has_no_body(unsigned status) {
  return status == 204 || status == 304;
}

}  // namespace

AnswerReader::State AnswerReader::take(std::string_view& input) {
  while (!input.empty() && state_ == State::in_head) {
    if (take_head(input)) {
      read_head(parsed_);
    }
  }
  if (state_ == State::in_body) {
    return take_body_bytes(input);
  }
  return state_;
}

AnswerReader::State AnswerReader::end() {
  if (state_ == State::in_body && framed_ == Framed::by_end) {
    return state_ = State::complete;
  }
  if (state_ == State::in_head || state_ == State::in_body) {
    return fail_with(Errc::bad_request, "the connection ended within an answer");
  }
  return state_;
}

std::string AnswerReader::take_body() {
  return std::exchange(body_, {});
}

void AnswerReader::next() {
  KVS_CHECK(state_ == State::complete, "the answer is not complete");
  state_ = State::in_head;
  head_bytes_.clear();
  body_.clear();
  chunks_.reset();
}

AnswerReader::State AnswerReader::fail_with(Errc code, std::string_view detail) {
  error_ = {.code = code, .detail = std::string(detail)};
  return state_ = State::failed;
}

bool AnswerReader::take_head(std::string_view& input) {
  const std::size_t before = head_bytes_.size();
  head_bytes_.append(input.substr(0, kLimits.header_bytes - before));
  const ParseResult result = parse_response_head(head_bytes_, kLimits, scan_, parsed_);
  if (result.failed()) {
    fail_with(result.code, result.detail);
    return false;
  }
  if (!result.complete()) {
    input.remove_prefix(head_bytes_.size() - before);
    return false;
  }
  input.remove_prefix(result.consumed - before);
  if (is_interim(parsed_.status)) {
    head_bytes_.clear();
    return false;
  }
  return true;
}

void AnswerReader::read_head(const ResponseHead& head) {
  const HeaderFields& fields = head.fields;
  head_ = {.status = head.status,
           .keep_alive = head.framing.keep_alive,
           .partial = fields.find("x-kvs-source") == "partial",
           .retry_after_s = read_number<std::uint32_t>(fields.find("retry-after")),
           .timestamp_ms = read_number<std::int64_t>(fields.find("x-kvs-timestamp")),
           .etag = std::string(without_quotes(fields.find("etag").value_or("")))};
  state_ = State::in_body;
  body_bytes_ = 0;
  if (has_no_body(head.status)) {
    framed_ = Framed::by_length;
    body_left_ = 0;
  } else if (head.framing.chunked) {
    framed_ = Framed::by_chunks;
    chunks_.emplace(body_bytes_max_);
  } else if (head.framing.content_length) {
    framed_ = Framed::by_length;
    if (*head.framing.content_length > body_bytes_max_) {
      fail_with(Errc::value_too_large, "the answer is too large");
      return;
    }
    body_left_ = *head.framing.content_length;
  } else {
    framed_ = Framed::by_end;
    head_.keep_alive = false;
  }
}

AnswerReader::State AnswerReader::take_body_bytes(std::string_view& input) {
  if (framed_ == Framed::by_chunks && chunks_) {
    const ParseResult result = chunks_->decode(input, body_);
    if (result.failed()) {
      return fail_with(result.code, result.detail);
    }
    input.remove_prefix(result.consumed);
    return state_ = result.complete() ? State::complete : State::in_body;
  }
  const std::size_t count =
      framed_ == Framed::by_end ? input.size() : std::min(body_left_, input.size());
  body_.append(input.substr(0, count));
  input.remove_prefix(count);
  if (framed_ == Framed::by_length) {
    body_left_ -= count;
    return state_ = body_left_ == 0 ? State::complete : State::in_body;
  }
  body_bytes_ += count;
  return body_bytes_ > body_bytes_max_ ? fail_with(Errc::value_too_large, "the answer is too large")
                                       : state_;
}

}  // namespace kvs
