// Exchanges where very much is missing, or ties.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/own_part.h"
#include "core/sync.h"
#include "core/sync_answers.h"
#include "support/sync_fixture.h"

namespace kvs {
namespace {

TEST_F(SyncTest, OfVeryMuchAPartOfItsOwnIsAskedForFirst) {
  for (int i = 0; i < 10'000; ++i) {
    there_.put(kWall, fmt::format("there/{}", i));
  }
  there_.settle();
  begin();
  answer();
  ASSERT_NE(asked<AskDelta>(), nullptr);
  const std::vector<DotRange> part = there_.known().minus(asked<AskDelta>()->knowledge);
  ASSERT_EQ(part.size(), 1U);
  EXPECT_EQ(part[0].first, 1U) << "of two members this one is the first";
  EXPECT_EQ(part[0].last, 5000U);
  answer_all();
  EXPECT_EQ(sessions().delta, 1U);
  EXPECT_FALSE(sync_.take_ties_met_alone());
  expect_equal();
}

TEST_F(SyncTest, AnExchangeThatMeetsManyTiesEndsThere) {
  tie(kLatestRecords + Sync::kManyTies);
  begin();
  answer_all();
  EXPECT_EQ(here_.replica().stats().new_ties, kLatestRecords + Sync::kManyTies);
  EXPECT_EQ(there_.replica().stats().new_ties, kLatestRecords) << "those of the greeting";
  EXPECT_TRUE(sync_.take_ties_met_alone());
  EXPECT_FALSE(sync_.take_ties_met_alone());
  EXPECT_EQ(sessions().ties, 1U);
  EXPECT_EQ(sessions().delta, 0U);
  EXPECT_EQ(sessions().failed, 0U);
  EXPECT_FALSE(here_.known().covers(there_.known())) << "nothing was joined";
}

TEST_F(SyncTest, FewerTiesAreToldToThePeerToo) {
  tie(kLatestRecords + Sync::kManyTies - 1);
  begin();
  answer_all();
  EXPECT_FALSE(sync_.take_ties_met_alone());
  EXPECT_EQ(there_.replica().stats().new_ties, kLatestRecords + Sync::kManyTies - 1);
}

/// Else no exchange would end while they stay open.
TEST_F(SyncTest, TiesThatWereMetBeforeEndNoExchange) {
  tie(kLatestRecords + Sync::kManyTies);
  begin();
  answer_all();
  there_.put(kWall, "new");
  there_.settle();
  pass(Duration::from_seconds(301));
  answer_all();
  EXPECT_TRUE(here_.held("new"));
  EXPECT_EQ(there_.replica().stats().new_ties, kLatestRecords + Sync::kManyTies);
}

TEST_F(SyncTest, ThePartOfOthersIsLeftToThemWhileTheseTiesAreSettled) {
  tie(20'000);
  begin();
  answer_all();
  EXPECT_TRUE(sync_.take_ties_met_alone());
  EXPECT_EQ(here_.replica().stats().new_ties, 10'000U + kLatestRecords);
}

/// What was found is put to the ballot at once, so the next exchange is not put off as after one
/// that brought nothing.
TEST_F(SyncTest, AfterManyTiesThePeerIsComparedWithAgainSoon) {
  begin();
  answer();
  tie(20'000);
  Member member = there_member();
  member.digest = there_.holdings().digest();
  sync_.met(now_, member, here_.open());
  pass(kSecond);
  ASSERT_NE(asked<Hello>(), nullptr);
  answer_all();
  EXPECT_TRUE(sync_.take_ties_met_alone());
  pass(Duration::from_ms(499));
  EXPECT_EQ(asked<Hello>(), nullptr);
  pass(Duration::from_ms(300));
  ASSERT_NE(asked<Hello>(), nullptr);
  answer_all();
  EXPECT_TRUE(sync_.take_ties_met_alone());
  EXPECT_GT(here_.replica().stats().new_ties, 10'000U + kLatestRecords)
      << "where its own part holds nothing new it goes on with the others'";
}

/// However long the ballots take: else each exchange would tell all again that those before it
/// told.
TEST_F(SyncTest, OpenTiesAreNotToldAgainByTheNextExchange) {
  tie(20'000);
  begin();
  answer_all();
  ASSERT_TRUE(sync_.take_ties_met_alone());
  EXPECT_EQ(sessions().ties, 1U);
  const std::uint64_t told = sync_.stats().records_received;
  const std::uint64_t ties = here_.replica().stats().new_ties;
  pass(kSecond);
  ASSERT_NE(asked<Hello>(), nullptr) << "a regular exchange that ended so is made up for at once";
  answer_all();
  EXPECT_TRUE(sync_.take_ties_met_alone());
  const std::uint64_t told_anew = here_.replica().stats().new_ties - ties;
  EXPECT_GE(told_anew, Sync::kManyTies);
  EXPECT_LE(sync_.stats().records_received - told, told_anew + kLatestRecords);
}

/// What it took may be lost with its batch, and has to be told once more.
TEST_F(SyncTest, AfterAFailedCommitTiesAreToldAgain) {
  tie(20'000);
  begin();
  answer_all();
  ASSERT_TRUE(sync_.take_ties_met_alone());
  sync_.commit_failed(now_, here_.open());
  commit();
  pass(kSecond);
  ASSERT_NE(asked<Hello>(), nullptr);
  answer();
  ASSERT_NE(asked<AskDelta>(), nullptr);
  const Dot first{.origin = there_.known().minus({}).front().origin, .seq = 1};
  EXPECT_FALSE(asked<AskDelta>()->knowledge.covers(first));
}

/// What is new all the time does not keep what is missing from being asked for.
TEST_F(SyncTest, APeerThatGoesOnWritingTellsTheOthersPartsToo) {
  for (int i = 0; i < 10'000; ++i) {
    there_.put(kWall, fmt::format("there/{}", i));
  }
  there_.settle();
  begin();
  int calls = 0;
  for (; asked_ && calls < 50; ++calls) {
    for (int i = 0; i < 5000; ++i) {
      there_.put(kWall, fmt::format("new/{}/{}", calls, i));
    }
    there_.settle();
    answer();
  }
  EXPECT_FALSE(asked_) << "the exchange ends";
  EXPECT_TRUE(here_.held("there/0"));
  EXPECT_TRUE(here_.held("there/9999"));
}

}  // namespace
}  // namespace kvs
