// Any bytes as a key and as an API request: what passes is a key by the rule written down a second
// time, what does not is refused with a sentence, and a written key reads back as itself.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "core/key.h"
#include "wire/api.h"
#include "wire/base64url.h"
#include "wire/url.h"

namespace kvs {
namespace {

constexpr std::size_t kBytesMax = 64;

bool is_sound(std::string_view text) {
  const bool segments = std::ranges::none_of(std::views::split(text, '/'), [](auto&& part) {
    const std::string_view segment(part.begin(), part.end());
    return segment.empty() || segment == "." || segment == "..";
  });
  const bool characters =
      std::ranges::none_of(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
  return !text.empty() && text.size() <= kBytesMax && is_utf8(text) && segments && characters;
}

void check_key(std::string_view text) {
  const auto key = Key::parse(text, kBytesMax);
  KVS_CHECK(key.has_value() == is_sound(text), "not what the rule says");
  if (!key) {
    KVS_CHECK(is_utf8(key.error().detail), "the message cannot be shown");
    return;
  }
  KVS_CHECK(key->text() == text, "another key");
  const KeyRange below = keys_below(text);
  KVS_CHECK(text < below.begin && below.begin < below.end, "the range below a key is behind it");
}

/// `text` as the target of a request, as it stands: most are malformed.
void check_request(std::string_view text) {
  RequestHead head;
  HeadScan scan;
  const std::string request = "GET /kv/" + std::string(text) +
                              " HTTP/1.1\r\nHost: h\r\nIf-None-Match: " +
                              std::string(text.substr(0, text.find_first_of("\r\n"))) + "\r\n\r\n";
  if (!parse_request_head(request, {}, scan, head).complete()) {
    return;
  }
  ApiParser parser({.key_bytes_max = kBytesMax, .value_bytes_max = 100});
  const auto asked = parser.parse(head, {});
  KVS_CHECK(asked || !asked.error().message.empty(), "an error without a word");
  if (asked && std::holds_alternative<GetValue>(*asked)) {
    KVS_CHECK(is_sound(std::get<GetValue>(*asked).key.text()), "an unsound key passed");
  }
}

/// `text` percent-encoded is the key that it is.
void check_encoded(std::string_view text) {
  std::string encoded;
  percent_encode(text, encoded);
  std::string decoded;
  KVS_CHECK(percent_decode(encoded, decoded) && decoded == text, "percent-encoding loses bytes");
  std::string cursor;
  encode_base64url(text, cursor);
  std::string name;
  KVS_CHECK(decode_base64url(cursor, name) && name == text, "base64url loses bytes");
  std::string any;
  if (decode_base64url(text, any)) {
    cursor.clear();
    encode_base64url(any, cursor);
    KVS_CHECK(cursor == text, "two cursors for one name");
  }
}

}  // namespace
}  // namespace kvs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  kvs::check_key(text);
  kvs::check_request(text);
  kvs::check_encoded(text);
  return 0;
}
