#include "core/suspicion.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

constexpr Duration kInterval = Duration::from_seconds(1);
constexpr Instant kStart{0};
constexpr Instance kSuspect{1};

Instant at(double seconds) {
  return {static_cast<std::int64_t>(seconds * 1e9)};
}

TEST(SuspicionTimes, GrowWithTheLogarithmOfTheCluster) {
  EXPECT_EQ(suspicion_times(1, kInterval).least, Duration::from_seconds(4));
  EXPECT_EQ(suspicion_times(9, kInterval).least, Duration::from_seconds(4));
  EXPECT_EQ(suspicion_times(99, kInterval).least, Duration::from_seconds(8));
  EXPECT_EQ(suspicion_times(999, kInterval).least, Duration::from_seconds(12));
  EXPECT_EQ(suspicion_times(99, kInterval).most, Duration::from_seconds(48));
  EXPECT_EQ(suspicion_times(9, Duration::from_ms(500)).least, Duration::from_seconds(2));
}

TEST(SuspicionTimes, WhereNobodyCanConfirmTheLeastCounts) {
  EXPECT_EQ(suspicion_times(2, kInterval).confirmations, 0U);
  EXPECT_EQ(suspicion_times(3, kInterval).confirmations, 0U);
  EXPECT_EQ(suspicion_times(4, kInterval).confirmations, 2U);
  const SuspicionTimes times = suspicion_times(3, kInterval);
  EXPECT_EQ(suspicion_timeout(times, 0), times.least);
}

TEST(SuspicionTimes, FallWithTheLogarithmOfTheConfirmations) {
  const SuspicionTimes times = suspicion_times(9, kInterval);
  EXPECT_EQ(suspicion_timeout(times, 0).ms(), 24'000);
  EXPECT_NEAR(static_cast<double>(suspicion_timeout(times, 1).ms()), 24'000 - 0.6309 * 20'000, 2);
  EXPECT_EQ(suspicion_timeout(times, 2).ms(), 4'000);
  EXPECT_EQ(suspicion_timeout(times, 9).ms(), 4'000);
}

class SuspicionsTest : public testing::Test {
 protected:
  bool accuse(Instant now, std::uint64_t accuser) {
    return suspicions.accuse(now, kSuspect, Instance{accuser}, suspicion_times(9, kInterval));
  }

  Suspicions suspicions;
};

TEST_F(SuspicionsTest, OneAccuserWaitsLong) {
  EXPECT_EQ(suspicions.next_deadline(), Instant::never());
  EXPECT_TRUE(accuse(kStart, 10));
  EXPECT_EQ(suspicions.next_deadline(), at(24));
  EXPECT_TRUE(suspicions.take_expired(at(23.9)).empty());
  EXPECT_EQ(suspicions.take_expired(at(24)), std::vector{kSuspect});
  EXPECT_TRUE(suspicions.take_expired(at(99)).empty()) << "only once";
}

TEST_F(SuspicionsTest, ConfirmationsCountFromTheBeginning) {
  EXPECT_TRUE(accuse(kStart, 10));
  EXPECT_TRUE(accuse(at(1), 11));
  EXPECT_TRUE(accuse(at(2), 12));
  EXPECT_EQ(suspicions.next_deadline(), at(4));
}

TEST_F(SuspicionsTest, NobodyConfirmsItself) {
  EXPECT_TRUE(accuse(kStart, 10));
  EXPECT_FALSE(accuse(at(1), 10));
  EXPECT_TRUE(accuse(at(1), 11));
  EXPECT_FALSE(accuse(at(1), 11));
  EXPECT_GT(suspicions.next_deadline(), at(4));
}

TEST_F(SuspicionsTest, EnoughIsEnough) {
  for (const std::uint64_t accuser : {10U, 11U, 12U}) {
    EXPECT_TRUE(accuse(kStart, accuser));
  }
  EXPECT_FALSE(accuse(kStart, 13)) << "no news any more: it is not told on";
}

TEST_F(SuspicionsTest, WhatEndedDoesNotExpire) {
  EXPECT_TRUE(accuse(kStart, 10));
  suspicions.end(kSuspect);
  EXPECT_TRUE(suspicions.take_expired(at(99)).empty());
  EXPECT_TRUE(accuse(at(50), 10)) << "a new one begins anew";
  EXPECT_EQ(suspicions.next_deadline(), at(74));
}

TEST_F(SuspicionsTest, LateConfirmationsExpireAtOnce) {
  EXPECT_TRUE(accuse(kStart, 10));
  EXPECT_TRUE(accuse(at(9), 11));
  EXPECT_TRUE(accuse(at(9), 12));
  EXPECT_EQ(suspicions.take_expired(at(9)), std::vector{kSuspect});
}

}  // namespace
}  // namespace kvs
