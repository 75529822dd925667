#include "wire/http_head.h"

namespace kvs {

namespace {

constexpr std::size_t kLengthDigitsMax = 18;  // fits in 63 bits

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace

bool equals_lower_case(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != lower_case[i]) {
      return false;
    }
  }
  return true;
}

bool list_has_token(std::string_view value, std::string_view lower_case) {
  for (;;) {
    const std::size_t comma = value.find(',');
    if (equals_lower_case(trimmed(value.substr(0, comma)), lower_case)) {
      return true;
    }
    if (comma == std::string_view::npos) {
      return false;
    }
    value.remove_prefix(comma + 1);
  }
}

std::optional<std::string_view> HeaderFields::find(std::string_view lower_case_name) const {
  for (const HeaderField& field : all()) {
    if (equals_lower_case(field.name, lower_case_name)) {
      return field.value;
    }
  }
  return std::nullopt;
}

std::optional<HeaderField> parse_field_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 ||
      !http_chars::all(line.substr(0, colon), http_chars::token) ||
      !http_chars::all(line.substr(colon + 1), http_chars::field)) {
    return std::nullopt;
  }
  return HeaderField{.name = line.substr(0, colon), .value = trimmed(line.substr(colon + 1))};
}

namespace http_head {

std::string_view FramingFields::take_content_length(std::string_view value) {
  if (content_length) {
    return "repeated Content-Length";
  }
  if (value.empty() || value.size() > kLengthDigitsMax) {
    return "malformed Content-Length";
  }
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') {
      return "malformed Content-Length";
    }
    length = 10 * length + static_cast<std::uint64_t>(c - '0');
  }
  content_length = length;
  return {};
}

std::string_view FramingFields::take_transfer_encoding(std::string_view value) {
  if (has_transfer_encoding) {
    return "repeated Transfer-Encoding";
  }
  has_transfer_encoding = true;
  transfer_encoding_is_chunked = equals_lower_case(value, "chunked");
  return {};
}

void FramingFields::take_connection(std::string_view value) {
  close = close || list_has_token(value, "close");
  keep_alive = keep_alive || list_has_token(value, "keep-alive");
}

ParseResult FramingFields::settle(Framing& framing) const {
  if (has_transfer_encoding) {
    if (content_length) {
      return refuse("both Content-Length and Transfer-Encoding");
    }
    if (framing.minor_version == 0) {
      return refuse("Transfer-Encoding in HTTP/1.0");
    }
    if (!transfer_encoding_is_chunked) {
      return refuse(Errc::not_implemented, "the only Transfer-Encoding understood is chunked");
    }
  }
  framing.content_length = content_length;
  framing.chunked = has_transfer_encoding;
  framing.keep_alive = !close && (framing.minor_version == 1 || keep_alive);
  return {.status = ParseResult::Status::complete};
}

bool still_incomplete(std::string_view input, const HttpLimits& limits, HeadScan& scan) {
  if (scan.seen == 0 || input.size() >= limits.header_bytes ||
      input.find('\n', scan.seen) != std::string_view::npos) {
    return false;
  }
  scan.seen = input.size();
  return true;
}

bool take_version(Cursor& cursor, Framing& framing) {
  constexpr std::string_view kName = "HTTP/1.1";
  const std::string_view rest(cursor.p, static_cast<std::size_t>(cursor.end - cursor.p));
  if (rest.size() < kName.size()) {
    return cursor.fail("malformed HTTP version");
  }
  const auto digit = [](char c) {
    return c >= '0' && c <= '9';
  };
  if (!rest.starts_with("HTTP/") || !digit(rest[5]) || rest[6] != '.' || !digit(rest[7])) {
    return cursor.fail("malformed HTTP version");
  }
  if (rest[5] != '1' || rest[7] > '1') {
    return cursor.fail(Errc::http_version_not_supported, "only HTTP/1.0 and HTTP/1.1 are spoken");
  }
  framing.minor_version = static_cast<std::uint8_t>(rest[7] - '0');
  cursor.p += kName.size();
  return true;
}

}  // namespace http_head

}  // namespace kvs
