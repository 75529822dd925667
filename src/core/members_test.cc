#include "core/members.h"

#include <gtest/gtest.h>

#include "support/member_net.h"

namespace kvs {
namespace {

using enum MemberEvent::Kind;

constexpr Duration seconds(std::int64_t s) {
  return Duration::from_seconds(s);
}

TEST(Members, ANodeWithoutSeedsStandsAlone) {
  MemberNet net(1);
  net.start(net.add({}));
  net.run_for(seconds(300));
  EXPECT_TRUE(net.members(0).joined());
  EXPECT_EQ(net.members(0).view()->members.size(), 1U);
  EXPECT_EQ(net.members(0).view()->own().node_id, "n0");
  EXPECT_EQ(net.calls, 0U);
}

TEST(Members, FiveNodesFindOneAnotherByOneSeed) {
  MemberNet net(1);
  net.start_cluster(5);
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(10)), seconds(3));
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(net.members(i).joined());
    EXPECT_EQ(net.events(i, appeared), 4U);
  }
}

TEST(Members, ASeedThatStartsLaterIsTriedAgain) {
  MemberNet net(1);
  net.add({});
  net.start(net.add({0, 1}));
  net.run_for(seconds(20));
  EXPECT_FALSE(net.members(1).joined());
  net.start(0);
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(60)), seconds(60));
  EXPECT_TRUE(net.members(1).joined());
}

TEST(Members, ACrashIsNoticedInTime) {
  struct Case {
    std::size_t nodes;
    std::int64_t suspect_s;
    std::int64_t failed_s;
  };

  for (const Case& c : {Case{3, 3, 7}, Case{10, 5, 11}, Case{100, 5, 13}}) {
    Duration suspect_max;
    Duration failed_max;
    for (std::uint64_t seed = 1; seed <= (c.nodes == 100 ? 3U : 20U); ++seed) {
      MemberNet net(seed);
      net.start_cluster(c.nodes);
      net.run_until([&] { return net.converged(); }, seconds(60));
      ASSERT_TRUE(net.converged()) << c.nodes;
      net.run_for(seconds(30));
      net.pull_plug(1);
      const Duration suspect =
          net.run_until([&] { return net.all_hold(1, MemberState::suspect); }, seconds(30));
      const Duration failed =
          suspect +
          net.run_until([&] { return net.all_hold(1, MemberState::failed); }, seconds(30));
      suspect_max = std::max(suspect_max, suspect);
      failed_max = std::max(failed_max, failed);
    }
    fmt::print("N={}: all suspect after at most {} ms, failed {} ms\n", c.nodes, suspect_max.ms(),
               failed_max.ms());
    EXPECT_LE(suspect_max, seconds(c.suspect_s)) << c.nodes;
    EXPECT_LE(failed_max, seconds(c.failed_s)) << c.nodes;
  }
}

}  // namespace
}  // namespace kvs
