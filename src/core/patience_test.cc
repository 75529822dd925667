#include "core/patience.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

constexpr Duration kLeast = Duration::from_ms(100);
constexpr Duration kMost = Duration::from_ms(5000);

Duration ms(std::int64_t span) {
  return Duration::from_ms(span);
}

TEST(Patience, BeginsWithTheLeastAndStaysThereWithFastAnswers) {
  Patience patience(kLeast, kMost);
  EXPECT_EQ(patience.span(), kLeast);
  patience.answered(ms(3));
  EXPECT_EQ(patience.span(), kLeast);
}

TEST(Patience, FollowsTheMeanAndFourTimesTheDeviation) {
  Patience patience(kLeast, kMost);
  patience.answered(ms(200));
  EXPECT_EQ(patience.span(), ms(600));  // 200 and 4 times half of it
  for (int i = 0; i < 60; ++i) {
    patience.answered(ms(200));
  }
  EXPECT_GE(patience.span(), ms(200));
  EXPECT_LT(patience.span(), ms(201)) << "answers that do not vary leave no room";
  patience.answered(ms(600));
  EXPECT_EQ(patience.span().ms(), 250 + 4 * 100) << "one late answer widens it";
}

TEST(Patience, DoublesWhileNothingComesUpToTheMost) {
  Patience patience(kLeast, kMost);
  patience.unanswered();
  EXPECT_EQ(patience.span(), ms(200));
  for (int i = 0; i < 10; ++i) {
    patience.unanswered();
  }
  EXPECT_EQ(patience.span(), kMost);
  patience.answered(ms(10));
  EXPECT_EQ(patience.span(), kLeast);
}

}  // namespace
}  // namespace kvs
