#include "core/sync_answers.h"

#include <gtest/gtest.h>

#include "support/exchange_node.h"

namespace kvs {
namespace {

constexpr WallTime kWall{1'000'000};

/// What a node answers to a peer that holds "a" too.
class SyncAnswersTest : public testing::Test {
 protected:
  SyncAnswersTest() {
    here_.put(kWall, "a");
    here_.settle();
    there_.put(kWall, "b", "theirs");
    there_.settle();
  }

  template <class Answer>
  Answer ask(PeerRequest request, const Replica::Terms& terms = {}) {
    PeerAnswer answer = here_.answer(std::move(request), terms);
    EXPECT_TRUE(std::holds_alternative<Answer>(answer)) << answer.index();
    return std::holds_alternative<Answer>(answer) ? std::get<Answer>(std::move(answer)) : Answer{};
  }

  [[nodiscard]] std::uint64_t run() { return here_.holdings().run(); }

  [[nodiscard]] PeerItem item(std::string_view path) const {
    return {.path = std::string(path), .header = *here_.held(path)};
  }

  ExchangeNode here_{1};
  ExchangeNode there_{2};
};

TEST_F(SyncAnswersTest, AGreetingBearsKOnlyWhereItDiffers) {
  const Greeting differs = ask<Greeting>(Hello{});
  ASSERT_TRUE(differs.knowledge);
  EXPECT_EQ(*differs.knowledge, here_.known());
  EXPECT_EQ(differs.latest.size(), 1U);
  const Greeting equal = ask<Greeting>(Hello{.digest = here_.holdings().digest()});
  EXPECT_FALSE(equal.knowledge);
}

TEST_F(SyncAnswersTest, AGreetingToAnEqualNodeBearsNoRecords) {
  Hello hello{.digest = here_.holdings().digest()};
  EXPECT_TRUE(ask<Greeting>(hello).latest.empty());
  hello.digest.root.low ^= 1U;
  EXPECT_EQ(ask<Greeting>(hello).latest.size(), 1U);
}

TEST_F(SyncAnswersTest, TheNewestRecordsOfAHelloAreTaken) {
  ask<Greeting>(Hello{.latest = {there_.record("b")}});
  here_.settle();
  EXPECT_TRUE(here_.held("b"));
}

TEST_F(SyncAnswersTest, TheClockLearnsFromAHelloWithinItsBound) {
  const Stamp bound = Stamp::from_ms(kWall.ms + 5);
  ask<Greeting>(Hello{.digest = {.newest = Stamp::from_ms(kWall.ms + 3)}},
                {.newest_allowed = bound});
  EXPECT_EQ(here_.replica().last_stamp(), Stamp::from_ms(kWall.ms + 3));
  ask<Greeting>(Hello{.digest = {.newest = Stamp::from_ms(kWall.ms + 99)}},
                {.newest_allowed = bound});
  EXPECT_EQ(here_.replica().last_stamp(), bound);
}

TEST_F(SyncAnswersTest, AHelloThatDoubtsMakesThisSideCountAnew) {
  // Lost without a trace: only a count can tell.
  here_.store().erase("a");
  const Greeting greeting = ask<Greeting>(Hello{.recount = true});
  EXPECT_FALSE(greeting.digest.counted);
  EXPECT_EQ(ask<Refused>(
                Compare{.run = run(),
                        .ranges = {PathRange{}, PathRange{.kind = PathRange::Kind::fingerprint}}})
                .code,
            Errc::syncing)
      << "nothing is compared until it has been counted";
  here_.count();
  EXPECT_TRUE(here_.known().empty()) << "nobody may drop what was lost here";
  EXPECT_NE(run(), greeting.digest.run);
}

TEST_F(SyncAnswersTest, WithoutDoubtNothingIsCountedAnew) {
  EXPECT_TRUE(ask<Greeting>(Hello{}).digest.counted);
}

TEST_F(SyncAnswersTest, AComparisonOfAnEarlierRunIsRefused) {
  EXPECT_EQ(ask<Refused>(Compare{.run = run() + 1}).code, Errc::version_mismatch);
}

TEST_F(SyncAnswersTest, DamageThatAComparisonMeetsEndsTheRun) {
  here_.store().damage("a", Errc::corrupt_data);
  const std::uint64_t before = run();
  const Compare compare{.run = before,
                        .ranges = {{.kind = PathRange::Kind::fingerprint, .fingerprint = {}}}};
  EXPECT_EQ(ask<Refused>(compare).code, Errc::version_mismatch);
  EXPECT_NE(run(), before);
  EXPECT_TRUE(here_.known().empty());
}

TEST_F(SyncAnswersTest, FetchedAreTheRecordsThatAreThere) {
  here_.put(kWall, "c", "3");
  here_.settle();
  const Fetched fetched = ask<Fetched>(Fetch{.paths = {"a", "b", "c"}});
  ASSERT_EQ(fetched.records.size(), 2U);
  EXPECT_EQ(fetched.records[0], here_.record("a"));
  EXPECT_EQ(fetched.records[1], here_.record("c"));
  EXPECT_FALSE(fetched.cut);
}

TEST_F(SyncAnswersTest, AFullAnswerIsCutBeforeTheRecordThatWouldOverfillIt) {
  const std::string large(700'000, 'x');
  here_.put(kWall, "c", large);
  here_.put(kWall, "d", large);
  here_.settle();
  const Fetched fetched = ask<Fetched>(Fetch{.paths = {"c", "d"}});
  EXPECT_EQ(fetched.records.size(), 1U);
  EXPECT_TRUE(fetched.cut);
}

TEST_F(SyncAnswersTest, ARecordLargerThanAnAnswerIsSentAlone) {
  here_.put(kWall, "c", std::string(2'000'000, 'x'));
  here_.settle();
  EXPECT_EQ(ask<Fetched>(Fetch{.paths = {"c", "a"}}).records.size(), 1U);
}

TEST_F(SyncAnswersTest, ADamagedRecordIsNotFetchedAndEmptiesK) {
  here_.store().damage("a", Errc::corrupt_data);
  EXPECT_EQ(ask<Refused>(Fetch{.paths = {"a"}}).code, Errc::corrupt_data);
  EXPECT_TRUE(here_.known().empty());
}

TEST_F(SyncAnswersTest, PagesComeInPathOrderAndEnd) {
  for (const char* path : {"b", "c", "d"}) {
    here_.put(kWall, path);
  }
  here_.settle();
  std::vector<std::string> paths;
  std::optional<std::string> after = "";
  for (int pages = 0; after && pages < 10; ++pages) {
    const Page page = ask<Page>(AskPage{.after = *after, .bytes_max = 1});
    for (const PeerRecord& record : page.records) {
      paths.push_back(record.path);
    }
    after = page.next;
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_FALSE(after);
}

TEST_F(SyncAnswersTest, APageHoldsNothingOlderThanAsked) {
  here_.put({kWall.ms + 100}, "new");
  here_.settle();
  const Page page = ask<Page>(
      AskPage{.after = "", .oldest = Stamp::from_ms(kWall.ms + 50), .bytes_max = 1'000'000});
  ASSERT_EQ(page.records.size(), 1U);
  EXPECT_EQ(page.records[0].path, "new");
}

TEST_F(SyncAnswersTest, WhatIsSettledIsTaken) {
  ask<Done>(Settle{.run = run(), .records = {there_.record("b")}});
  EXPECT_FALSE(here_.open().writes.empty()) << "the answer rests on this batch";
  here_.settle();
  EXPECT_TRUE(here_.held("b"));
}

TEST_F(SyncAnswersTest, TheEndJoinsAndDrops) {
  Knowledge knowledge = there_.known();
  knowledge.add(here_.held("a")->version.dot);
  ask<Done>(Finish{.run = run(), .knowledge = knowledge, .drops = {item("a")}});
  EXPECT_FALSE(here_.open().writes.empty()) << "the answer rests on this batch";
  here_.settle();
  EXPECT_FALSE(here_.held("a"));
  EXPECT_TRUE(here_.known().covers(knowledge));
}

// --- earlier nodes tell with a Settle which live records are dead

class SyncAnswersToEarlierNodes : public SyncAnswersTest {
 protected:
  void tell_dead(std::string_view path) {
    ask<Done>(Settle{.run = run(), .records = {}, .drops = {item(path)}}, kFromThere);
    here_.settle();
  }

  void finish(const Knowledge& knowledge, const Replica::Terms& terms = kFromThere) {
    ask<Done>(Finish{.run = run(), .knowledge = knowledge, .drops = {}}, terms);
    here_.settle();
  }

  static constexpr Replica::Terms kFromThere{.from = Instance{2}};
};

TEST_F(SyncAnswersToEarlierNodes, WhatTheyFoundDeadGoesWithTheJoin) {
  Knowledge knowledge = there_.known();
  knowledge.add(here_.held("a")->version.dot);
  tell_dead("a");
  EXPECT_TRUE(here_.held("a")) << "nothing would hold off what is older";
  finish(there_.known(), {.from = Instance{3}});
  EXPECT_TRUE(here_.held("a")) << "another one's exchange has ended";
  finish(knowledge);
  EXPECT_FALSE(here_.held("a"));
}

TEST_F(SyncAnswersToEarlierNodes, WhatTheJoinedKDoesNotCoverStays) {
  tell_dead("a");
  finish(there_.known());
  EXPECT_TRUE(here_.held("a"));
}

TEST_F(SyncAnswersToEarlierNodes, WhatABrokenExchangeFoundIsForgotten) {
  tell_dead("a");
  Knowledge knowledge = there_.known();
  knowledge.add(here_.held("a")->version.dot);
  ask<Greeting>(Hello{}, kFromThere);
  finish(knowledge);
  EXPECT_TRUE(here_.held("a"));
}

TEST_F(SyncAnswersToEarlierNodes, WhatHasChangedSinceIsSpared) {
  Knowledge knowledge;
  knowledge.add(here_.held("a")->version.dot);
  tell_dead("a");
  here_.put({kWall.ms + 1}, "a", "newer");
  here_.settle();
  finish(knowledge);
  EXPECT_TRUE(here_.held("a"));
}

TEST_F(SyncAnswersTest, ASettlementOfAnEarlierRunChangesNothing) {
  const Settle settle{.run = run() + 1, .records = {there_.record("b")}};
  EXPECT_EQ(ask<Refused>(settle).code, Errc::version_mismatch);
  EXPECT_TRUE(here_.settle().empty());
}

TEST_F(SyncAnswersTest, AnEndOfAnEarlierRunJoinsNothing) {
  EXPECT_EQ(ask<Refused>(Finish{.run = run() + 1, .knowledge = there_.known()}).code,
            Errc::version_mismatch);
  here_.settle();
  EXPECT_FALSE(here_.known().covers(there_.known()));
  ask<Done>(Finish{.run = run(), .knowledge = there_.known()});
  here_.settle();
  EXPECT_TRUE(here_.known().covers(there_.known()));
}

TEST_F(SyncAnswersTest, ADropSparesWhatHasChangedSince) {
  const PeerItem old = item("a");
  here_.put({kWall.ms + 1}, "a", "newer");
  here_.settle();
  Knowledge knowledge;
  knowledge.add(old.header.version.dot);
  ask<Done>(Finish{.run = run(), .knowledge = knowledge, .drops = {old}});
  here_.settle();
  EXPECT_TRUE(here_.held("a"));
}

}  // namespace
}  // namespace kvs
