#include "core/failure_detector.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "support/member_row.h"

namespace kvs {
namespace {

using Help = FailureDetector::Help;
using Kind = MemberCall::Kind;
using Pinged = FailureDetector::Pinged;

class DetectorTest : public testing::Test {
 protected:
  void know(std::uint64_t count) {
    for (std::uint64_t i = 2; i < 2 + count; ++i) {
      static_cast<void>(table.merge(member_row(i), now));
    }
    detector.start(clocks());
  }

  [[nodiscard]] Now clocks() const {
    const std::int64_t ran_ms = stands_still ? 0 : (now - Instant{}).ms();
    return {.instant = now, .wall = {1'764'000'000'000 + ran_ms}};
  }

  void tick_after(Duration span) {
    now = now + span;
    Effects effects;
    detector.tick(clocks(), effects);
  }

  /// Ticks at the next deadline; returns the calls made there.
  std::vector<std::pair<CallId, MemberCall>> next() {
    now = detector.next_deadline();
    Effects effects;
    detector.tick(clocks(), effects);
    return calls_of(effects);
  }

  /// Ticks until calls of this kind are made, and returns them. All others are well.
  std::vector<std::pair<CallId, MemberCall>> next(Kind kind) {
    while (true) {
      const auto made = next();
      if (!made.empty() && made.front().second.kind == kind) {
        return made;
      }
      for (const auto& [id, call] : made) {
        passed += call.kind == Kind::spread ? 1 : 0;
        answered(call);
      }
    }
  }

  std::vector<std::pair<CallId, MemberCall>> calls_of(const Effects& effects) {
    std::vector<std::pair<CallId, MemberCall>> made;
    for (const PeerSend& send : effects.sends) {
      made.emplace_back(send.id, *calls.take(send.id));
    }
    return made;
  }

  std::vector<std::pair<CallId, MemberCall>> unanswered(const MemberCall& call) {
    Effects effects;
    detector.probe_returned(now, call, Pinged::not_answered, effects);
    return calls_of(effects);
  }

  void answered(const MemberCall& call) {
    Effects effects;
    detector.probe_returned(now, call, Pinged::answered, effects);
  }

  /// One probe that nobody answers, to its end.
  void miss(Help help) {
    const auto made = next(Kind::probe);
    for (const auto& [id, call] : unanswered(made.front().second)) {
      detector.help_returned(now, call, help);
    }
  }

  Instant now{Duration::from_seconds(100).ns};
  Prng prng{7};
  MemberTable table{member_row(1), now};
  MemberNews news{table};
  MemberCalls calls;
  FailureDetector detector{{}, table, news, calls, prng};
  bool stands_still = false;  // the wall clock
  int passed = 0;             // turns at which it did not probe
};

TEST_F(DetectorTest, AloneItProbesNobody) {
  know(0);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(next().empty());
  }
}

TEST_F(DetectorTest, EachMemberIsProbedInTwoRounds) {
  know(6);
  for (int round = 0; round < 3; ++round) {
    std::set<Instance> probed;
    for (int i = 0; i < 2 * 6 - 1; ++i) {
      const auto made = next();
      ASSERT_EQ(made.size(), 1U);
      EXPECT_EQ(made[0].second.kind, Kind::probe);
      probed.insert(made[0].second.target);
      answered(made[0].second);
    }
    EXPECT_EQ(probed.size(), 6U);
    EXPECT_FALSE(probed.contains(Instance{1}));
  }
}

TEST_F(DetectorTest, AWallClockThatStandsStillStopsNothing) {
  know(6);
  static_cast<void>(next());
  stands_still = true;
  const Instant begun = now;
  std::map<Instance, int> probed;
  constexpr int kProbes = 300;
  for (int i = 0; i < kProbes; ++i) {
    const auto made = next(Kind::probe);
    ++probed[made[0].second.target];
    answered(made[0].second);
  }
  EXPECT_EQ(probed.size(), 6U);
  EXPECT_GE(now - begun, Duration::from_seconds(kProbes / 2));
  EXPECT_LE(now - begun, Duration::from_seconds(kProbes * 2));
}

TEST_F(DetectorTest, WithoutAnAnswerOthersAreAskedAfterTheTimeout) {
  know(6);
  const auto probe = next();
  const Instant begun = now;
  const auto helpers = next(Kind::helped_probe);
  EXPECT_EQ(now, begun + Duration::from_ms(500));
  ASSERT_EQ(helpers.size(), 3U);
  std::set<std::string> asked;
  for (const auto& [id, call] : helpers) {
    EXPECT_EQ(call.kind, MemberCall::Kind::helped_probe);
    EXPECT_EQ(call.target, probe[0].second.target);
    EXPECT_NE(call.address, probe[0].second.address);
    asked.insert(call.address);
  }
  EXPECT_EQ(asked.size(), 3U);
}

TEST_F(DetectorTest, AnAnswerThroughAnotherIsAnAnswer) {
  know(6);
  static_cast<void>(next());
  const auto helpers = next(Kind::helped_probe);
  detector.help_returned(now, helpers[0].second, Help::answered);
  tick_after(Duration::from_seconds(2));
  EXPECT_TRUE(detector.take_accused().empty());
  EXPECT_EQ(detector.stats().probes_unanswered, 0U);
}

TEST_F(DetectorTest, ALateAnswerWithinTheIntervalIsAnAnswer) {
  know(6);
  const auto probe = next();
  static_cast<void>(next(Kind::helped_probe));
  now = now + Duration::from_ms(400);
  answered(probe[0].second);
  tick_after(Duration::from_seconds(2));
  EXPECT_TRUE(detector.take_accused().empty());
}

TEST_F(DetectorTest, WhoAnswersNobodyIsAccusedAtTheEndOfTheInterval) {
  know(6);
  const auto probe = next();
  const Instant begun = now;
  static_cast<void>(next(Kind::helped_probe));
  std::vector<Instance> accused = detector.take_accused();
  EXPECT_TRUE(accused.empty());
  while (accused.empty()) {
    for (const auto& [id, call] : next()) {
      answered(call);
    }
    accused = detector.take_accused();
  }
  EXPECT_EQ(now, begun + Duration::from_seconds(1));
  EXPECT_EQ(accused, std::vector{probe[0].second.target});
  EXPECT_TRUE(detector.take_accused().empty());
}

TEST_F(DetectorTest, AnAnswerToAnyPingIsAnAnswer) {
  know(6);
  const auto probe = next();
  detector.answered(probe[0].second.target);
  tick_after(Duration::from_seconds(2));
  EXPECT_TRUE(detector.take_accused().empty());
  EXPECT_EQ(detector.stats().probes_unanswered, 0U);
}

TEST_F(DetectorTest, WhereAllHopeIsGoneNobodyWaits) {
  know(6);
  const auto probe = next();
  const auto helpers = unanswered(probe[0].second);
  ASSERT_EQ(helpers.size(), 3U);
  detector.help_returned(now, helpers[0].second, Help::not_answered);
  detector.help_returned(now, helpers[1].second, Help::not_answered);
  EXPECT_TRUE(detector.take_accused().empty());
  detector.help_returned(now, helpers[2].second, Help::not_answered);
  EXPECT_EQ(detector.take_accused(), std::vector{probe[0].second.target});
  EXPECT_EQ(detector.awareness(), 0) << "the others are well and say so";
}

TEST_F(DetectorTest, WithNobodyToAskARefusalIsEnough) {
  know(1);
  const auto probe = next();
  EXPECT_TRUE(unanswered(probe[0].second).empty());
  EXPECT_EQ(detector.take_accused(), std::vector{Instance{2}});
  EXPECT_EQ(detector.awareness(), 1);
}

TEST_F(DetectorTest, AReturnOfAnEarlierProbeDoesNotEndTheNextOne) {
  know(1);
  const auto first = next();
  const auto second = next(Kind::probe);
  static_cast<void>(detector.take_accused());
  ASSERT_EQ(second.size(), 1U);
  EXPECT_TRUE(unanswered(first[0].second).empty());
  EXPECT_TRUE(detector.take_accused().empty());
}

TEST_F(DetectorTest, SilentHelpersMakeItDoubtItself) {
  know(6);
  miss(Help::none);
  EXPECT_EQ(detector.awareness(), 3);
  miss(Help::none);
  miss(Help::none);
  EXPECT_EQ(detector.awareness(), FailureDetector::kAwarenessMax);
  const Instant before = now;
  passed = 0;
  static_cast<void>(next(Kind::probe));
  EXPECT_GE(now - before, Duration::from_seconds(4)) << "it probes more slowly";
  EXPECT_EQ(passed, FailureDetector::kAwarenessMax) << "and pings at the other turns";
}

TEST_F(DetectorTest, AnAnswerRestoresItsConfidence) {
  know(6);
  detector.blame_self();
  detector.blame_self();
  const auto probe = next(Kind::probe);
  answered(probe[0].second);
  EXPECT_EQ(detector.awareness(), 1);
}

TEST_F(DetectorTest, MissingMostTargetsThreeRoundsInARowItAccusesNobody) {
  know(20);
  for (int i = 0; i < 9; ++i) {
    EXPECT_FALSE(detector.isolated());
    miss(Help::none);
  }
  EXPECT_TRUE(detector.isolated());
  EXPECT_EQ(detector.take_accused().size(), 9U);
  miss(Help::none);
  EXPECT_TRUE(detector.take_accused().empty());
  EXPECT_EQ(detector.stats().accusations_withheld, 1U);
}

TEST_F(DetectorTest, OneGoodRoundEndsTheIsolation) {
  know(20);
  for (int i = 0; i < 9; ++i) {
    miss(Help::none);
  }
  ASSERT_TRUE(detector.isolated());
  for (int answers = 0; answers < 3; ++answers) {
    answered(next(Kind::probe)[0].second);
  }
  EXPECT_FALSE(detector.isolated());
}

TEST_F(DetectorTest, ADoubtfulMemberIsProbedOutOfTurn) {
  know(6);
  Effects effects;
  detector.probe_at_once(now, Instance{4}, effects);
  detector.probe_at_once(now, Instance{4}, effects);
  detector.probe_at_once(now, Instance{99}, effects);
  detector.probe_at_once(now, Instance{1}, effects);
  const auto made = calls_of(effects);
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].second.target, Instance{4});
}

TEST_F(DetectorTest, ProbesUnderWayAreBounded) {
  know(40);
  Effects effects;
  for (std::uint64_t i = 2; i < 42; ++i) {
    detector.probe_at_once(now, Instance{i}, effects);
  }
  EXPECT_EQ(effects.sends.size(), FailureDetector::kProbesMax);
}

TEST_F(DetectorTest, WhoLeftMeanwhileIsNotAccused) {
  know(6);
  const auto probe = next();
  Member gone = member_row(static_cast<std::uint64_t>(probe[0].second.target));
  gone.state = MemberState::left;
  static_cast<void>(table.merge(gone, now));
  for (int i = 0; i < 4; ++i) {
    for (const auto& [id, call] : next()) {
      if (call.kind == MemberCall::Kind::probe) {
        answered(call);
      }
    }
  }
  EXPECT_TRUE(detector.take_accused().empty());
}

/// One of several members whose wall clocks agree.
struct Prober {
  explicit Prober(std::uint64_t instance)
      : prng(instance), table(member_row(instance), Instant{}) {}

  Prng prng;
  MemberTable table;
  MemberNews news{table};
  MemberCalls calls;
  FailureDetector detector{{}, table, news, calls, prng};
};

TEST(DetectorsTogether, EachMemberIsProbedByOneOtherEachInterval) {
  constexpr std::uint64_t kMembers = 20;
  std::vector<std::unique_ptr<Prober>> probers;
  const auto at = [](std::int64_t ms) {
    return Now{.instant = Instant{} + Duration::from_ms(ms), .wall = {1'764'000'000'123 + ms}};
  };
  for (std::uint64_t i = 1; i <= kMembers; ++i) {
    probers.push_back(std::make_unique<Prober>(i));
    for (std::uint64_t other = 1; other <= kMembers; ++other) {
      if (other != i) {
        static_cast<void>(probers.back()->table.merge(member_row(other), Instant{}));
      }
    }
    probers.back()->detector.start(at(0));
  }
  std::map<Instance, std::vector<std::int64_t>> probed_at;
  for (std::int64_t ms = 0; ms < 60'000; ++ms) {
    for (const auto& prober : probers) {
      Effects effects;
      prober->detector.tick(at(ms), effects);
      for (const PeerSend& send : effects.sends) {
        const MemberCall call = *prober->calls.take(send.id);
        if (ms >= 3000) {  // the first turn is anybody's
          probed_at[call.target].push_back(ms);
        }
        prober->detector.answered(call.target);
      }
    }
  }
  EXPECT_EQ(probed_at.size(), kMembers);
  for (const auto& [instance, times] : probed_at) {
    EXPECT_GE(times.size(), 56U);
    for (std::size_t i = 1; i < times.size(); ++i) {
      EXPECT_EQ(times[i] - times[i - 1], 1000);
    }
  }
}

}  // namespace
}  // namespace kvs
