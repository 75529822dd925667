#include "core/rumors.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

Member row(std::uint64_t instance, std::uint64_t incarnation = 1) {
  Member member;
  member.instance = Instance{instance};
  member.incarnation = incarnation;
  return member;
}

std::vector<std::uint64_t> instances(const std::vector<Member>& rows) {
  std::vector<std::uint64_t> numbers;
  for (const Member& member : rows) {
    numbers.push_back(static_cast<std::uint64_t>(member.instance));
  }
  return numbers;
}

TEST(Retransmissions, GrowWithTheDigitsOfTheCluster) {
  EXPECT_EQ(retransmissions(1), 3U);
  EXPECT_EQ(retransmissions(9), 3U);
  EXPECT_EQ(retransmissions(10), 8U);
  EXPECT_EQ(retransmissions(99), 8U);
  EXPECT_EQ(retransmissions(100), 12U);
  EXPECT_EQ(retransmissions(10'000), 20U);
}

TEST(Rumors, AreToldAsOftenAsTheLimitSays) {
  Rumors rumors;
  rumors.add(row(1), Instance{});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(instances(rumors.take(14, 3, {})), std::vector<std::uint64_t>{1});
  }
  EXPECT_TRUE(rumors.empty());
  EXPECT_TRUE(rumors.take(14, 3, {}).empty());
}

TEST(Rumors, ThoseToldLeastGoFirstAndOfThemTheNewest) {
  Rumors rumors;
  rumors.add(row(1), Instance{});
  rumors.add(row(2), Instance{});
  EXPECT_EQ(instances(rumors.take(1, 9, {})), std::vector<std::uint64_t>{2});
  rumors.add(row(3), Instance{});
  EXPECT_EQ(instances(rumors.take(2, 9, {})), (std::vector<std::uint64_t>{3, 1}));
  EXPECT_EQ(instances(rumors.take(3, 9, {})), (std::vector<std::uint64_t>{3, 2, 1}));
}

TEST(Rumors, ANewerRowReplacesTheOlderAndIsToldAnew) {
  Rumors rumors;
  rumors.add(row(1, 1), Instance{});
  static_cast<void>(rumors.take(1, 2, {}));
  rumors.add(row(1, 2), Instance{});
  EXPECT_EQ(rumors.size(), 1U);
  EXPECT_EQ(rumors.take(1, 2, {}).at(0).incarnation, 2U);
  EXPECT_EQ(rumors.take(1, 2, {}).at(0).incarnation, 2U);
  EXPECT_TRUE(rumors.empty());
}

TEST(Rumors, SomeAreLeftOut) {
  Rumors rumors;
  rumors.add(row(1), Instance{});
  rumors.add(row(2), Instance{});
  const std::vector<Instance> except{Instance{2}};
  EXPECT_EQ(instances(rumors.take(5, 1, {.instance = {}, .knows = except})),
            std::vector<std::uint64_t>{1});
  EXPECT_EQ(rumors.size(), 1U);
}

TEST(Rumors, NeitherTheTellerNorTheSubjectHearsThem) {
  Rumors rumors;
  rumors.add(row(1), Instance{2});
  for (const std::uint64_t listener : {1U, 2U}) {
    EXPECT_FALSE(rumors.has_for(Instance{listener}));
    EXPECT_TRUE(rumors.take(5, 1, {.instance = Instance{listener}, .knows = {}}).empty());
  }
  EXPECT_TRUE(rumors.has_for(Instance{3}));
  EXPECT_EQ(instances(rumors.take(5, 1, {.instance = Instance{3}, .knows = {}})),
            std::vector<std::uint64_t>{1});
  EXPECT_FALSE(rumors.has_for(Instance{3})) << "its last telling is over";
}

TEST(Rumors, WhatNobodyToldAnybodyMayHear) {
  Rumors rumors;
  rumors.add(row(1), Instance{});
  EXPECT_EQ(instances(rumors.take(5, 1, {})), std::vector<std::uint64_t>{1})
      << "whoever listens at an address";
}

TEST(Rumors, ANewerRowMayGoToWhoeverToldTheOlder) {
  Rumors rumors;
  rumors.add(row(1, 1), Instance{2});
  rumors.add(row(1, 2), Instance{3});
  EXPECT_TRUE(rumors.has_for(Instance{2}));
  EXPECT_FALSE(rumors.has_for(Instance{3}));
}

TEST(Rumors, CanBeDroppedAndCounted) {
  Rumors rumors;
  for (const std::uint64_t instance : {1U, 2U, 3U}) {
    rumors.add(row(instance), Instance{});
  }
  rumors.drop(Instance{1});
  rumors.told(Instance{2}, 1);
  rumors.told(Instance{9}, 1);
  EXPECT_EQ(instances(rumors.take(5, 9, {})), std::vector<std::uint64_t>{3});
  rumors.add(row(4), Instance{});
  rumors.keep_only(Instance{4});
  EXPECT_EQ(instances(rumors.take(5, 9, {})), std::vector<std::uint64_t>{4});
}

}  // namespace
}  // namespace kvs
