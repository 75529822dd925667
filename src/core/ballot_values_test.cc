#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/ballot.h"
#include "support/ballot_fixture.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(BallotsTest, ADecidedVersionElsewhereEndsTheBallot) {
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  vote({decided(2, 3), candidate(1)});
  const std::vector<PeerSend> sends = take_sends();
  ASSERT_THAT(sends, SizeIs(1));
  EXPECT_EQ(sends[0].address, "node2:80");
  EXPECT_THAT(std::get<Fetch>(*sends[0].request).paths, ElementsAre(path));
  give(sends[0].id, Fetched{.records = {peer_record(path, decided(2, 3))}});
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].kind, Ruling::Kind::found);
  EXPECT_EQ(rulings[0].winner, peer_record(path, decided(2, 3)));
  EXPECT_EQ(ballots_.stats().found, 1U);
}

TEST_F(BallotsTest, ANewerDeleteElsewhereEndsTheBallotWithoutAFetch) {
  have_members(2);
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  RecordHeader tombstone = candidate(3);
  tombstone.kind = RecordKind::tombstone;
  tombstone.version.stamp = Stamp::from_ms(1001);
  vote({tombstone});
  EXPECT_THAT(take_sends(), IsEmpty());
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].kind, Ruling::Kind::found);
  EXPECT_EQ(rulings[0].winner.record.header, tombstone);
}

TEST_F(BallotsTest, ATombstoneMayWin) {
  have_members(3);
  const std::string path = path_of_rank(0);
  RecordHeader tombstone = candidate(2);
  tombstone.kind = RecordKind::tombstone;
  open_valueless(path, candidate(1), tombstone);
  pass(BallotOptions{}.gather);
  vote({tombstone, tombstone});
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_FALSE(rulings[0].winner.record.header.live());
  EXPECT_EQ(rulings[0].winner.record.value, "");
}

TEST_F(BallotsTest, AValueThatIsNotHereIsFetchedFromAVoter) {
  const std::string path = path_of_rank(0);
  open_valueless(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  vote({candidate(2), candidate(2)});
  EXPECT_THAT(ballots_.take_rulings(), IsEmpty());
  const std::vector<PeerSend> sends = take_sends();
  ASSERT_THAT(sends, SizeIs(1));
  give(sends[0].id, Fetched{.records = {peer_record(path, candidate(2))}});
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].winner.record.value, "2");
  EXPECT_EQ(rulings[0].winner.record.header.version.verdict.votes, 2U);
}

TEST_F(BallotsTest, AHolderThatIsGoneIsNotAskedAgain) {
  const std::string path = three_vote_for_a_value_elsewhere();
  const std::vector<PeerSend> first = take_sends();
  for (Member& other : view_.members) {
    other.state = other.address == first.at(0).address ? MemberState::failed : other.state;
  }
  show_view();
  lose(first.at(0).id);
  const std::vector<PeerSend> next = take_sends();
  ASSERT_THAT(next, SizeIs(1));
  EXPECT_NE(next[0].address, first.at(0).address);
  give(next[0].id, Fetched{.records = {peer_record(path, candidate(2))}});
  EXPECT_THAT(ballots_.take_rulings(), SizeIs(1));
}

TEST_F(BallotsTest, AHolderThatFailsTwiceOrHasLostItIsFollowedByTheNext) {
  const std::string path = three_vote_for_a_value_elsewhere();
  const std::vector<PeerSend> first = take_sends();
  lose(first.at(0).id);
  const std::vector<PeerSend> again = take_sends();
  EXPECT_EQ(again.at(0).address, first.at(0).address);
  lose(again.at(0).id);
  const std::vector<PeerSend> second = take_sends();
  EXPECT_NE(second.at(0).address, first.at(0).address);
  give(second.at(0).id, Fetched{});
  const std::vector<PeerSend> third = take_sends();
  ASSERT_THAT(third, SizeIs(1));
  EXPECT_NE(third.at(0).address, first.at(0).address);
  EXPECT_NE(third.at(0).address, second.at(0).address);
  give(third.at(0).id, Fetched{.records = {peer_record(path, candidate(2))}});
  EXPECT_THAT(ballots_.take_rulings(), SizeIs(1));
}

TEST_F(BallotsTest, TheNextCandidateIsTakenWhenTheWinnersValueCannotBeHad) {
  const std::string path = path_of_rank(0);
  open_valueless(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  vote({candidate(2), candidate(2)});
  for (int holder = 0; holder < 2; ++holder) {
    give(take_sends().at(0).id, Refused{.code = Errc::overloaded, .detail = ""});
    give(take_sends().at(0).id, Refused{.code = Errc::overloaded, .detail = ""});
  }
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].kind, Ruling::Kind::majority);
  EXPECT_EQ(rulings[0].winner.record.value, "1");
  EXPECT_EQ(rulings[0].winner.record.header.version.verdict.votes, 1U);
  EXPECT_EQ(ballots_.stats().lost_values, 1U);
}

TEST_F(BallotsTest, WhatAFetchFindsDecidedIsTaken) {
  have_members(3);
  const std::string path = path_of_rank(0);
  open_valueless(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  vote({candidate(2), candidate(2)});
  give(take_sends().at(0).id, Fetched{.records = {peer_record(path, decided(1, 3))}});
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].kind, Ruling::Kind::found);
  EXPECT_EQ(rulings[0].winner.record, record_of(decided(1, 3)));
}

TEST_F(BatchesTest, ValuesComeInBulkAndInParts) {
  open_many(1000);
  for (PeerSend& send : take_sends()) {
    give(send.id, all_for(send, decided(2, 2)));
  }
  std::size_t fetches = 0;
  std::size_t taken = 0;
  for (auto sends = take_sends(); !sends.empty(); sends = take_sends()) {
    ASSERT_THAT(sends, SizeIs(1));
    ++fetches;
    Fetched answer{.records = {}, .cut = false};
    for (const std::string& path : std::get<Fetch>(*sends[0].request).paths) {
      answer.cut = answer.records.size() == 300;
      if (answer.cut) {
        break;
      }
      answer.records.push_back(peer_record(path, decided(2, 2)));
    }
    give(sends[0].id, answer);
    taken += ballots_.take_rulings().size();
  }
  EXPECT_EQ(taken, 1000U);
  EXPECT_LE(fetches, 6U);
}

TEST_F(BatchesTest, ACutAnswerThatBringsNothingIsNotAskedForEver) {
  have_members(2);
  open_valueless(path_of_rank(0), candidate(1), candidate(2));
  pass(options_.gather);
  vote({decided(2, 2)});
  for (int turn = 0; turn < 3; ++turn) {
    for (const PeerSend& send : take_sends()) {
      give(send.id, Fetched{.records = {peer_record("\x01", decided(2, 2))}, .cut = true});
    }
  }
  EXPECT_THAT(take_sends(), IsEmpty());
  EXPECT_EQ(ballots_.stats().without_end, 1U);
}

TEST_F(BatchesTest, RulingsWaitForTheOnesBeforeThem) {
  have_members(1);
  const std::string value(1U << 20U, 'x');
  for (int i = 0; i < 20; ++i) {
    const std::string path = "key" + std::to_string(i);
    open(path, candidate(1), candidate(2));
    store_.set(path, {.header = candidate(1), .value = value});
  }
  pass(options_.gather);
  std::size_t taken = 0;
  std::size_t turns = 0;
  for (auto rulings = ballots_.take_rulings(); !rulings.empty();
       rulings = ballots_.take_rulings(), ++turns) {
    EXPECT_LE(rulings.size(), 5U);
    taken += rulings.size();
    pass({});
  }
  EXPECT_EQ(taken, 20U);
  EXPECT_GE(turns, 4U);
}

}  // namespace
}  // namespace kvs
