#include "core/reconciliation.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/exchange_node.h"

namespace kvs {
namespace {

using State = ExchangeSession::State;

constexpr WallTime kWall{1'000'000};

WallTime later(std::int64_t ms) {
  return {kWall.ms + ms};
}

/// Two nodes; exchanges begin here.
class ReconciliationTest : public testing::Test {
 protected:
  State exchange() {
    ExchangeSession session(here_, there_);
    return run_exchange(session);
  }

  /// Both hold "a", and cover it.
  void share() {
    here_.put(kWall, "a");
    here_.settle();
    ASSERT_EQ(exchange(), State::complete);
  }

  /// Until an `Awaited` is about to be answered; the session is left there.
  template <class Awaited>
  void run_until(ExchangeSession& session) {
    while (
        session.state() == State::going &&
        (session.requests.empty() || !std::holds_alternative<Awaited>(session.requests.back()))) {
      session.step({});
      session.to()->settle();
      session.from()->settle();
    }
  }

  void expect_equal() {
    EXPECT_EQ(here_.headers(), there_.headers());
    EXPECT_EQ(here_.known(), there_.known());
  }

  ExchangeNode here_{1};
  ExchangeNode there_{2};
};

// --- the rule of exchange

TEST_F(ReconciliationTest, WhatTheOtherNeverSawIsGivenAndTaken) {
  here_.put(kWall, "mine");
  there_.put(kWall, "theirs");
  here_.settle();
  there_.settle();
  EXPECT_EQ(exchange(), State::complete);
  EXPECT_EQ(here_.headers().size(), 2U);
  expect_equal();
}

TEST_F(ReconciliationTest, OfTwoSurvivorsTheNewerStaysOnBothSides) {
  for (const std::int64_t ms : {-1, 1}) {
    const std::string path = fmt::format("a{}", ms);
    here_.put(kWall, path, "mine");
    there_.put(later(ms), path, "theirs");
    here_.settle();
    there_.settle();
    EXPECT_EQ(exchange(), State::complete);
    EXPECT_EQ(here_.record(path).record.value, ms < 0 ? "mine" : "theirs");
    expect_equal();
  }
}

TEST_F(ReconciliationTest, WhatTheOtherCoversAndDoesNotHoldIsDropped) {
  share();
  there_.replica().collect({.path = "a", .header = *there_.held("a")}, there_.open());
  there_.settle();
  EXPECT_EQ(exchange(), State::complete);
  EXPECT_TRUE(here_.headers().empty());
}

TEST_F(ReconciliationTest, AndTheOtherWayRound) {
  share();
  here_.replica().collect({.path = "a", .header = *here_.held("a")}, here_.open());
  here_.settle();
  EXPECT_EQ(exchange(), State::complete);
  EXPECT_TRUE(there_.headers().empty());
}

TEST_F(ReconciliationTest, ADeletionThatWasCollectedDoesNotComeUndone) {
  share();
  here_.del(later(1), "a");
  here_.settle();
  here_.replica().collect({.path = "a", .header = *here_.held("a")}, here_.open());
  here_.settle();
  EXPECT_EQ(exchange(), State::complete);
  EXPECT_TRUE(here_.headers().empty());
  expect_equal();
}

TEST_F(ReconciliationTest, AReplacedRecordIsReadUntilTheNewOneIsThere) {
  share();
  there_.put(later(1), "a", "2");
  there_.settle();
  ExchangeSession session(here_, there_);
  while (session.state() == State::going) {
    session.step({});
    there_.settle();
    here_.settle();
    EXPECT_TRUE(here_.held("a"));
  }
  expect_equal();
}

TEST_F(ReconciliationTest, AReplacedRecordGoesThoughTheNewerOneIsGoneBeforeItCrosses) {
  for (const bool newer_here : {false, true}) {
    share();
    ExchangeNode& newer = newer_here ? here_ : there_;
    newer.del(later(1), "a");
    newer.settle();
    ExchangeSession session(here_, there_);
    run_until<Compare>(session);
    session.step({});  // the answer is taken: the deletion is to cross
    newer.replica().collect({.path = "a", .header = *newer.held("a")}, newer.open());
    newer.settle();
    EXPECT_EQ(run_exchange(session), State::complete);
    expect_equal();
    EXPECT_TRUE(here_.headers().empty());
  }
}

TEST_F(ReconciliationTest, TiedVersionsBothStayAndNeitherIsCovered) {
  here_.put(kWall, "a", "1");
  there_.put(kWall, "a", "2");
  here_.settle();
  there_.settle();
  EXPECT_EQ(exchange(), State::complete);
  EXPECT_EQ(here_.record("a").record.value, "1");
  EXPECT_EQ(there_.record("a").record.value, "2");
  EXPECT_FALSE(here_.known().covers(there_.held("a")->version.dot));
  EXPECT_FALSE(there_.known().covers(here_.held("a")->version.dot));
  EXPECT_EQ(here_.replica().take_ties().size(), 1U);
  EXPECT_EQ(there_.replica().take_ties().size(), 1U);
}

TEST_F(ReconciliationTest, ATieThatWasSettledAndForgottenElsewhereEndsHereToo) {
  here_.put(kWall, "a", "1");
  here_.del(kWall, "a");
  there_.put(kWall, "a", "2");
  there_.put(kWall, "a", "3");
  here_.settle();
  there_.settle();
  ASSERT_EQ(here_.held("a")->version.stamp, there_.held("a")->version.stamp);
  ASSERT_EQ(exchange(), State::complete);
  // Over there a deletion ends it, and is collected.
  there_.del(later(9), "a");
  there_.settle();
  there_.replica().collect({.path = "a", .header = *there_.held("a")}, there_.open());
  there_.settle();
  ASSERT_EQ(exchange(), State::complete);
  EXPECT_TRUE(here_.headers().empty()) << "the tombstone waits for the join, and the join for it";
  expect_equal();
}

// --- tombstones and the end

TEST_F(ReconciliationTest, NothingIsDroppedBeforeTheJoin) {
  share();
  here_.put(kWall, "live");
  here_.del(later(1), "a");
  here_.settle();
  ASSERT_EQ(exchange(), State::complete);
  for (const char* path : {"a", "live"}) {
    there_.replica().collect({.path = path, .header = *there_.held(path)}, there_.open());
  }
  there_.put(later(2), "b");
  there_.settle();
  ExchangeSession session(here_, there_);
  run_until<Finish>(session);
  EXPECT_TRUE(here_.held("a")) << "if it breaks off now, nothing has happened";
  EXPECT_TRUE(here_.held("live"));
  EXPECT_EQ(run_exchange(session), State::complete);
  EXPECT_FALSE(here_.held("a"));
  EXPECT_FALSE(here_.held("live"));
  expect_equal();
}

/// A push of this version that comes after its deletion was collected.
PeerRecord late_push(std::string_view path) {
  ExchangeNode third(3);
  third.put(kWall, path, "late");
  third.settle();
  return third.record(std::string(path));
}

TEST_F(ReconciliationTest, AnOlderVersionThatComesDuringTheExchangeFindsTheDeadRecordInItsPlace) {
  const PeerRecord late = late_push("a");
  here_.put(later(1), "a");
  here_.settle();
  ASSERT_EQ(exchange(), State::complete);
  // Over there all of it was seen, deleted and collected.
  there_.take(late);
  there_.del(later(2), "a");
  there_.settle();
  there_.replica().collect({.path = "a", .header = *there_.held("a")}, there_.open());
  there_.settle();
  ASSERT_TRUE(there_.known().covers(late.record.header.version.dot));
  for (const bool begins : {true, false}) {
    ExchangeNode node(begins ? 4 : 5);
    ExchangeSession first(node, here_);
    ASSERT_EQ(run_exchange(first), State::complete);
    ExchangeSession session(begins ? node : there_, begins ? there_ : node);
    while (session.state() == State::going) {
      session.step({});
      session.to()->settle();
      session.from()->settle();
      node.take(late);
      node.settle();
      const auto held = node.held("a");
      EXPECT_TRUE(!held || held->version > late.record.header.version);
    }
    EXPECT_EQ(session.state(), State::complete);
    EXPECT_TRUE(node.headers().empty());
  }
}

TEST_F(ReconciliationTest, WhatIsLearntDuringTheExchangeKillsNothingOverThere) {
  const PeerRecord theirs = late_push("a");
  there_.take(theirs);
  there_.settle();
  here_.put(later(1), "b");
  here_.settle();
  ExchangeSession session(here_, there_);
  session.step({});  // the greeting
  session.step({});
  // An exchange with a third node tells that "a" was deleted and collected.
  Knowledge third;
  third.add(theirs.record.header.version.dot);
  third.add(Dot{.origin = Origin{9}, .seq = 1});
  ASSERT_TRUE(here_.join(third));
  here_.settle();
  EXPECT_EQ(run_exchange(session), State::complete);
  EXPECT_TRUE(there_.held("a")) << "K of the start does not cover it, nor what is older";
  EXPECT_EQ(exchange(), State::complete);
  EXPECT_FALSE(there_.held("a"));
  expect_equal();
}

TEST_F(ReconciliationTest, AnExchangeThatBreaksOffJoinsNothing) {
  here_.put(kWall, "a");
  here_.put(later(1), "a");
  here_.settle();
  const Dot replaced{.origin = here_.held("a")->version.dot.origin, .seq = 1};
  ExchangeSession session(here_, there_);
  run_until<Finish>(session);
  session.refuse();
  session.step({});
  EXPECT_EQ(session.state(), State::broken);
  EXPECT_TRUE(there_.held("a"));
  ExchangeSession again(there_, here_);
  EXPECT_EQ(run_exchange(again), State::complete);
  EXPECT_TRUE(there_.known().covers(replaced));
}

TEST_F(ReconciliationTest, ManyDropsOnEitherSideEndInSeveralMessages) {
  constexpr int kItems = 12'000;
  for (int i = 0; i < kItems; ++i) {
    const std::string path = fmt::format("a/rather/long/path/to/fill/messages/{:08}", i);
    here_.put(kWall, path);
    if (i % 2 == 0) {
      here_.del(kWall, path);
    }
  }
  here_.settle();
  ASSERT_EQ(exchange(), State::complete);
  ExchangeNode third(3);
  ExchangeSession with_third(third, here_);
  ASSERT_EQ(run_exchange(with_third), State::complete);
  for (const auto& [path, header] : here_.headers()) {
    here_.replica().collect({.path = path, .header = header}, here_.open());
  }
  here_.settle();
  ExchangeSession given(here_, there_);
  ASSERT_EQ(run_exchange(given), State::complete);
  EXPECT_TRUE(there_.headers().empty());
  ExchangeSession taken(third, here_);
  ASSERT_EQ(run_exchange(taken), State::complete);
  EXPECT_TRUE(third.headers().empty());
  for (const ExchangeSession* session : {&given, &taken}) {
    EXPECT_GT(std::ranges::count_if(
                  session->requests,
                  [](const PeerRequest& asked) { return std::holds_alternative<Finish>(asked); }),
              1);
  }
}

TEST_F(ReconciliationTest, MoreOfTheDeadThanAreRememberedAreLeftToTheNextExchange) {
  constexpr std::uint64_t kItems = ReconciliationLimits{}.dead_max + 1;
  Knowledge mine;
  mine.add(DotRange{.origin = Origin{1}, .first = 1, .last = kItems});
  Reconciliation room({.source = here_.holdings().source(), .replica = here_.replica()},
                      {.peer_run = 1, .mine = mine, .theirs = {}, .drops_confirmed = true});
  ASSERT_TRUE(room.next());
  PathRange all{.end = "", .kind = PathRange::Kind::items};
  for (std::uint64_t seq = 1; seq <= kItems; ++seq) {
    all.items.push_back(
        {.path = fmt::format("{:06}", seq),
         .header = {.version = MemoryStore::version_of(seq), .kind = RecordKind::value}});
  }
  const PeerAnswer listing = Compared{.begin = "", .ranges = {std::move(all)}};
  ASSERT_TRUE(room.answered(listing, {}, here_.open()));
  std::size_t dropped = 0;
  while (!room.complete()) {
    dropped += std::get<Finish>(**room.next()).drops.size();
    ASSERT_TRUE(room.answered(Done{}, {}, here_.open()));
  }
  EXPECT_EQ(dropped, ReconciliationLimits{}.dead_max);
  EXPECT_EQ(room.figures().drops_left, 1U);
}

// --- sizes

TEST_F(ReconciliationTest, WhatIsLargeCrossesInSeveralMessages) {
  for (int i = 0; i < 5; ++i) {
    here_.put(kWall, fmt::format("mine/{}", i), std::string(400'000, 'm'));
    there_.put(kWall, fmt::format("theirs/{}", i), std::string(400'000, 't'));
  }
  here_.settle();
  there_.settle();
  EXPECT_EQ(exchange(), State::complete);
  expect_equal();
}

TEST_F(ReconciliationTest, MoreThanOneFetchBearsIsFetchedInSeveral) {
  for (int i = 0; i < 15'000; ++i) {
    there_.put(kWall, fmt::format("key/{}", i));
  }
  there_.settle();
  ExchangeSession session(here_, there_);
  EXPECT_EQ(run_exchange(session), State::complete);
  EXPECT_GT(std::ranges::count_if(
                session.requests,
                [](const PeerRequest& request) { return std::holds_alternative<Fetch>(request); }),
            1);
  EXPECT_EQ(here_.headers().size(), 15'000U);
  expect_equal();
}

// --- by hashes

/// Two versions of one path whose short hashes are the same.
std::pair<RecordHeader, RecordHeader> colliding_versions(std::string_view path) {
  std::map<ShortHash, RecordHeader> mine;
  for (std::uint64_t seq = 1;; ++seq) {
    RecordHeader header{.version = MemoryStore::version_of(seq), .kind = RecordKind::value};
    const auto [same, is_new] = mine.emplace(short_hash(fingerprint_of(path, header)), header);
    if (!is_new) {
      return {same->second, header};
    }
  }
}

TEST_F(ReconciliationTest, ADifferenceThatShortHashesHideIsFound) {
  const auto [older, newer] = colliding_versions("a");
  here_.store().set("a", {.header = older, .value = "older"});
  there_.store().set("a", {.header = newer, .value = "newer"});
  for (ExchangeNode* node : {&here_, &there_}) {
    const Dot dot = node->held("a")->version.dot;
    node->recovered().knowledge.add(dot);
    node->restart();
  }
  EXPECT_EQ(exchange(), State::complete);
  EXPECT_EQ(here_.record("a").record.value, "newer");
  expect_equal();
}

/// True if any of a message's ranges is of a kind that earlier nodes do not know.
template <class Message>
bool speaks_of_hashes(const std::vector<Message>& messages) {
  const auto is_new = [](const PathRange& range) {
    return range.kind == PathRange::Kind::hashes || range.kind == PathRange::Kind::difference;
  };
  return std::ranges::any_of(messages, [&](const Message& message) {
    return std::visit(
        [&](const auto& each) {
          if constexpr (requires { each.ranges; }) {
            return std::ranges::any_of(each.ranges, is_new);
          } else {
            return false;
          }
        },
        message);
  });
}

class ReconciliationWithAPeer : public ReconciliationTest,
                                public testing::WithParamInterface<std::uint64_t> {};

TEST_P(ReconciliationWithAPeer, ThatReadsNoHashesOrDoesFindsTheSame) {
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 1000; i += round == 0 ? 1 : 37) {
      (i % 3 == 0 ? here_ : there_).put(later(round), fmt::format("key/{:03}", i));
    }
    here_.settle();
    there_.settle();
    there_.features = GetParam();
    ExchangeSession session(here_, there_);
    EXPECT_EQ(run_exchange(session), State::complete);
    const bool reads = (GetParam() & kFeatureShortHashes) != 0;
    EXPECT_EQ(speaks_of_hashes(session.requests), reads) << round;
    EXPECT_EQ(speaks_of_hashes(session.replies), reads) << round;
    EXPECT_EQ(here_.headers().size(), 1000U);
    expect_equal();
  }
}

INSTANTIATE_TEST_SUITE_P(Features, ReconciliationWithAPeer,
                         testing::Values(0, kFeatureZstd, kFeatureZstd | kFeatureShortHashes));

TEST_F(ReconciliationTest, WhatIsWrittenWhileARangeIsComparedIsNotTakenForEqual) {
  share();
  there_.put(kWall, "b", "theirs");
  there_.settle();
  ExchangeSession session(here_, there_);
  run_until<Compare>(session);
  here_.put(later(1), "a", "new");
  here_.settle();
  EXPECT_EQ(run_exchange(session), State::complete);
  EXPECT_EQ(here_.record("b").record.value, "theirs");
  EXPECT_EQ(there_.record("a").record.value, "new") << "the range was looked at again";
}

TEST_F(ReconciliationTest, TheRestOfAQuestionIsAskedAgain) {
  for (int i = 0; i < 1'000; ++i) {
    here_.put(kWall, fmt::format("key/{:03}", i));
  }
  here_.settle();
  Reconciliation room({.source = here_.holdings().source(), .replica = here_.replica()},
                      {.peer_run = 1, .mine = here_.known(), .theirs = {}});
  const Compare first = std::get<Compare>(**room.next());
  ASSERT_GT(first.ranges.size(), 4U);
  const PeerAnswer part = Compared{
      .begin = "", .ranges = {{.end = first.ranges[2].end, .kind = PathRange::Kind::skip}}};
  ASSERT_TRUE(room.answered(part, {}, here_.open()));
  const Compare again = std::get<Compare>(**room.next());
  EXPECT_EQ(again.begin, first.ranges[2].end);
  EXPECT_EQ(again.ranges, std::vector(first.ranges.begin() + 3, first.ranges.end()));
}

// --- doubt

TEST_F(ReconciliationTest, MassDropsAreDoubtedBeforeAnyTakesPlace) {
  for (int i = 0; i < 2'000; ++i) {
    here_.put(kWall, fmt::format("key/{}", i));
  }
  here_.settle();
  Reconciliation doubting({.source = here_.holdings().source(), .replica = here_.replica()},
                          {.peer_run = there_.holdings().run(),
                           .mine = here_.known(),
                           .theirs = here_.known(),
                           .drops_confirmed = false});
  for (int i = 0; i < 100; ++i) {
    const auto next = doubting.next();
    if (!next) {
      EXPECT_EQ(next.error().code, Errc::overloaded);
      here_.settle();
      EXPECT_EQ(here_.headers().size(), 2'000U);
      return;
    }
    const PeerAnswer answer = there_.answer(**next);
    ASSERT_TRUE(doubting.answered(answer, {}, here_.open()));
  }
  FAIL() << "it was not doubted";
}

// --- answers that make no sense

class ReconciliationNonsense : public ReconciliationTest {
 protected:
  ReconciliationNonsense() {
    for (int i = 0; i < 100; ++i) {
      here_.put(kWall, fmt::format("key/{:03}", i));
    }
    here_.settle();
  }

  /// What comes of an answer to the first request, a Compare.
  Errc outcome(const PeerAnswer& answer) {
    Reconciliation room({.source = here_.holdings().source(), .replica = here_.replica()},
                        {.peer_run = 1, .mine = here_.known(), .theirs = {}});
    const auto first = room.next();
    EXPECT_TRUE(first && *first && std::holds_alternative<Compare>(**first));
    const auto taken = room.answered(answer, {}, here_.open());
    EXPECT_FALSE(taken);
    EXPECT_FALSE(room.complete());
    return taken ? Errc{} : taken.error().code;
  }

  static PathRange range(std::string end, std::vector<PeerItem> items = {}) {
    return {.end = std::move(end),
            .kind = PathRange::Kind::items,
            .fingerprint = {},
            .items = std::move(items)};
  }

  static PeerItem item(std::string path) {
    return {.path = std::move(path), .header = {.version = MemoryStore::version_of(1), .kind = {}}};
  }
};

TEST_F(ReconciliationNonsense, IsRefusedWhateverItIs) {
  const PeerAnswer answers[] = {
      Done{},
      Fetched{},
      Compared{.begin = "", .ranges = {}},
      Compared{.begin = "x", .ranges = {range("")}},
      Compared{.begin = "", .ranges = {range("x")}},
      Compared{.begin = "", .ranges = {range("b"), range("a"), range("")}},
      Compared{.begin = "", .ranges = {range("b"), range("b"), range("")}},
      Compared{.begin = "", .ranges = {range(""), range("")}},
      Compared{.begin = "", .ranges = {range("b", {item("c")}), range("")}},
      Compared{.begin = "", .ranges = {range("b"), range("", {item("a")})}},
      Compared{.begin = "", .ranges = {range("", {item("b"), item("a")})}},
      Compared{.begin = "", .ranges = {{.end = "", .kind = PathRange::Kind::hashes}}},
      Compared{.begin = "",
               .ranges = {range("b"), {.end = "", .kind = PathRange::Kind::difference}}},
  };
  for (const PeerAnswer& answer : answers) {
    EXPECT_EQ(outcome(answer), Errc::bad_request) << (&answer - answers);
  }
}

TEST_F(ReconciliationNonsense, DamageOverThereIsNoneHere) {
  EXPECT_EQ(outcome(Refused{.code = Errc::corrupt_data, .detail = {}}), Errc::io_error);
  EXPECT_EQ(outcome(Refused{.code = Errc::syncing, .detail = {}}), Errc::syncing);
}

TEST_F(ReconciliationNonsense, DamageHereIsNamed) {
  ExchangeNode damaged(5);
  damaged.put(kWall, "a");
  damaged.settle();
  Reconciliation room({.source = damaged.holdings().source(), .replica = damaged.replica()},
                      {.peer_run = 1, .mine = {}, .theirs = {}});
  ASSERT_TRUE(room.next());
  damaged.store().damage("a", Errc::corrupt_data);
  const PeerAnswer listing = Compared{.begin = "", .ranges = {range("")}};
  const auto taken = room.answered(listing, {}, damaged.open());
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::corrupt_data);
  EXPECT_EQ(taken.error().detail, "a");
}

}  // namespace
}  // namespace kvs
