#include "app/human_text.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(HumanText, Numbers) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(123456), "123,456");
  EXPECT_EQ(grouped(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(HumanText, Bytes) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(20UL << 20U), "20 MiB");
  EXPECT_EQ(bytes_text(UINT64_MAX), "16777216 TiB");
}

TEST(HumanText, Spans) {
  EXPECT_EQ(span_text({-5}), "0 us");
  EXPECT_EQ(span_text({350'999}), "350 us");
  EXPECT_EQ(span_text({1'250'000}), "1.2 ms");
  EXPECT_EQ(span_text(Duration::from_ms(5000)), "5.0 s");
  EXPECT_EQ(span_text(Duration::from_seconds(200)), "3 min 20 s");
  EXPECT_EQ(span_text(Duration::from_seconds(2 * 3600 + 300)), "2 h 5 min");
  EXPECT_EQ(span_text(Duration::from_seconds(3 * 86'400 + 4 * 3600)), "3 d 4 h");
}

TEST(HumanText, Times) {
  EXPECT_EQ(time_text(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time_text(1'672'531'200'007), "2023-01-01T00:00:00.007Z");
  EXPECT_EQ(time_text(-1), "1969-12-31T23:59:59.999Z");
}

TEST(HumanText, NothingCommandsTheTerminal) {
  EXPECT_EQ(harmless("a\tb\nc \u00e9\u20ac\U0001F600"), "a\tb\nc \u00e9\u20ac\U0001F600");
  EXPECT_EQ(harmless("\x1b[31m"), "\uFFFD[31m");
  EXPECT_EQ(harmless(std::string_view("\0\r\x7f", 3)), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(harmless("\u009b1m"), "\uFFFD1m");
  EXPECT_EQ(harmless("\u00a0"), "\u00a0");
  EXPECT_EQ(harmless("\u202eabc\u2069\u200f"), "\uFFFDabc\uFFFD\uFFFD");
  EXPECT_EQ(harmless("\u2029\u202f\u2065"), "\u2029\u202f\u2065");
  EXPECT_EQ(harmless("\xff\xc3"), "\uFFFD\uFFFD");
}

TEST(HumanText, OneLine) {
  EXPECT_EQ(on_one_line("{\n\t\"a\":\r1}"), "{  \"a\": 1}");
}

TEST(HumanText, Columns) {
  EXPECT_EQ(columns_of(""), 0U);
  EXPECT_EQ(columns_of("a\u00e9\u20ac"), 3U);
}

}  // namespace
}  // namespace kvs
