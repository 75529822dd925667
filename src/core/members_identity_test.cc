// Members that come back, leave, share an id, share a data folder, or belong elsewhere.
#include <gtest/gtest.h>

#include "core/members.h"
#include "support/member_net.h"

namespace kvs {
namespace {

using enum MemberEvent::Kind;

constexpr Duration seconds(std::int64_t s) {
  return Duration::from_seconds(s);
}

void leave(MemberNet& net, std::size_t index) {
  net.step(index,
           [](Members& members, const Now& now, Effects& effects) { members.leave(now, effects); });
}

RemoveOutcome remove(MemberNet& net, std::size_t index, std::string_view node_id) {
  RemoveOutcome outcome{};
  net.step(index, [&](Members& members, const Now& now, Effects& effects) {
    outcome = members.remove(now, node_id, effects);
  });
  return outcome;
}

TEST(MembersIdentity, ARestartIsSeenAndKeepsSeniority) {
  MemberNet net(1);
  net.start_cluster(4);
  net.run_for(seconds(30));
  net.kill(2);
  net.run_for(seconds(1));
  net.start(2);
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(10)), seconds(5));
  net.run_for(seconds(30));
  const Member* row = net.members(0).find(net.node(2).identity.instance);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->run, net.node(2).identity.run);
  EXPECT_EQ(row->joined_ms, 1002);
  EXPECT_EQ(net.events(0, restarted), 1U);
  EXPECT_EQ(net.events(failed), 0U);
  EXPECT_EQ(net.events(2, accused_self), 0U) << "news of its own past are no accusation";
}

TEST(MembersIdentity, ARestartAtAnotherAddressIsFollowed) {
  MemberNet net(1);
  net.start_cluster(4);
  net.run_for(seconds(30));
  net.kill(2);
  net.run_for(seconds(20));
  ASSERT_EQ(net.state(0, 2), MemberState::failed);
  net.node(2).options.address = "10.0.0.9:77";
  net.start(2);
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(20)), seconds(5));
  EXPECT_EQ(net.members(3).find(net.node(2).identity.instance)->address, "10.0.0.9:77");
  net.run_for(seconds(30));
  EXPECT_FALSE(net.members(2).new_instance_wanted());
}

TEST(MembersIdentity, ALeaverIsOffTheListAtOnceAndStaysOff) {
  MemberNet net(1);
  net.start_cluster(6);
  net.run_for(seconds(30));
  leave(net, 3);
  EXPECT_LE(net.run_until([&] { return net.all_hold(3, std::nullopt); }, seconds(10)), seconds(2));
  net.run_for(seconds(1));
  EXPECT_TRUE(net.members(3).has_left());
  net.kill(3);
  net.run_for(seconds(600));
  EXPECT_TRUE(net.all_hold(3, std::nullopt));
  EXPECT_EQ(net.events(failed), 0U);
  EXPECT_EQ(net.events(0, left), 1U);
  EXPECT_TRUE(net.converged());
}

TEST(MembersIdentity, ALoneNodeHasLeftAtOnce) {
  MemberNet net(1);
  net.start(net.add({}));
  leave(net, 0);
  EXPECT_TRUE(net.members(0).has_left());
}

TEST(MembersIdentity, LateNewsDoNotBringALeaverBack) {
  MemberNet net(1);
  net.start_cluster(3);
  net.run_for(seconds(30));
  const Member before = *net.members(0).find(net.node(2).identity.instance);
  leave(net, 2);
  net.run_for(seconds(5));
  net.kill(2);
  const PeerCall late{.ticket = Ticket{1},
                      .envelope = {.cluster = cluster_hash("kvs"),
                                   .sender = net.node(1).identity.instance,
                                   .sender_run = net.node(1).identity.run},
                      .request = MemberRows{.rows = {before}}};
  Effects effects;
  net.members(0).called(net.now_of(0), late, effects);
  EXPECT_EQ(net.state(0, 2), std::nullopt);
  ASSERT_EQ(effects.answers.size(), 1U);
  const auto& answer = std::get<MemberRows>(effects.answers[0].answer);
  ASSERT_EQ(answer.rows.size(), 1U) << "the one with old news is told";
  EXPECT_EQ(answer.rows[0].state, MemberState::left);
}

TEST(MembersIdentity, ALeaverThatStartsAgainIsWelcome) {
  MemberNet net(1);
  net.start_cluster(4);
  net.run_for(seconds(30));
  leave(net, 3);
  net.run_for(seconds(5));
  net.kill(3);
  net.run_for(seconds(60));
  net.start(3);
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(20)), seconds(5));
}

TEST(MembersIdentity, ARemovedMemberThatStartsAgainIsWelcome) {
  MemberNet net(1);
  net.start_cluster(4);
  net.run_for(seconds(30));
  net.kill(3);
  net.run_for(seconds(900));
  EXPECT_TRUE(net.all_hold(3, std::nullopt));
  net.start(3);
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(20)), seconds(5));
}

TEST(MembersIdentity, OnlyAFailedMemberCanBeRemoved) {
  MemberNet net(1);
  net.start_cluster(5);
  net.run_for(seconds(30));
  EXPECT_EQ(remove(net, 0, "nobody"), RemoveOutcome::unknown);
  EXPECT_EQ(remove(net, 0, "n4"), RemoveOutcome::alive);
  EXPECT_EQ(remove(net, 0, "n0"), RemoveOutcome::alive);
  net.kill(4);
  net.run_for(seconds(20));
  EXPECT_EQ(remove(net, 0, "n4"), RemoveOutcome::removed);
  EXPECT_LE(net.run_until([&] { return net.all_hold(4, std::nullopt); }, seconds(10)), seconds(2));
  EXPECT_EQ(remove(net, 0, "n4"), RemoveOutcome::unknown);
}

TEST(MembersIdentity, AnIdThatALiveMemberHoldsIsRefused) {
  MemberNet net(1);
  net.start_cluster(4);
  net.run_for(seconds(30));
  const std::size_t clash = net.add({0});
  net.node(clash).options.node_id = "n2";
  net.start(clash);
  net.run_for(seconds(120));
  EXPECT_FALSE(net.members(clash).joined());
  EXPECT_GE(net.events(clash, id_in_use), 1U);
  EXPECT_EQ(net.members(clash).view()->members.size(), 1U);
  EXPECT_TRUE(net.all_hold(clash, std::nullopt));
  EXPECT_TRUE(net.all_hold(2, MemberState::alive) || net.state(clash, 2) == std::nullopt);
  EXPECT_EQ(net.events(suspected), 0U);
}

TEST(MembersIdentity, TheSeedsOwnIdIsRefused) {
  MemberNet net(1);
  net.start_cluster(2);
  net.run_for(seconds(30));
  const std::size_t clash = net.add({0});
  net.node(clash).options.node_id = "n0";
  net.start(clash);
  net.run_for(seconds(30));
  EXPECT_GE(net.events(clash, id_in_use), 1U);
  EXPECT_EQ(net.members(0).view()->members.size(), 2U);
}

TEST(MembersIdentity, AnIdIsFreeOnceItsHolderIsGone) {
  MemberNet net(1);
  net.start_cluster(3);
  net.run_for(seconds(30));
  const std::size_t clash = net.add({0});
  net.node(clash).options.node_id = "n2";
  net.start(clash);
  net.run_for(seconds(30));
  leave(net, 2);
  net.run_for(seconds(5));
  net.kill(2);
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(130)), seconds(70));
}

TEST(MembersIdentity, AWipedFolderReplacesItsOldInstance) {
  MemberNet net(1);
  net.start_cluster(4);
  net.run_for(seconds(30));
  const Instance old = net.node(2).identity.instance;
  net.kill(2);
  net.node(2).identity.instance = Instance{900};
  net.start(2);  // before anybody suspects the old one
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(20)), seconds(5));
  EXPECT_EQ(net.members(0).find(old), nullptr);
  EXPECT_EQ(net.members(0).view()->find_id("n2")->instance, Instance{900});
}

TEST(MembersIdentity, AWipedFolderAtAnotherAddressReplacesItsDeadInstance) {
  MemberNet net(1);
  net.start_cluster(4);
  net.run_for(seconds(30));
  net.pull_plug(2);
  const std::size_t heir = net.add({0});
  net.node(heir).options.node_id = "n2";
  net.start(heir);
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(20)), seconds(5));
  EXPECT_EQ(net.members(0).view()->members.size(), 4U);
}

TEST(MembersIdentity, OfTwoProcessesOnCopiesOfAFolderTheYoungerTakesANewInstance) {
  for (const bool by_seed : {true, false}) {
    MemberNet net(1);
    net.start_cluster(4);
    net.run_for(seconds(30));
    const std::size_t copy = net.add({by_seed ? 2U : 0U});
    net.node(copy).identity = net.node(2).identity;
    net.start(copy);
    net.run_until([&] { return net.members(copy).new_instance_wanted(); }, seconds(30));
    ASSERT_TRUE(net.members(copy).new_instance_wanted());
    EXPECT_FALSE(net.members(2).new_instance_wanted());
    net.step(copy, [&](Members& members, const Now& now, Effects& effects) {
      net.node(copy).identity.instance = Instance{901};
      members.become(now, net.node(copy).identity, effects);
    });
    EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(30)), seconds(15));
    net.run_for(seconds(60));
    EXPECT_TRUE(net.converged());
    EXPECT_FALSE(net.members(copy).new_instance_wanted());
    EXPECT_EQ(net.members(0).view()->members.size(), 5U);
  }
}

TEST(MembersIdentity, AnotherClusterIsRefused) {
  MemberNet net(1);
  net.start_cluster(2);
  net.run_for(seconds(30));
  const std::size_t stranger = net.add({0});
  net.node(stranger).options.cluster_name = "other";
  net.start(stranger);
  net.run_for(seconds(300));
  EXPECT_GE(net.events(stranger, cluster_mismatch), 1U);
  EXPECT_LE(net.events(stranger, cluster_mismatch), 12U) << "tried again rarely";
  EXPECT_EQ(net.members(0).view()->members.size(), 2U);
  EXPECT_EQ(net.members(stranger).view()->members.size(), 1U);
}

TEST(MembersIdentity, ItsOwnAddressAmongTheSeedsIsIgnored) {
  MemberNet net(1);
  const std::size_t only = net.add({0});
  net.start(only);
  EXPECT_TRUE(net.members(only).joined());
  net.run_for(seconds(200));
  EXPECT_EQ(net.calls, 0U);
}

}  // namespace
}  // namespace kvs
