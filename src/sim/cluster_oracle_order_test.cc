#include "sim/cluster_oracle_order.h"

#include <gtest/gtest.h>

namespace kvs {

namespace {

Batch batch_of(const RecordHeader& header, std::uint64_t number = 1) {
  Batch batch;
  batch.number = number;
  batch.effects.writes.push_back(
      {.key = Key::from_store("a"), .record = {.header = header, .value = "1"}});
  return batch;
}

RecordHeader header_of(std::int64_t ms, std::uint64_t seq) {
  return {.version = {.stamp = Stamp::from_ms(ms),
                      .verdict = {},
                      .uuid = {.high = 1, .low = seq},
                      .dot = {.origin = Origin{7}, .seq = seq}}};
}

class ClusterOrder : public testing::Test {
 protected:
  ClusterLedger ledger_{3};
  Findings findings_;
};

TEST_F(ClusterOrder, AWriteThatIsNotAboveWhatItsNodeHoldsIsFound) {
  ClocksLearn oracle(ledger_, findings_);
  oracle.closed(0, batch_of(header_of(100, 1)));
  oracle.durable(0, batch_of(header_of(100, 1)));
  oracle.closed(1, batch_of(header_of(50, 2)));
  EXPECT_TRUE(findings_.empty()) << "the other one has held nothing";
  oracle.closed(0, batch_of(header_of(100, 3)));
  EXPECT_FALSE(findings_.empty());
}

TEST_F(ClusterOrder, WhatIsCoveredAndTakenAgainIsFound) {
  CoveredStaysOut oracle(ledger_, findings_);
  Batch batch = batch_of(header_of(100, 1));
  batch.effects.knowledge.push_back({.origin = Origin{7}, .known = {.upto = 1, .beyond = {}}});
  ledger_.closed(0, batch);
  oracle.closed(0, batch);
  EXPECT_TRUE(findings_.empty());
  ledger_.durable(0, batch);
  oracle.closed(0, batch_of(header_of(100, 1), 2));
  EXPECT_FALSE(findings_.empty());
}

TEST_F(ClusterOrder, WhoForgetsItsKnowledgeMayTakeAllAgain) {
  CoveredStaysOut oracle(ledger_, findings_);
  Batch batch = batch_of(header_of(100, 1));
  batch.effects.knowledge.push_back({.origin = Origin{7}, .known = {.upto = 1, .beyond = {}}});
  ledger_.closed(0, batch);
  ledger_.durable(0, batch);
  Batch again = batch_of(header_of(100, 1), 2);
  again.effects.knowledge.push_back({.origin = Origin{7}, .known = {}});
  oracle.closed(0, again);
  EXPECT_TRUE(findings_.empty());
}

TEST_F(ClusterOrder, WhoMeetsDamageMayTakeAllAgainInTheSameBatch) {
  CoveredStaysOut oracle(ledger_, findings_);
  Batch batch = batch_of(header_of(100, 1));
  batch.effects.knowledge.push_back({.origin = Origin{7}, .known = {.upto = 1, .beyond = {}}});
  ledger_.closed(0, batch);
  ledger_.durable(0, batch);
  ledger_.rotted(0, "a");
  batch.number = 2;
  oracle.closed(0, batch);
  EXPECT_TRUE(findings_.empty());
  ledger_.durable(0, batch);
  oracle.closed(0, batch_of(header_of(100, 1), 3));
  EXPECT_FALSE(findings_.empty()) << "it is mended";
}

TEST_F(ClusterOrder, ACopyOfAFolderFromFarAheadGoesOnThereAndTakesNothing) {
  FarStampsStayOut oracle(3, ledger_, findings_);
  Image image;
  image.state.clock_reserve = Stamp::from_ms(10'000'000);
  oracle.recovered(0, image);
  Batch own = batch_of(header_of(10'000'000, 1));
  ledger_.closed(0, own);
  oracle.closed(0, own);
  EXPECT_TRUE(findings_.empty());
  ledger_.closed(2, batch_of(header_of(10'000'000, 2)));
  oracle.closed(0, batch_of(header_of(10'000'000, 2)));
  EXPECT_FALSE(findings_.empty()) << "another's write";
}

TEST_F(ClusterOrder, AStampFromFarAheadIsFoundWhileMostClocksAreRight) {
  FarStampsStayOut oracle(3, ledger_, findings_);
  const RecordHeader far = header_of(10'000'000, 1);
  oracle.clock_struck(2, 2 * FarStampsStayOut::kFarMs);
  oracle.closed(2, batch_of(far));
  EXPECT_TRUE(findings_.empty()) << "its own clock";
  oracle.closed(0, batch_of(far));
  EXPECT_FALSE(findings_.empty());
}

TEST_F(ClusterOrder, WithHalfOfAllClocksWrongNobodyKnowsTheTime) {
  FarStampsStayOut oracle(3, ledger_, findings_);
  oracle.clock_struck(1, 2 * FarStampsStayOut::kFarMs);
  oracle.clock_struck(2, 2 * FarStampsStayOut::kFarMs);
  oracle.closed(0, batch_of(header_of(10'000'000, 1)));
  EXPECT_TRUE(findings_.empty());
}

TEST_F(ClusterOrder, TooManyOpenCallsAreFound) {
  CallsAreBounded oracle(3, ledger_, findings_);
  for (int i = 0; i < 56; ++i) {
    oracle.sent(0, {});
  }
  EXPECT_TRUE(findings_.empty());
  oracle.returned(0, {});
  oracle.sent(0, {});
  EXPECT_TRUE(findings_.empty());
  oracle.sent(0, {});
  EXPECT_FALSE(findings_.empty());
}

}  // namespace

}  // namespace kvs
