#include "wire/http_chunked.h"

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "wire/http_chars.h"

namespace kvs {

namespace {

constexpr std::uint32_t kSizeDigitsMax = 15;
constexpr std::uint32_t kExtensionBytesMax = 1024;  // in the whole body
constexpr std::uint32_t kTrailerBytesMax = 4096;

/// Fields that have no effect as a trailer or a dangerous one (RFC 9110, 6.5.1).
constexpr std::array<std::string_view, 25> kForbiddenTrailers = {"authorization",
                                                                 "cache-control",
                                                                 "connection",
                                                                 "content-encoding",
                                                                 "content-length",
                                                                 "content-range",
                                                                 "content-type",
                                                                 "cookie",
                                                                 "expect",
                                                                 "host",
                                                                 "if-match",
                                                                 "if-modified-since",
                                                                 "if-none-match",
                                                                 "if-range",
                                                                 "if-unmodified-since",
                                                                 "keep-alive",
                                                                 "max-forwards",
                                                                 "pragma",
                                                                 "proxy-authorization",
                                                                 "range",
                                                                 "te",
                                                                 "trailer",
                                                                 "transfer-encoding",
                                                                 "upgrade",
                                                                 "proxy-connection"};

}  // namespace

ParseResult ChunkedDecoder::decode(std::string_view input, std::string& body) {
  std::size_t i = 0;
  while (i < input.size() && state_ != State::done) {
    if (state_ == State::data) {
      const std::size_t count =
          static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size() - i));
      body.append(input.substr(i, count));
      i += count;
      chunk_left_ -= count;
      if (chunk_left_ == 0) {
        state_ = State::data_cr;
      }
      continue;
    }
    const Refusal refusal = take(input[i]);
    if (!refusal.detail.empty()) [[unlikely]] {
      return {.status = ParseResult::Status::error,
              .consumed = i,
              .code = refusal.code,
              .detail = refusal.detail};
    }
    ++i;
  }
  return {.status = state_ == State::done ? ParseResult::Status::complete
                                          : ParseResult::Status::need_more,
          .consumed = i};
}

ChunkedDecoder::Refusal ChunkedDecoder::take(char byte) {
  const auto expect = [&](char wanted, State next) -> Refusal {
    if (byte != wanted) {
      return {.code = Errc::bad_request, .detail = "a chunk must end with CR LF"};
    }
    state_ = next;
    return {};
  };
  switch (state_) {
    case State::size_first:
    case State::size:
      return take_size(byte);
    case State::size_lf:
      if (byte == '\n') {
        return end_of_size_line();
      }
      return {.code = Errc::bad_request, .detail = "bare CR after a chunk size"};
    case State::data_cr:
      return expect('\r', State::data_lf);
    case State::data_lf:
      return expect('\n', State::size_first);
    case State::trailer:
      return take_trailer(byte);
    case State::trailer_lf:
      if (byte == '\n') {
        return end_of_trailer_line();
      }
      return {.code = Errc::bad_request, .detail = "bare CR in the trailer section"};
    default:
      return take_extension(byte);
  }
}

ChunkedDecoder::Refusal ChunkedDecoder::take_size(char byte) {
  const int digit = hex_value(byte);
  if (digit >= 0) {
    if (++size_digits_ > kSizeDigitsMax) {
      return {.code = Errc::bad_request, .detail = "chunk size with too many digits"};
    }
    chunk_left_ = 16 * chunk_left_ + static_cast<std::uint64_t>(digit);
    state_ = State::size;
    return {};
  }
  if (state_ == State::size && (byte == '\r' || byte == ';')) {
    state_ = byte == '\r' ? State::size_lf : State::extension_name_first;
    return {};
  }
  return {.code = Errc::bad_request, .detail = "malformed chunk size"};
}

/// `;name`, `;name=token`, `;name="quoted"` (RFC 9112, 7.1.1), without blanks.
ChunkedDecoder::Refusal ChunkedDecoder::take_extension(char byte) {
  if (++extension_bytes_ > kExtensionBytesMax) {
    return {.code = Errc::headers_too_large, .detail = "chunk extensions are too long"};
  }
  const bool quoted = state_ == State::extension_quoted || state_ == State::extension_escape;
  const std::optional<State> next = quoted ? after_quoted(byte) : after_unquoted(byte);
  if (!next) {
    return {.code = Errc::bad_request, .detail = "malformed chunk extension"};
  }
  state_ = *next;
  return {};
}

std::optional<ChunkedDecoder::State> ChunkedDecoder::after_quoted(char byte) const {
  if (!http_chars::is(byte, http_chars::field)) {
    return std::nullopt;
  }
  if (state_ == State::extension_escape) {
    return State::extension_quoted;
  }
  return byte == '"'    ? State::extension_end
         : byte == '\\' ? State::extension_escape
                        : State::extension_quoted;
}

std::optional<ChunkedDecoder::State> ChunkedDecoder::after_unquoted(char byte) const {
  const bool in_name = state_ == State::extension_name;
  const bool in_value = state_ == State::extension_value;
  const bool may_end = in_name || in_value || state_ == State::extension_end;
  if (may_end && (byte == ';' || byte == '\r')) {
    return byte == ';' ? State::extension_name_first : State::size_lf;
  }
  if (byte == '=' && in_name) {
    return State::extension_value_first;
  }
  if (byte == '"' && state_ == State::extension_value_first) {
    return State::extension_quoted;
  }
  if (state_ == State::extension_end || !http_chars::is(byte, http_chars::token)) {
    return std::nullopt;
  }
  return in_name || state_ == State::extension_name_first ? State::extension_name
                                                          : State::extension_value;
}

ChunkedDecoder::Refusal ChunkedDecoder::end_of_size_line() {
  size_digits_ = 0;
  if (chunk_left_ == 0) {
    state_ = State::trailer;
    return {};
  }
  if (chunk_left_ > body_bytes_max_ - body_bytes_) {
    return {.code = Errc::value_too_large, .detail = "the body is too large"};
  }
  body_bytes_ += chunk_left_;
  state_ = State::data;
  return {};
}

ChunkedDecoder::Refusal ChunkedDecoder::take_trailer(char byte) {
  if (++trailer_bytes_ > kTrailerBytesMax) {
    return {.code = Errc::headers_too_large, .detail = "the trailer section is too large"};
  }
  if (byte == '\r') {
    state_ = State::trailer_lf;
    return {};
  }
  if (byte == '\n') {
    return {.code = Errc::bad_request, .detail = "bare LF in the trailer section"};
  }
  trailer_line_.push_back(byte);
  return {};
}

ChunkedDecoder::Refusal ChunkedDecoder::end_of_trailer_line() {
  if (trailer_line_.empty()) {
    state_ = State::done;
    return {};
  }
  const std::optional<HeaderField> field = parse_field_line(trailer_line_);
  if (!field) {
    return {.code = Errc::bad_request, .detail = "malformed trailer field"};
  }
  for (const std::string_view name : kForbiddenTrailers) {
    if (equals_lower_case(field->name, name)) {
      return {.code = Errc::bad_request, .detail = "forbidden trailer field"};
    }
  }
  trailer_line_.clear();
  state_ = State::trailer;
  return {};
}

}  // namespace kvs
