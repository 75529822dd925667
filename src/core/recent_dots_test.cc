#include "core/recent_dots.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

Dot dot(std::uint64_t seq) {
  return {.origin = Origin{7}, .seq = seq};
}

TEST(RecentDots, GivesEachOnce) {
  RecentDots dots;
  dots.add(dot(1));
  dots.add(dot(1));
  EXPECT_TRUE(dots.take(dot(1)));
  EXPECT_FALSE(dots.take(dot(1)));
  EXPECT_FALSE(dots.take(dot(2)));
}

TEST(RecentDots, ForgetsTheOldest) {
  RecentDots dots;
  for (std::uint64_t seq = 1; seq <= RecentDots::kMost + 10; ++seq) {
    dots.add(dot(seq));
  }
  EXPECT_EQ(dots.size(), RecentDots::kMost);
  EXPECT_FALSE(dots.take(dot(10)));
  EXPECT_TRUE(dots.take(dot(11)));
  EXPECT_TRUE(dots.take(dot(RecentDots::kMost + 10)));
}

}  // namespace
}  // namespace kvs
