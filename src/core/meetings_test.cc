#include "core/meetings.h"

#include <optional>

#include <gtest/gtest.h>

#include "support/member_row.h"

namespace kvs {
namespace {

using Joined = Meetings::Joined;

constexpr Duration seconds(std::int64_t s) {
  return Duration::from_seconds(s);
}

class MeetingsTest : public testing::Test {
 protected:
  void start(std::vector<std::string> seeds) {
    meetings.emplace(MeetingOptions{.address = "10.0.0.1:1", .seeds = std::move(seeds)}, table,
                     calls, prng);
    meetings->start(now);
  }

  /// Ticks at the next deadline; returns the calls made there.
  std::vector<MemberCall> next() {
    now = std::max(now, meetings->next_deadline());
    Effects effects;
    meetings->tick(now, effects);
    std::vector<MemberCall> made;
    for (const PeerSend& send : effects.sends) {
      made.push_back(*calls.take(send.id));
    }
    return made;
  }

  std::vector<MemberCall> next_calls() {
    for (int i = 0; i < 1000; ++i) {
      if (auto made = next(); !made.empty()) {
        return made;
      }
    }
    return {};
  }

  Instant now{seconds(10).ns};
  Prng prng{5};
  MemberTable table{member_row(1), now};
  MemberCalls calls;
  std::optional<Meetings> meetings;
};

TEST_F(MeetingsTest, WithoutSeedsItHasJoined) {
  start({});
  EXPECT_TRUE(meetings->joined());
  EXPECT_TRUE(next().empty());
}

TEST_F(MeetingsTest, ItsOwnAddressIsNoSeed) {
  start({"10.0.0.1:1"});
  EXPECT_TRUE(meetings->joined());
}

TEST_F(MeetingsTest, SeedsAreAskedUntilOneLetsItIn) {
  start({"a:1", "b:1"});
  const auto asked = next();
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].kind, MemberCall::Kind::join);
  meetings->join_returned(now, asked[0], Joined::unreachable);
  EXPECT_FALSE(meetings->joined());
  meetings->join_returned(now, asked[1], Joined::let_in);
  EXPECT_TRUE(meetings->joined());
}

TEST_F(MeetingsTest, PausesGrowFromOneSecondToOneMinute) {
  start({"a:1"});
  Duration longest;
  Duration first;
  for (int i = 0; i < 12; ++i) {
    std::vector<MemberCall> asked;
    while (asked.empty() || asked[0].kind != MemberCall::Kind::join) {
      asked = next_calls();
      ASSERT_FALSE(asked.empty());
    }
    const Instant at = now;
    meetings->join_returned(now, asked[0], Joined::unreachable);
    Instant again = meetings->next_deadline();
    if (i == 0) {
      first = again - at;
    }
    if (i > 8) {
      longest = std::max(longest, again - at);
    }
  }
  EXPECT_GE(first, Duration::from_ms(500));
  EXPECT_LE(first, seconds(1));
  EXPECT_LE(longest, seconds(60));
}

TEST_F(MeetingsTest, ManySeedsAreAskedAFewAtATime) {
  start({"a:1", "b:1", "c:1", "d:1", "e:1", "f:1"});
  const auto first = next();
  ASSERT_EQ(first.size(), Meetings::kSeedsAtOnce);
  for (const MemberCall& call : first) {
    meetings->join_returned(now, call, Joined::unreachable);
  }
  const auto second = next_calls();
  ASSERT_FALSE(second.empty());
  EXPECT_EQ(second[0].address, "e:1");
}

TEST_F(MeetingsTest, WhoIsRefusedAsksRarely) {
  start({"a:1"});
  const auto asked = next();
  const Instant at = now;
  meetings->join_returned(now, asked.at(0), Joined::refused);
  auto again = next_calls();
  while (!again.empty() && again[0].kind != MemberCall::Kind::join) {
    ADD_FAILURE() << "no other door";
    again = next_calls();
  }
  EXPECT_GE(now - at, seconds(30));
}

TEST_F(MeetingsTest, ASeedThatIsThisVeryNodeIsForgotten) {
  start({"myself:1"});
  const auto asked = next();
  meetings->join_returned(now, asked.at(0), Joined::itself);
  EXPECT_TRUE(meetings->joined());
  EXPECT_TRUE(next().empty());
}

TEST_F(MeetingsTest, TablesAreComparedOftenAtFirstThenRarely) {
  static_cast<void>(table.merge(member_row(2), now));
  start({});
  const Instant begin = now;
  ASSERT_EQ(next_calls().at(0).kind, MemberCall::Kind::compare);
  EXPECT_LE(now - begin, seconds(2));
  while (now - begin < seconds(300)) {
    next_calls();
  }
  const Instant late = now;
  next_calls();
  EXPECT_GE(now - late, seconds(60));
  EXPECT_LE(now - late, seconds(120));
  meetings->differed(now);
  const Instant differed = now;
  next_calls();
  EXPECT_LE(now - differed, seconds(2));
}

TEST_F(MeetingsTest, OneToThreeMembersAreCompared) {
  for (std::uint64_t i = 2; i < 10; ++i) {
    static_cast<void>(table.merge(member_row(i), now));
  }
  start({});
  for (int i = 0; i < 20; ++i) {
    const auto made = next_calls();
    EXPECT_GE(made.size(), 1U);
    EXPECT_LE(made.size(), 3U);
    for (const MemberCall& call : made) {
      EXPECT_NE(call.target, Instance{1});
    }
  }
}

TEST_F(MeetingsTest, AMemberJustLostIsLookedForEveryFiveSeconds) {
  start({});
  static_cast<void>(table.merge(member_row(2, 1, MemberState::failed), now));
  meetings->lost(now);
  int attempts = 0;
  const Instant begin = now;
  while (now - begin < seconds(60)) {
    for (const MemberCall& call : next()) {
      EXPECT_EQ(call.address, "10.0.0.1:2");
      ++attempts;
    }
  }
  EXPECT_GE(attempts, 11);
}

TEST_F(MeetingsTest, AForgottenMemberIsLookedForNowAndThen) {
  static_cast<void>(table.merge(member_row(2, 1, MemberState::failed), now));
  table.hide(Instance{2}, now);
  start({});
  EXPECT_EQ(next_calls().at(0).address, "10.0.0.1:2");
}

TEST_F(MeetingsTest, WhoLeftIsNotLookedFor) {
  static_cast<void>(table.merge(member_row(2, 1, MemberState::left), now));
  start({});
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(next().empty());
  }
}

TEST_F(MeetingsTest, AfterStopNothingIsDue) {
  start({"a:1"});
  meetings->stop();
  EXPECT_EQ(meetings->next_deadline(), Instant::never());
}

}  // namespace
}  // namespace kvs
