#include "base/prng.h"

#include <algorithm>
#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace kvs {
namespace {

// xoshiro256** from the SplitMix64 state 0, as the reference C code gives them.
TEST(Prng, KnownAnswers) {
  Prng prng(0);
  const std::array<std::uint64_t, 4> expected{0x99ec5f36cb75f2b4, 0xbf6e1f784956452a,
                                              0x1a5f849d4933e6e0, 0x6aa594f1262d2d2c};
  for (const std::uint64_t number : expected) {
    EXPECT_EQ(prng.next(), number);
  }
}

TEST(Prng, TheSameSeedGivesTheSameNumbers) {
  Prng one(42);
  Prng same(42);
  Prng other(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t number = one.next();
    EXPECT_EQ(number, same.next());
    differs = differs || number != other.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Prng, BelowReachesEverythingBelowItsBound) {
  Prng prng(1);
  std::array<int, 6> seen{};
  for (int i = 0; i < 6000; ++i) {
    const std::uint64_t number = prng.below(seen.size());
    ASSERT_LT(number, seen.size());
    ++seen[number];
  }
  EXPECT_GT(*std::ranges::min_element(seen), 800) << "about 1000 each";
  EXPECT_EQ(prng.below(1), 0U);
}

TEST(Prng, BetweenIncludesBothEnds) {
  Prng prng(1);
  bool low = false;
  bool high = false;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t number = prng.between(-2, 2);
    ASSERT_GE(number, -2);
    ASSERT_LE(number, 2);
    low = low || number == -2;
    high = high || number == 2;
  }
  EXPECT_TRUE(low && high);
  EXPECT_EQ(prng.between(7, 7), 7);
}

TEST(Prng, ChanceIsAsLikelyAsItSays) {
  Prng prng(1);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    hits += prng.chance(1, 4) ? 1 : 0;
    EXPECT_TRUE(prng.chance(1, 1));
    EXPECT_FALSE(prng.chance(0, 1));
  }
  EXPECT_GT(hits, 2300);
  EXPECT_LT(hits, 2700);
}

}  // namespace
}  // namespace kvs
