#include "core/knowledge.h"

#include <set>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace kvs {
namespace {

Dot dot(std::uint64_t origin, std::uint64_t seq) {
  return {.origin = Origin{origin}, .seq = seq};
}

TEST(Knowledge, KnowsNothingAtFirst) {
  const Knowledge knowledge;
  EXPECT_FALSE(knowledge.covers(dot(1, 1)));
  EXPECT_EQ(knowledge.of(Origin{1}), OriginKnowledge{});
  EXPECT_TRUE(knowledge.origins().empty());
}

TEST(Knowledge, CoversWhatWasAdded) {
  Knowledge knowledge;
  EXPECT_TRUE(knowledge.add(dot(1, 1)));
  EXPECT_TRUE(knowledge.covers(dot(1, 1)));
  EXPECT_FALSE(knowledge.covers(dot(1, 2)));
  EXPECT_FALSE(knowledge.covers(dot(2, 1)));
  EXPECT_FALSE(knowledge.add(dot(1, 1))) << "the second time";
}

TEST(Knowledge, WhatFollowsOnRaisesUpto) {
  Knowledge knowledge;
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    knowledge.add(dot(1, seq));
  }
  EXPECT_EQ(knowledge.of(Origin{1}), (OriginKnowledge{.upto = 5, .beyond = {}}));
}

TEST(Knowledge, GapsAreExceptionsUntilTheyClose) {
  Knowledge knowledge;
  knowledge.add(dot(1, 3));
  knowledge.add(dot(1, 5));
  EXPECT_EQ(knowledge.of(Origin{1}), (OriginKnowledge{.upto = 0, .beyond = {{3, 3}, {5, 5}}}));
  knowledge.add(dot(1, 1));
  EXPECT_EQ(knowledge.of(Origin{1}), (OriginKnowledge{.upto = 1, .beyond = {{3, 3}, {5, 5}}}));
  knowledge.add(dot(1, 2));
  EXPECT_EQ(knowledge.of(Origin{1}), (OriginKnowledge{.upto = 3, .beyond = {{5, 5}}}));
  EXPECT_FALSE(knowledge.add(dot(1, 3)));
  EXPECT_FALSE(knowledge.add(dot(1, 5)));
  knowledge.add(dot(1, 4));
  EXPECT_EQ(knowledge.of(Origin{1}), (OriginKnowledge{.upto = 5, .beyond = {}}));
}

TEST(Knowledge, SetReplacesAndFolds) {
  Knowledge knowledge;
  knowledge.add(dot(1, 9));
  knowledge.set(Origin{1}, {.upto = 2, .beyond = {{1, 1}, {3, 4}, {7, 7}}});
  EXPECT_EQ(knowledge.of(Origin{1}), (OriginKnowledge{.upto = 4, .beyond = {{7, 7}}}));
  EXPECT_FALSE(knowledge.covers(dot(1, 9)));
}

TEST(Knowledge, JoinCoversWhatEitherCovers) {
  Knowledge mine;
  mine.set(Origin{1}, {.upto = 3, .beyond = {{7, 7}}});
  mine.set(Origin{2}, {.upto = 1, .beyond = {}});
  Knowledge theirs;
  theirs.set(Origin{1}, {.upto = 5, .beyond = {{8, 8}}});
  theirs.set(Origin{3}, {.upto = 0, .beyond = {{2, 2}}});
  mine.join(theirs);
  EXPECT_EQ(mine.of(Origin{1}), (OriginKnowledge{.upto = 5, .beyond = {{7, 8}}}));
  EXPECT_EQ(mine.of(Origin{2}), (OriginKnowledge{.upto = 1, .beyond = {}}));
  EXPECT_EQ(mine.of(Origin{3}), (OriginKnowledge{.upto = 0, .beyond = {{2, 2}}}));
}

TEST(Knowledge, JoinClosesGaps) {
  Knowledge mine;
  mine.set(Origin{1}, {.upto = 1, .beyond = {{4, 4}}});
  Knowledge theirs;
  theirs.set(Origin{1}, {.upto = 0, .beyond = {{2, 3}}});
  mine.join(theirs);
  EXPECT_EQ(mine.of(Origin{1}), (OriginKnowledge{.upto = 4, .beyond = {}}));
}

TEST(Knowledge, OriginsAreInOrder) {
  Knowledge knowledge;
  for (const std::uint64_t origin : {5U, 1U, 9U, 3U}) {
    knowledge.add(dot(origin, 1));
  }
  std::uint64_t last = 0;
  for (const auto& [origin, known] : knowledge.origins()) {
    EXPECT_GT(static_cast<std::uint64_t>(origin), last);
    last = static_cast<std::uint64_t>(origin);
  }
}

TEST(Knowledge, IsASetOfDots) {
  Prng prng(1);
  Knowledge knowledge;
  std::set<Dot> model;
  for (int i = 0; i < 3000; ++i) {
    const Dot added = dot(prng.below(3), 1 + prng.below(300));
    ASSERT_EQ(knowledge.add(added), model.insert(added).second);
    const Dot asked = dot(prng.below(4), 1 + prng.below(300));
    ASSERT_EQ(knowledge.covers(asked), model.contains(asked));
  }
  for (const auto& [origin, known] : knowledge.origins()) {
    EXPECT_TRUE(known.beyond.empty() || known.beyond.begin()->first > known.upto + 1);
  }
}

}  // namespace
}  // namespace kvs
