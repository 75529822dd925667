#include "app/convergence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvs {
namespace {

using ::testing::ElementsAre;

constexpr WallTime kNow{.ms = 1'000'000};

/// This node is "a", instance 1. Others are equal to it unless a test changes them.
class ConvergenceTest : public ::testing::Test {
 protected:
  ConvergenceTest() {
    status_.node.digest.knowledge_hash = 77;
    status_.node.digest.root = {.high = 1, .low = 2, .count = 3};
    status_.node.digest.counted = true;
    add("a");
  }

  /// The row of the member that was added.
  Member& add(std::string id) {
    Member& member = view_.members.emplace_back();
    member.node_id = std::move(id);
    member.instance = Instance{view_.members.size()};
    member.digest = status_.node.digest;
    if (view_.members.size() > 1) {
      status_.standings.push_back(
          {.instance = member.instance, .last_seen_ms = kNow.ms - 40, .knowledge_told = true});
    }
    return member;
  }

  /// What it told last lacks some of this node's writes.
  void lag(Member& member, std::uint64_t writes) {
    member.digest.knowledge_hash = 5;
    member.digest.root.low = 9;
    status_.standings.back().writes_behind = writes;
  }

  ConvergenceView ask() {
    view_.self = Instance{1};
    status_.view = std::make_shared<const View>(view_);
    return convergence(status_, kNow);
  }

  View view_;
  NodeThreadStatus status_;
};

TEST_F(ConvergenceTest, ANodeAloneIsConverged) {
  const ConvergenceView view = ask();
  EXPECT_TRUE(view.converged);
  EXPECT_EQ(view.summary, "this node is the only member");
  ASSERT_EQ(view.rows.size(), 1U);
  EXPECT_EQ(view.rows[0].as_of_ms, 0);
}

TEST_F(ConvergenceTest, EqualMembersHoldTheSameDataAsOfTheOldestNews) {
  add("c");
  add("b");
  status_.standings.back().last_seen_ms = kNow.ms - 120;
  const ConvergenceView view = ask();
  EXPECT_TRUE(view.converged);
  EXPECT_EQ(view.summary, "all 3 members hold the same data as of 120 ms ago");
  std::vector<std::string_view> ids;
  for (const ConvergenceView::Row& row : view.rows) {
    ids.push_back(row.id);
    EXPECT_EQ(row.writes_behind, 0U);
    EXPECT_EQ(row.fingerprints_agree, true);
  }
  EXPECT_THAT(ids, ElementsAre("a", "b", "c"));
}

TEST_F(ConvergenceTest, WhoeverLacksWritesIsNamed) {
  lag(add("b"), 12);
  status_.standings.back().writes_owed = 7;
  Member& failed = add("c");
  failed.state = MemberState::failed;
  lag(failed, 1);
  const ConvergenceView view = ask();
  EXPECT_FALSE(view.converged);
  EXPECT_EQ(view.summary, "b lacks 12 writes; c (failed) lacks 1 write");
  EXPECT_EQ(view.rows[1].writes_behind, 12U);
  EXPECT_EQ(view.rows[1].writes_owed, 7U);
  EXPECT_EQ(view.rows[1].fingerprints_agree, false);
  EXPECT_EQ(view.rows[2].state, "failed");
}

TEST_F(ConvergenceTest, WhoeverHasNotToldIsNotGuessedAt) {
  Member& silent = add("b");
  silent.digest = {};
  status_.standings.back().knowledge_told = false;
  status_.standings.back().last_seen_ms = 0;
  add("c").digest = {};
  status_.standings.pop_back();  // it came after the standings were made
  const ConvergenceView view = ask();
  EXPECT_FALSE(view.converged);
  EXPECT_EQ(view.summary, "nothing is known of b yet; nothing is known of c yet");
  for (const std::size_t row : {1U, 2U}) {
    EXPECT_EQ(view.rows[row].writes_behind, std::nullopt);
    EXPECT_EQ(view.rows[row].fingerprints_agree, std::nullopt);
    EXPECT_EQ(view.rows[row].as_of_ms, std::nullopt);
  }
}

TEST_F(ConvergenceTest, AMemberThatIsAheadIsNoSameData) {
  lag(add("b"), 0);
  const ConvergenceView view = ask();
  EXPECT_FALSE(view.converged);
  EXPECT_EQ(view.summary, "b has writes that this node lacks");
}

TEST_F(ConvergenceTest, EqualKnowledgeIsNotEnough) {
  add("b").digest.root.high = 8;
  add("c").digest.counted = false;
  const ConvergenceView view = ask();
  EXPECT_FALSE(view.converged);
  EXPECT_EQ(view.summary,
            "b has seen the same writes and holds other records: they are compared; "
            "c has seen the same writes; fingerprints are still being counted");
  EXPECT_EQ(view.rows[1].fingerprints_agree, false);
  EXPECT_EQ(view.rows[2].fingerprints_agree, std::nullopt);
}

TEST_F(ConvergenceTest, AClockThatWasSetBackMakesNoNegativeTimes) {
  add("b");
  status_.standings.back().last_seen_ms = kNow.ms + 500;
  EXPECT_EQ(ask().rows[1].as_of_ms, 0);
}

}  // namespace
}  // namespace kvs
