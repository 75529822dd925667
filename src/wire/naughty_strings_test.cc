// The Big List of Naughty Strings as keys and as values: every one comes back byte for byte, or is
// refused as the documented rule says.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <ranges>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/utf8.h"
#include "wire/api.h"
#include "wire/record_codec.h"
#include "wire/url.h"

namespace kvs {
namespace {

struct Naughty {
  std::string json;  // as it stands in the file
  std::string text;
};

std::vector<Naughty> naughty_strings() {
  std::ifstream file(KVS_TEST_DATA "/naughty-strings/blns.json");
  std::vector<Naughty> strings;
  for (std::string line; std::getline(file, line);) {
    const std::size_t begin = line.find('"');
    if (begin != std::string::npos) {
      const std::string json = line.substr(begin, line.rfind('"') - begin + 1);
      strings.push_back({.json = json, .text = std::string(boost::json::parse(json).as_string())});
    }
  }
  return strings;
}

/// The rule of docs/api.md, written down a second time.
bool is_allowed_as_key(std::string_view text) {
  const auto bad_segment = [](auto&& segment) {
    const std::string_view name(segment.begin(), segment.end());
    return name.empty() || name == "." || name == "..";
  };
  return !text.empty() && text.size() <= 1024 && is_utf8(text) &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }) &&
         std::ranges::none_of(std::views::split(text, '/'), bad_segment);
}

std::string put_of(std::string_view target, std::string_view body) {
  return "PUT /kv/" + std::string(target) +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

/// What a store and a GET give back for `value` under `key`.
std::string stored_and_read(Key key, std::string_view value) {
  std::string stored;
  encode_record(key, {.header = {}, .value = value}, stored);
  const auto record = decode_record(key, stored);
  EXPECT_TRUE(record);
  std::string out;
  append_value_response({.out = out,
                         .persistence = Persistence::implicit,
                         .stream_framing = StreamFraming::chunked,
                         .head_only = false},
                        {.key = key, .if_match = {}, .if_none_match = {}}, *record);
  return out.substr(out.find("\r\n\r\n") + 4);
}

TEST(NaughtyStrings, AllAreThere) {
  EXPECT_EQ(naughty_strings().size(), 515U);
}

TEST(NaughtyStrings, AsValuesTheyComeBack) {
  ApiParser parser({});
  RequestHead head;
  for (const Naughty& naughty : naughty_strings()) {
    const std::string request = put_of("a", naughty.json);
    HeadScan scan;
    const ParseResult result = parse_request_head(request, {}, scan, head);
    ASSERT_TRUE(result.complete());
    const auto asked = parser.parse(head, std::string_view(request).substr(result.consumed));
    ASSERT_TRUE(asked) << asked.error().message << ": " << naughty.json;
    const auto& command = std::get<WriteCommand>(*asked);
    EXPECT_EQ(stored_and_read(command.key, command.value), naughty.json);
  }
}

TEST(NaughtyStrings, OurOwnWritingOfThemIsTheSameString) {
  for (const Naughty& naughty : naughty_strings()) {
    std::string json;
    append_json_string(json, naughty.text);
    ASSERT_TRUE(JsonChecker().check(json)) << json;
    EXPECT_EQ(std::string_view(boost::json::parse(json).as_string()), naughty.text);
  }
}

TEST(NaughtyStrings, AsKeysTheyComeBackOrAreRefused) {
  ApiParser parser({});
  RequestHead head;
  std::size_t allowed = 0;
  for (const Naughty& naughty : naughty_strings()) {
    std::string target;
    percent_encode(naughty.text, target);
    const std::string request = put_of(target, "1");
    HeadScan scan;
    const ParseResult result = parse_request_head(request, {}, scan, head);
    ASSERT_TRUE(result.complete()) << result.detail << naughty.json;
    const auto asked = parser.parse(head, std::string_view(request).substr(result.consumed));
    if (is_allowed_as_key(naughty.text)) {
      ++allowed;
      ASSERT_TRUE(asked) << asked.error().message << ": " << naughty.json;
      const Key key = std::get<WriteCommand>(*asked).key;
      EXPECT_EQ(key.text(), naughty.text);
      EXPECT_EQ(stored_and_read(key, "1"), "1");
    } else {
      ASSERT_FALSE(asked) << naughty.json;
      EXPECT_EQ(asked.error().code, Errc::invalid_key) << naughty.json;
    }
  }
  EXPECT_GT(allowed, 400U);
  EXPECT_LT(allowed, 515U);
}

}  // namespace
}  // namespace kvs
