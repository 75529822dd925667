#include "core/ballot.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/ballot_fixture.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(BallotsTest, NothingToDo) {
  EXPECT_EQ(ballots_.next_deadline(), Instant::never());
  EXPECT_THAT(ballots_.take_rulings(), IsEmpty());
}

TEST_F(BallotsTest, AsksAllPeersOnceTheTieIsDue) {
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  pass({});
  EXPECT_THAT(effects_.sends, IsEmpty());
  pass(BallotOptions{}.gather);
  ASSERT_THAT(effects_.sends, SizeIs(2));
  EXPECT_EQ(effects_.sends[0].address, "node2:80");
  EXPECT_EQ(effects_.sends[1].address, "node3:80");
  EXPECT_EQ(caller_of(effects_.sends[0].id), Caller::ballot);
  EXPECT_EQ(effects_.sends[0].channel, Channel::bulk);
  EXPECT_EQ(effects_.sends[0].timeout, Duration::from_seconds(2));
  EXPECT_THAT(std::get<AskVotes>(*effects_.sends[0].request).paths, ElementsAre(path));
}

TEST_F(BallotsTest, TheMajorityWins) {
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  vote({candidate(2), candidate(2)});
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].kind, Ruling::Kind::majority);
  EXPECT_EQ(rulings[0].winner.path, path);
  EXPECT_EQ(rulings[0].winner.record.value, "2");
  const Version& version = rulings[0].winner.record.header.version;
  EXPECT_EQ(version.stamp, kTied);
  EXPECT_EQ(version.uuid, candidate(2).version.uuid);
  EXPECT_EQ(version.verdict.votes, 2U);
  EXPECT_EQ(version.verdict.oldest_join_ms, 1);
  EXPECT_THAT(rulings[0].winner.replaced,
              ElementsAre(candidate(1).version.dot, candidate(2).version.dot));
  ASSERT_THAT(rulings[0].candidates, SizeIs(2));
  EXPECT_EQ(rulings[0].candidates[0].header, candidate(2));
  EXPECT_EQ(rulings[0].candidates[0].votes, 2U);
  EXPECT_EQ(rulings[0].candidates[1].votes, 1U);
  EXPECT_EQ(ballots_.stats().by_majority, 1U);
}

TEST_F(BallotsTest, EqualVotesGoToTheOldest) {
  have_members(2);
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  vote({candidate(2)});
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].kind, Ruling::Kind::oldest);
  EXPECT_EQ(rulings[0].winner.record.value, "1");
  EXPECT_EQ(ballots_.stats().by_oldest, 1U);
}

TEST_F(BallotsTest, LaterResolversStepInSecondBySecond) {
  for (const std::size_t rank : {1U, 2U}) {
    const std::string path = path_of_rank(rank);
    open(path, candidate(1), candidate(2));
    pass(Duration::from_seconds(static_cast<std::int64_t>(rank)));
    EXPECT_THAT(take_sends(), IsEmpty());
    pass(BallotOptions{}.gather);
    EXPECT_THAT(take_sends(), SizeIs(2));
  }
}

TEST_F(BallotsTest, FailedMembersAreNoResolversAndHaveNoVote) {
  const std::string path = path_of_rank(2);
  view_.members[1].state = MemberState::failed;
  view_.members[2].state = MemberState::suspect;
  show_view();
  open(path, candidate(1), candidate(2));
  pass(Duration::from_seconds(1) + BallotOptions{}.gather);
  const std::vector<PeerSend> sends = take_sends();
  ASSERT_THAT(sends, SizeIs(1));
  EXPECT_EQ(sends[0].address, "node3:80");
}

TEST_F(BallotsTest, ANodeThatIsSyncingHasNoVote) {
  store_.set("a", record_of(candidate(1)));
  ballots_.set_mode(Mode::syncing);
  EXPECT_THAT(ballots_.answer(now_, {.paths = {"a"}}).votes, ElementsAre(CastVote()));
  ballots_.set_mode(Mode::read_only);
  EXPECT_THAT(ballots_.answer(now_, {.paths = {"a"}}).votes, ElementsAre(CastVote(candidate(1))));
}

TEST_F(BallotsTest, AMemberIsAskedWhateverItsModeWasOfLate) {
  view_.members[1].mode = Mode::syncing;  // it may have fetched everything since
  show_view();
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  vote({candidate(2), candidate(2)});
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].winner.record.header.version.verdict.votes, 2U);
}

TEST_F(BallotsTest, SyncingMembersHaveNoVoteButReadOnlyOnesDo) {
  ballots_.set_mode(Mode::syncing);
  view_.members[2].mode = Mode::read_only;
  show_view();
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  vote({std::nullopt, candidate(2)});
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].winner.record.value, "2");
  EXPECT_EQ(rulings[0].winner.record.header.version.verdict.votes, 1U);
}

TEST_F(BallotsTest, AloneItDecidesWithItsOwnVote) {
  have_members(1);
  open("a", candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  EXPECT_THAT(effects_.sends, IsEmpty());
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].winner.record.value, "1");
  ASSERT_THAT(rulings[0].candidates, SizeIs(2));
  EXPECT_EQ(rulings[0].candidates[1].header, candidate(2));
  EXPECT_EQ(rulings[0].candidates[1].votes, 0U);
}

TEST_F(BallotsTest, SilentVotersAreAskedOnceMoreAndThenLeftOut) {
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  const std::vector<PeerSend> first = take_sends();
  give(first[0].id, Votes{.votes = {candidate(2)}});
  lose(first[1].id);
  const std::vector<PeerSend> again = take_sends();
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].address, "node3:80");
  EXPECT_THAT(ballots_.take_rulings(), IsEmpty());
  lose(again[0].id);
  EXPECT_THAT(take_sends(), IsEmpty());
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].kind, Ruling::Kind::oldest);
}

TEST_F(BallotsTest, AnswersThatDoNotFitAreNoVotes) {
  have_members(2);
  open(path_of_rank(0), candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  give(take_sends().at(0).id, Votes{.votes = {}});
  give(take_sends().at(0).id, Votes{.votes = {candidate(2), candidate(2)}});
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].winner.record.header.version.verdict.votes, 1U);
}

TEST_F(BallotsTest, StrayReturnsAreIgnored) {
  give(make_call_id(Caller::ballot, 77), Votes{});
  have_members(2);
  open(path_of_rank(0), candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  const CallId id = take_sends().at(0).id;
  give(id, Votes{.votes = {candidate(2)}});
  give(id, Votes{.votes = {candidate(2)}});
  EXPECT_THAT(ballots_.take_rulings(), SizeIs(1));
}

TEST_F(BallotsTest, OwnVersionThatIsDecidedByThenEndsItWithoutAsking) {
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  store_.set(path, record_of(decided(2, 2)));
  pass(BallotOptions{}.gather);
  EXPECT_THAT(take_sends(), IsEmpty());
  EXPECT_EQ(ballots_.open_ties(), 0U);
}

TEST_F(BallotsTest, ABallotWithoutEndIsHeldAgain) {
  have_members(2);
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  store_.damage(path, Errc::corrupt_data);
  pass(BallotOptions{}.gather);
  lose(take_sends().at(0).id);
  lose(take_sends().at(0).id);
  EXPECT_THAT(ballots_.take_rulings(), IsEmpty());
  EXPECT_EQ(ballots_.stats().without_end, 1U);
  EXPECT_EQ(ballots_.next_deadline(), now_.instant + BallotOptions{}.patience);
  pass(BallotOptions{}.patience);
  vote({candidate(2)});
  EXPECT_EQ(ballots_.take_rulings().at(0).winner.record.value, "2");
}

TEST_F(BallotsTest, ATieThatNobodyHoldsAnyMoreIsClosed) {
  have_members(2);
  const std::string path = path_of_rank(0);
  ballots_.opened(now_, path, candidate(1), peer_record(path, candidate(2)));
  pass(BallotOptions{}.gather);
  vote({std::nullopt});
  EXPECT_EQ(ballots_.open_ties(), 0U);
  EXPECT_EQ(ballots_.next_deadline(), Instant::never());
}

TEST_F(BallotsTest, ARulingThatDoesNotBecomeDurableIsRepeated) {
  have_members(1);
  open("a", candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  EXPECT_THAT(ballots_.take_rulings(), SizeIs(1));
  EXPECT_EQ(ballots_.open_ties(), 1U);
  pass(BallotOptions{}.patience);
  EXPECT_THAT(ballots_.take_rulings(), SizeIs(1));
}

Change change(const std::string& path, std::optional<RecordHeader> after) {
  return {.path = path,
          .before = candidate(1),
          .after = after,
          .cause = Change::Cause::verdict,
          .replaced = {}};
}

TEST_F(BallotsTest, DurableChangesClose) {
  RecordHeader newer = candidate(1);
  newer.version.stamp = Stamp::from_ms(1001);
  const std::optional<RecordHeader> nothing;
  for (const std::optional<RecordHeader>& after :
       {nothing, std::optional(decided(2, 1)), std::optional(newer)}) {
    open("a", candidate(1), candidate(2));
    const std::vector changes{change("b", newer), change("a", candidate(1))};
    ballots_.settled(changes);
    EXPECT_EQ(ballots_.open_ties(), 1U);
    ballots_.settled(std::vector{change("a", after)});
    EXPECT_EQ(ballots_.open_ties(), 0U);
    EXPECT_EQ(ballots_.next_deadline(), Instant::never());
  }
}

TEST_F(BallotsTest, SettledInTheMiddleOfItsBallot) {
  const std::string path = path_of_rank(0);
  open_valueless(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  const std::vector<PeerSend> asks = take_sends();
  give(asks[0].id, Votes{.votes = {candidate(2)}});
  ballots_.settled(std::vector{change(path, decided(1, 2))});
  give(asks[1].id, Votes{.votes = {candidate(2)}});
  EXPECT_THAT(take_sends(), IsEmpty());
  EXPECT_THAT(ballots_.take_rulings(), IsEmpty());

  open_valueless(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  vote({candidate(2), candidate(2)});
  ballots_.settled(std::vector{change(path, decided(1, 2))});
  give(take_sends().at(0).id, Fetched{.records = {peer_record(path, candidate(2))}});
  EXPECT_THAT(ballots_.take_rulings(), IsEmpty());
  EXPECT_EQ(ballots_.next_deadline(), Instant::never());
}

TEST_F(BallotsTest, TheSameTieOpensOnceANewerOneReplacesIt) {
  open("a", candidate(1), candidate(2));
  open("a", candidate(1), candidate(3));
  EXPECT_EQ(ballots_.stats().ties, 1U);
  RecordHeader newer = candidate(4);
  newer.version.stamp = Stamp::from_ms(1001);
  open("a", newer, newer);
  EXPECT_EQ(ballots_.stats().ties, 2U);
  EXPECT_EQ(ballots_.open_ties(), 1U);
}

TEST_F(BallotsTest, OpenTiesAreBounded) {
  Ballots ballots({.open_max = 2}, store_, prng_);
  for (const char* path : {"a", "b", "c"}) {
    ballots.opened(now_, path, candidate(1), peer_record(path, candidate(2)));
  }
  EXPECT_EQ(ballots.open_ties(), 2U);
  EXPECT_EQ(ballots.stats().turned_away, 1U);
  ballots.settled(std::vector{change("a", std::nullopt)});
  ballots.opened(now_, "c", candidate(1), peer_record("c", candidate(2)));
  EXPECT_EQ(ballots.open_ties(), 2U);
}

TEST_F(BallotsTest, WithoutAViewItWaits) {
  Ballots ballots({}, store_, prng_);
  ballots.opened(now_, "a", candidate(1), peer_record("a", candidate(2)));
  EXPECT_EQ(ballots.next_deadline(), Instant::never());
  now_.instant = now_.instant + Duration::from_seconds(10);
  ballots.tick(now_, effects_);
  EXPECT_THAT(effects_.sends, IsEmpty());
}

TEST_F(BallotsTest, AnswersWithWhatIsCommitted) {
  store_.set("a", record_of(candidate(1)));
  store_.set("b", record_of(candidate(2)));
  store_.put_tombstone("c", 5);
  store_.damage("b", Errc::corrupt_data);
  const Votes votes = ballots_.answer(now_, {.paths = {"a", "b", "c", "d"}});
  const RecordHeader tombstone = store_.slots().at("c").record.header;
  EXPECT_THAT(votes.votes,
              ElementsAre(CastVote(candidate(1)), CastVote(), CastVote(tombstone), CastVote()));
}

TEST_F(BallotsTest, AskedBrieflyItNamesByItsHashWhatMayWin) {
  store_.set("a", record_of(candidate(1)));
  store_.set("b", record_of(decided(2, 1)));
  const Votes votes = ballots_.answer(now_, {.paths = {"a", "b", "c"}, .briefly = true});
  EXPECT_THAT(votes.votes,
              ElementsAre(named("a", candidate(1)), CastVote(decided(2, 1)), CastVote()));
}

TEST_F(BallotsTest, WhatItHasMetMayComeByItsHash) {
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  const std::vector<PeerSend> asks = take_sends();
  ASSERT_THAT(asks, SizeIs(2));
  EXPECT_TRUE(std::get<AskVotes>(*asks[0].request).briefly);
  give(asks[0].id, Votes{.votes = {named(path, candidate(1))}});
  give(asks[1].id, Votes{.votes = {named(path, candidate(2))}});
  EXPECT_THAT(take_sends(), IsEmpty());
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(1));
  EXPECT_EQ(rulings[0].winner.record.value, "1");
  EXPECT_EQ(rulings[0].winner.record.header.version.verdict.votes, 2U);
  EXPECT_THAT(rulings[0].winner.replaced,
              ElementsAre(candidate(1).version.dot, candidate(2).version.dot));
}

/// A ballot on two paths; under the second the other member holds what this node has not met.
class UnclearVotes : public BallotsTest {
 protected:
  UnclearVotes() {
    have_members(2);
    open("a", candidate(1), candidate(2));
    open("b", candidate(1), candidate(2));
    ballots_.hurry(now_);
    pass(BallotOptions{}.gather + BallotOptions{}.hurry);
    give(take_sends().at(0).id, Votes{.votes = {named("a", candidate(2)), named("b", other_)}});
  }

  const RecordHeader other_ = candidate(3);
};

TEST_F(UnclearVotes, AVoteThatItsHashDoesNotTellIsAskedForWhole) {
  const std::vector<PeerSend> sends = take_sends();
  ASSERT_THAT(sends, SizeIs(1));
  EXPECT_EQ(std::get<AskVotes>(*sends[0].request), AskVotes{.paths = {"b"}});
  give(sends[0].id, Votes{.votes = {other_}});
  EXPECT_THAT(take_sends(), IsEmpty());
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(2));
  EXPECT_EQ(rulings[1].winner.path, "b");
  EXPECT_EQ(rulings[1].kind, Ruling::Kind::oldest);
  ASSERT_THAT(rulings[1].candidates, SizeIs(3));
  EXPECT_EQ(rulings[1].candidates[1].header, other_);
  EXPECT_EQ(rulings[1].candidates[1].votes, 1U);
  EXPECT_THAT(rulings[1].winner.replaced,
              ElementsAre(candidate(1).version.dot, candidate(2).version.dot, other_.version.dot));
}

TEST_F(UnclearVotes, AHashInThePlaceOfWhatWasAskedForWholeIsNoVote) {
  give(take_sends().at(0).id, Votes{.votes = {named("b", other_)}});
  EXPECT_THAT(take_sends(), IsEmpty());
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  ASSERT_THAT(rulings, SizeIs(2));
  EXPECT_EQ(rulings[1].kind, Ruling::Kind::majority);
  EXPECT_EQ(rulings[1].winner.record.header.version.verdict.votes, 1U);
}

TEST_F(UnclearVotes, ItIsAskedForTwiceAndThenNotTakenForNothing) {
  store_.damage("b", Errc::corrupt_data);
  lose(take_sends().at(0).id);
  lose(take_sends().at(0).id);
  EXPECT_THAT(take_sends(), IsEmpty());
  EXPECT_THAT(ballots_.take_rulings(), SizeIs(1));
  EXPECT_EQ(ballots_.stats().without_end, 1U);
  EXPECT_EQ(ballots_.open_ties(), 2U) << "somebody holds something under b";
}

TEST_F(BallotsTest, ManyTiesThatItAloneHasMetDoNotWaitForOthers) {
  const std::string path = path_of_rank(2);
  open(path, candidate(1), candidate(2));
  ballots_.hurry(now_);
  pass(BallotOptions{}.gather + BallotOptions{}.hurry);
  EXPECT_THAT(take_sends(), IsEmpty());
  pass(BallotOptions{}.hurry);
  EXPECT_THAT(take_sends(), SizeIs(2));
}

TEST_F(BallotsTest, WhoAsksForAVoteIsLeftTheBallotOnce) {
  const std::string path = path_of_rank(1);
  const AskVotes question{.paths = {path, "other"}};
  open(path, candidate(1), candidate(2));
  pass(Duration::from_seconds(1));
  static_cast<void>(ballots_.answer(now_, question));
  ballots_.hurry(now_);
  pass(Duration::from_seconds(1));
  EXPECT_THAT(take_sends(), IsEmpty());
  static_cast<void>(ballots_.answer(now_, question));
  pass(BallotOptions{}.hurry);
  EXPECT_THAT(take_sends(), SizeIs(2)) << "it is not put off once more";
}

TEST_F(BallotsTest, ABallotThatIsHeldHereIsNotLeftToOthersNorHurried) {
  have_members(2);
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  store_.damage(path, Errc::corrupt_data);
  pass(BallotOptions{}.gather);
  static_cast<void>(ballots_.answer(now_, {.paths = {path}}));
  lose(take_sends().at(0).id);
  lose(take_sends().at(0).id);
  const Instant again = now_.instant + BallotOptions{}.patience;
  ballots_.hurry(now_);
  static_cast<void>(ballots_.answer(now_, {.paths = {path}}));
  EXPECT_EQ(ballots_.next_deadline(), again);
}

TEST_F(BatchesTest, ManyPathsShareAMessageInPathOrder) {
  open_many(10'000);
  const std::vector<PeerSend> sends = take_sends();
  std::size_t asked = 0;
  for (const PeerSend& send : sends) {
    const std::vector<std::string>& paths = std::get<AskVotes>(*send.request).paths;
    EXPECT_LE(paths.size(), options_.keys_max);
    EXPECT_TRUE(std::ranges::is_sorted(paths));
    asked += paths.size();
  }
  EXPECT_EQ(asked, 10'000U);
  EXPECT_EQ(sends.size(), 3U);
}

TEST_F(BatchesTest, AThousandVotersMakeSmallerRounds) {
  have_members(1000);
  for (int i = 0; i < 400; ++i) {
    const std::string path = "key" + std::to_string(i);
    open(path, candidate(1), candidate(2));
  }
  pass(Duration::from_seconds(1000));
  const std::vector<PeerSend> sends = take_sends();
  ASSERT_FALSE(sends.empty());
  std::size_t most = 0;
  for (const PeerSend& send : sends) {
    most = std::max(most, std::get<AskVotes>(*send.request).paths.size());
  }
  EXPECT_EQ(most, options_.votes_max / 1000);
  EXPECT_EQ(sends.size(), 999U * ((400 + most - 1) / most));
}

}  // namespace
}  // namespace kvs
