#include <gtest/gtest.h>

#include "support/exchange_node.h"

namespace kvs {
namespace {

constexpr WallTime kWall{1'000'000};

/// Two nodes that hold tied versions of "a".
class ReplicaJoin : public testing::Test {
 protected:
  ReplicaJoin() {
    here_.put(kWall, "a", "1");
    here_.settle();
    there_.put(kWall, "a", "2");
    there_.put(kWall, "b", "2");
    there_.settle();
  }

  ExchangeNode here_{1};
  ExchangeNode there_{2};
};

TEST_F(ReplicaJoin, HoldsBackATiedVersionAndNothingElse) {
  const PeerRecord tied = there_.record("a");
  ASSERT_EQ(here_.take(tied), Taken::tied);
  EXPECT_FALSE(here_.join(there_.known(), {}));
  EXPECT_FALSE(here_.replica().knowledge().covers(tied.record.header.version.dot));
  EXPECT_TRUE(here_.replica().knowledge().covers(there_.held("b")->version.dot));
}

TEST_F(ReplicaJoin, ATieIsOverOnceANewerVersionIsHeld) {
  ASSERT_EQ(here_.take(there_.record("a")), Taken::tied);
  here_.put({kWall.ms + 1}, "a", "3");
  here_.settle();
  EXPECT_EQ(here_.replica().stats().unsettled, 0U);
  EXPECT_TRUE(here_.join(there_.known(), {}));
}

TEST_F(ReplicaJoin, ATieComesBackWithTheFailureOfWhatEndedIt) {
  ASSERT_EQ(here_.take(there_.record("a")), Taken::tied);
  here_.settle();
  here_.put({kWall.ms + 1}, "a", "3");
  here_.fail();
  EXPECT_EQ(here_.replica().stats().unsettled, 1U);
  EXPECT_FALSE(here_.join(there_.known(), {}));
}

TEST_F(ReplicaJoin, ATieWithARecordThatIsFoundDamagedIsOver) {
  ASSERT_EQ(here_.take(there_.record("a")), Taken::tied);
  here_.store().damage("a", Errc::corrupt_data);
  here_.holdings().found_damage("a");
  here_.settle();
  EXPECT_EQ(here_.replica().stats().unsettled, 0U);
  EXPECT_TRUE(here_.join(there_.known(), {}))
      << "or K would never be equal, if the other side is gone everywhere";
}

TEST_F(ReplicaJoin, ATieThatEndedBeforeDamageDoesNotComeBackWithAFailure) {
  ASSERT_EQ(here_.take(there_.record("a")), Taken::tied);
  here_.put({kWall.ms + 1}, "a", "3");
  here_.store().damage("a", Errc::corrupt_data);
  here_.holdings().found_damage("a");
  here_.fail();
  EXPECT_EQ(here_.replica().stats().unsettled, 0U);
}

TEST_F(ReplicaJoin, ADeferredVersionThatWasBeatenLaterIsOver) {
  const PeerRecord early = there_.record("a");
  const Stamp below{early.record.header.version.stamp.bits - 1};
  ASSERT_EQ(here_.take(early, {.newest_allowed = below}), Taken::deferred);
  EXPECT_FALSE(here_.join(there_.known(), {}));
  here_.put({kWall.ms + 1}, "a", "3");
  here_.settle();
  EXPECT_TRUE(here_.join(there_.known(), {}));
}

TEST_F(ReplicaJoin, ADeferredVersionIsNotBeatenByOneThatItTiesWith) {
  const RecordHeader mine = here_.held("a").value();
  const RecordHeader theirs = there_.held("a").value();
  ASSERT_EQ(mine.version.stamp, theirs.version.stamp);
  const bool mine_is_larger = mine.version > theirs.version;
  const PeerRecord larger = (mine_is_larger ? here_ : there_).record("a");
  const PeerRecord smaller = (mine_is_larger ? there_ : here_).record("a");
  const Stamp below{mine.version.stamp.bits - 1};
  ExchangeNode third(3);
  ASSERT_EQ(third.take(smaller, {.newest_allowed = below}), Taken::deferred);
  ASSERT_EQ(third.take(larger), Taken::stored);
  third.settle();
  EXPECT_FALSE(third.known().covers(smaller.record.header.version.dot))
      << "whoever holds it would drop it, and then everybody the other one";
  EXPECT_EQ(third.take(smaller), Taken::tied);
}

TEST_F(ReplicaJoin, NothingIsJoinedFromAPeerWhoseVersionWaitsForItsTime) {
  const Instance peer = there_.instance();
  const PeerRecord older = there_.record("a");
  there_.put({kWall.ms + 9'000}, "a", "3");
  there_.settle();
  const Replica::Terms terms{.newest_allowed = Stamp::from_ms(kWall.ms + 5'000), .from = peer};
  ASSERT_EQ(here_.take(there_.record("a"), terms), Taken::deferred);
  EXPECT_FALSE(here_.join(there_.known(), terms));
  EXPECT_FALSE(here_.replica().knowledge().covers(older.record.header.version.dot))
      << "neither it nor what replaced it is here";
  EXPECT_TRUE(here_.replica().knowledge().of(older.record.header.version.dot.origin).empty());
}

TEST_F(ReplicaJoin, WhatAPeerOfferedTooEarlyForbidsNoJoinWithOthers) {
  const PeerRecord early = there_.record("a");
  const Stamp below{early.record.header.version.stamp.bits - 1};
  ASSERT_EQ(here_.take(early, {.newest_allowed = below, .from = Instance{3}}), Taken::deferred);
  ExchangeNode third(4);
  third.put(kWall, "c");
  third.settle();
  EXPECT_TRUE(here_.join(third.known(), {.newest_allowed = below, .from = Instance{4}}));
}

TEST_F(ReplicaJoin, OnceItsTimeHasComeADeferredVersionIsOfferedAnew) {
  const PeerRecord early = there_.record("a");
  const Stamp stamp = early.record.header.version.stamp;
  here_.del(kWall, "a");
  here_.settle();
  ASSERT_EQ(here_.take(early, {.newest_allowed = Stamp{stamp.bits - 1}}), Taken::deferred);
  here_.store().erase("a");  // nothing here beats it
  const std::uint64_t run = here_.holdings().run();
  EXPECT_FALSE(here_.join(there_.known(), {.newest_allowed = stamp}))
      << "the exchange that ends now may have passed it";
  EXPECT_NE(here_.holdings().run(), run) << "so may all that are under way";
  EXPECT_EQ(here_.replica().stats().unsettled, 0U);
  EXPECT_TRUE(here_.join(there_.known(), {.newest_allowed = stamp}));
}

/// A live record and a tombstone, both dead: the other side covers them and holds neither.
class ReplicaDrops : public ReplicaJoin {
 protected:
  ReplicaDrops() {
    here_.put(kWall, "live");
    here_.put(kWall, "deleted");
    here_.del(kWall, "deleted");
    here_.settle();
    theirs_ = there_.known();
    for (const char* path : {"live", "deleted"}) {
      dead_.push_back({.path = path, .header = *here_.held(path)});
      theirs_.add(dead_.back().header.version.dot);
    }
  }

  Knowledge theirs_;
  std::vector<PeerItem> dead_;
};

TEST_F(ReplicaDrops, WhatIsDeadGoesWithTheJoinAndInItsBatch) {
  EXPECT_TRUE(here_.join(there_.known(), {}, dead_)) << "what the other did not cover stays";
  here_.settle();
  EXPECT_TRUE(here_.held("live"));
  Knowledge more = theirs_;
  more.add(Dot{.origin = Origin{9}, .seq = 1});
  EXPECT_TRUE(here_.join(more, {}, dead_));
  here_.fail();
  EXPECT_TRUE(here_.held("live"));
  EXPECT_FALSE(here_.known().covers(more));
  EXPECT_TRUE(here_.join(more, {}, dead_));
  const std::vector<Change> changes = here_.settle();
  EXPECT_EQ(changes.size(), 2U);
  EXPECT_FALSE(here_.held("live"));
  EXPECT_FALSE(here_.held("deleted"));
  EXPECT_TRUE(here_.known().covers(more));
}

TEST_F(ReplicaDrops, WhereNothingIsJoinedNothingGoes) {
  const PeerRecord early = there_.record("b");
  const Replica::Terms terms{.newest_allowed = Stamp{early.record.header.version.stamp.bits - 1},
                             .from = there_.instance()};
  ASSERT_EQ(here_.take(early, terms), Taken::deferred);
  EXPECT_FALSE(here_.join(theirs_, terms, dead_));
  here_.settle();
  EXPECT_TRUE(here_.held("live"));
  EXPECT_TRUE(here_.held("deleted"));
}

TEST_F(ReplicaDrops, ATieUnderAnotherPathKeepsNothing) {
  ASSERT_EQ(here_.take(there_.record("a")), Taken::tied);
  EXPECT_FALSE(here_.join(theirs_, {}, dead_));
  here_.settle();
  EXPECT_FALSE(here_.known().covers(there_.held("a")->version.dot));
  EXPECT_FALSE(here_.held("live"));
  EXPECT_FALSE(here_.held("deleted")) << "what is not covered is no older write of this path";
}

TEST_F(ReplicaDrops, WhatHasChangedMeanwhileStays) {
  here_.put({kWall.ms + 1}, "live", "newer");
  EXPECT_TRUE(here_.join(theirs_, {}, dead_));
  here_.settle();
  EXPECT_TRUE(here_.held("live"));
  EXPECT_TRUE(here_.join(theirs_, {}, dead_));
  here_.settle();
  EXPECT_EQ(here_.record("live").record.value, "newer");
}

/// A tombstone here that the other side has collected.
TEST(ExchangeSession, ATombstoneStaysUntilTheExchangeIsComplete) {
  ExchangeNode here(1);
  ExchangeNode there(2);
  here.put(kWall, "dead");
  here.del(kWall, "dead");
  here.settle();
  ExchangeSession first(here, there);
  ASSERT_EQ(run_exchange(first), ExchangeSession::State::complete);
  ASSERT_TRUE(
      there.replica().collect({.path = "dead", .header = *there.held("dead")}, there.open()));
  there.settle();
  ExchangeSession second(here, there);
  while (second.state() == ExchangeSession::State::going && !second.awaits_commit()) {
    second.step({});
  }
  here.settle();
  EXPECT_TRUE(here.held("dead")) << "the session may still break off";
  EXPECT_EQ(run_exchange(second), ExchangeSession::State::complete);
  here.settle();
  EXPECT_FALSE(here.held("dead"));
}

}  // namespace
}  // namespace kvs
