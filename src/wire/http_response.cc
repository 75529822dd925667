#include "wire/http_head.h"

namespace kvs {

namespace {

using http_head::Cursor;
using http_head::FramingFields;
using http_head::is_named;

bool take_status_line(Cursor& cursor, ResponseHead& head) {
  if (!http_head::take_version(cursor, head.framing)) {
    return false;
  }
  constexpr std::size_t kStatusSize = 5;  // blank, three digits, blank
  if (static_cast<std::size_t>(cursor.end - cursor.p) < kStatusSize) {
    return cursor.fail("malformed status line");
  }
  const char* const s = cursor.p;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9';
  };
  if (s[0] != ' ' || s[1] < '1' || s[1] > '9' || !digit(s[2]) || !digit(s[3]) || s[4] != ' ') {
    return cursor.fail("malformed status line");
  }
  head.status = static_cast<unsigned>(100 * (s[1] - '0') + 10 * (s[2] - '0') + (s[3] - '0'));
  cursor.p = http_chars::skip_fast<http_chars::field>(s + kStatusSize, cursor.end);
  return cursor.take_line_end("control character in the reason phrase");
}

std::string_view take_framing(FramingFields& framing, const HeaderField& field) {
  if (is_named(field.name, "content-length")) {
    return framing.take_content_length(field.value);
  }
  if (is_named(field.name, "transfer-encoding")) {
    return framing.take_transfer_encoding(field.value);
  }
  if (is_named(field.name, "connection")) {
    framing.take_connection(field.value);
  }
  return {};
}

}  // namespace

ParseResult parse_response_head(std::string_view input, const HttpLimits& limits, HeadScan& scan,
                                ResponseHead& head) {
  if (input.empty() || http_head::still_incomplete(input, limits, scan)) {
    return {};
  }
  scan = {};
  head.fields.clear();
  const std::string_view window = input.substr(0, limits.header_bytes);
  Cursor cursor{.p = window.data(), .end = window.data() + window.size()};
  FramingFields framing;
  const std::size_t fields_max = std::min(limits.headers, HeaderFields::kCapacity);
  const auto take_field = [&](const HeaderField& field) {
    if (head.fields.size() == fields_max) {
      return cursor.reject(Errc::headers_too_large, "too many header fields");
    }
    head.fields.add(field);
    const std::string_view complaint = take_framing(framing, field);
    return complaint.empty() || cursor.reject(Errc::bad_request, complaint);
  };
  if (take_status_line(cursor, head) && http_head::take_fields(cursor, take_field)) {
    ParseResult result = framing.settle(head.framing);
    result.consumed = static_cast<std::size_t>(cursor.p - window.data());
    return result;
  }
  if (cursor.result.failed()) {
    return cursor.result;
  }
  if (input.size() >= limits.header_bytes) {
    return http_head::refuse(Errc::headers_too_large, "the header block is too large");
  }
  scan.seen = input.size();
  return {};
}

}  // namespace kvs
