#include "core/failure_detector.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace kvs {
namespace {

using Help = FailureDetector::Help;
using Pinged = FailureDetector::Pinged;

Member row(std::uint64_t instance) {
  Member member;
  member.instance = Instance{instance};
  member.node_id = "n" + std::to_string(instance);
  member.address = "10.0.0.1:" + std::to_string(instance);
  member.incarnation = 1;
  return member;
}

class DetectorTest : public testing::Test {
 protected:
  void know(std::uint64_t count) {
    for (std::uint64_t i = 2; i < 2 + count; ++i) {
      static_cast<void>(table.merge(row(i), now));
      detector.added(Instance{i});
    }
    detector.start(now);
  }

  /// Ticks at the next deadline; returns the calls made there.
  std::vector<std::pair<CallId, MemberCall>> next() {
    now = detector.next_deadline();
    Effects effects;
    detector.tick(now, effects);
    return calls_of(effects);
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
    std::vector<std::pair<CallId, MemberCall>> made;
    while (made.empty()) {
      made = next();
    }
    for (const auto& [id, call] : unanswered(made.front().second)) {
      detector.help_returned(now, call, help);
    }
  }

  Instant now{Duration::from_seconds(100).ns};
  Prng prng{7};
  MemberTable table{row(1), now};
  MemberNews news{table};
  MemberCalls calls;
  FailureDetector detector{{}, table, news, calls, prng};
};

TEST_F(DetectorTest, AloneItProbesNobody) {
  know(0);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(next().empty());
  }
}

TEST_F(DetectorTest, EachMemberIsProbedOnceARound) {
  know(6);
  for (int round = 0; round < 3; ++round) {
    std::set<Instance> probed;
    for (int i = 0; i < 6; ++i) {
      const auto made = next();
      ASSERT_EQ(made.size(), 1U);
      EXPECT_EQ(made[0].second.kind, MemberCall::Kind::probe);
      probed.insert(made[0].second.target);
      answered(made[0].second);
    }
    EXPECT_EQ(probed.size(), 6U);
    EXPECT_FALSE(probed.contains(Instance{1}));
  }
}

TEST_F(DetectorTest, WithoutAnAnswerOthersAreAskedAfterTheTimeout) {
  know(6);
  const auto probe = next();
  const Instant begun = now;
  const auto helpers = next();
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
  const auto helpers = next();
  detector.help_returned(now, helpers[0].second, Help::answered);
  now = now + Duration::from_seconds(2);
  Effects effects;
  detector.tick(now, effects);
  EXPECT_TRUE(detector.take_accused().empty());
  EXPECT_EQ(detector.stats().probes_unanswered, 0U);
}

TEST_F(DetectorTest, ALateAnswerWithinTheIntervalIsAnAnswer) {
  know(6);
  const auto probe = next();
  static_cast<void>(next());
  now = now + Duration::from_ms(400);
  answered(probe[0].second);
  now = now + Duration::from_seconds(2);
  Effects effects;
  detector.tick(now, effects);
  EXPECT_TRUE(detector.take_accused().empty());
}

TEST_F(DetectorTest, WhoAnswersNobodyIsAccusedAtTheEndOfTheInterval) {
  know(6);
  const auto probe = next();
  const Instant begun = now;
  static_cast<void>(next());
  EXPECT_TRUE(detector.take_accused().empty());
  static_cast<void>(next());
  EXPECT_EQ(now, begun + Duration::from_seconds(1));
  EXPECT_EQ(detector.take_accused(), std::vector{probe[0].second.target});
  EXPECT_TRUE(detector.take_accused().empty());
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
  static_cast<void>(next());   // the timeout: there is nobody to ask
  const auto second = next();  // the end of the interval
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
  while (next().empty()) {
  }
  EXPECT_GE(now - before, Duration::from_seconds(4)) << "it probes more slowly";
}

TEST_F(DetectorTest, AnAnswerRestoresItsConfidence) {
  know(6);
  detector.blame_self();
  detector.blame_self();
  const auto probe = next();
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
  for (int answers = 0; answers < 3;) {
    for (const auto& [id, call] : next()) {
      answered(call);
      ++answers;
    }
  }
  EXPECT_FALSE(detector.isolated());
}

TEST_F(DetectorTest, ADoubtfulMemberIsProbedBesideTheRound) {
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
  Member gone = row(static_cast<std::uint64_t>(probe[0].second.target));
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

}  // namespace
}  // namespace kvs
