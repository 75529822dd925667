#include "wire/ttl.h"

#include <string>

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(Ttl, IsAWholeNumberOfSeconds) {
  EXPECT_EQ(parse_ttl("1"), Duration::from_seconds(1));
  EXPECT_EQ(parse_ttl("0060"), Duration::from_seconds(60));
  EXPECT_EQ(parse_ttl(std::to_string(kTtlSecondsMax)), Duration::from_seconds(kTtlSecondsMax));
}

TEST(Ttl, IsNothingElse) {
  for (const char* text : {"", "0", "-1", "+1", "1.0", "1e3", "1s", " 1", "1 ", "0x10", "\"1\"",
                           "99999999999999999999"}) {
    EXPECT_EQ(parse_ttl(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_ttl(std::to_string(kTtlSecondsMax + 1)), std::nullopt);
}

TEST(Ttl, TheRuleNamesTheLimit) {
  EXPECT_NE(kTtlRule.find(std::to_string(kTtlSecondsMax)), std::string_view::npos);
}

}  // namespace
}  // namespace kvs
