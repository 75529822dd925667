#include "core/collector.h"

#include <memory>

#include <gtest/gtest.h>

#include "support/memory_store.h"

namespace kvs {
namespace {

constexpr WallTime kWall{100'000'000};
constexpr std::size_t kAll = 1000;

Knowledge known(std::uint64_t upto, Origin origin = Origin{1}) {
  Knowledge knowledge;
  knowledge.add(DotRange{.origin = origin, .first = 1, .last = upto});
  return knowledge;
}

/// A node with members 2 and 3 beside it. The tombstones "a" and "c" have the dots 1 and 3.
class CollectorTest : public testing::Test {
 protected:
  CollectorTest() {
    store_.put_tombstone("a", 1);
    store_.put("b", 2);
    store_.put_tombstone("c", 3);
    follow({2, 3});
  }

  void follow(const std::vector<std::uint64_t>& others, MemberState state = MemberState::alive) {
    View view{.members = {Member{.instance = Instance{1}}}, .self = Instance{1}};
    for (const std::uint64_t other : others) {
      view.members.push_back({.instance = Instance{other}, .state = state});
    }
    collector_.set_view(view);
  }

  void report(std::uint64_t member, const Knowledge& knowledge) {
    collector_.report(Instance{member}, std::make_shared<const Knowledge>(knowledge));
  }

  void look(const Knowledge& mine) {
    collector_.look(std::make_shared<const Knowledge>(mine), kWall);
  }

  /// Everybody covers `upto`.
  void all_cover(std::uint64_t upto) {
    report(2, known(upto));
    report(3, known(upto));
    look(known(upto));
  }

  std::vector<std::string> collected(WallTime wall = kWall) {
    std::vector<std::string> paths;
    for (const PeerItem& item : collector_.next(store_, wall, kAll)) {
      paths.push_back(item.path);
    }
    return paths;
  }

  MemoryStore store_;
  Collector collector_{Duration{}};
};

using Paths = std::vector<std::string>;

TEST_F(CollectorTest, TombstonesGoAfterTwoRounds) {
  all_cover(3);
  EXPECT_EQ(collected(), Paths{}) << "an older write may still be on its way";
  all_cover(3);
  EXPECT_EQ(collected(), (Paths{"a", "c"}));
  EXPECT_FALSE(collector_.sweeping());
}

TEST_F(CollectorTest, OnlyThoseThatAllCoveredInTheFirstRound) {
  report(2, known(2));
  report(3, known(3));
  look(known(3));
  all_cover(3);
  EXPECT_EQ(collected(), Paths{"a"});
  all_cover(3);
  EXPECT_EQ(collected(), (Paths{"a", "c"})) << "the end of one round begins the next";
}

TEST_F(CollectorTest, TheSecondRoundWaitsUntilAllCoverWhatAnybodyKnewInTheFirst) {
  Knowledge more = known(3);
  more.join(known(7, Origin{2}));
  report(2, more);
  report(3, known(3));
  look(known(3));
  all_cover(3);
  EXPECT_EQ(collected(), Paths{}) << "one of member 2's writes may be older than a tombstone";
  report(2, more);
  report(3, more);
  look(more);
  EXPECT_EQ(collected(), (Paths{"a", "c"}));
}

TEST_F(CollectorTest, WithoutTheReportOfEveryMemberThereIsNoRound) {
  for (int i = 0; i < 3; ++i) {
    report(2, known(3));
    look(known(3));
    EXPECT_EQ(collected(), Paths{});
  }
}

TEST_F(CollectorTest, AFailedMemberCountsUntilItIsRemoved) {
  follow({2, 3}, MemberState::failed);
  report(2, known(3));
  for (int i = 0; i < 2; ++i) {
    look(known(3));
    EXPECT_EQ(collected(), Paths{});
  }
  follow({2});
  look(known(3));
  look(known(3));
  EXPECT_EQ(collected(), (Paths{"a", "c"}));
}

TEST_F(CollectorTest, AMemberThatIsDownHoldsBackWhatItDoesNotCover) {
  for (int i = 0; i < 4; ++i) {
    report(2, known(3));
    report(3, known(1));
    look(known(3));
    EXPECT_EQ(collected(), Paths{}) << "it does not come to cover what the others know";
  }
}

TEST_F(CollectorTest, ANewMemberStartsTheRoundsOver) {
  all_cover(3);
  follow({2, 3, 4});
  all_cover(3);
  EXPECT_EQ(collected(), Paths{}) << "nothing is known of member 4";
  report(4, known(3));
  look(known(3));
  EXPECT_EQ(collected(), Paths{}) << "this was its first round";
  look(known(3));
  EXPECT_EQ(collected(), (Paths{"a", "c"}));
}

TEST_F(CollectorTest, AChangeOfTheMembersStopsASweep) {
  all_cover(3);
  all_cover(3);
  ASSERT_TRUE(collector_.sweeping());
  follow({2, 3, 4});
  EXPECT_FALSE(collector_.sweeping());
  EXPECT_EQ(collected(), Paths{});
}

TEST_F(CollectorTest, ReportsOfStrangersDoNotCount) {
  report(9, known(3));
  report(2, known(3));
  look(known(3));
  look(known(3));
  EXPECT_EQ(collected(), Paths{});
  EXPECT_EQ(collector_.reported(Instance{9}), nullptr);
}

TEST_F(CollectorTest, WhoLeftDoesNotCount) {
  follow({2, 3}, MemberState::left);
  look(known(3));
  look(known(3));
  EXPECT_EQ(collected(), (Paths{"a", "c"}));
}

TEST_F(CollectorTest, YoungTombstonesStay) {
  collector_ = Collector(Duration::from_ms(10));
  follow({2, 3});
  all_cover(3);
  all_cover(3);
  EXPECT_EQ(collected({11}), Paths{"a"}) << "stamped in ms 1; that of ms 3 is too young";
}

TEST_F(CollectorTest, ASweepGoesOnWhereItStopped) {
  all_cover(3);
  all_cover(3);
  EXPECT_EQ(collector_.next(store_, kWall, 1).at(0).path, "a");
  EXPECT_TRUE(collector_.next(store_, kWall, 1).empty()) << "b is live";
  EXPECT_EQ(collector_.next(store_, kWall, 1).at(0).path, "c");
  EXPECT_FALSE(collector_.sweeping());
}

TEST_F(CollectorTest, DamagedRecordsAreLeftAlone) {
  store_.damage("a", Errc::corrupt_data);
  all_cover(3);
  all_cover(3);
  EXPECT_EQ(collected(), Paths{"c"});
}

/// Looks as a node does that hears nothing new.
class CollectorAtRestTest : public CollectorTest {
 protected:
  CollectorAtRestTest() {
    collector_ = Collector(Duration::from_ms(10));
    follow({2, 3});
    report(2, known(3));
    report(3, known(3));
  }

  /// Looks a few times. True if a sweep began.
  bool sweeps(WallTime wall, const std::shared_ptr<const Knowledge>& mine) {
    for (int i = 0; i < 5; ++i) {
      collector_.look(mine, wall);
      if (collector_.sweeping()) {
        return true;
      }
    }
    return false;
  }

  std::shared_ptr<const Knowledge> mine_ = std::make_shared<const Knowledge>(known(3));
};

TEST_F(CollectorAtRestTest, WhatWasSweptInVainIsNotSweptAgain) {
  ASSERT_TRUE(sweeps({11}, mine_));
  EXPECT_EQ(collected({11}), Paths{"a"}) << "that of ms 3 is too young";
  store_.erase("a");
  ASSERT_TRUE(sweeps({11}, mine_)) << "the last one found something";
  EXPECT_EQ(collected({11}), Paths{});
  EXPECT_FALSE(sweeps({12}, mine_));
}

TEST_F(CollectorAtRestTest, UntilATombstoneComesOfAge) {
  ASSERT_TRUE(sweeps({5}, mine_));
  EXPECT_EQ(collected({5}), Paths{});
  ASSERT_FALSE(sweeps({10}, mine_));
  ASSERT_TRUE(sweeps({11}, mine_));
  EXPECT_EQ(collected({11}), Paths{"a"});
}

TEST_F(CollectorAtRestTest, UntilAMemberTellsMore) {
  ASSERT_TRUE(sweeps({5}, mine_));
  EXPECT_EQ(collected({5}), Paths{});
  report(2, known(3));
  EXPECT_FALSE(sweeps({5}, mine_)) << "it told the same again";
  report(2, known(4));
  report(3, known(4));
  const auto more = std::make_shared<const Knowledge>(known(4));
  EXPECT_TRUE(sweeps({5}, more));
}

TEST_F(CollectorAtRestTest, UntilRecordsMayHaveComeBack) {
  ASSERT_TRUE(sweeps({5}, mine_));
  EXPECT_EQ(collected({5}), Paths{});
  ASSERT_FALSE(sweeps({5}, mine_));
  EXPECT_TRUE(sweeps({5}, std::make_shared<const Knowledge>(known(3))));
}

TEST_F(CollectorAtRestTest, AnUnreadableRecordIsLookedAtAgain) {
  store_.damage("c", Errc::corrupt_data);
  ASSERT_TRUE(sweeps({5}, mine_));
  EXPECT_EQ(collected({5}), Paths{});
  EXPECT_TRUE(sweeps({5}, mine_));
}

TEST_F(CollectorTest, ALoneNodeCollectsAfterTwoLooks) {
  follow({});
  look(known(3));
  EXPECT_EQ(collected(), Paths{});
  look(known(3));
  EXPECT_EQ(collected(), (Paths{"a", "c"}));
}

}  // namespace
}  // namespace kvs
