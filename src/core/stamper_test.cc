#include "core/stamper.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace kvs {
namespace {

TEST(Stamper, FollowsTheWallClock) {
  Stamper stamper({});
  EXPECT_EQ(stamper.next({1000}), Stamp::from_ms(1000));
  EXPECT_EQ(stamper.next({1005}), Stamp::from_ms(1005));
}

TEST(Stamper, CountsWithinAMillisecond) {
  Stamper stamper({});
  const Stamp first = stamper.next({1000});
  EXPECT_EQ(stamper.next({1000}), Stamp{first.bits + 1});
  EXPECT_EQ(stamper.next({1000}), Stamp{first.bits + 2});
  EXPECT_EQ(stamper.last().ms(), 1000);
}

TEST(Stamper, DoesNotFollowTheWallClockBack) {
  Stamper stamper({});
  const Stamp first = stamper.next({1000});
  for (const std::int64_t ms : {999, 0, -1000}) {
    EXPECT_GT(stamper.next({ms}), first);
  }
  EXPECT_EQ(stamper.last().ms(), 1000);
  EXPECT_EQ(stamper.next({2000}), Stamp::from_ms(2000));
}

TEST(Stamper, ACounterThatOverflowsRunsIntoTheNextMillisecond) {
  Stamper stamper({});
  Stamp last = stamper.next({1000});
  for (int i = 0; i < 70'000; ++i) {
    const Stamp next = stamper.next({1000});
    ASSERT_GT(next, last);
    last = next;
  }
  EXPECT_EQ(last.ms(), 1001);
}

TEST(Stamper, ObservesWhatOthersGave) {
  Stamper stamper({});
  stamper.observe(Stamp::from_ms(5000));
  EXPECT_EQ(stamper.last(), Stamp::from_ms(5000));
  EXPECT_GT(stamper.next({1000}), Stamp::from_ms(5000));
  stamper.observe(Stamp::from_ms(10));
  EXPECT_GT(stamper.last(), Stamp::from_ms(5000)) << "older ones change nothing";
}

TEST(Stamper, AsksForAReserveBeforeTheFirstStampLeaves) {
  Stamper stamper({});
  EXPECT_EQ(stamper.take_due_reserve(), std::nullopt) << "nothing was stamped";
  const Stamp first = stamper.next({1000});
  const auto reserve = stamper.take_due_reserve();
  ASSERT_TRUE(reserve);
  EXPECT_EQ(*reserve, Stamp::from_ms(1000 + Stamper::kReserveMs));
  EXPECT_GE(*reserve, first);
  EXPECT_EQ(stamper.take_due_reserve(), std::nullopt) << "asked for once";
}

TEST(Stamper, TheReserveLastsUntilStampsPassIt) {
  Stamper stamper({});
  static_cast<void>(stamper.next({1000}));
  const Stamp reserve = *stamper.take_due_reserve();
  static_cast<void>(stamper.next({reserve.ms()}));
  EXPECT_EQ(stamper.take_due_reserve(), std::nullopt) << "a stamp equal to it is covered";
  static_cast<void>(stamper.next({reserve.ms()}));
  const auto next = stamper.take_due_reserve();
  ASSERT_TRUE(next);
  EXPECT_GT(*next, stamper.last());
}

TEST(Stamper, ARestartContinuesAboveTheReserve) {
  Stamper before({});
  Stamp last = before.next({5000});
  const Stamp reserve = *before.take_due_reserve();
  while (before.last() < reserve) {
    last = before.next({reserve.ms()});
  }
  Stamper after(reserve);
  EXPECT_GT(after.next({0}), last) << "although the clock was set to 1970";
  EXPECT_TRUE(after.take_due_reserve());
}

TEST(Stamper, AForgottenReserveIsWrittenAgain) {
  Stamper stamper({});
  static_cast<void>(stamper.next({1000}));
  const auto reserve = stamper.take_due_reserve();
  stamper.forget_reserve();
  EXPECT_EQ(stamper.take_due_reserve(), reserve);
}

// Restarts, observations and any wall clock: every stamp that left is below every later one.
TEST(Stamper, StampsIncreaseAcrossRestartsUnderAnyClock) {
  Prng prng(1);
  Stamper stamper({});
  Stamp durable_reserve;
  Stamp last_left;
  for (int i = 0; i < 100'000; ++i) {
    const Stamp stamp = stamper.next({prng.between(-10'000, 10'000)});
    ASSERT_GT(stamp, last_left);
    if (const auto reserve = stamper.take_due_reserve()) {
      durable_reserve = *reserve;
    }
    last_left = stamp;
    if (prng.chance(1, 100)) {
      stamper.observe(Stamp::from_ms(prng.between(0, 20'000)));
    }
    if (prng.chance(1, 50)) {
      stamper = Stamper(durable_reserve);
    }
  }
}

}  // namespace
}  // namespace kvs
