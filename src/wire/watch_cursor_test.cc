#include "wire/watch_cursor.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

WatchCursor sample() {
  WatchCursor cursor{.seen = {},
                     .place = {.run = 0x1122334455667788, .number = 300, .index = 7},
                     .made = {1'700'000'000'123}};
  cursor.seen.add(DotRange{.origin = Origin{7}, .first = 1, .last = 1000});
  cursor.seen.add(DotRange{.origin = Origin{7}, .first = 1005, .last = 1005});
  cursor.seen.add(DotRange{.origin = Origin{7}, .first = 2000, .last = 2500});
  cursor.seen.add(DotRange{.origin = Origin{~std::uint64_t{0}}, .first = 3, .last = 3});
  return cursor;
}

std::string text_of(const WatchCursor& cursor, std::string_view path = "a") {
  std::string text;
  append_watch_cursor(cursor, path, text);
  return text;
}

TEST(WatchCursor, ComesBackAsItWas) {
  EXPECT_EQ(parse_watch_cursor(text_of(sample()), "a"), sample());
  EXPECT_EQ(parse_watch_cursor(text_of({}), "a"), WatchCursor{});
  WatchCursor partial = sample();
  partial.partial = true;
  EXPECT_EQ(parse_watch_cursor(text_of(partial), "a"), partial);
  WatchCursor expired = sample();
  expired.expired = {.expires_ms = 1'700'000'000'000, .dot = {.origin = Origin{5}, .seq = 77}};
  EXPECT_EQ(parse_watch_cursor(text_of(expired), "a"), expired);
  expired.expired = end_of({1'700'000'000'000});
  EXPECT_EQ(parse_watch_cursor(text_of(expired), "a"), expired);
}

TEST(WatchCursor, IsBoundToItsPath) {
  EXPECT_EQ(parse_watch_cursor(text_of(sample(), "a/b"), "a"), std::nullopt);
  EXPECT_NE(parse_watch_cursor(text_of(sample(), ""), ""), std::nullopt);
}

TEST(WatchCursor, EveryOtherTextIsNone) {
  const std::string text = text_of(sample());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(parse_watch_cursor(other, "a"), std::nullopt) << i;
    EXPECT_EQ(parse_watch_cursor(text.substr(0, i), "a"), std::nullopt) << i;
  }
  EXPECT_EQ(parse_watch_cursor(text + "AAAA", "a"), std::nullopt);
  EXPECT_EQ(parse_watch_cursor("0", "a"), std::nullopt);
}

TEST(WatchCursor, WhatDoesNotFitStartsAnew) {
  WatchCursor cursor = sample();
  for (std::uint64_t i = 1; i < 1000; ++i) {
    cursor.seen.add(DotRange{.origin = Origin{i << 40U}, .first = 1, .last = i});
    const std::string text = text_of(cursor);
    ASSERT_LE(text.size(), kWatchCursorTextMax);
    ASSERT_TRUE(text == kWatchCursorNone || parse_watch_cursor(text, "a") == cursor) << i;
  }
  EXPECT_EQ(text_of(cursor), kWatchCursorNone);
}

TEST(WatchCursor, ThreeHundredOriginsFit) {
  WatchCursor cursor = sample();
  for (std::uint64_t i = 1; i <= 300; ++i) {
    cursor.seen.add(DotRange{.origin = Origin{i << 40U}, .first = 1, .last = 1'000'000});
  }
  EXPECT_EQ(parse_watch_cursor(text_of(cursor), "a"), cursor);
}

}  // namespace
}  // namespace kvs
