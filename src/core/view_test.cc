#include "core/view.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Member member(std::uint64_t instance, MemberState state) {
  Member member;
  member.instance = Instance{instance};
  member.node_id = "node-" + std::to_string(instance);
  member.state = state;
  return member;
}

/// Five members; the third is this node.
View five() {
  return {.members = {member(10, MemberState::alive), member(20, MemberState::suspect),
                      member(30, MemberState::alive), member(40, MemberState::failed),
                      member(50, MemberState::alive)},
          .self = Instance{30}};
}

std::vector<std::string> names(const std::vector<const Member*>& members) {
  std::vector<std::string> names;
  names.reserve(members.size());
  for (const Member* each : members) {
    names.push_back(each->node_id);
  }
  return names;
}

TEST(View, FindsEachMemberByInstance) {
  const View view = five();
  for (const Member& each : view.members) {
    EXPECT_EQ(view.find(each.instance), &each);
  }
}

TEST(View, DoesNotFindWhoIsNotThere) {
  const View view = five();
  for (const std::uint64_t absent : {0U, 9U, 11U, 35U, 51U}) {
    EXPECT_EQ(view.find(Instance{absent}), nullptr) << absent;
  }
  EXPECT_EQ(View{}.find(Instance{1}), nullptr);
}

TEST(View, FindsByNodeId) {
  const View view = five();
  EXPECT_EQ(view.find_id("node-40"), &view.members[3]);
  EXPECT_EQ(view.find_id("node-4"), nullptr);
  EXPECT_EQ(view.find_id(""), nullptr);
}

TEST(View, KnowsItsOwnRow) {
  EXPECT_EQ(five().own().node_id, "node-30");
}

TEST(View, PeersMayAnswerAndAreOthers) {
  const View view = five();
  EXPECT_THAT(names(view.peers()), ElementsAre("node-10", "node-20", "node-50"));
}

TEST(View, ANodeAloneHasNoPeersButLives) {
  const View view{.members = {member(1, MemberState::alive)}, .self = Instance{1}};
  EXPECT_THAT(view.peers(), IsEmpty());
  EXPECT_EQ(view.live_count(), 1U);
}

TEST(View, CountsTheLivingItselfIncluded) {
  EXPECT_EQ(five().live_count(), 4U);
}

TEST(View, OnlyAliveAndSuspectMembersMayAnswer) {
  EXPECT_TRUE(is_live(MemberState::alive));
  EXPECT_TRUE(is_live(MemberState::suspect));
  EXPECT_FALSE(is_live(MemberState::failed));
  EXPECT_FALSE(is_live(MemberState::left));
}

}  // namespace
}  // namespace kvs
