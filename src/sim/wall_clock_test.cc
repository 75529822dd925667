#include "sim/wall_clock.h"

#include <gtest/gtest.h>

namespace kvs {

namespace {

constexpr Instant at_ms(std::int64_t ms) {
  return Instant{} + Duration::from_ms(ms);
}

TEST(WallClock, IsRightWhereNothingWasDone) {
  const WallClock clock;
  EXPECT_EQ(clock.read(at_ms(0)).ms, WallClock::kEpochMs);
  EXPECT_EQ(clock.read(at_ms(1234)).ms, WallClock::kEpochMs + 1234);
}

TEST(WallClock, JumpsBothWays) {
  WallClock clock;
  clock.jump(at_ms(100), -1000);
  EXPECT_EQ(clock.read(at_ms(100)).ms, WallClock::kEpochMs - 900);
  clock.jump(at_ms(200), 5000);
  EXPECT_EQ(clock.read(at_ms(300)).ms, WallClock::kEpochMs + 4300);
}

TEST(WallClock, ARateBendsItWithoutAJump) {
  WallClock clock;
  clock.set_rate(at_ms(1000), 0);
  EXPECT_EQ(clock.read(at_ms(5000)).ms, WallClock::kEpochMs + 1000);
  clock.set_rate(at_ms(5000), 2000);
  EXPECT_EQ(clock.read(at_ms(5500)).ms, WallClock::kEpochMs + 2000);
  clock.heal();
  EXPECT_EQ(clock.read(at_ms(6000)).ms, WallClock::kEpochMs + 6000);
}

}  // namespace

}  // namespace kvs
