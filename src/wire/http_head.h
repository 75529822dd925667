// How the two kinds of head share their parsing. For wire/http_request and wire/http_response only.
#pragma once

#include <concepts>
#include <cstring>
#include <type_traits>

#include "wire/http.h"
#include "wire/http_chars.h"

namespace kvs::http_head {

[[nodiscard]] inline ParseResult refuse(Errc code, std::string_view detail) {
  return {.status = ParseResult::Status::error, .code = code, .detail = detail};
}

[[nodiscard]] inline ParseResult refuse(std::string_view detail) {
  return refuse(Errc::bad_request, detail);
}

[[nodiscard]] inline ParseResult complete(std::size_t consumed) {
  return {.status = ParseResult::Status::complete, .consumed = consumed};
}

/// The position in a head while it is parsed, and the verdict. Steps that return false end the
/// parse.
struct Cursor {
  const char* p = nullptr;
  const char* end = nullptr;
  ParseResult result{};

  /// The line is wrong. If its LF has not arrived the verdict waits for it.
  bool fail(Errc code, std::string_view detail) {
    if (p != end && std::memchr(p, '\n', static_cast<std::size_t>(end - p)) != nullptr) {
      result = refuse(code, detail);
    }
    return false;
  }

  bool fail(std::string_view detail) { return fail(Errc::bad_request, detail); }

  /// The line just taken is wrong: no need to wait.
  bool reject(Errc code, std::string_view detail) {
    result = refuse(code, detail);
    return false;
  }

  /// The input ends within the line: the result stays need_more.
  static bool starve() { return false; }

  /// Steps over CR LF.
  bool take_line_end(std::string_view detail) {
    if (end - p >= 2) {
      if (p[0] == '\r' && p[1] == '\n') {
        p += 2;
        return true;
      }
      return fail(detail);
    }
    return p != end && *p != '\r' ? fail(detail) : starve();
  }
};

/// Parses field lines up to and including the blank line, and calls `on_field` for each; it says
/// false after cursor.reject(). True at the end of the head.
template <std::predicate<const HeaderField&> OnField>
bool take_fields(Cursor& cursor, OnField on_field) {
  using http_chars::is;
  for (;;) {
    if (cursor.p == cursor.end) {
      return Cursor::starve();
    }
    const char* const name = cursor.p;
    if (*name == '\r') {
      return cursor.take_line_end("bare CR in the header block");
    }
    const char* q = http_chars::skip(name, cursor.end, http_chars::token);
    if (q == cursor.end) {
      return Cursor::starve();
    }
    if (*q != ':' || q == name) {
      return cursor.fail("malformed header field name");
    }
    HeaderField field{.name = {name, static_cast<std::size_t>(q - name)}, .value = {}};
    ++q;
    while (q != cursor.end && (*q == ' ' || *q == '\t')) {
      ++q;
    }
    const char* const value = q;
    cursor.p = q = http_chars::skip_fast<http_chars::field>(q, cursor.end);
    if (!cursor.take_line_end("control character in a header field value")) {
      return false;
    }
    while (q != value && (q[-1] == ' ' || q[-1] == '\t')) {
      --q;
    }
    field.value = {value, static_cast<std::size_t>(q - value)};
    if (!on_field(field)) {
      return false;
    }
  }
}

/// Case-insensitive equality of a field name, known to be a token, with one given in lower case.
/// Setting bit 5 makes letters small and turns no other token character into a letter or '-'.
template <std::size_t Size>
[[nodiscard]] bool is_named(std::string_view name, const char (&lower)[Size]) {
  constexpr std::size_t kLength = Size - 1;
  using Word = std::conditional_t<(kLength >= 8), std::uint64_t, std::uint32_t>;
  static_assert(kLength >= sizeof(Word));
  if (name.size() != kLength) {
    return false;
  }
  const auto differ = [&](std::size_t at) {
    Word mine{};
    Word wanted{};
    std::memcpy(&mine, name.data() + at, sizeof(Word));
    std::memcpy(&wanted, lower + at, sizeof(Word));
    return (mine | (Word{0x20} * (~Word{0} / 0xFF))) ^ wanted;
  };
  Word difference = differ(kLength - sizeof(Word));
  for (std::size_t at = 0; at + sizeof(Word) < kLength; at += sizeof(Word)) {
    difference |= differ(at);
  }
  return difference == 0;
}

/// What the framing fields of one head have said so far.
struct FramingFields {
  bool has_transfer_encoding = false;
  bool transfer_encoding_is_chunked = false;
  bool close = false;
  bool keep_alive = false;
  std::optional<std::uint64_t> content_length;

  /// Each gives what is wrong, or nothing.
  std::string_view take_content_length(std::string_view value);
  std::string_view take_transfer_encoding(std::string_view value);
  void take_connection(std::string_view value);

  /// Judges the fields together, once the head is complete, into `framing`.
  [[nodiscard]] ParseResult settle(Framing& framing) const;
};

/// True if nothing can have changed since `scan`: no line has ended and the limit is not reached.
[[nodiscard]] bool still_incomplete(std::string_view input, const HttpLimits& limits,
                                    HeadScan& scan);

/// Reads `HTTP/1.x` at the cursor.
bool take_version(Cursor& cursor, Framing& framing);

}  // namespace kvs::http_head
