#include "app/cluster_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr WallTime kNow{.ms = 1'672'531'200'000};

Member member(std::uint64_t instance, std::string id, MemberState state) {
  Member row;
  row.instance = Instance{instance};
  row.node_id = std::move(id);
  row.address = row.node_id + ":8080";
  row.joined_ms = static_cast<std::int64_t>(instance);
  row.state = state;
  return row;
}

/// This node is "beta", instance 2.
NodeThreadStatus status_of(std::vector<Member> members) {
  NodeThreadStatus status;
  status.view =
      std::make_shared<const View>(View{.members = std::move(members), .self = Instance{2}});
  return status;
}

std::vector<std::string_view> ids_of(const std::vector<MemberView>& views) {
  std::vector<std::string_view> ids;
  for (const MemberView& view : views) {
    ids.push_back(view.id);
  }
  return ids;
}

TEST(MemberViews, AreOrderedByIdAndShowFailedOnesOnlyIfAsked) {
  const NodeThreadStatus status = status_of(
      {member(1, "delta", MemberState::alive), member(2, "beta", MemberState::alive),
       member(3, "alpha", MemberState::failed), member(4, "gamma", MemberState::suspect)});
  EXPECT_THAT(ids_of(member_views(status, GetMembers::Which::live, kNow)),
              ElementsAre("beta", "delta", "gamma"));
  const auto all = member_views(status, GetMembers::Which::all, kNow);
  EXPECT_THAT(ids_of(all), ElementsAre("alpha", "beta", "delta", "gamma"));
  EXPECT_EQ(all[0].state, "failed");
  EXPECT_EQ(all[1].state, "alive");
  EXPECT_EQ(all[3].state, "suspect");
}

TEST(MemberViews, TellOfThisNodeWhatItKnowsAndOfOthersWhatTheySaid) {
  Member other = member(3, "other", MemberState::alive);
  other.mode = Mode::syncing;
  NodeThreadStatus status = status_of({member(2, "beta", MemberState::alive), other});
  status.node.mode = Mode::read_only;
  status.standings.push_back({.instance = Instance{3}, .last_seen_ms = kNow.ms - 40});
  const auto views = member_views(status, GetMembers::Which::live, kNow);
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].last_seen_ms, kNow.ms);
  EXPECT_EQ(views[0].mode, "read-only");
  EXPECT_EQ(views[0].version, KVS_VERSION);
  EXPECT_EQ(views[0].address, "beta:8080");
  EXPECT_EQ(views[1].last_seen_ms, kNow.ms - 40);
  EXPECT_EQ(views[1].joined_ms, 3);
  EXPECT_EQ(views[1].mode, "syncing");
  EXPECT_EQ(views[1].version, "");
}

TEST(MemberViews, AMemberThatWasNeverHeardOfWasNeverSeen) {
  const NodeThreadStatus status =
      status_of({member(2, "beta", MemberState::alive), member(9, "new", MemberState::alive)});
  EXPECT_EQ(member_views(status, GetMembers::Which::live, kNow)[1].last_seen_ms, 0);
}

TEST(VerdictViews, TellWhatTheNodeTells) {
  NodeStatus node;
  EXPECT_THAT(verdict_views(node), IsEmpty());
  const Uuid stays{.high = 1, .low = 2};
  const Uuid goes{.high = 3, .low = 4};
  node.verdicts = std::make_shared<const std::vector<SettledConflict>>(std::vector<SettledConflict>{
      {.path = "a",
       .settled = {.ms = 7},
       .rule = Ruling::Kind::oldest,
       .winner = stays,
       .stamp = Stamp::from_ms(5),
       .candidates = {{.uuid = stays, .votes = 1}, {.uuid = goes, .votes = 1}}}});
  const auto views = verdict_views(node);
  ASSERT_EQ(views.size(), 1U);
  EXPECT_EQ(views[0].path, "a");
  EXPECT_EQ(views[0].settled_ms, 7);
  EXPECT_EQ(views[0].timestamp_ms, 5);
  EXPECT_EQ(views[0].rule, "oldest");
  EXPECT_EQ(views[0].winner, stays);
  ASSERT_EQ(views[0].candidates.size(), 2U);
  EXPECT_EQ(views[0].candidates[1].uuid, goes);
  EXPECT_EQ(views[0].candidates[1].votes, 1U);
}

TEST(HealthWarnings, NameWhatAnOperatorCanMend) {
  NodeStatus node;
  EXPECT_THAT(health_warnings(node), IsEmpty());
  node.cluster_ahead_ms = -7000;
  node.stamps_held_back = true;
  EXPECT_THAT(health_warnings(node), ElementsAre(HasSubstr("7000 ms ahead")));
  node.members.isolated = true;
  EXPECT_THAT(health_warnings(node), ElementsAre(HasSubstr("clock"), HasSubstr("network")));
}

}  // namespace
}  // namespace kvs
