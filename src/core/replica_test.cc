#include "core/replica.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "support/memory_store.h"
#include "support/node_driver.h"

namespace kvs {
namespace {

using enum WriteStatus;
using Kind = Condition::Kind;

Condition if_match(const Uuid& uuid) {
  return {.kind = Kind::if_match, .uuid = uuid};
}

constexpr Condition kIfAbsent{.kind = Kind::if_absent, .uuid = {}};
constexpr Condition kIfExists{.kind = Kind::if_exists, .uuid = {}};

TEST(Replica, APutMakesOneRecordWithEverythingThatBelongsToIt) {
  NodeDriver node;
  const WriteOutcome outcome = node.put("users/john", "{\"a\":1}");
  EXPECT_EQ(outcome.status, created);
  const Effects& batch = node.close();
  ASSERT_EQ(batch.writes.size(), 1U);
  EXPECT_EQ(batch.writes[0].key.text(), "users/john");
  const RecordView& record = batch.writes[0].record;
  EXPECT_EQ(record.value, "{\"a\":1}");
  EXPECT_TRUE(record.header.live());
  EXPECT_EQ(record.header.version.uuid, outcome.uuid);
  EXPECT_EQ(record.header.version.stamp, outcome.stamp);
  EXPECT_EQ(record.header.version.stamp.ms(), node.wall().ms);
  EXPECT_FALSE(record.header.version.verdict.given());
  ASSERT_EQ(batch.knowledge.size(), 1U);
  EXPECT_EQ(batch.knowledge[0].origin, record.header.version.dot.origin);
  EXPECT_EQ(batch.knowledge[0].known, (OriginKnowledge{.upto = 1, .beyond = {}}));
  ASSERT_TRUE(batch.clock_reserve);
  EXPECT_GT(*batch.clock_reserve, outcome.stamp);
}

TEST(Replica, OneReplyForEachCommandInTheirOrder) {
  NodeDriver node;
  node.put("a");
  node.del("missing");
  node.put("a", "2", kIfAbsent);
  node.del("a");
  const auto replies = node.settle();
  ASSERT_EQ(replies.size(), 4U);
  const std::array expected{created, not_found, version_mismatch, deleted};
  for (std::size_t i = 0; i < replies.size(); ++i) {
    EXPECT_EQ(replies[i].ticket, Ticket{i + 1});
    EXPECT_EQ(replies[i].outcome.status, expected[i]);
  }
}

TEST(Replica, CreatedOrReplacedByWhatIsLive) {
  NodeDriver node;
  EXPECT_EQ(node.put("a").status, created);
  EXPECT_EQ(node.put("a").status, replaced) << "in the same batch";
  node.close();
  EXPECT_EQ(node.put("a").status, replaced) << "while that is on its way";
  node.commit();
  node.settle();
  EXPECT_EQ(node.put("a").status, replaced) << "from the store";
  EXPECT_EQ(node.del("a").status, deleted);
  EXPECT_EQ(node.put("a").status, created) << "over a tombstone";
}

TEST(Replica, ADeleteLeavesATombstone) {
  NodeDriver node;
  node.put("a", "1");
  node.settle();
  const WriteOutcome outcome = node.del("a");
  EXPECT_EQ(outcome.status, deleted);
  node.settle();
  const Record& record = node.store().slots().at("a").record;
  EXPECT_EQ(record.header.kind, RecordKind::tombstone);
  EXPECT_EQ(record.value, "");
  EXPECT_EQ(record.header.version.stamp, outcome.stamp);
  EXPECT_EQ(node.del("a").status, not_found);
  EXPECT_EQ(node.close().writes.size(), 0U);
}

TEST(Replica, RefusedWritesLeaveNothing) {
  NodeDriver node;
  node.settle();
  const WriteOutcome outcome = node.del("a");
  EXPECT_EQ(outcome, (WriteOutcome{.status = not_found, .uuid = {}, .stamp = {}}));
  node.put("a", "1", kIfExists);
  node.put("a", "1", if_match({.high = 1, .low = 1}));
  EXPECT_TRUE(node.close().nothing_to_store());
}

/// What a condition makes of a PUT and of a DELETE.
struct ConditionCase {
  Condition condition;
  WriteStatus put;
  WriteStatus del;
};

void expect_outcomes(const std::vector<ConditionCase>& cases, void (*prepare)(MemoryStore&)) {
  for (const ConditionCase& c : cases) {
    NodeDriver for_put;
    prepare(for_put.store());
    EXPECT_EQ(for_put.put("k", "2", c.condition).status, c.put)
        << static_cast<int>(c.condition.kind);
    NodeDriver for_del;
    prepare(for_del.store());
    EXPECT_EQ(for_del.del("k", c.condition).status, c.del) << static_cast<int>(c.condition.kind);
  }
}

constexpr Uuid kOther{.high = 42, .low = 42};

TEST(Replica, ConditionsOnAnAbsentKey) {
  expect_outcomes({{{}, created, not_found},
                   {kIfAbsent, created, not_found},
                   {kIfExists, version_mismatch, version_mismatch},
                   {if_match(kOther), version_mismatch, version_mismatch},
                   {if_match({}), version_mismatch, version_mismatch}},
                  [](MemoryStore&) {});
}

TEST(Replica, ConditionsOnALiveKey) {
  expect_outcomes({{{}, replaced, deleted},
                   {kIfAbsent, version_mismatch, version_mismatch},
                   {kIfExists, replaced, deleted},
                   {if_match(MemoryStore::version_of(7).uuid), replaced, deleted},
                   {if_match(kOther), version_mismatch, version_mismatch},
                   {if_match({}), version_mismatch, version_mismatch}},
                  [](MemoryStore& store) { store.put("k", 7); });
}

TEST(Replica, ConditionsOnADeletedKey) {
  expect_outcomes({{{}, created, not_found},
                   {kIfAbsent, created, not_found},
                   {kIfExists, version_mismatch, version_mismatch},
                   {if_match(MemoryStore::version_of(7).uuid), version_mismatch, version_mismatch}},
                  [](MemoryStore& store) { store.put_tombstone("k", 7); });
}

TEST(Replica, ConditionsSeeWritesThatAreNotDurableYet) {
  NodeDriver node;
  const Uuid first = node.put("k").uuid;
  EXPECT_EQ(node.put("k", "2", kIfAbsent).status, version_mismatch);
  node.close();
  const WriteOutcome second = node.put("k", "2", if_match(first));
  EXPECT_EQ(second.status, replaced);
  EXPECT_EQ(node.put("k", "3", if_match(first)).status, version_mismatch);
  node.commit();
  EXPECT_EQ(node.put("k", "3", if_match(first)).status, version_mismatch)
      << "the store shows the first, the second is on its way";
  EXPECT_EQ(node.put("k", "3", if_match(second.uuid)).status, replaced);
}

TEST(Replica, ADamagedRecordIsReplacedByAPlainPutOnly) {
  NodeDriver node;
  node.settle();
  node.store().put("k", 1);
  node.store().damage("k", Errc::corrupt_data);
  EXPECT_EQ(node.del("k").status, corrupt_data);
  for (const Condition& condition : {kIfAbsent, kIfExists, if_match(kOther)}) {
    EXPECT_EQ(node.put("k", "2", condition).status, corrupt_data);
  }
  EXPECT_TRUE(node.close().nothing_to_store());
  node.commit();
  EXPECT_EQ(node.put("k", "2").status, created);
  const Effects& batch = node.close();
  EXPECT_EQ(batch.writes.size(), 1U);
  ASSERT_EQ(batch.trace.size(), 2U);
  EXPECT_EQ(batch.trace[0].kind, Trace::Kind::damaged_record_replaced);
  EXPECT_EQ(node.node().status().replica.damaged_replaced, 1U);
  node.commit();
  EXPECT_EQ(node.put("k", "3").status, replaced);
}

TEST(Replica, ADiskThatCannotBeReadRefusesEveryWrite) {
  NodeDriver node;
  node.store().put("k", 1);
  node.store().damage("k", Errc::io_error);
  EXPECT_EQ(node.put("k").status, io_error);
  EXPECT_EQ(node.del("k").status, io_error);
  EXPECT_EQ(node.put("other").status, created);
}

TEST(Replica, DotsAreDenseWithinARun) {
  NodeDriver node;
  Origin origin{};
  for (std::uint64_t seq = 1; seq <= 20; ++seq) {
    node.put("k" + std::to_string(seq % 3));
    const Dot dot = node.open_effects().writes.back().record.header.version.dot;
    EXPECT_EQ(dot.seq, seq);
    EXPECT_TRUE(seq == 1 || dot.origin == origin);
    origin = dot.origin;
    if (seq % 4 == 0) {
      node.settle();
    }
  }
  EXPECT_EQ(node.node().status().replica.origins_taken, 1U);
  EXPECT_EQ(node.node().status().replica.records_written, 20U);
}

TEST(Replica, ARestartTakesANewOriginAndStampsAboveAllThatLeft) {
  NodeDriver node;
  const WriteOutcome before = node.put("a");
  const Dot dot = node.open_effects().writes.back().record.header.version.dot;
  node.settle();
  node.restart();
  node.wall().ms -= 100'000;
  const WriteOutcome after = node.put("a");
  const Dot later = node.open_effects().writes.back().record.header.version.dot;
  EXPECT_EQ(after.status, replaced);
  EXPECT_GT(after.stamp, before.stamp);
  EXPECT_NE(later.origin, dot.origin);
  EXPECT_EQ(later.seq, 1U);
  EXPECT_TRUE(node.node().replica().knowledge().covers(dot));
  EXPECT_TRUE(node.node().replica().knowledge().covers(later));
}

TEST(Replica, WhatReplacesARecordIsAboveItThoughTheReserveWasLost) {
  NodeDriver node;
  const WriteOutcome before = node.put("a");
  node.settle();
  node.recovered().clock_reserve = {};
  node.wall().ms -= 100'000;
  node.restart();
  EXPECT_GT(node.put("a").stamp, before.stamp);
}

TEST(Replica, NoOriginIsTakenWithoutAWrite) {
  NodeDriver node;
  node.del("a");
  node.settle();
  EXPECT_TRUE(node.node().replica().knowledge().origins().empty());
  EXPECT_EQ(node.node().status().replica.origins_taken, 0U);
}

TEST(Replica, TheReserveIsWrittenOnlyWhenItIsDue) {
  NodeDriver node;
  node.put("a");
  EXPECT_TRUE(node.close().clock_reserve);
  node.commit();
  node.put("a");
  EXPECT_FALSE(node.close().clock_reserve);
  node.commit();
  node.wall().ms += Stamper::kReserveMs + 1;
  node.put("a");
  EXPECT_TRUE(node.close().clock_reserve);
}

TEST(Replica, AFailedBatchIsAsIfItHadNotBeen) {
  NodeDriver node;
  const Uuid kept = node.put("kept", "1").uuid;
  node.settle();
  const Knowledge before = node.node().replica().knowledge();
  node.put("kept", "2");
  node.put("new", "1");
  node.close();
  node.del("kept");
  node.close();
  node.put("open", "1");
  const auto replies = node.fail(disk_full);
  ASSERT_EQ(replies.size(), 4U);
  for (const Reply& reply : replies) {
    EXPECT_EQ(reply.outcome, (WriteOutcome{.status = disk_full, .uuid = {}, .stamp = {}}));
  }
  EXPECT_EQ(node.node().replica().knowledge(), before);
  EXPECT_EQ(node.put("kept", "3", if_match(kept)).status, replaced);
  EXPECT_EQ(node.put("new", "1", kIfAbsent).status, created);
  EXPECT_EQ(node.del("open").status, not_found);
}

TEST(Replica, DotsOfAFailedBatchAreNeverUsedAgain) {
  NodeDriver node;
  node.put("a");
  const Version lost = node.open_effects().writes.back().record.header.version;
  const auto reserve = node.close().clock_reserve;
  node.fail(io_error);
  node.put("a");
  const Version next = node.open_effects().writes.back().record.header.version;
  EXPECT_NE(next.dot.origin, lost.dot.origin);
  EXPECT_EQ(next.dot.seq, 1U);
  EXPECT_GT(next.stamp, lost.stamp);
  EXPECT_EQ(node.close().clock_reserve, reserve) << "the first may not have reached the disk";
}

TEST(Replica, AfterAFailureTheNextBatchWritesTheKnowledgeOfTheFailedOneAgain) {
  NodeDriver node;
  node.put("a");
  const Origin failed = node.close().knowledge.at(0).origin;
  node.fail(disk_full);
  node.put("b");  // the log may hold the batch that failed, and its K
  const auto& knowledge = node.close().knowledge;
  const auto again = std::ranges::find(knowledge, failed, &KnowledgeWrite::origin);
  ASSERT_NE(again, knowledge.end());
  EXPECT_EQ(again->known, OriginKnowledge{});
}

TEST(Replica, BatchesBeforeTheFailedOneStay) {
  NodeDriver node;
  node.put("a");
  const Dot dot = node.open_effects().writes.back().record.header.version.dot;
  node.close();
  node.put("b");
  node.close();
  node.commit();
  node.fail(io_error);
  EXPECT_TRUE(node.node().replica().knowledge().covers(dot));
  EXPECT_EQ(node.node().replica().knowledge().of(dot.origin).upto, 1U);
  EXPECT_EQ(node.put("a").status, replaced);
  EXPECT_EQ(node.put("b").status, created);
}

TEST(ReplicaDeathTest, ACommitNeedsAClosedBatch) {
  const MemoryStore store;
  Prng prng(1);
  Replica replica({}, store, prng);
  EXPECT_DEATH(replica.committed(), "never closed");
}

}  // namespace
}  // namespace kvs
