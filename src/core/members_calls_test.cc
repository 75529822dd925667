// What a node of the cluster answers to single calls, hostile ones among them.
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "core/members.h"
#include "support/member_row.h"

namespace kvs {
namespace {

class MemberCallsTest : public testing::Test {
 protected:
  MemberCallsTest() { members.start(now, scratch); }

  PeerAnswer ask(PeerRequest request, std::uint64_t sender = 2, std::uint64_t receiver = 0) {
    Effects effects;
    call(std::move(request), sender, receiver, effects);
    EXPECT_EQ(effects.answers.size(), 1U);
    EXPECT_EQ(effects.answers.at(0).ticket, Ticket{44});
    return effects.answers.at(0).answer;
  }

  void call(PeerRequest request, std::uint64_t sender, std::uint64_t receiver, Effects& effects) {
    members.called(now,
                   {.ticket = Ticket{44},
                    .envelope = {.cluster = cluster_hash("kvs"),
                                 .sender = Instance{sender},
                                 .sender_run = 5,
                                 .receiver = Instance{receiver}},
                    .request = std::move(request)},
                   effects);
  }

  void return_of(const PeerSend& send, std::uint64_t sender, PeerAnswer answer, Effects& effects) {
    members.returned(
        now,
        {.id = send.id,
         .envelope = {.cluster = cluster_hash("kvs"), .sender = Instance{sender}, .sender_run = 5},
         .answer = std::move(answer)},
        effects);
  }

  void failure_of(const PeerSend& send, PeerReturn::Failure failure, Effects& effects) {
    members.returned(now, {.id = send.id, .failure = failure}, effects);
  }

  static Errc refusal(const PeerAnswer& answer) { return std::get<Refused>(answer).code; }

  Now now{.instant = {Duration::from_seconds(50).ns}, .wall = {1'000'000}};
  Prng prng{3};
  Effects scratch;
  Members members{{.node_id = "n1", .address = "10.0.0.1:1", .cluster_name = "kvs", .seeds = {}},
                  {.instance = Instance{1}, .joined_ms = 10, .run = 5, .started_ms = 20},
                  prng};
};

TEST_F(MemberCallsTest, APingIsAnsweredWithItsOwnRowFirst) {
  const auto pong = std::get<Pong>(ask(Ping{.news = {member_row(2), member_row(3)}}));
  EXPECT_EQ(pong.news.at(0).instance, Instance{1});
  EXPECT_LE(pong.news.size(), kNewsRowsMax);
  EXPECT_EQ(members.view()->members.size(), 3U);
}

TEST_F(MemberCallsTest, ChangesOfALargeListAreSeenTogether) {
  std::vector<Member> roster;
  for (std::uint64_t i = 0; i < 2 * Members::kPromptMembers; ++i) {
    roster.push_back(member_row(1000 + i));
  }
  members.remember(now, roster);
  ask(Ping{.news = {member_row(2)}});
  const auto before = members.view();
  const std::uint64_t version = members.view_version();
  ask(Ping{.news = {member_row(3)}}, 3);
  ask(Ping{.news = {member_row(4)}}, 4);
  EXPECT_EQ(members.view_version(), version);
  EXPECT_EQ(members.view(), before);
  EXPECT_LE(members.next_deadline(), now.instant + Duration::from_seconds(1));
  now.instant = now.instant + Duration::from_seconds(1);
  members.tick(now, scratch);
  EXPECT_NE(members.view_version(), version);
  EXPECT_NE(members.view()->find(Instance{3}), nullptr);
  EXPECT_NE(members.view()->find(Instance{4}), nullptr);
}

TEST_F(MemberCallsTest, WhoTellsOldNewsOfItselfIsTold) {
  ask(Ping{.news = {member_row(2, 4)}}, 3);
  const auto pong = std::get<Pong>(ask(Ping{.news = {member_row(2, 1)}}));
  ASSERT_GE(pong.news.size(), 2U);
  EXPECT_EQ(pong.news[1], member_row(2, 4));
}

TEST_F(MemberCallsTest, NewsAreNotToldBackToTheirTeller) {
  ask(Ping{.news = {member_row(2), member_row(3)}});
  Effects effects;
  for (int i = 0; i < 10; ++i) {
    now.instant = now.instant + Duration::from_ms(100);
    members.tick(now, effects);
  }
  std::map<std::string, std::size_t> rows;  // beside the sender's own
  for (const PeerSend& send : effects.sends) {
    const auto* const ping = std::get_if<Ping>(send.request.get());
    rows[send.address] += ping != nullptr ? ping->news.size() - 1 : 0U;
  }
  EXPECT_EQ(rows["10.0.0.1:2"], 0U);
  EXPECT_EQ(rows["10.0.0.1:3"], retransmissions(3)) << "that member 2 is there";
}

TEST_F(MemberCallsTest, APingWithoutNewsIsAnswered) {
  EXPECT_TRUE(std::holds_alternative<Pong>(ask(Ping{})));
  EXPECT_EQ(members.view()->members.size(), 1U);
}

TEST_F(MemberCallsTest, TooManyRowsAreRefusedAsAWhole) {
  std::vector<Member> news;
  for (std::uint64_t i = 2; i < 3 + kNewsRowsMax; ++i) {
    news.push_back(member_row(i));
  }
  EXPECT_EQ(refusal(ask(Ping{.news = news})), Errc::bad_request);
  EXPECT_EQ(refusal(ask(PingOther{.target = Instance{9}, .address = "a:1", .news = news})),
            Errc::bad_request);
  EXPECT_EQ(members.view()->members.size(), 1U);
}

TEST_F(MemberCallsTest, AnotherClusterIsRefusedAndTeachesNothing) {
  Effects effects;
  members.called(now,
                 {.ticket = Ticket{1},
                  .envelope = {.cluster = cluster_hash("other"), .sender = Instance{2}},
                  .request = Ping{.news = {member_row(2)}}},
                 effects);
  EXPECT_EQ(refusal(effects.answers.at(0).answer), Errc::cluster_mismatch);
  EXPECT_EQ(members.view()->members.size(), 1U);
  EXPECT_EQ(members.stats().calls_refused, 1U);
}

TEST_F(MemberCallsTest, ACallForAnotherInstanceIsRefused) {
  EXPECT_EQ(refusal(ask(Ping{.news = {member_row(2)}}, 2, 77)), Errc::not_found);
  EXPECT_TRUE(std::holds_alternative<Pong>(ask(Ping{}, 2, 1)));
}

TEST_F(MemberCallsTest, CallsOfOtherRoomsAreRefused) {
  EXPECT_EQ(refusal(ask(AskVotes{})), Errc::not_implemented);
}

TEST_F(MemberCallsTest, AnImplausibleJoinerIsRefused) {
  Member bad = member_row(2);
  bad.address = "nowhere";
  EXPECT_EQ(refusal(ask(Join{.joiner = bad})), Errc::bad_request);
  EXPECT_EQ(refusal(ask(Join{.joiner = member_row(3)}, 2)), Errc::bad_request)
      << "in another's name";
  Member dead = member_row(2);
  dead.state = MemberState::failed;
  EXPECT_EQ(refusal(ask(Join{.joiner = dead})), Errc::bad_request);
  EXPECT_EQ(members.view()->members.size(), 1U);
}

TEST_F(MemberCallsTest, AJoinerGetsAllRows) {
  ask(Ping{.news = {member_row(3), member_row(4)}}, 3);
  const auto answer = std::get<MemberRows>(ask(Join{.joiner = member_row(2)}));
  EXPECT_EQ(answer.rows.size(), 4U);
  EXPECT_EQ(answer.rows[0].instance, Instance{1});
}

TEST_F(MemberCallsTest, JoinersThatWaitAreBounded) {
  ask(Ping{.news = {member_row(3)}}, 3);
  for (std::uint64_t i = 0; i <= MembersOptions{}.joiners_max; ++i) {
    Member clash = member_row(100 + i);
    clash.node_id = "n3";
    Effects effects;
    call(Join{.joiner = clash}, 100 + i, 0, effects);
    if (i < MembersOptions{}.joiners_max) {
      EXPECT_TRUE(effects.answers.empty());
      EXPECT_EQ(effects.sends.size(), 1U);
    } else {
      EXPECT_EQ(refusal(effects.answers.at(0).answer), Errc::overloaded);
    }
  }
}

TEST_F(MemberCallsTest, OneLostPingDoesNotGiveAnIdAway) {
  ask(Ping{.news = {member_row(3)}}, 3);
  Member clash = member_row(9);
  clash.node_id = "n3";
  Effects first;
  call(Join{.joiner = clash}, 9, 0, first);
  Effects second;
  failure_of(first.sends.at(0), PeerReturn::Failure::timed_out, second);
  EXPECT_TRUE(second.answers.empty());
  ASSERT_FALSE(second.sends.empty());
  Effects third;
  return_of(second.sends.at(0), 3, Pong{.news = {member_row(3)}}, third);
  EXPECT_EQ(refusal(third.answers.at(0).answer), Errc::id_in_use);
  EXPECT_NE(members.find(Instance{3}), nullptr);
}

TEST_F(MemberCallsTest, OnlyMembersArePingedForOthers) {
  Effects effects;
  call(PingOther{.target = Instance{9}, .address = "10.9.9.9:1", .news = {}}, 2, 0, effects);
  EXPECT_TRUE(effects.sends.empty());
  EXPECT_TRUE(std::holds_alternative<NoPong>(effects.answers.at(0).answer));
}

TEST_F(MemberCallsTest, AMemberIsPingedWhereItIsKnownToBe) {
  ask(Ping{.news = {member_row(3)}}, 3);
  Effects asked;
  call(PingOther{.target = Instance{3}, .address = "10.9.9.9:1", .news = {}}, 2, 0, asked);
  EXPECT_TRUE(asked.answers.empty());
  ASSERT_EQ(asked.sends.size(), 1U);
  EXPECT_EQ(asked.sends[0].address, "10.0.0.1:3");
  Effects returned;
  return_of(asked.sends[0], 3, Pong{.news = {member_row(3)}}, returned);
  EXPECT_TRUE(std::holds_alternative<Pong>(returned.answers.at(0).answer));
}

TEST_F(MemberCallsTest, AnotherInstanceAtThatAddressIsNoAnswer) {
  ask(Ping{.news = {member_row(3)}}, 3);
  Effects asked;
  call(PingOther{.target = Instance{3}, .address = "10.0.0.1:3", .news = {}}, 2, 0, asked);
  Effects returned;
  return_of(asked.sends.at(0), 8, Pong{.news = {}}, returned);
  EXPECT_TRUE(std::holds_alternative<NoPong>(returned.answers.at(0).answer));
}

TEST_F(MemberCallsTest, HelpIsBounded) {
  ask(Ping{.news = {member_row(3)}}, 3);
  Effects effects;
  for (std::size_t i = 0; i < Members::kHelpingMax + 5; ++i) {
    call(PingOther{.target = Instance{3}, .address = "10.0.0.1:3", .news = {}}, 2, 0, effects);
  }
  EXPECT_EQ(effects.sends.size(), Members::kHelpingMax);
  EXPECT_EQ(effects.answers.size(), 5U);
}

TEST_F(MemberCallsTest, EqualTablesAreComparedInOneEmptyAnswer) {
  const MemberTable same(members.view()->own(), Instant{});
  const BucketHashes hashes = same.bucket_hashes();
  const auto answer =
      std::get<MemberRows>(ask(CompareMembers{.bucket_hashes = {hashes.begin(), hashes.end()}}));
  EXPECT_TRUE(answer.rows.empty());
  EXPECT_EQ(refusal(ask(CompareMembers{.bucket_hashes = {1, 2, 3}})), Errc::bad_request);
}

TEST_F(MemberCallsTest, OnlyBucketsThatDifferAreTold) {
  std::vector<Member> news;
  for (std::uint64_t i = 2; i < 16; ++i) {
    news.push_back(member_row(i));
  }
  ask(Ping{.news = news});
  MemberTable other(members.view()->own(), Instant{});
  for (const Member& member : news) {
    static_cast<void>(other.merge(member, Instant{}));
  }
  static_cast<void>(other.merge(member_row(7, 9), Instant{}));
  const BucketHashes hashes = other.bucket_hashes();
  const auto answer =
      std::get<MemberRows>(ask(CompareMembers{.bucket_hashes = {hashes.begin(), hashes.end()}}));
  EXPECT_EQ(answer.rows.at(0).instance, Instance{1});
  for (std::size_t i = 1; i < answer.rows.size(); ++i) {
    EXPECT_EQ(bucket_of(answer.rows[i].instance), bucket_of(Instance{7}));
  }
  EXPECT_GE(answer.rows.size(), 2U);
}

TEST_F(MemberCallsTest, AReturnThatNobodyAskedForIsIgnored) {
  Effects effects;
  return_of({.id = make_call_id(Caller::members, 4711)}, 2, Pong{.news = {member_row(2)}}, effects);
  EXPECT_EQ(members.view()->members.size(), 1U);
}

TEST_F(MemberCallsTest, MoreRowsThanMembersCanBeAreRefused) {
  std::vector<Member> rows(kMembersMax + kHiddenMembersMax + 1, member_row(2));
  EXPECT_EQ(refusal(ask(MemberRows{.rows = rows})), Errc::bad_request);
  EXPECT_EQ(members.view()->members.size(), 1U);
}

}  // namespace
}  // namespace kvs
