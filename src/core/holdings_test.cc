#include "core/holdings.h"

#include <gtest/gtest.h>

#include "support/exchange_node.h"

namespace kvs {
namespace {

constexpr WallTime kWall{1'000'000};

TEST(Holdings, DamageThatAReaderMeetsLeavesTheSumsAndEmptiesKAtOnce) {
  ExchangeNode node(1);
  node.put(kWall, "a");
  node.put(kWall, "b");
  node.settle();
  const Fingerprint rest = fingerprint_of("b", *node.held("b"));
  const std::uint64_t run = node.holdings().run();
  node.store().damage("a", Errc::corrupt_data);
  EXPECT_TRUE(node.holdings().found_damage("a"));
  EXPECT_EQ(node.holdings().digest().root, rest) << "equal sums would hide what is missing";
  EXPECT_TRUE(node.known().empty()) << "nobody may be told the old K any more";
  EXPECT_NE(node.holdings().run(), run);
  EXPECT_FALSE(node.holdings().found_damage("a")) << "no news";
}

TEST(Holdings, AFailedCommitDoesNotBringKBack) {
  ExchangeNode node(1);
  node.put(kWall, "a");
  node.settle();
  node.store().damage("a", Errc::corrupt_data);
  node.holdings().found_damage("a");
  node.fail();
  EXPECT_TRUE(node.known().empty());
  EXPECT_TRUE(node.replica().knowledge().empty());
  node.put(kWall, "b");
  node.settle();
  EXPECT_EQ(node.recovered().knowledge, node.known()) << "the disk has forgotten too";
  EXPECT_EQ(node.known().origins().size(), 1U);
}

TEST(Holdings, APeersOlderRecordInThePlaceOfADamagedOneEmptiesK) {
  ExchangeNode here(1);
  ExchangeNode there(2);
  there.put(kWall, "a", "older");
  there.settle();
  here.put({kWall.ms + 1}, "a", "newer");
  here.settle();
  const Dot lost = here.held("a")->version.dot;
  const std::uint64_t run = here.holdings().run();
  here.store().damage("a", Errc::corrupt_data);
  ASSERT_EQ(here.take(there.record("a")), Taken::stored);
  EXPECT_NE(here.holdings().run(), run) << "exchanges under way began with the old K";
  here.settle();
  EXPECT_FALSE(here.known().covers(lost)) << "others would drop the write that was lost here";
  EXPECT_FALSE(here.recovered().knowledge.covers(lost)) << "a crash would bring K back";
  EXPECT_TRUE(here.known().covers(here.held("a")->version.dot));
}

/// So many records that an exchange which compares sums reads none of the first ones.
void hold_much(ExchangeNode& node) {
  constexpr int kRecords = 5'000;
  for (int i = 0; i < kRecords; ++i) {
    node.put(kWall, "b/" + std::to_string(i));
  }
  node.settle();
}

TEST(Holdings, NothingIsJoinedWhileADamagedRecordMayBeAmongTheSums) {
  ExchangeNode here(1);
  ExchangeNode there(2);
  ExchangeNode third(3);
  third.put(kWall, "a", "older");
  third.settle();
  there.put({kWall.ms + 1}, "a", "newer");
  hold_much(there);
  ExchangeSession copying(here, there);
  ASSERT_EQ(run_exchange(copying), ExchangeSession::State::complete);
  here.store().damage("a", Errc::corrupt_data);
  ASSERT_EQ(here.take(third.record("a")), Taken::stored);
  ExchangeSession first(there, here);  // before what is here now is among the sums
  while (first.state() == ExchangeSession::State::going) {
    first.step({});
  }
  here.settle();
  there.settle();
  EXPECT_FALSE(here.known().covers(there.known())) << "the newer record is not here";
  ExchangeSession second(there, here);
  ASSERT_EQ(run_exchange(second), ExchangeSession::State::complete);
  EXPECT_EQ(here.headers(), there.headers());
  EXPECT_EQ(here.record("a").record.value, "newer");
  EXPECT_EQ(here.known(), there.known());
}

TEST(Holdings, AnExchangeThatComparedBeforeTheEmptiedKWasDurableIsVoid) {
  ExchangeNode here(1);
  ExchangeNode there(2);
  ExchangeNode third(3);
  third.put(kWall, "a", "older");
  third.settle();
  there.put({kWall.ms + 1}, "a", "newer");
  hold_much(there);
  ExchangeSession copying(here, there);
  ASSERT_EQ(run_exchange(copying), ExchangeSession::State::complete);
  here.store().damage("a", Errc::corrupt_data);
  ASSERT_EQ(here.take(third.record("a")), Taken::stored);
  ExchangeSession session(there, here);
  while (session.replies.empty() || !std::holds_alternative<Compared>(session.replies.back())) {
    ASSERT_EQ(session.step({}), ExchangeSession::State::going);
  }
  here.settle();
  EXPECT_EQ(run_exchange(session), ExchangeSession::State::broken);
  EXPECT_FALSE(here.known().covers(there.known())) << "the newer record is not here";
}

TEST(Holdings, AnEmptiedKIsWrittenThoughNothingElseIs) {
  ExchangeNode node(1);
  node.store().put("a", 1);
  node.store().damage("a", Errc::corrupt_data);
  node.holdings().found_damage("a");
  EXPECT_TRUE(node.replica().dirty()) << "joins wait for this batch";
  EXPECT_FALSE(node.join(Knowledge{}, {}));
  node.settle();
  EXPECT_TRUE(node.join(Knowledge{}, {}));
}

TEST(Holdings, DamageIsToldOnceWhoeverMeetsIt) {
  ExchangeNode node(1);
  node.put(kWall, "a");
  node.put(kWall, "b");
  node.settle();
  node.store().damage("a", Errc::corrupt_data);
  node.store().damage("b", Errc::corrupt_data);
  node.answer(Fetch{.paths = {"a"}});
  node.answer(Fetch{.paths = {"a"}});
  EXPECT_EQ(node.holdings().take_found(), std::vector<std::string>{"a"});
  EXPECT_TRUE(node.holdings().take_found().empty());
  ExchangeNode other(2);
  other.put(kWall, "b");
  other.settle();
  ASSERT_EQ(node.take(other.record("b")), Taken::stored);
  ASSERT_EQ(node.open().trace.size(), 1U) << "its K was emptied for it";
  EXPECT_EQ(node.open().trace[0].kind, Trace::Kind::damage_found);
  EXPECT_EQ(node.open().trace[0].text, "b");
}

TEST(Holdings, AClientsWriteOverADamagedRecordKeepsK) {
  ExchangeNode node(1);
  node.put(kWall, "a");
  node.settle();
  const Dot lost = node.held("a")->version.dot;
  node.store().damage("a", Errc::corrupt_data);
  node.put(kWall, "a");
  node.settle();
  EXPECT_TRUE(node.known().covers(lost)) << "it was replaced, by a newer version";
}

TEST(Holdings, WhatIsDamagedHereIsFetchedAndNotDroppedThere) {
  ExchangeNode here(1);
  ExchangeNode there(2);
  here.put(kWall, "a");
  here.put(kWall, "b");
  here.settle();
  ExchangeSession first(here, there);
  ASSERT_EQ(run_exchange(first), ExchangeSession::State::complete);
  here.store().damage("a", Errc::corrupt_data);
  here.holdings().found_damage("a");
  here.settle();
  ExchangeSession second(here, there);
  ASSERT_EQ(run_exchange(second), ExchangeSession::State::complete);
  EXPECT_EQ(there.headers().size(), 2U);
  EXPECT_EQ(here.headers(), there.headers());
}

}  // namespace
}  // namespace kvs
