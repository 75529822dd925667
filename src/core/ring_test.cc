#include "core/ring.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

namespace kvs {
namespace {

std::vector<Instance> numbered(std::uint64_t count) {
  std::vector<Instance> members;
  for (std::uint64_t i = 1; i <= count; ++i) {
    members.push_back(Instance{i});
  }
  return members;
}

std::vector<Instance> in_ring_order(std::vector<Instance> members) {
  std::ranges::sort(members, {}, ring_position);
  return members;
}

std::vector<Instance> members_of(const std::vector<RingPart>& parts) {
  std::vector<Instance> members;
  for (const RingPart& part : parts) {
    members.insert(members.end(), part.members.begin(), part.members.end());
  }
  return members;
}

TEST(Ring, PlacesAreSpreadAndFixed) {
  // Fixed: nodes of all versions must agree on them.
  EXPECT_EQ(ring_position(Instance{1}), 0x5692161d100b05e5U);
  std::set<std::uint64_t> eighths;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    eighths.insert(ring_position(Instance{i}) >> 61U);
  }
  EXPECT_EQ(eighths.size(), 8U);
}

TEST(Ring, AStretchMayRunThroughZero) {
  const RingStretch plain{.first = 10, .last = 20};
  EXPECT_TRUE(contains(plain, 10));
  EXPECT_TRUE(contains(plain, 20));
  EXPECT_FALSE(contains(plain, 9));
  EXPECT_FALSE(contains(plain, 21));
  const RingStretch round{.first = UINT64_MAX - 1, .last = 1};
  EXPECT_TRUE(contains(round, UINT64_MAX));
  EXPECT_TRUE(contains(round, 0));
  EXPECT_FALSE(contains(round, 2));
  EXPECT_FALSE(contains(round, UINT64_MAX - 2));
  const RingStretch one{.first = 7, .last = 7};
  EXPECT_TRUE(contains(one, 7));
  EXPECT_FALSE(contains(one, 8));
}

TEST(Ring, OthersAreAllInRingOrderFromTheNextOn) {
  const auto members = in_ring_order(numbered(21));
  const Ring ring(members, members[5]);
  const auto parts = ring.others(8);
  ASSERT_EQ(parts.size(), 8U);
  for (const RingPart& part : parts) {
    EXPECT_GE(part.members.size(), 2U);
    EXPECT_LE(part.members.size(), 3U);
  }
  auto expected = members;
  std::ranges::rotate(expected, expected.begin() + 6);
  expected.pop_back();
  EXPECT_EQ(members_of(parts), expected);
}

TEST(Ring, FewOthersStandAlone) {
  const Ring three(numbered(3), Instance{2});
  EXPECT_EQ(three.others(8).size(), 2U);
  const Ring one(numbered(1), Instance{1});
  EXPECT_TRUE(one.others(8).empty());
  const Ring none;
  EXPECT_TRUE(none.others(8).empty());
  EXPECT_TRUE(none.below({.first = 0, .last = UINT64_MAX}, 8).empty());
  EXPECT_FALSE(none.trimmed({.first = 0, .last = UINT64_MAX}));
}

TEST(Ring, ADelegateHandsOnToTheRestOfItsStretch) {
  const auto members = in_ring_order(numbered(100));
  const Ring sender(members, members[95]);
  const RingPart part = sender.others(8)[1];  // its members run through zero or follow it
  const Ring delegate(members, part.members.front());
  const auto parts = delegate.below(part.stretch(), 8);
  EXPECT_EQ(parts.size(), 8U);
  EXPECT_EQ(members_of(parts), std::vector<Instance>(part.members.begin() + 1, part.members.end()));
}

TEST(Ring, MembersBeforeTheDelegateAreOnePartMore) {
  const auto members = in_ring_order(numbered(30));
  const RingStretch stretch{.first = ring_position(members[28]),
                            .last = ring_position(members[10])};
  const Ring third(members, members[0]);
  const auto parts = third.below(stretch, 8);
  ASSERT_EQ(parts.size(), 9U);
  EXPECT_EQ(parts.back().members, (std::vector<Instance>{members[28], members[29]}));
  EXPECT_EQ(members_of({parts.begin(), parts.end() - 1}),
            std::vector<Instance>(members.begin() + 1, members.begin() + 11));
}

TEST(Ring, TheLastOfAStretchHandsOnToNobody) {
  const auto members = in_ring_order(numbered(30));
  const std::uint64_t own = ring_position(members[4]);
  EXPECT_TRUE(Ring(members, members[4]).below({.first = own, .last = own}, 8).empty());
}

TEST(Ring, AStretchOfOthersIsNoneOfItsBusiness) {
  const auto members = in_ring_order(numbered(30));
  const RingStretch stretch{.first = ring_position(members[5]), .last = ring_position(members[10])};
  EXPECT_TRUE(Ring(members, members[4]).below(stretch, 8).empty());
  EXPECT_TRUE(Ring(members, members[11]).below(stretch, 8).empty());
}

TEST(Ring, TrimmingEndsAtMembers) {
  const auto members = in_ring_order(numbered(30));
  const Ring ring(members, members[0]);
  const RingStretch exact{.first = ring_position(members[5]), .last = ring_position(members[9])};
  EXPECT_EQ(ring.trimmed(exact), exact);
  EXPECT_EQ(ring.trimmed(
                {.first = ring_position(members[4]) + 1, .last = ring_position(members[10]) - 1}),
            exact);
  EXPECT_FALSE(ring.trimmed(
      {.first = ring_position(members[4]) + 1, .last = ring_position(members[5]) - 1}));
  const RingStretch round{.first = ring_position(members[29]), .last = ring_position(members[0])};
  EXPECT_EQ(ring.trimmed({.first = round.first - 1, .last = round.last + 1}), round);
}

TEST(RingDeathTest, ANodeSitsOnItsOwnRing) {
  EXPECT_DEATH(Ring(numbered(3), Instance{9}), "own ring");
}

}  // namespace
}  // namespace kvs
