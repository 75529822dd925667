#include "core/cluster_clock.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

constexpr std::int64_t kSkewMs = 5000;
constexpr WallTime kWall{1'000'000};

TEST(ClusterClock, ANodeThatAgreesWithTheClusterStampsByItsOwnClock) {
  const ClusterClock clock(kSkewMs);
  EXPECT_EQ(clock.for_stamps(kWall), kWall);
  EXPECT_FALSE(clock.holds_back(kWall));
}

TEST(ClusterClock, AFastClockIsHeldBackToTheAllowedSkew) {
  ClusterClock clock(kSkewMs);
  clock.set_offset_ms(-kSkewMs);
  EXPECT_EQ(clock.for_stamps(kWall), kWall) << "exactly what is allowed";
  EXPECT_FALSE(clock.holds_back(kWall));
  clock.set_offset_ms(-60'000);
  EXPECT_EQ(clock.for_stamps(kWall).ms, kWall.ms - 60'000 + kSkewMs);
  EXPECT_TRUE(clock.holds_back(kWall));
}

TEST(ClusterClock, ASlowClockIsNotPutForward) {
  ClusterClock clock(kSkewMs);
  clock.set_offset_ms(60'000);
  EXPECT_EQ(clock.for_stamps(kWall), kWall)
      << "stamps follow what the node has seen, not the median";
  EXPECT_FALSE(clock.holds_back(kWall));
}

TEST(ClusterClock, RecordsAreTakenUpToTheSkewBeyondClusterTime) {
  ClusterClock clock(kSkewMs);
  clock.set_offset_ms(700);
  const Stamp newest = clock.newest_allowed(kWall);
  EXPECT_EQ(newest.ms(), kWall.ms + 700 + kSkewMs);
  EXPECT_EQ(Stamp{newest.bits + 1}, Stamp::from_ms(kWall.ms + 700 + kSkewMs + 1))
      << "all stamps of the last millisecond";
}

TEST(ClusterClock, BeforeTheEpochNothingIsAllowed) {
  ClusterClock clock(kSkewMs);
  clock.set_offset_ms(-kWall.ms - kSkewMs - 1);
  EXPECT_EQ(clock.newest_allowed(kWall), Stamp{}) << "and not everything";
  clock.set_offset_ms(-kWall.ms - 1'000'000);
  EXPECT_EQ(clock.newest_allowed(kWall), Stamp{});
}

}  // namespace
}  // namespace kvs
