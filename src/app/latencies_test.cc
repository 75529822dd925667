#include "app/latencies.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

Duration us(std::int64_t number) {
  return {number * 1000};
}

TEST(Latencies, WithoutAnyThereAreNone) {
  const Latencies latencies;
  EXPECT_EQ(latencies.count(), 0U);
  EXPECT_EQ(latencies.percentile(0.5), Duration{});
  EXPECT_EQ(latencies.percentile(1), Duration{});
  EXPECT_EQ(latencies.mean(), Duration{});
}

TEST(Latencies, ShortSpansAreExact) {
  Latencies latencies;
  for (int n = 1; n <= 100; ++n) {
    latencies.add(us(n));
  }
  EXPECT_EQ(latencies.percentile(0), us(1));
  EXPECT_EQ(latencies.percentile(0.5), us(50));
  EXPECT_EQ(latencies.percentile(0.99), us(99));
  EXPECT_EQ(latencies.percentile(1), us(100));
  EXPECT_EQ(latencies.mean(), us(50));
}

TEST(Latencies, LongSpansAreRoundedUpByOnePercentAtMost) {
  for (std::int64_t span = 1; span < 100'000'000'000; span = span * 3 / 2 + 1) {
    Latencies latencies;
    latencies.add(us(span));
    latencies.add(us(span * 2));
    const std::int64_t told = latencies.percentile(0.5).ns / 1000;
    EXPECT_GE(told, span);
    EXPECT_LE(told, span + span / 100);
    EXPECT_EQ(latencies.percentile(1), us(span * 2)) << span;
  }
}

TEST(Latencies, NegativeSpansAreNone) {
  Latencies latencies;
  latencies.add({-5});
  EXPECT_EQ(latencies.percentile(1), Duration{});
  EXPECT_EQ(latencies.count(), 1U);
}

}  // namespace
}  // namespace kvs
