// What K learns without a record: peers' writes that lost, or that were known.
#include <gtest/gtest.h>

#include "support/exchange_node.h"

namespace kvs {
namespace {

constexpr WallTime kWall{1'000'000};

/// "a" is newer here than there.
class ReplicaLearnt : public testing::Test {
 protected:
  ReplicaLearnt() {
    there_.put(kWall, "a", "oldest");
    there_.settle();
    oldest_ = there_.held("a")->version.dot;
    there_.put({kWall.ms + 1}, "a", "older");
    there_.settle();
    here_.put({kWall.ms + 9}, "a", "newer");
    here_.settle();
    reader_ = here_.known();
  }

  [[nodiscard]] Delta told() {
    return here_.holdings().journal().answer(here_.known(), reader_, here_.store());
  }

  ExchangeNode here_{1};
  ExchangeNode there_{2};
  Dot oldest_;
  Knowledge reader_;  // of somebody who has what was here at the start
};

TEST_F(ReplicaLearnt, TheJournalTellsOfAWriteThatLost) {
  PeerRecord older = there_.record("a");
  older.replaced = {oldest_};
  ASSERT_EQ(here_.take(older), Taken::older);
  here_.settle();
  EXPECT_TRUE(here_.known().covers(there_.known()));
  const Delta delta = told();
  ASSERT_EQ(delta.extent, Delta::Extent::whole) << "or the peer has to reconcile for nothing";
  ASSERT_EQ(delta.records.size(), 1U);
  EXPECT_EQ(delta.records[0].record.value, "newer");
  EXPECT_EQ(delta.records[0].replaced,
            (std::vector<Dot>{oldest_, older.record.header.version.dot}));
}

TEST_F(ReplicaLearnt, TheJournalTellsWhatAKnownRecordNamesAsReplaced) {
  PeerRecord older = there_.record("a");
  ASSERT_EQ(here_.take(older), Taken::older);
  here_.settle();
  reader_ = here_.known();
  older.replaced = {oldest_};
  ASSERT_EQ(here_.take(older), Taken::known);
  here_.settle();
  EXPECT_TRUE(here_.known().covers(oldest_));
  EXPECT_EQ(told().extent, Delta::Extent::whole);
}

TEST_F(ReplicaLearnt, WhatWasKnownLeavesNoChange) {
  PeerRecord older = there_.record("a");
  older.replaced = {oldest_};
  here_.take(older);
  here_.settle();
  here_.take(older);
  EXPECT_TRUE(here_.settle().empty());
}

TEST_F(ReplicaLearnt, NothingElseChanges) {
  const Fingerprint root = here_.holdings().digest().root;
  here_.take(there_.record("a"), {.cause = Change::Cause::push});
  const std::vector<Change> changes = here_.settle();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_FALSE(changes[0].after);
  EXPECT_EQ(here_.holdings().digest().root, root);
  EXPECT_EQ(here_.recovered().root, root);
}

TEST_F(ReplicaLearnt, KCoversWhatAWriteReplacesAlsoAfterItWasEmptied) {
  const PeerRecord replaced = here_.record("a");
  here_.put(kWall, "rotten");
  here_.settle();
  here_.store().damage("rotten", Errc::corrupt_data);
  here_.holdings().found_damage("rotten");
  here_.settle();
  ASSERT_FALSE(here_.known().covers(replaced.record.header.version.dot));
  reader_ = here_.known();
  here_.del({kWall.ms + 10}, "a");
  here_.settle();
  EXPECT_EQ(here_.take(replaced), Taken::known) << "a late push, once the tombstone is collected";
  const Delta delta = told();
  ASSERT_EQ(delta.extent, Delta::Extent::whole);
  EXPECT_EQ(delta.records[0].replaced, std::vector<Dot>{replaced.record.header.version.dot});
}

TEST_F(ReplicaLearnt, TheJournalTellsOfATieThatANewerWriteEnded) {
  there_.put({kWall.ms + 9}, "a", "tied");
  there_.settle();
  const PeerRecord tied = there_.record("a");
  ASSERT_EQ(here_.take(tied), Taken::tied);
  here_.put({kWall.ms + 10}, "a", "newest");
  here_.settle();
  EXPECT_TRUE(here_.known().covers(tied.record.header.version.dot));
  EXPECT_EQ(told().extent, Delta::Extent::whole);
}

}  // namespace
}  // namespace kvs
