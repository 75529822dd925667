#include "core/ballot.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/call.h"
#include "support/memory_store.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Stamp kTied = Stamp::from_ms(1000);
constexpr Instance kSelf{1};
constexpr std::size_t kKeptBytesMax = 100;

/// A version of the write `number` with the tied stamp.
RecordHeader candidate(std::uint64_t number) {
  return {.version = {.stamp = kTied,
                      .verdict = {},
                      .uuid = {.high = 7, .low = number},
                      .dot = {.origin = Origin{number}, .seq = 1}}};
}

RecordHeader decided(std::uint64_t number, std::uint32_t votes) {
  RecordHeader header = candidate(number);
  header.version.verdict = {.votes = votes, .oldest_join_ms = 1, .voters_hash = 1};
  return header;
}

Record record_of(const RecordHeader& header) {
  return {.header = header, .value = std::to_string(header.version.uuid.low)};
}

PeerRecord peer_record(const std::string& path, const RecordHeader& header) {
  return {.path = path, .record = record_of(header), .replaced = {}};
}

Member member(std::uint64_t number) {
  Member member;
  member.instance = Instance{number};
  member.node_id = "node" + std::to_string(number);
  member.address = "node" + std::to_string(number) + ":80";
  member.joined_ms = static_cast<std::int64_t>(number);
  return member;
}

/// The ballots of member 1 of `members`, whose store is a map and whose peers are played by the
/// test.
class BallotsTest : public ::testing::Test {
 protected:
  BallotsTest() { have_members(3); }

  void have_members(std::uint64_t count) {
    view_.members.clear();
    for (std::uint64_t number = 1; number <= count; ++number) {
      view_.members.push_back(member(number));
    }
    show_view();
  }

  void show_view() {
    view_.self = kSelf;
    ballots_.set_view(std::make_shared<const View>(view_));
  }

  /// This node holds `mine` under the path and has met `theirs`.
  void open(const std::string& path, const RecordHeader& mine, const RecordHeader& theirs) {
    store_.set(path, record_of(mine));
    ballots_.opened(now_, path, mine, peer_record(path, theirs));
  }

  /// Opens a tie whose other value found no room.
  void open_valueless(const std::string& path, const RecordHeader& mine,
                      const RecordHeader& theirs) {
    store_.set(path, record_of(mine));
    PeerRecord other = peer_record(path, theirs);
    other.record.value.assign(kKeptBytesMax + 1, 'x');
    ballots_.opened(now_, path, mine, other);
  }

  void pass(Duration time) {
    now_.instant = now_.instant + time;
    for (int turn = 0; turn < 100 && ballots_.next_deadline() <= now_.instant; ++turn) {
      ballots_.tick(now_, effects_);
    }
  }

  /// A path of which this node is the `rank`-th resolver.
  std::string path_of_rank(std::size_t rank) {
    for (int i = 0;; ++i) {
      std::string path = "key" + std::to_string(i);
      Ballots probe({}, store_, prng_);
      probe.set_view(std::make_shared<const View>(view_));
      probe.opened(now_, path, candidate(1), peer_record(path, candidate(2)));
      const Instant due = probe.next_deadline();
      if (due == now_.instant + BallotOptions{}.gather +
                     Duration::from_seconds(static_cast<std::int64_t>(rank))) {
        return path;
      }
    }
  }

  std::vector<PeerSend> take_sends() { return std::exchange(effects_.sends, {}); }

  void give(CallId id, PeerAnswer answer) {
    ballots_.returned(now_,
                      {.id = id,
                       .failure = PeerReturn::Failure::none,
                       .envelope = {},
                       .answer = std::move(answer)},
                      effects_);
    pass({});
  }

  void lose(CallId id) {
    ballots_.returned(
        now_,
        {.id = id, .failure = PeerReturn::Failure::timed_out, .envelope = {}, .answer = Done{}},
        effects_);
    pass({});
  }

  /// Answers the calls that ask for votes on one path, each member its own.
  void vote(const std::vector<std::optional<RecordHeader>>& votes) {
    std::size_t next = 0;
    for (const PeerSend& send : take_sends()) {
      give(send.id, Votes{.votes = {votes.at(next++)}});
    }
  }

  MemoryStore store_;
  Prng prng_{1};
  Ballots ballots_{{.kept_bytes_max = kKeptBytesMax}, store_, prng_};
  View view_;
  Now now_{.instant = Instant{1'000'000'000}, .wall = WallTime{5000}};
  Effects effects_;
};

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

TEST_F(BallotsTest, SyncingMembersHaveNoVoteButReadOnlyOnesDo) {
  view_.members[0].mode = Mode::syncing;
  view_.members[1].mode = Mode::syncing;
  view_.members[2].mode = Mode::read_only;
  show_view();
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  vote({candidate(2)});
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

TEST_F(BallotsTest, OwnVersionThatIsDecidedByThenEndsItWithoutAsking) {
  const std::string path = path_of_rank(0);
  open(path, candidate(1), candidate(2));
  store_.set(path, record_of(decided(2, 2)));
  pass(BallotOptions{}.gather);
  EXPECT_THAT(take_sends(), IsEmpty());
  EXPECT_EQ(ballots_.open_ties(), 0U);
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

TEST_F(BallotsTest, AHolderThatFailsTwiceOrHasLostItIsFollowedByTheNext) {
  have_members(4);
  const std::string path = path_of_rank(0);
  open_valueless(path, candidate(1), candidate(2));
  pass(BallotOptions{}.gather);
  vote({candidate(2), candidate(2), candidate(2)});
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
  return {.path = path, .before = candidate(1), .after = after, .cause = Change::Cause::verdict};
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
  const Votes votes = ballots_.answer({.paths = {"a", "b", "c", "d"}});
  const RecordHeader tombstone = store_.slots().at("c").record.header;
  EXPECT_THAT(votes.votes, ElementsAre(candidate(1), std::nullopt, tombstone, std::nullopt));
}

class BatchesTest : public BallotsTest {
 protected:
  /// `count` ties whose other value found no room; with two members half of them fall due at once.
  void open_many(int count) {
    have_members(2);
    for (int i = 0; i < count; ++i) {
      open_valueless("key" + std::to_string(i), candidate(1), candidate(2));
    }
    pass(Duration::from_seconds(1) + options_.gather);
  }

  static Votes all_for(const PeerSend& send, const RecordHeader& header) {
    return {.votes =
                std::vector(std::get<AskVotes>(*send.request).paths.size(), std::optional(header))};
  }

  const BallotOptions options_;
};

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
