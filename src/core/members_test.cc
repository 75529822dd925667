#include "core/members.h"

#include <gtest/gtest.h>

#include "support/member_net.h"
#include "support/sanitized.h"

namespace kvs {
namespace {

using enum MemberEvent::Kind;

constexpr Duration seconds(std::int64_t s) {
  return Duration::from_seconds(s);
}

/// How many clusters of that size are watched.
constexpr std::uint64_t seeds_of(std::size_t nodes) {
  const std::uint64_t seeds = nodes == 100 ? 3 : 20;
  return testing::kSanitized ? 1 + (seeds / 10) : seeds;
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
    for (std::uint64_t seed = 1; seed <= seeds_of(c.nodes); ++seed) {
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
    EXPECT_LE(suspect_max.ms(), c.suspect_s * 1000) << c.nodes;
    EXPECT_LE(failed_max.ms(), c.failed_s * 1000) << c.nodes;
  }
}

TEST(Members, ACrashOfAnotherIsNoCauseToDoubtOneself) {
  MemberNet net(1);
  net.start_cluster(3);
  net.run_for(seconds(30));
  net.pull_plug(1);
  int most = 0;
  net.run_until(
      [&] {
        most = std::max({most, net.members(0).stats().awareness, net.members(2).stats().awareness});
        return net.all_hold(1, MemberState::failed);
      },
      seconds(30));
  EXPECT_TRUE(net.all_hold(1, MemberState::failed));
  EXPECT_EQ(most, 0) << "who was asked to help answered in time";
}

TEST(Members, TurnsToProbeGoByTheClustersClock) {
  MemberNet net(1);
  for (std::size_t i = 0; i < 9; ++i) {
    net.add({0});
    net.node(i).clock_ahead_ms = i < 4 ? 100'000 * static_cast<std::int64_t>(i) - 123'456 : 0;
    net.start(i);
  }
  net.run_for(seconds(60));
  Duration suspect_max;
  for (std::size_t victim = 4; victim < 7; ++victim) {
    net.pull_plug(victim);
    const auto suspected = [&] {
      return net.all_hold(victim, MemberState::suspect);
    };
    suspect_max = std::max(suspect_max, net.run_until(suspected, seconds(30)));
    net.run_for(seconds(60));
    net.start(victim);
    net.run_for(seconds(30));
  }
  EXPECT_LE(suspect_max.ms(), 2'700) << "an interval, a probe, and the news of it";
}

TEST(Members, ARefusedConnectionIsLookedIntoAtOnce) {
  MemberNet net(1);
  net.start_cluster(5);
  net.run_for(seconds(30));
  net.kill(1);
  net.step(0, [&](Members& members, const Now& now, Effects& effects) {
    members.suspect_link(now, net.node(1).identity.instance, effects);
  });
  const Duration suspect =
      net.run_until([&] { return net.all_hold(1, MemberState::suspect); }, seconds(5));
  EXPECT_LE(suspect, Duration::from_ms(700));
}

TEST(Members, ALinkThatOnlyLookedBrokenDoesNoHarm) {
  MemberNet net(1);
  net.start_cluster(5);
  net.run_for(seconds(30));
  net.step(0, [&](Members& members, const Now& now, Effects& effects) {
    members.suspect_link(now, net.node(1).identity.instance, effects);
  });
  net.run_for(seconds(30));
  EXPECT_EQ(net.events(suspected), 0U);
  EXPECT_TRUE(net.converged());
}

TEST(Members, AMemberThatOneCannotReachIsReachedThroughOthers) {
  MemberNet net(1);
  net.start_cluster(5);
  net.run_for(seconds(30));
  net.cut = [](std::size_t from, std::size_t to) {
    return from + to == 1;
  };  // 0 and 1
  net.run_for(seconds(300));
  EXPECT_EQ(net.events(suspected), 0U);
  EXPECT_GT(net.members(0).stats().detector.probes_helped, 0U);
}

TEST(Members, AFrozenMemberThatWakesRefutes) {
  MemberNet net(1);
  net.start_cluster(5);
  net.run_for(seconds(30));
  bool frozen = true;
  net.cut = [&](std::size_t from, std::size_t to) {
    return frozen && (from == 1 || to == 1);
  };
  net.run_until([&] { return net.all_hold(1, MemberState::suspect) || !frozen; }, seconds(10));
  ASSERT_EQ(net.state(0, 1), MemberState::suspect);
  frozen = false;
  EXPECT_LE(net.run_until([&] { return net.converged(); }, seconds(10)), seconds(3));
  EXPECT_EQ(net.events(failed), 0U);
  EXPECT_GE(net.events(1, accused_self), 1U);
  EXPECT_GE(net.members(0).find(net.node(1).identity.instance)->incarnation, 2U);
}

TEST(Members, AFailedMemberIsListedForTenMinutes) {
  MemberNet net(1);
  net.start_cluster(3);
  net.run_for(seconds(30));
  net.kill(2);
  net.run_for(seconds(590));
  EXPECT_EQ(net.state(0, 2), MemberState::failed);
  EXPECT_EQ(net.members(0).view()->live_count(), 2U);
  EXPECT_EQ(net.members(0).view()->members.size(), 3U);
  net.run_for(seconds(40));
  EXPECT_EQ(net.state(0, 2), std::nullopt);
  EXPECT_EQ(net.events(0, removed), 1U);
  net.run_for(seconds(1000));
  EXPECT_EQ(net.events(0, appeared), 2U) << "late news do not bring it back";
}

TEST(Members, NobodyFailsFalselyThoughMessagesAreLost) {
  MemberNet net(1);
  net.start_cluster(20);
  net.loss_percent = 5;
  constexpr std::int64_t kSeconds = testing::kSanitized ? 400 : 3600;
  net.run_for(seconds(kSeconds));
  EXPECT_EQ(net.events(failed), 0U);
  EXPECT_EQ(net.events(left), 0U);
  EXPECT_GT(net.members(3).stats().detector.probes_helped, kSeconds / 36);
  net.loss_percent = 0;
  net.run_for(seconds(30));
  EXPECT_TRUE(net.converged());
}

TEST(Members, AtRestANodeMakesOneCallAnInterval) {
  MemberNet net(1);
  net.start_cluster(10);
  net.run_for(seconds(300));
  net.calls = net.rows = 0;
  net.run_for(seconds(600));
  const std::uint64_t node_seconds = 10ULL * 600;
  EXPECT_LE(net.calls, node_seconds * 105 / 100);
  EXPECT_LE(net.rows, node_seconds * 105 / 100) << "only its own row";
}

TEST(Members, ADigestRidesOnWhatIsSaidAnyway) {
  MemberNet net(1);
  net.start_cluster(3);
  net.run_for(seconds(60));
  net.calls = 0;
  const std::uint64_t version = net.members(0).view_version();
  const StateDigest digest{.knowledge_hash = 77, .seq = 5};
  net.members(1).update_self(digest, Mode::read_only);
  net.run_for(seconds(10));
  EXPECT_LE(net.calls, 40U);
  const Member* row = net.members(0).view()->find(net.node(1).identity.instance);
  EXPECT_EQ(row->digest, digest);
  EXPECT_EQ(row->mode, Mode::read_only);
  EXPECT_GT(net.members(0).view_version(), version);
}

TEST(Members, AViewIsSharedAndDoesNotChange) {
  MemberNet net(1);
  net.start_cluster(3);
  net.run_for(seconds(10));
  const auto before = net.members(0).view();
  EXPECT_EQ(before, net.members(0).view());
  net.kill(2);
  net.run_for(seconds(20));
  EXPECT_NE(before, net.members(0).view());
  EXPECT_EQ(before->live_count(), 3U);
  EXPECT_EQ(net.members(0).view()->live_count(), 2U);
}

TEST(Members, ClocksOfOthersAreMeasured) {
  MemberNet net(1);
  for (std::size_t i = 0; i < 3; ++i) {
    net.start(net.add({0}));
    net.node(i).clock_ahead_ms = i == 2 ? 60'000 : 0;
  }
  net.run_for(seconds(60));
  const auto contact = net.members(0).contact(net.node(2).identity.instance);
  ASSERT_TRUE(contact.has_value());
  EXPECT_NEAR(static_cast<double>(contact->clock_ahead_ms), 60'000, 5);
  EXPECT_GE(contact->last_seen_ms, net.wall_ms() - 5'000);
  EXPECT_GT(contact->round_trip, Duration{});
  EXPECT_LE(std::abs(net.members(0).cluster_clock_ahead_ms()), 5);
  EXPECT_NEAR(static_cast<double>(net.members(2).cluster_clock_ahead_ms()), -60'000, 5);
}

TEST(Members, TheClusterTimeDoesNotGoAlongWithAnOwnClockThatIsSet) {
  MemberNet net(1);
  net.start_cluster(3);
  net.run_for(seconds(60));
  constexpr std::int64_t kHourMs = 3'600'000;
  Now now{.instant = Instant{} + Duration::from_ms(net.wall_ms() - 1'000'000'000),
          .wall = {net.wall_ms()}};
  EXPECT_FALSE(net.members(0).own_clock_was_set(now));
  now.wall.ms += kHourMs;
  EXPECT_TRUE(net.members(0).own_clock_was_set(now));
  EXPECT_FALSE(net.members(0).own_clock_was_set(now)) << "once";
  EXPECT_NEAR(static_cast<double>(net.members(0).cluster_clock_ahead_ms()), -kHourMs, 5);
  now.instant = now.instant + seconds(10);
  now.wall.ms += 10'000 - kHourMs;
  EXPECT_TRUE(net.members(0).own_clock_was_set(now));
  EXPECT_LE(std::abs(net.members(0).cluster_clock_ahead_ms()), 5);
}

}  // namespace
}  // namespace kvs
