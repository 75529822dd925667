#include "core/sync.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/sync_fixture.h"

namespace kvs {
namespace {

// --- the ways

TEST_F(SyncTest, TwoEqualNodesFindOutInOneRoundTrip) {
  begin();
  answer();
  EXPECT_FALSE(asked_);
  EXPECT_EQ(sessions().equal, 1U);
}

TEST_F(SyncTest, EqualNodesThatKnowItTellEachOtherNoRecords) {
  here_.put(kWall, "a");
  here_.settle();
  begin();
  EXPECT_EQ(asked<Hello>()->latest.size(), 1U) << "nothing is known of the other node yet";
  answer_all();
  expect_equal();
  Member member = there_member();
  member.digest = there_.holdings().digest();
  set_view({member});
  pass(Duration::from_seconds(301));
  ASSERT_NE(asked<Hello>(), nullptr);
  EXPECT_TRUE(asked<Hello>()->latest.empty());
}

TEST_F(SyncTest, TheFirstExchangeComesSoonTheNextAfterTheInterval) {
  begin();
  answer();
  pass(Duration::from_seconds(290));
  EXPECT_FALSE(asked_);
  pass(Duration::from_seconds(11));
  EXPECT_NE(asked<Hello>(), nullptr);
}

TEST_F(SyncTest, JournalsBringWhatIsMissingEachWay) {
  for (int i = 0; i < 40; ++i) {  // more than a greeting bears
    here_.put(kWall, fmt::format("here/{}", i));
    there_.put(kWall, fmt::format("there/{}", i));
  }
  here_.settle();
  there_.settle();
  begin();
  answer_all();
  EXPECT_EQ(sessions().delta, 1U);
  expect_equal();
}

/// K is emptied by damage, and the node keeps what is sound: nobody's K tells of it.
TEST_F(SyncTest, ARegularExchangeBringsWhatNoKTellsOf) {
  there_.put(kWall, "kept");
  there_.settle();
  there_.restart();  // no journal tells of it
  there_.replica().forget_knowledge();
  here_.put(kWall, "new");
  here_.settle();
  there_.settle();
  begin();
  answer_all();
  EXPECT_TRUE(here_.held("kept"));
  EXPECT_TRUE(there_.held("new"));
  EXPECT_EQ(sessions().reconciled, 1U);
}

TEST_F(SyncTest, WhatNoJournalTellsIsReconciled) {
  differ(40);
  begin();
  answer_all();
  EXPECT_EQ(sessions().reconciled, 1U);
  expect_equal();
}

TEST_F(SyncTest, EqualKAndDifferentRecordsAreADivergence) {
  there_.put(kWall, "a");
  there_.settle();
  begin();
  answer_all();
  expect_equal();
  // Somebody took "a" away behind the node's back, and the sums know.
  there_.replica().collect({.path = "a", .header = *there_.held("a")}, there_.open());
  there_.settle();
  pass(Duration::from_seconds(301));
  answer_all();
  EXPECT_EQ(sync_.stats().divergences, 1U);
  expect_equal();
}

TEST_F(SyncTest, TheReportOfAPeersKIsPassedOn) {
  there_.put(kWall, "a");
  there_.settle();
  begin();
  const Knowledge theirs = there_.known();
  answer();
  const auto report = sync_.take_report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->peer, there_.instance());
  EXPECT_EQ(report->knowledge, theirs);
  EXPECT_FALSE(sync_.take_report());
}

// --- failures

using Break = PeerReturn;

/// Every way in which a call can come back wrong.
std::vector<PeerReturn> breaks() {
  return {{.failure = PeerReturn::Failure::refused_connection},
          {.failure = PeerReturn::Failure::timed_out},
          {.failure = PeerReturn::Failure::garbled},
          {.answer = Refused{.code = Errc::io_error, .detail = {}}},
          {.answer = Refused{.code = Errc::version_mismatch, .detail = {}}},
          {.answer = Refused{.code = Errc::corrupt_data, .detail = {}}},
          {.answer = Pong{}},
          {.answer = Fetched{.records = {}, .cut = true}},
          {.answer = Compared{.begin = "x", .ranges = {}}}};
}

class SyncFailures : public SyncTest, public testing::WithParamInterface<int> {};

TEST_P(SyncFailures, AnExchangeThatBreaksOffAnywhereIsMadeUpForByTheNext) {
  const auto broken = breaks()[static_cast<std::size_t>(GetParam()) % breaks().size()];
  const int at = GetParam() / static_cast<int>(breaks().size());
  differ(40);
  begin();
  answer_all(at);
  ASSERT_TRUE(asked_) << "the exchange has more calls than that";
  give_back(broken);
  EXPECT_FALSE(asked_);
  EXPECT_EQ(sessions().failed, 1U);
  EXPECT_FALSE(here_.known().covers(there_.known())) << "nothing was joined";
  EXPECT_FALSE(here_.known().empty()) << "damage elsewhere is none here";
  pass(Duration::from_seconds(301));
  answer_all();
  expect_equal();
}

TEST_F(SyncTest, APeerIsAskedByHashesOnlyIfItsRowSaysThatItReadsThem) {
  for (const std::uint64_t features : {std::uint64_t{0}, kFeatureShortHashes}) {
    there_.features = features;
    set_view({there_member()});
    differ();
    begin();
    bool hashes = false;
    bool compared = false;
    for (; asked_; answer()) {
      if (const Compare* const compare = asked<Compare>()) {
        compared = true;
        const auto& ranges = compare->ranges;
        hashes = hashes || std::ranges::find(ranges, PathRange::Kind::hashes, &PathRange::kind) !=
                               ranges.end();
      }
    }
    EXPECT_TRUE(compared);
    EXPECT_EQ(hashes, features != 0);
    expect_equal();
  }
}

// Hello, AskDelta, Compare twice, Fetch, Settle, Finish.
INSTANTIATE_TEST_SUITE_P(AtEveryCall, SyncFailures, testing::Range(0, 6 * 9));

TEST_F(SyncTest, ALateAnswerIsIgnored) {
  differ();
  begin();
  const CallId late = asked_->id;
  give_back({.failure = PeerReturn::Failure::timed_out});
  const PeerAnswer answer = there_.answer(Hello{}, {});
  sync_.returned(now_, {.id = late, .answer = answer}, {}, here_.open());
  commit();
  EXPECT_FALSE(asked_);
}

TEST_F(SyncTest, AnExchangeDoesNotOutliveDamageHere) {
  differ();
  begin();
  answer();
  here_.store().damage("here/1", Errc::corrupt_data);
  here_.holdings().found_damage("here/1");
  answer();
  EXPECT_FALSE(asked_);
  EXPECT_EQ(sessions().failed, 1U);
  EXPECT_TRUE(here_.known().empty()) << "K stays given up";
}

TEST_F(SyncTest, DamageThatAnExchangeMeetsHereIsReported) {
  differ();
  begin();
  here_.store().damage("here/1", Errc::corrupt_data);
  answer_all();
  EXPECT_EQ(sessions().failed, 1U);
  EXPECT_EQ(here_.holdings().damage_count(), 1U);
  EXPECT_EQ(there_.headers().size(), 6U) << "nothing was dropped there";
}

TEST_F(SyncTest, AnExchangeDoesNotOutliveARestartOfThePeer) {
  differ(200);
  begin();
  answer_all(3);
  ASSERT_NE(asked<Compare>(), nullptr);
  there_.restart();
  answer();
  EXPECT_FALSE(asked_);
  EXPECT_EQ(sessions().failed, 1U);
}

TEST_F(SyncTest, AnExchangeDoesNotOutliveThisNodesIdentity) {
  differ();
  begin();
  answer_all(2);
  ASSERT_TRUE(asked_);
  const PeerSend late = *asked_;
  sync_.identity_replaced(now_, here_.open());
  EXPECT_EQ(sessions().failed, 1U);
  asked_.reset();
  sync_.returned(now_, {.id = late.id, .answer = Done{}}, {.from = there_.instance()},
                 here_.open());
  EXPECT_FALSE(here_.open().sends.size()) << "it does not go on";
  begin();
  answer_all();
  expect_equal();
}

TEST_F(SyncTest, AFailedCommitEndsTheExchange) {
  differ();
  begin();
  sync_.commit_failed(now_, here_.open());
  EXPECT_EQ(sessions().failed, 1U);
}

TEST_F(SyncTest, EachFurtherFailureIsWaitedForTwiceAsLong) {
  there_.put(kWall, "a");
  there_.settle();
  begin();
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 4; ++i) {
    sync_.heard(now_, there_.instance(), there_.holdings().digest());
    const Instant failed = now_.instant;
    give_back({.failure = PeerReturn::Failure::timed_out});
    pass(Duration::from_seconds(200));
    ASSERT_TRUE(asked_);
    waits.push_back((now_.instant - failed).ms());
  }
  EXPECT_GE(waits[1], 2000);
  EXPECT_GE(waits[2], 4000);
  EXPECT_GE(waits[3], 8000);
  EXPECT_LT(waits[3], 10'000);
}

TEST_F(SyncTest, AnAnswerIsWaitedForLongerAfterEachThatDidNotCome) {
  differ(40);
  begin();
  const Duration first = asked_->timeout;
  EXPECT_LE(first, kSecond) << "who is gone should not hold up an exchange with others";
  for (int i = 0; i < 6; ++i) {
    give_back({.failure = PeerReturn::Failure::timed_out});
    pass(Duration::from_seconds(301));
    ASSERT_TRUE(asked_);
  }
  EXPECT_EQ(asked_->timeout, SyncOptions{}.call_timeout);
  now_.instant = now_.instant + Duration::from_ms(700);
  answer();
  answer_all();
  expect_equal();
  pass(Duration::from_seconds(301));
  ASSERT_TRUE(asked_);
  EXPECT_EQ(asked_->timeout, Duration::from_ms(2800)) << "as long as it took, and some room";
}

// --- catch-up

TEST_F(SyncTest, AMemberThatIsMetAgainIsComparedAtOnce) {
  begin();
  answer();
  there_.put(kWall, "a");
  there_.settle();
  Member member = there_member();
  member.digest = there_.holdings().digest();
  sync_.met(now_, member, here_.open());
  pass(Duration::from_ms(1));
  ASSERT_NE(asked<Hello>(), nullptr) << "no push from it can be on its way";
  answer_all();
  expect_equal();
}

TEST_F(SyncTest, AGreetingThatWasLostIsNotWaitedForWhenItsPeerIsMetAgain) {
  there_.put(kWall, "a");
  there_.settle();
  begin();
  now_.instant = now_.instant + Duration::from_ms(600);
  asked_.reset();
  Member member = there_member();
  member.digest = there_.holdings().digest();
  sync_.met(now_, member, here_.open());
  EXPECT_EQ(sessions().failed, 1U);
  pass(Duration::from_ms(1));
  ASSERT_NE(asked<Hello>(), nullptr);
  answer_all();
  expect_equal();
}

TEST_F(SyncTest, OneThatHasBecomeEqualMeanwhileSaysNothingOfOthersThatAreMetAgain) {
  begin();
  answer();
  there_.put(kWall, "a");
  there_.settle();
  std::vector<Member> met{there_member()};
  met.front().digest = there_.holdings().digest();
  met.front().digest.seq = 0;  // what it holds others wrote
  for (std::uint64_t i = 0; i < 8; ++i) {
    Member& member = met.emplace_back(there_member());
    member.instance = Instance{100 + i};
    member.node_id = "equal by now";
    member.digest = here_.holdings().digest();
    member.digest.knowledge_hash += 1;
  }
  set_view(met);
  for (const Member& member : met) {
    sync_.met(now_, member, here_.open());
  }
  int equal = 0;
  const Instant end = now_.instant + Duration::from_seconds(3);
  while (here_.known() != there_.known() && now_.instant < end) {
    pass(end - now_.instant);
    ASSERT_NE(asked<Hello>(), nullptr);
    if (asked_->envelope.receiver == there_.instance()) {
      answer_all();
    } else {
      ++equal;
      give(Greeting{.digest = here_.holdings().digest()});
    }
  }
  EXPECT_GT(equal, 0) << "or this shows nothing";
  expect_equal();
}

TEST_F(SyncTest, ANewNodeThatIsMetIsLeftToFetch) {
  begin();
  answer();
  here_.put(kWall, "a");
  here_.settle();
  Member member = there_member();
  member.mode = Mode::syncing;
  sync_.met(now_, member, here_.open());
  pass(Duration::from_ms(900));
  EXPECT_FALSE(asked_);
}

TEST_F(SyncTest, ANodeThatIsBehindForLongerThanPushesTakeCatchesUp) {
  begin();
  answer();
  there_.put(kWall, "a");
  there_.settle();
  sync_.heard(now_, there_.instance(), there_.holdings().digest());
  EXPECT_TRUE(sync_.behind());
  pass(Duration::from_ms(900));
  EXPECT_FALSE(asked_) << "a push may be on its way";
  pass(kSecond);
  ASSERT_NE(asked<Hello>(), nullptr);
  answer_all();
  EXPECT_EQ(sessions(SyncKind::catch_up).delta, 1U);
  expect_equal();
  pass(Duration::from_seconds(2));
  EXPECT_FALSE(sync_.behind());
}

TEST_F(SyncTest, WhatCameMeanwhileIsNoLag) {
  begin();
  answer();
  there_.put(kWall, "a");
  there_.settle();
  sync_.heard(now_, there_.instance(), there_.holdings().digest());
  here_.take(there_.record("a"));
  here_.settle();
  pass(Duration::from_seconds(5));
  EXPECT_FALSE(asked_);
}

TEST_F(SyncTest, AnExchangeThatBroughtNothingIsNotRepeatedAtOnce) {
  // Tied for good: K cannot become equal.
  here_.put(kWall, "a", "1");
  here_.settle();
  there_.put(kWall, "a", "2");
  there_.settle();
  begin();
  answer_all();
  sync_.heard(now_, there_.instance(), there_.holdings().digest());
  int exchanges = 0;
  const Instant end = now_.instant + Duration::from_seconds(100);
  while (now_.instant < end) {
    sync_.heard(now_, there_.instance(), there_.holdings().digest());
    pass(kSecond);
    exchanges += asked_ ? 1 : 0;
    answer_all();
  }
  EXPECT_LE(exchanges, 3);
}

// --- doubted drops

class SyncDoubts : public SyncTest {
 protected:
  static constexpr int kRecords = 1200;

  /// All that both had is gone over there, without a tombstone left.
  void lose_everything_there() {
    for (int i = 0; i < kRecords; ++i) {
      there_.put(kWall, fmt::format("key/{}", i));
    }
    there_.settle();
    ExchangeSession session(here_, there_);
    ASSERT_EQ(run_exchange(session), ExchangeSession::State::complete);
    for (const auto& [path, header] : there_.headers()) {
      there_.replica().collect({.path = path, .header = header}, there_.open());
    }
    there_.settle();
    ASSERT_TRUE(there_.headers().empty());
  }
};

TEST_F(SyncDoubts, MassDropsAreCountedByBothBeforeTheyHappen) {
  lose_everything_there();
  begin();
  EXPECT_FALSE(asked<Hello>()->recount);
  answer_all();
  EXPECT_EQ(sync_.stats().drops_doubted, 1U);
  EXPECT_EQ(here_.headers().size(), std::size_t{kRecords});
  pass(Duration::from_seconds(301));
  ASSERT_NE(asked<Hello>(), nullptr);
  EXPECT_TRUE(asked<Hello>()->recount) << "the peer may be the one that lost records";
  answer_all();
  pass(Duration::from_seconds(301));
  ASSERT_NE(asked<Hello>(), nullptr);
  EXPECT_FALSE(asked<Hello>()->recount);
  answer_all();
  EXPECT_TRUE(here_.headers().empty()) << "both have counted: it is so";
  EXPECT_EQ(sync_.stats().drops_doubted, 1U);
}

TEST_F(SyncDoubts, APeerThatLostRecordsUnnoticedGetsThemBack) {
  for (int i = 0; i < kRecords; ++i) {
    there_.put(kWall, fmt::format("key/{:04}", i));
  }
  there_.settle();
  ExchangeSession session(here_, there_);
  ASSERT_EQ(run_exchange(session), ExchangeSession::State::complete);
  // Its disk lost most of them. The sums do not know; that some were written anew brings it to
  // light.
  for (int i = 0; i < kRecords; ++i) {
    const std::string path = fmt::format("key/{:04}", i);
    if (i % 16 == 0) {
      there_.put(kWall, path, "2");
    } else {
      there_.store().erase(path);
    }
  }
  there_.settle();
  // No journal tells of a write that was replaced elsewhere: the two have to compare.
  ExchangeNode third(9);
  third.put(kWall, "third");
  third.put(kWall, "third");
  third.settle();
  ExchangeSession with_third(there_, third);
  ASSERT_EQ(run_exchange(with_third), ExchangeSession::State::complete);
  begin();
  answer_all();
  for (int i = 0; i < 3; ++i) {
    pass(Duration::from_seconds(301));
    answer_all();
  }
  EXPECT_EQ(sync_.stats().drops_doubted, 1U);
  EXPECT_EQ(here_.headers().size(), std::size_t{kRecords} + 1) << "what was lost there stays here";
  EXPECT_EQ(here_.headers(), there_.headers());
}

// --- bootstrap

class SyncBootstrap : public SyncTest {
 protected:
  void fill_there(int records) {
    for (int i = 0; i < records; ++i) {
      there_.put(kWall, fmt::format("key/{:04}", i), std::string(10'000, 'x'));
    }
    there_.settle();
  }
};

TEST_F(SyncBootstrap, ANewNodeFetchesPagesAndThenReconcilesTheRest) {
  fill_there(100);
  sync_.start(now_, Sync::Fill::none);
  pass(kSecond);
  ASSERT_NE(asked<AskPage>(), nullptr);
  EXPECT_EQ(sync_.fill(), Sync::Fill::paging);
  int pages = 0;
  while (asked<AskPage>() != nullptr) {
    EXPECT_LE(asked<AskPage>()->bytes_max, std::uint32_t{1} << 20U);
    answer();
    ++pages;
    pass(kSecond);
  }
  EXPECT_GT(pages, 2);
  EXPECT_EQ(sync_.fill(), Sync::Fill::recent);
  answer_all();
  EXPECT_EQ(sync_.fill(), Sync::Fill::complete);
  expect_equal();
}

TEST_F(SyncBootstrap, BetweenFetchesAndPagesItPauses) {
  fill_there(300);
  sync_.start(now_, Sync::Fill::none);
  pass(kSecond);
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 4; ++i) {
    ASSERT_NE(asked<AskPage>(), nullptr);
    const Instant before = now_.instant;
    answer();
    EXPECT_FALSE(asked_);
    pass(kSecond);
    pauses.push_back((now_.instant - before).ms());
  }
  EXPECT_EQ(pauses, (std::vector<std::int64_t>{50, 50, 50, 100}));
}

TEST_F(SyncBootstrap, ABrokenBootstrapGoesOnWhereItStood) {
  fill_there(100);
  sync_.start(now_, Sync::Fill::none);
  pass(kSecond);
  answer();
  pass(kSecond);
  ASSERT_NE(asked<AskPage>(), nullptr);
  const std::string after = asked<AskPage>()->after;
  EXPECT_NE(after, "");
  give_back({.failure = PeerReturn::Failure::timed_out});
  EXPECT_EQ(sync_.fill(), Sync::Fill::none);
  pass(Duration::from_seconds(3));
  ASSERT_NE(asked<AskPage>(), nullptr);
  EXPECT_EQ(asked<AskPage>()->after, after);
}

TEST_F(SyncBootstrap, APageThatDoesNotAdvanceEndsThePaging) {
  sync_.start(now_, Sync::Fill::none);
  pass(kSecond);
  give(Page{.records = {}, .next = ""});
  EXPECT_NE(asked<Hello>(), nullptr) << "it does not ask for the same page for ever";
}

TEST_F(SyncBootstrap, AMemberThatIsNewItselfIsNoDonor) {
  Member newcomer = there_member();
  newcomer.mode = Mode::syncing;
  newcomer.joined_ms = 1;
  set_view({newcomer});
  sync_.start(now_, Sync::Fill::none);
  pass(Duration::from_seconds(30));
  EXPECT_FALSE(asked_);
  EXPECT_EQ(sync_.fill(), Sync::Fill::none) << "the elder one begins";
}

TEST_F(SyncBootstrap, OfNewNodesTheEldestBegins) {
  Member newcomer = there_member();
  newcomer.mode = Mode::syncing;
  newcomer.joined_ms = 9;
  set_view({newcomer});
  sync_.start(now_, Sync::Fill::none);
  pass(Duration::from_seconds(2));
  EXPECT_EQ(sync_.fill(), Sync::Fill::complete);
}

TEST_F(SyncBootstrap, WhoIsAloneWaitsForItsSeeds) {
  set_view({});
  sync_.start(now_, Sync::Fill::none);
  pass(Duration::from_seconds(59));
  EXPECT_EQ(sync_.fill(), Sync::Fill::none);
  pass(Duration::from_seconds(2));
  EXPECT_EQ(sync_.fill(), Sync::Fill::recent);
}

TEST_F(SyncBootstrap, WhoIsAloneWithDataOfItsOwnWaitsForLess) {
  here_.put(kWall, "a");
  here_.settle();
  set_view({});
  sync_.start(now_, Sync::Fill::none);
  pass(Duration::from_seconds(9));
  EXPECT_EQ(sync_.fill(), Sync::Fill::none);
  pass(Duration::from_seconds(2));
  EXPECT_EQ(sync_.fill(), Sync::Fill::recent);
}

}  // namespace
}  // namespace kvs
