#include "base/utf8.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace kvs {
namespace {

std::string encode(std::uint32_t c) {
  const auto tail = [c](unsigned shift) {
    return static_cast<char>(0x80U | ((c >> shift) & 0x3FU));
  };
  if (c < 0x80) {
    return {static_cast<char>(c)};
  }
  if (c < 0x800) {
    return {static_cast<char>(0xC0U | (c >> 6U)), tail(0)};
  }
  if (c < 0x10000) {
    return {static_cast<char>(0xE0U | (c >> 12U)), tail(6), tail(0)};
  }
  return {static_cast<char>(0xF0U | (c >> 18U)), tail(12), tail(6), tail(0)};
}

TEST(Utf8, TakesEveryScalarValueAndNoSurrogate) {
  for (std::uint32_t c = 0; c <= 0x11FFFF; ++c) {
    const bool scalar = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
    const std::string text = encode(c);
    ASSERT_EQ(utf8_length(text), scalar ? text.size() : 0) << c;
  }
}

TEST(Utf8, RefusesEveryTruncation) {
  for (const std::string_view whole : {"\u00e9", "\u20ac", "\U0001F600"}) {
    for (std::size_t size = 1; size < whole.size(); ++size) {
      EXPECT_EQ(utf8_length(whole.substr(0, size)), 0U);
      EXPECT_EQ(utf8_length(std::string(whole.substr(0, size)) + "a"), 0U);
    }
  }
}

TEST(Utf8, RefusesOverlongForms) {
  for (const std::string_view text : {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF",
                                      "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF8\x88\x80\x80"}) {
    EXPECT_EQ(utf8_length(text), 0U);
  }
}

TEST(Utf8, RefusesLoneContinuationAndImpossibleBytes) {
  for (int byte = 0x80; byte < 0x100; ++byte) {
    EXPECT_EQ(utf8_length(std::string(1, static_cast<char>(byte))), 0U) << byte;
  }
}

TEST(Utf8, FindsTheFirstInvalidByte) {
  EXPECT_EQ(find_invalid_utf8(""), 0U);
  EXPECT_EQ(find_invalid_utf8("a\u20acb"), 5U);
  EXPECT_EQ(find_invalid_utf8("a\u20ac\xFF z"), 4U);
  EXPECT_TRUE(is_utf8("\u00e9"));
  EXPECT_FALSE(is_utf8("\xE9"));
}

}  // namespace
}  // namespace kvs
