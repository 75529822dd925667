#include "core/member_ledger.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "core/view.h"
#include "support/member_row.h"

namespace kvs {
namespace {

using enum MemberState;

constexpr Duration kKept = Duration::from_seconds(600);
constexpr Instance kSelf{1};

Member accused(std::uint64_t instance, std::uint64_t incarnation, std::uint64_t accuser) {
  Member member = member_row(instance, incarnation, suspect);
  member.accuser = Instance{accuser};
  return member;
}

class LedgerTest : public testing::Test {
 protected:
  static Now at(std::int64_t seconds) {
    return {.instant = {Duration::from_seconds(seconds).ns}, .wall = {seconds * 1000}};
  }

  void hear(const std::vector<Member>& rows, std::uint64_t sender = 2) {
    ledger.take(now, rows,
                {.kind = NewsSource::Kind::rumors, .sender = Instance{sender}, .sender_run = 5});
  }

  void hear_list(const std::vector<Member>& rows) {
    ledger.take(now, rows,
                {.kind = NewsSource::Kind::list, .sender = Instance{2}, .sender_run = 5});
  }

  MemberState state(std::uint64_t instance) {
    return ledger.table().find(Instance{instance})->member.state;
  }

  std::size_t count(MemberEvent::Kind kind) {
    for (MemberEvent& event : ledger.take_events()) {
      events.push_back(event.kind);
    }
    return static_cast<std::size_t>(std::ranges::count(events, kind));
  }

  Now now = at(1);
  MemberLedger ledger{member_row(1, 1), Duration::from_seconds(1), Instant{}};
  std::vector<MemberEvent::Kind> events;
};

TEST_F(LedgerTest, NewsBecomeRumors) {
  const std::uint64_t version = ledger.version();
  hear({member_row(2, 1), member_row(3, 1)});
  EXPECT_EQ(ledger.news().rumors().size(), 2U);
  EXPECT_GT(ledger.version(), version);
  EXPECT_EQ(count(MemberEvent::Kind::appeared), 2U);
}

TEST_F(LedgerTest, OldNewsChangeNothing) {
  hear({member_row(3, 2)});
  ledger.news().rumors().keep_only(kSelf);
  const std::uint64_t version = ledger.version();
  hear({member_row(3, 2), member_row(3, 1, failed), member_row(3, 1, left)});
  EXPECT_TRUE(ledger.news().rumors().empty());
  EXPECT_EQ(ledger.version(), version);
}

TEST_F(LedgerTest, AHostileRowChangesNothingAndTheOthersCount) {
  Member bad = member_row(3, 1);
  bad.node_id = std::string(300, 'x');
  hear({bad, member_row(4, 1)});
  EXPECT_EQ(ledger.table().find(Instance{3}), nullptr);
  EXPECT_NE(ledger.table().find(Instance{4}), nullptr);
  EXPECT_EQ(ledger.stats().rows_refused, 1U);
}

TEST_F(LedgerTest, ARumorOfAFailureIsBelieved) {
  hear({member_row(3, 1)});
  hear({member_row(3, 1, failed)});
  EXPECT_EQ(state(3), failed);
  EXPECT_TRUE(ledger.take_outcome().lost);
  EXPECT_EQ(count(MemberEvent::Kind::failed), 1U);
}

TEST_F(LedgerTest, AListNeverKills) {
  hear({member_row(3, 1)});
  hear_list({member_row(3, 1, failed), member_row(4, 1, failed)});
  EXPECT_EQ(state(3), suspect);
  EXPECT_EQ(state(4), suspect);
  EXPECT_EQ(ledger.table().find(Instance{3})->member.accuser, Instance{2});
  EXPECT_FALSE(ledger.take_outcome().lost);
}

TEST_F(LedgerTest, AListSaysWhoLeft) {
  hear({member_row(3, 1)});
  hear_list({member_row(3, 1, left)});
  EXPECT_FALSE(ledger.table().find(Instance{3})->listed);
  EXPECT_EQ(count(MemberEvent::Kind::left), 1U);
}

TEST_F(LedgerTest, ASuspectThatStaysSilentFailsAndIsTakenOffLater) {
  hear({member_row(3, 1)});
  ledger.accuse(now, Instance{3});
  EXPECT_EQ(state(3), suspect);
  EXPECT_EQ(ledger.table().find(Instance{3})->member.accuser, kSelf);
  EXPECT_EQ(ledger.next_deadline(), at(5).instant) << "two members: nobody confirms";
  ledger.tick(at(4), kKept);
  EXPECT_EQ(state(3), suspect);
  ledger.tick(at(5), kKept);
  EXPECT_EQ(state(3), failed);
  ledger.tick(at(5), kKept);
  EXPECT_EQ(ledger.next_deadline(), at(605).instant);
  ledger.tick(at(605), kKept);
  EXPECT_FALSE(ledger.table().find(Instance{3})->listed);
  EXPECT_EQ(ledger.next_deadline(), Instant::never());
  EXPECT_EQ(count(MemberEvent::Kind::removed), 1U);
}

TEST_F(LedgerTest, ConfirmationsShortenASuspicionAndAreToldOn) {
  for (std::uint64_t i = 2; i <= 9; ++i) {
    hear({member_row(i, 1)});
  }
  hear({accused(3, 1, 4)});
  const Instant alone = ledger.next_deadline();
  ledger.news().rumors().keep_only(kSelf);
  hear({accused(3, 1, 4)});
  EXPECT_TRUE(ledger.news().rumors().empty()) << "the same accuser is no news";
  hear({accused(3, 1, 5)});
  EXPECT_EQ(ledger.news().rumors().size(), 1U);
  EXPECT_LT(ledger.next_deadline(), alone);
  ledger.accuse(now, Instance{3});
  EXPECT_EQ(ledger.next_deadline(), at(5).instant);
}

TEST_F(LedgerTest, ARefutationClearsASuspect) {
  hear({member_row(3, 1), accused(3, 1, 4)});
  hear({member_row(3, 2)});
  EXPECT_EQ(state(3), alive);
  EXPECT_EQ(ledger.next_deadline(), Instant::never());
  EXPECT_EQ(count(MemberEvent::Kind::cleared), 1U);
}

TEST_F(LedgerTest, NewsOfAnEarlierIncarnationAccuseNobody) {
  hear({member_row(3, 2)});
  hear({accused(3, 1, 4)});
  EXPECT_EQ(state(3), alive);
}

TEST_F(LedgerTest, ItRefutesWhatIsSaidOfItself) {
  for (const MemberState said : {suspect, failed, left}) {
    const std::uint64_t incarnation = ledger.table().own().incarnation;
    hear({member_row(1, incarnation, said)});
    EXPECT_EQ(ledger.table().own().incarnation, incarnation + 1);
    EXPECT_EQ(ledger.table().own().state, alive);
    EXPECT_EQ(ledger.take_outcome().refutations, 1U);
    EXPECT_FALSE(ledger.news().rumors().empty());
  }
}

TEST_F(LedgerTest, OldAccusationsNeedNoAnswer) {
  hear({member_row(1, 7, suspect)});
  EXPECT_EQ(ledger.table().own().incarnation, 8U);
  static_cast<void>(ledger.take_outcome());
  hear({member_row(1, 7, failed), member_row(1, 8, alive)});
  EXPECT_EQ(ledger.table().own().incarnation, 8U);
  EXPECT_EQ(ledger.take_outcome().refutations, 0U);
}

TEST_F(LedgerTest, TheWorstPlausibleAccusationCanBeRefuted) {
  hear({member_row(1, kIncarnationMax - 1, failed)});
  EXPECT_EQ(ledger.table().own().incarnation, kIncarnationMax);
  EXPECT_TRUE(is_plausible(ledger.table().own()));
}

TEST_F(LedgerTest, NewsOfItsOwnPastProcessAreOutbidWithoutBlame) {
  Member past = member_row(1, 4);
  past.run = 3;
  hear({past});
  EXPECT_EQ(ledger.table().own().incarnation, 5U);
  EXPECT_EQ(ledger.table().own().run, 5U);
  const MemberLedger::Outcome outcome = ledger.take_outcome();
  EXPECT_EQ(outcome.refutations, 0U);
  EXPECT_TRUE(outcome.twin_address.empty()) << "same address: there cannot be two";
}

TEST_F(LedgerTest, AnotherProcessOfItsInstanceElsewhereIsLookedInto) {
  Member twin = member_row(1, 1);
  twin.run = 9;
  twin.address = "10.0.0.2:1";
  hear({twin});
  EXPECT_EQ(ledger.take_outcome().twin_address, "10.0.0.2:1");
}

TEST_F(LedgerTest, WhoLeavesDoesNotRefuteThatItLeft) {
  ledger.leave(now);
  hear({member_row(1, 1, left)});
  EXPECT_EQ(ledger.table().own().incarnation, 1U);
  EXPECT_EQ(ledger.table().own().state, left);
  hear({member_row(1, 1, suspect)});
  EXPECT_EQ(ledger.table().own().state, left);
  EXPECT_EQ(ledger.take_outcome().refutations, 0U);
}

TEST_F(LedgerTest, ARestartIsNoted) {
  hear({member_row(3, 1)});
  Member restarted = member_row(3, 2);
  restarted.run = 6;
  hear({restarted});
  EXPECT_EQ(count(MemberEvent::Kind::restarted), 1U);
  EXPECT_EQ(count(MemberEvent::Kind::cleared), 0U);
}

TEST_F(LedgerTest, ADigestFromTheMembersOwnMouthIsTaken) {
  Member speaker = member_row(2, 1);
  speaker.digest.seq = 9;
  hear({speaker});
  speaker.digest.seq = 4;
  const std::uint64_t version = ledger.version();
  const std::uint64_t digests = ledger.digest_version();
  hear({speaker}, 3);
  EXPECT_EQ(ledger.table().find(Instance{2})->member.digest.seq, 9U) << "told by another";
  hear({speaker}, 2);
  EXPECT_EQ(ledger.table().find(Instance{2})->member.digest.seq, 4U);
  EXPECT_GT(ledger.digest_version(), digests);
  EXPECT_EQ(ledger.version(), version);
}

TEST_F(LedgerTest, SomebodyElseWithItsIdIsNotedOnceItSpeaks) {
  Member clash = member_row(3, 1);
  clash.node_id = "n1";
  hear({clash});
  EXPECT_EQ(count(MemberEvent::Kind::appeared), 1U);
  EXPECT_EQ(count(MemberEvent::Kind::id_in_use), 0U) << "it may be a predecessor that is dead";
  hear({clash}, 3);
  hear({clash}, 3);
  Member another = member_row(4, 1);
  another.node_id = "n1";
  hear({another}, 4);
  EXPECT_EQ(count(MemberEvent::Kind::id_in_use), 1U) << "one is enough";
  hear({member_row(3, 1, left)});
  hear({another}, 4);
  EXPECT_EQ(count(MemberEvent::Kind::id_in_use), 2U);
}

TEST_F(LedgerTest, EventsAreBounded) {
  hear({member_row(3, 1)});
  for (std::uint64_t i = 1; i <= MemberLedger::kEventsMax; ++i) {
    hear({member_row(3, i, suspect), member_row(3, i + 1)});
  }
  EXPECT_GT(ledger.stats().events_lost, 0U);
  EXPECT_EQ(ledger.take_events().size(), MemberLedger::kEventsMax);
}

TEST_F(LedgerTest, AHostileFloodIsBounded) {
  std::vector<Member> flood;
  for (std::uint64_t i = 2; i < 2 + kMembersMax + 100; ++i) {
    flood.push_back(member_row(i, 1));
  }
  hear_list(flood);
  EXPECT_EQ(ledger.table().listed_count(), kMembersMax);
  EXPECT_EQ(ledger.stats().rows_overflow, 101U);
  EXPECT_LE(ledger.news().rumors().size(), kMembersMax);
}

}  // namespace
}  // namespace kvs
