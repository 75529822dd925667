#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/node.h"
#include "support/cluster_driver.h"

namespace kvs {
namespace {

using testing::Optional;

constexpr Duration kSecond = Duration::from_seconds(1);

TEST(NodeCluster, MembersFindEachOther) {
  ClusterDriver cluster(3);
  cluster.run(Duration::from_seconds(3));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(cluster.node(i).view()->live_count(), 3U) << i;
    EXPECT_EQ(cluster.node(i).mode(), Mode::normal) << i;
  }
}

TEST(NodeCluster, AWriteIsEverywhereAfterOneHop) {
  ClusterDriver cluster(3);
  cluster.run(Duration::from_seconds(3));
  cluster.put(0, "a", "1");
  cluster.run(ClusterDriver::kHop);
  EXPECT_THAT(cluster.get(1, "a"), Optional(std::string("1")));
  EXPECT_THAT(cluster.get(2, "a"), Optional(std::string("1")));
  cluster.del(2, "a");
  cluster.run(ClusterDriver::kHop);
  EXPECT_EQ(cluster.get(0, "a"), std::nullopt);
}

TEST(NodeCluster, ANewNodeFetchesWhatTheOthersHold) {
  ClusterDriver cluster(2);
  cluster.run(Duration::from_seconds(3));
  for (int i = 0; i < 500; ++i) {
    cluster.put(0, fmt::format("key/{}", i), "1");
  }
  const std::size_t late = cluster.add();
  EXPECT_EQ(cluster.node(late).mode(), Mode::syncing);
  EXPECT_EQ(cluster.put(late, "x", "1").status, WriteStatus::syncing);
  cluster.run(Duration::from_seconds(5));
  EXPECT_EQ(cluster.node(late).mode(), Mode::normal);
  EXPECT_EQ(cluster.contents(late), cluster.contents(0));
  EXPECT_EQ(cluster.node(late).status().fill, Sync::Fill::complete);
  EXPECT_EQ(cluster.node(late).replica().knowledge(), cluster.node(0).replica().knowledge());
}

/// A node that joins a cluster whose records are too old for the first pages of its fill.
class FillOfOldRecords : public testing::Test {
 protected:
  FillOfOldRecords() {
    cluster_.run(Duration::from_seconds(3));
    for (int i = 0; i < 300; ++i) {
      cluster_.put(0, fmt::format("key/{}", i), "1");
    }
    cluster_.run(Duration::from_seconds(10));
    late_ = cluster_.add();
    cluster_.stop(late_);
    cluster_.recovered(late_) = {};
    cluster_.options(late_).sync.bootstrap_max_age = Duration::from_seconds(5);
    cluster_.start(late_);
  }

  /// Lets time pass until the node is so far.
  void run_until(Sync::Fill fill) {
    for (int i = 0; i < 5000 && cluster_.node(late_).status().fill != fill; ++i) {
      cluster_.run(Duration{100'000});
    }
    ASSERT_EQ(cluster_.node(late_).status().fill, fill);
  }

  WriteOutcome write(WriteCommand::Kind kind, std::string_view key, Condition condition) {
    Effects effects;
    cluster_.node(late_).step(cluster_.now(),
                              {.ticket = Ticket{1},
                               .kind = kind,
                               .key = Key::from_store(key),
                               .value = kind == WriteCommand::Kind::put ? "2" : "",
                               .condition = condition},
                              effects);
    return effects.replies.at(0).outcome;
  }

  ClusterDriver cluster_{2};
  std::size_t late_ = 0;
};

TEST_F(FillOfOldRecords, RecordsMayBeMissingUntilTheFillIsComplete) {
  EXPECT_TRUE(cluster_.node(late_).may_lack_records());
  run_until(Sync::Fill::recent);
  EXPECT_EQ(cluster_.node(late_).mode(), Mode::normal);
  EXPECT_EQ(cluster_.get(late_, "key/1"), std::nullopt);
  EXPECT_TRUE(cluster_.node(late_).may_lack_records());
  cluster_.run(Duration::from_seconds(5));
  EXPECT_EQ(cluster_.contents(late_), cluster_.contents(0));
  EXPECT_FALSE(cluster_.node(late_).may_lack_records());
  EXPECT_FALSE(cluster_.node(0).may_lack_records());
}

TEST_F(FillOfOldRecords, WritesThatRestOnAMissingRecordWait) {
  run_until(Sync::Fill::recent);
  EXPECT_EQ(write(WriteCommand::Kind::del, "key/1", {}).status, WriteStatus::syncing);
  EXPECT_EQ(write(WriteCommand::Kind::put, "key/1", {.kind = Condition::Kind::if_absent}).status,
            WriteStatus::syncing);
  EXPECT_EQ(write(WriteCommand::Kind::put, "key/1", {.kind = Condition::Kind::if_exists}).status,
            WriteStatus::syncing);
  cluster_.put(late_, "new", "1");
  EXPECT_EQ(write(WriteCommand::Kind::del, "new", {}).status, WriteStatus::deleted);
}

TEST_F(FillOfOldRecords, AnAnswerToAFetchTellsWhetherAllIsThere) {
  run_until(Sync::Fill::recent);
  const auto fetched = [this](std::size_t i) {
    Effects effects;
    cluster_.node(i).step(
        cluster_.now(),
        PeerCall{.ticket = Ticket{1},
                 .envelope = {.cluster = cluster_hash("test"), .sender = Instance{9}},
                 .request = Fetch{.paths = {"key/1"}}},
        effects);
    return std::get<Fetched>(effects.answers.at(0).answer);
  };
  EXPECT_FALSE(fetched(0).partial);
  EXPECT_EQ(fetched(0).records.size(), 1U);
  EXPECT_TRUE(fetched(late_).partial);
  EXPECT_TRUE(fetched(late_).records.empty());
}

TEST(NodeCluster, ANodeThatIsItsOwnOnlySeedServesAtOnce) {
  MemoryStore store;
  NodeOptions options;
  options.members.node_id = "n";
  options.members.address = "10.0.0.1:80";
  options.members.seeds = {"10.0.0.1:80"};
  Node node(options, {}, store, 1);
  Effects effects;
  node.start({.instant = Instant{1}, .wall = {1'700'000'000'000}}, effects);
  EXPECT_EQ(node.mode(), Mode::normal);
  EXPECT_TRUE(effects.identity->complete);
  EXPECT_FALSE(node.may_lack_records());
}

TEST(NodeCluster, WhatAMemberLacksIsKnownWithItsFirstWord) {
  ClusterDriver cluster(2);
  cluster.run(Duration::from_ms(100));
  const std::vector<PeerStanding> standings = cluster.node(0).standings();
  ASSERT_EQ(standings.size(), 1U);
  EXPECT_TRUE(standings[0].knowledge_told);
  EXPECT_EQ(standings[0].writes_behind, 0U);
}

TEST(NodeCluster, ANodeThatServesAloneLacksNothing) {
  ClusterDriver cluster(2);
  cluster.stop(0);
  cluster.stop(1);
  cluster.recovered(1) = {};
  cluster.start(1);
  EXPECT_TRUE(cluster.node(1).may_lack_records());
  cluster.run(Duration::from_seconds(70));
  EXPECT_EQ(cluster.node(1).mode(), Mode::normal);
  EXPECT_FALSE(cluster.node(1).may_lack_records());
}

TEST(NodeCluster, ANodeThatWasAwayCatchesUp) {
  ClusterDriver cluster(3);
  cluster.run(Duration::from_seconds(3));
  cluster.put(0, "old", "1");
  cluster.run(kSecond);
  cluster.stop(2);
  cluster.put(0, "new", "2");
  cluster.del(1, "old");
  cluster.run(kSecond);
  cluster.start(2);
  cluster.run(Duration::from_seconds(4));
  EXPECT_EQ(cluster.contents(2), cluster.contents(0));
}

/// Two nodes, one of which was away while the other wrote what its journal does not tell any more.
class ReturnAfterLong : public testing::Test {
 protected:
  ReturnAfterLong() {
    cluster_.run(Duration::from_seconds(3));
    cluster_.put(0, "key", "1");
    cluster_.run(kSecond);
    cluster_.stop(1);
  }

  void return_to_one_without_journal() {
    cluster_.stop(0);
    cluster_.start(0);
    cluster_.start(1);
  }

  ClusterDriver cluster_{2};
};

TEST_F(ReturnAfterLong, AReplacedRecordIsReadUntilTheNewOneIsThere) {
  cluster_.put(0, "key", "2");
  return_to_one_without_journal();
  for (int i = 0; i < 5000; ++i) {
    cluster_.run(Duration::from_ms(1));
    ASSERT_TRUE(cluster_.get(1, "key")) << "after " << i << " ms";
  }
  EXPECT_THAT(cluster_.get(1, "key"), Optional(std::string("2")));
  EXPECT_EQ(cluster_.node(1).status().replica.dropped_live, 0U);
}

/// K says more than the records that cross, so the clock has to come with it.
class ClockOfAnExchange : public testing::Test {
 protected:
  /// Opens an exchange with the node and returns its last stamp.
  Stamp stamp_after_hello(std::int64_t newest_ahead_ms) {
    Effects effects;
    const PeerCall call{
        .ticket = Ticket{1},
        .envelope = {.cluster = cluster_hash(cluster_.options(0).members.cluster_name),
                     .sender = Instance{9}},
        .request = Hello{.digest = {.newest = ahead(newest_ahead_ms)}}};
    cluster_.node(0).step(cluster_.now(), call, effects);
    return cluster_.node(0).replica().last_stamp();
  }

  [[nodiscard]] Stamp ahead(std::int64_t ms) const {
    return Stamp::from_ms(cluster_.now().wall.ms + ms);
  }

  ClusterDriver cluster_{1};
};

TEST_F(ClockOfAnExchange, StampsGoOnAboveWhatThePeerHasMet) {
  EXPECT_EQ(stamp_after_hello(3000), ahead(3000));
  cluster_.put(0, "key", "1");
  EXPECT_GT(cluster_.node(0).replica().last_stamp(), ahead(3000));
}

TEST_F(ClockOfAnExchange, AClockFarAheadMovesItNoFurtherThanTheBound) {
  EXPECT_LT(stamp_after_hello(3'600'000), ahead(NodeOptions{}.clock_skew_ms_max + 1));
}

/// A clock that is set while the node runs, before any ping has measured it again.
TEST(NodeCluster, AClockThatIsSetFarAheadNeitherStampsNorTakesSo) {
  ClusterDriver cluster(3);
  cluster.run(Duration::from_seconds(10));
  constexpr std::int64_t kYearMs = 31'536'000'000;
  const std::int64_t bound_ms = cluster.now().wall.ms + NodeOptions{}.clock_skew_ms_max + 100;
  Now wrong = cluster.now();
  wrong.wall.ms += kYearMs;
  Effects effects;
  cluster.node(0).step(
      wrong,
      WriteCommand{.kind = WriteCommand::Kind::put, .key = Key::from_store("key"), .value = "1"},
      effects);
  ASSERT_EQ(effects.writes.size(), 1U);
  EXPECT_LE(effects.writes[0].record.header.version.stamp.ms(), bound_ms);
  PeerRecord early{.path = "early", .record = {}, .replaced = {}};
  early.record.header.version = {.stamp = Stamp::from_ms(wrong.wall.ms),
                                 .verdict = {},
                                 .uuid = {.high = 1, .low = 1},
                                 .dot = {.origin = Origin{9}, .seq = 1}};
  const Member& peer = cluster.node(1).view()->own();
  cluster.node(0).step(
      wrong,
      PeerCall{.ticket = Ticket{1},
               .envelope = {.cluster = cluster_hash(cluster.options(0).members.cluster_name),
                            .sender = peer.instance},
               .request = Push{.records = {early}}},
      effects);
  EXPECT_EQ(effects.writes.size(), 1U);
  EXPECT_EQ(cluster.node(0).status().replica.deferred, 1U);
}

TEST(NodeCluster, TwoHealedHalvesEndEqual) {
  ClusterDriver cluster(4);
  cluster.run(Duration::from_seconds(3));
  cluster.cut({0, 1}, {2, 3});
  for (int i = 0; i < 300; ++i) {
    cluster.put(0, fmt::format("left/{}", i), "1");
    cluster.put(2, fmt::format("right/{}", i), "1");
    cluster.put(0, fmt::format("both/{}", i % 7), fmt::format("{}", i));
    cluster.put(3, fmt::format("both/{}", i % 5), fmt::format("{}", i));
  }
  cluster.run(Duration::from_seconds(60));
  cluster.heal();
  cluster.run(Duration::from_seconds(20));
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(cluster.contents(i), cluster.contents(0)) << i;
    EXPECT_EQ(cluster.node(i).replica().knowledge(), cluster.node(0).replica().knowledge()) << i;
  }
}

TEST(NodeCluster, LargeHalvesExchangeAsSoonAsTheyMeet) {
  // With so many members the list is shown a little later than somebody is heard of again.
  constexpr std::size_t kNodes = Members::kPromptMembers + 2;
  ClusterDriver cluster(kNodes);
  cluster.run(Duration::from_seconds(4));
  std::set<std::size_t> left;
  std::set<std::size_t> right;
  for (std::size_t i = 0; i < kNodes; ++i) {
    (i < kNodes / 2 ? left : right).insert(i);
  }
  cluster.cut(left, right);
  cluster.put(*left.begin(), "left", "1");
  cluster.put(*right.begin(), "right", "1");
  cluster.run(Duration::from_seconds(8));
  ASSERT_FALSE(cluster.get(*right.begin(), "left"));
  cluster.heal();
  cluster.run(Duration::from_ms(1500));
  for (std::size_t i = 0; i < kNodes; ++i) {
    EXPECT_TRUE(cluster.get(i, "left") && cluster.get(i, "right")) << i;
  }
}

TEST(NodeCluster, ManyTiesOfHealedHalvesAreLookedForByAllAndSettledOnce) {
  constexpr std::size_t kNodes = 3;
  constexpr std::uint64_t kTies = 13'000;
  ClusterDriver cluster(kNodes);
  cluster.run(Duration::from_seconds(3));
  cluster.cut({0}, {1, 2});
  for (std::uint64_t i = 0; i < kTies; ++i) {
    cluster.put(0, fmt::format("both/{}", i), "left");
    cluster.put(1, fmt::format("both/{}", i), "right");
  }
  cluster.run(Duration::from_seconds(30));
  cluster.heal();
  cluster.run(Duration::from_seconds(20));
  std::uint64_t rulings = 0;
  for (std::size_t i = 0; i < kNodes; ++i) {
    const NodeStatus status = cluster.node(i).status();
    rulings += status.ballots.by_majority + status.ballots.by_oldest;
    EXPECT_GT(status.ballots.by_majority, 0U) << "each node finds some";
    EXPECT_LT(status.replica.new_ties, kTies / 2) << "and nobody all";
    EXPECT_EQ(status.open_ties, 0U);
    EXPECT_EQ(cluster.contents(i), cluster.contents(0)) << i;
    EXPECT_EQ(cluster.node(i).replica().knowledge(), cluster.node(0).replica().knowledge()) << i;
  }
  EXPECT_EQ(cluster.get(0, "both/0"), "right");
  EXPECT_GE(rulings, kTies);
  EXPECT_LE(rulings, kTies + kTies / 20) << "hardly a tie is decided twice";
}

TEST(NodeCluster, ADeadNodeIsNoticed) {
  ClusterDriver cluster(3);
  cluster.run(Duration::from_seconds(3));
  cluster.stop(1);
  cluster.run(Duration::from_seconds(10));
  EXPECT_EQ(cluster.node(0).view()->live_count(), 2U);
  EXPECT_EQ(cluster.node(2).view()->live_count(), 2U);
}

TEST(NodeCluster, ALostFolderIsFilledAgain) {
  ClusterDriver cluster(3);
  cluster.run(Duration::from_seconds(3));
  for (int i = 0; i < 100; ++i) {
    cluster.put(2, fmt::format("key/{}", i), "1");
  }
  cluster.run(kSecond);
  cluster.stop(2);
  cluster.store(2) = MemoryStore();
  cluster.recovered(2) = {};
  cluster.run(kSecond);
  cluster.start(2);
  cluster.run(Duration::from_seconds(30));
  EXPECT_EQ(cluster.contents(2), cluster.contents(0));
  EXPECT_EQ(cluster.node(2).mode(), Mode::normal);
}

TEST(NodeCluster, RecordsThatVanishUnnoticedAreFetchedAgain) {
  ClusterDriver cluster(2);
  cluster.run(Duration::from_seconds(3));
  for (int i = 0; i < 100; ++i) {
    cluster.put(0, fmt::format("key/{}", i), "1");
  }
  cluster.run(kSecond);
  const auto before = cluster.contents(0);
  cluster.stop(1);
  cluster.store(1) = MemoryStore();  // the records, but not K
  const auto tells = [](const Trace& trace) {
    return trace.kind == Trace::Kind::damage_found;
  };
  EXPECT_EQ(std::ranges::count_if(cluster.traces(), tells), 0);
  cluster.start(1);
  cluster.run(Duration::from_seconds(10));
  EXPECT_EQ(std::ranges::count_if(cluster.traces(), tells), 1);
  EXPECT_EQ(cluster.contents(0), before) << "nothing was taken for deleted";
  EXPECT_EQ(cluster.contents(1), before);
}

TEST(NodeCluster, WritesDuringAnExchangeAreNoDivergence) {
  ClusterDriver cluster(2);
  for (std::size_t i = 0; i < 2; ++i) {
    cluster.stop(i);
    cluster.options(i).sync.sync_interval = Duration::from_ms(17);
    cluster.start(i);
  }
  cluster.run(Duration::from_seconds(3));
  for (int i = 0; i < 10'000; ++i) {
    cluster.put(0, fmt::format("key/{}", i % 100), fmt::format("{}", i));
    cluster.run(Duration::from_ms(i % 7));
  }
  EXPECT_EQ(cluster.node(0).status().sync.divergences, 0U);
  EXPECT_EQ(cluster.node(1).status().sync.divergences, 0U);
}

TEST(NodeCluster, NothingDeletedComesBackFromANodeThatWasAwayForLong) {
  ClusterDriver cluster(3);
  for (std::size_t i = 0; i < 3; ++i) {
    cluster.stop(i);
    cluster.options(i).tombstone_min_age = Duration::from_seconds(5);
    cluster.options(i).sync.sync_interval = Duration::from_seconds(2);
    cluster.start(i);
  }
  cluster.run(Duration::from_seconds(3));
  cluster.put(0, "a", "1");
  cluster.put(0, "b", "1");
  cluster.run(Duration::from_seconds(3));
  cluster.stop(2);
  cluster.del(0, "a");
  cluster.run(Duration::from_seconds(1200));  // removed, and the tombstone collected
  EXPECT_EQ(cluster.node(0).view()->members.size(), 2U);
  EXPECT_FALSE(cluster.store(0).slots().contains("a")) << "the tombstone is collected";
  cluster.start(2);
  cluster.run(Duration::from_seconds(30));
  EXPECT_EQ(cluster.get(0, "a"), std::nullopt);
  EXPECT_EQ(cluster.get(2, "a"), std::nullopt);
  EXPECT_EQ(cluster.contents(2), cluster.contents(0));
}

TEST(NodeCluster, ARestartedNodeDoesNotTakeItselfForTheOnlyOne) {
  ClusterDriver cluster(2);
  for (std::size_t i = 0; i < 2; ++i) {
    cluster.stop(i);
    cluster.options(i).tombstone_min_age = {};
    cluster.start(i);
  }
  cluster.run(Duration::from_seconds(3));
  cluster.put(0, "a", "1");
  cluster.run(kSecond);
  cluster.cut({0}, {1});
  cluster.del(0, "a");
  cluster.stop(0);
  cluster.start(0);  // it has no seeds, and nobody reaches it
  cluster.run(Duration::from_seconds(60));
  EXPECT_EQ(cluster.node(0).view()->members.size(), 2U);
  EXPECT_TRUE(cluster.store(0).slots().contains("a")) << "the other has not seen the tombstone";
  cluster.heal();
  cluster.run(Duration::from_seconds(30));
  EXPECT_EQ(cluster.get(1, "a"), std::nullopt);
}

}  // namespace
}  // namespace kvs
