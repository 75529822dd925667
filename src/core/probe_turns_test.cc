#include "core/probe_turns.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace kvs {
namespace {

constexpr Duration kInterval = Duration::from_seconds(1);
constexpr std::int64_t kSomeEpoch = 1'764'000'000;

TEST(ProbeTurns, NobodyProbesItself) {
  for (std::uint64_t members = 2; members <= 40; ++members) {
    for (std::int64_t epoch = kSomeEpoch; epoch < kSomeEpoch + 200; ++epoch) {
      const std::uint64_t shift = turn_shift(epoch, members);
      EXPECT_TRUE(shift >= 1 && shift < members) << members << " " << epoch;
    }
  }
}

TEST(ProbeTurns, EverybodyIsMetInTwoRoundsFromAnyEpochOn) {
  for (std::uint64_t members = 2; members <= 40; ++members) {
    const auto most = static_cast<std::int64_t>(2 * (members - 1) - 1);
    for (std::int64_t begin = kSomeEpoch; begin < kSomeEpoch + 100; ++begin) {
      std::set<std::uint64_t> shifts;
      for (std::int64_t epoch = begin; epoch < begin + most; ++epoch) {
        shifts.insert(turn_shift(epoch, members));
      }
      EXPECT_EQ(shifts.size(), members - 1) << begin;
    }
  }
}

TEST(ProbeTurns, WhoTakesOnlySomeOfTheTurnsMeetsEverybodyToo) {
  for (std::uint64_t members = 2; members <= 20; ++members) {
    for (std::int64_t step = 2; step <= 8; ++step) {
      std::set<std::uint64_t> shifts;
      for (std::int64_t turn = 0; turn < 200; ++turn) {
        shifts.insert(turn_shift(kSomeEpoch + turn * step, members));
      }
      EXPECT_EQ(shifts.size(), members - 1) << "every " << step;
    }
  }
}

TEST(ProbeTurns, AMemberHasItsMomentInEveryEpoch) {
  for (std::uint64_t i = 1; i < 100; ++i) {
    const Instance probed{i};
    const std::int64_t begin_ms = kSomeEpoch * 1000;
    const WallTime at = turn_time(kSomeEpoch, probed, kInterval);
    EXPECT_TRUE(at.ms >= begin_ms && at.ms < begin_ms + 1000);
    EXPECT_EQ(turn_time(kSomeEpoch + 1, probed, kInterval).ms, at.ms + 1000);
    for (const std::int64_t off_ms : {-499, -1, 0, 1, 499}) {
      EXPECT_EQ(turn_epoch({at.ms + off_ms}, probed, kInterval), kSomeEpoch) << off_ms;
    }
    EXPECT_EQ(turn_epoch({at.ms + 501}, probed, kInterval), kSomeEpoch + 1);
  }
}

TEST(ProbeTurns, MomentsAreSpreadOverTheEpoch) {
  std::vector<int> tenths(10);
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    const std::int64_t ms = turn_time(kSomeEpoch, Instance{i}, kInterval).ms;
    ++tenths[static_cast<std::size_t>((ms - kSomeEpoch * 1000) / 100)];
  }
  EXPECT_GE(std::ranges::min(tenths), 60);
  EXPECT_LE(std::ranges::max(tenths), 140);
}

}  // namespace
}  // namespace kvs
