// Members under partitions: halves, one alone, halves that forgot one another.
#include <gtest/gtest.h>

#include "base/mutant.h"
#include "core/members.h"
#include "support/member_net.h"

namespace kvs {
namespace {

using enum MemberEvent::Kind;

constexpr Duration seconds(std::int64_t s) {
  return Duration::from_seconds(s);
}

/// Nothing gets across between the first `first` nodes and the rest.
std::function<bool(std::size_t, std::size_t)> split(std::size_t first) {
  return [first](std::size_t from, std::size_t to) {
    return (from < first) != (to < first);
  };
}

std::function<bool(std::size_t, std::size_t)> whole() {
  return [](std::size_t, std::size_t) {
    return false;
  };
}

bool half_holds_other(MemberNet& net, std::size_t nodes, std::size_t first,
                      std::optional<MemberState> wanted) {
  for (std::size_t i = 0; i < nodes; ++i) {
    for (std::size_t j = 0; j < nodes; ++j) {
      if ((i < first) != (j < first) && net.state(i, j) != wanted) {
        return false;
      }
    }
  }
  return true;
}

TEST(MembersPartition, HalvesFailOneAnotherAndMeetAgainSoon) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    MemberNet net(seed);
    net.start_cluster(6);
    net.run_for(seconds(30));
    net.cut = split(3);
    net.run_for(seconds(120));
    EXPECT_TRUE(half_holds_other(net, 6, 3, MemberState::failed)) << seed;
    net.cut = whole();
    EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(60)), seconds(20)) << seed;
  }
}

TEST(MembersPartition, HalvesThatForgotOneAnotherFindTogether) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    MemberNet net(seed);
    net.start_cluster(6);
    net.run_for(seconds(30));
    net.cut = split(3);
    net.run_for(seconds(900));
    EXPECT_TRUE(half_holds_other(net, 6, 3, std::nullopt)) << seed;
    EXPECT_EQ(net.members(0).view()->members.size(), 3U);
    net.cut = whole();
    EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(200)), seconds(130)) << seed;
  }
}

#ifdef KVS_SIM_BUILD

TEST(MembersPartition, TheyDoNotFindTogetherIfNobodyLooks) {
  set_mutant(Mutant::halves_never_meet);
  MemberNet net(1);
  net.start_cluster(6);
  net.run_for(seconds(30));
  net.cut = split(3);
  net.run_for(seconds(900));
  net.cut = whole();
  net.run_for(seconds(600));
  set_mutant(Mutant::none);
  EXPECT_FALSE(net.converged());
}

#endif

TEST(MembersPartition, SeparateClustersWithOneSeedInTheOtherBecomeOne) {
  MemberNet net(1);
  net.add({});
  net.add({0});
  net.add({});
  net.add({2, 0});
  net.cut = split(2);
  for (std::size_t i = 0; i < 4; ++i) {
    net.start(i);
  }
  net.run_for(seconds(120));
  EXPECT_EQ(net.members(3).view()->members.size(), 2U);
  net.cut = whole();
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(200)), seconds(150));
}

TEST(MembersPartition, OneThatWasCutOffComesBackByItself) {
  MemberNet net(1);
  net.start_cluster(10);
  net.run_for(seconds(30));
  net.cut = [](std::size_t from, std::size_t to) {
    return from == 4 || to == 4;
  };
  net.run_for(seconds(200));
  EXPECT_TRUE(net.all_hold(4, MemberState::failed));
  // It may not have accused all of them before it took itself for isolated.
  EXPECT_LE(net.members(4).view()->live_count(), 4U);
  net.cut = whole();
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(60)), seconds(30));
}

TEST(MembersPartition, AHalfDeafNodeAccusesOnlyAFewOthers) {
  MemberNet net(1);
  net.start_cluster(60);
  net.run_for(seconds(60));
  // It hears nobody, but everybody hears it.
  net.cut = [](std::size_t /*from*/, std::size_t to) {
    return to == 7;
  };
  net.run_for(seconds(300));
  EXPECT_EQ(net.events(7, isolated), 1U);
  EXPECT_GT(net.members(7).stats().detector.accusations_withheld, 0U);
  EXPECT_LE(net.members(7).stats().ledger.suspicions, 12U);
  for (std::size_t i = 0; i < 60; ++i) {
    if (i != 7) {
      EXPECT_LE(net.events(i, failed), 1U) << "only the deaf one";
    }
  }
  net.cut = whole();
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(300)), seconds(120));
}

TEST(MembersPartition, ABridgeKeepsBothSidesTogether) {
  MemberNet net(1);
  net.start_cluster(5);
  net.run_for(seconds(30));
  // 0 and 1 reach 3 and 4 only through 2.
  net.cut = [](std::size_t from, std::size_t to) {
    return (from < 2 && to > 2) || (from > 2 && to < 2);
  };
  net.run_for(seconds(300));
  net.cut = whole();
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(60)), seconds(30));
}

TEST(MembersPartition, TwoThatWereCutOffHearOneAnotherWithinAnInterval) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    MemberNet net(seed);
    net.start_cluster(2);
    net.run_for(seconds(30));
    net.cut = split(1);
    net.run_for(Duration::from_ms(3500));
    EXPECT_GT(net.members(0).stats().awareness, 0) << "nobody helps, so it doubts itself";
    net.cut = whole();
    const std::int64_t healed_ms = net.wall_ms();
    const auto heard = [&](std::size_t observer, std::size_t subject) {
      const auto contact = net.members(observer).contact(net.node(subject).identity.instance);
      return contact && contact->last_seen_ms > healed_ms;
    };
    EXPECT_LE(net.run_until([&] { return heard(0, 1) && heard(1, 0); }, seconds(10)),
              Duration::from_ms(1020));
  }
}

}  // namespace
}  // namespace kvs
