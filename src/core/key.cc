#include "core/key.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"

namespace kvs {

namespace {

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// The offset of the first byte that no key may hold, or npos.
std::size_t first_bad_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char byte = byte_at(text, i);
    if (byte < 0x20 || byte == 0x7f) {
      return i;
    }
    const std::size_t length = byte < 0x80 ? 1 : utf8_length(text.substr(i));
    if (length == 0) {
      return i;
    }
    i += length;
  }
  return std::string_view::npos;
}

/// What is wrong with one segment; empty if nothing is.
std::string_view segment_fault(std::string_view segment) {
  if (segment.empty()) {
    return "has an empty segment: write `a/b`, not `a//b`, `/a` or `a/`";
  }
  if (segment == "." || segment == "..") {
    return "has a `.` or `..` segment, which names no place here";
  }
  return {};
}

std::string_view shape_fault(std::string_view text) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    const std::string_view fault = segment_fault(text.substr(begin, end - begin));
    if (!fault.empty()) {
      return fault;
    }
    begin = end + 1;
  }
  return {};
}

}  // namespace

Result<Key> Key::parse(std::string_view text, std::size_t bytes_max) {
  if (text.empty()) {
    return fail(Errc::invalid_key, "the key is empty: name one, as in /kv/users/john");
  }
  if (text.size() > bytes_max) {
    return fail(Errc::key_too_large,
                fmt::format("the key has {} bytes, {} are allowed (max_key_bytes)", text.size(),
                            bytes_max));
  }
  if (const std::size_t bad = first_bad_byte(text); bad != std::string_view::npos) {
    return fail(
        Errc::invalid_key,
        fmt::format("byte 0x{:02x} at offset {} of the key is a control character or not UTF-8",
                    byte_at(text, bad), bad));
  }
  if (const std::string_view fault = shape_fault(text); !fault.empty()) {
    return fail(Errc::invalid_key, fmt::format("the key {}", fault));
  }
  return Key(text);
}

KeyRange keys_below(std::string_view path) {
  if (path.empty()) {
    return {};
  }
  return {.begin = std::string(path) + '/', .end = past_subtree(path)};
}

std::string past_subtree(std::string_view path) {
  constexpr char kAfterSlash = '/' + 1;
  return std::string(path) + kAfterSlash;
}

}  // namespace kvs
