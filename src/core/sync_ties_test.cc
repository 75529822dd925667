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
  EXPECT_EQ(sessions().delta, 1U);
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

}  // namespace
}  // namespace kvs
