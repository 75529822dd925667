// Which writes may return after a delete, as docs/consistency.md has it.
#include "sim/cluster_ledger.h"

#include <gtest/gtest.h>

namespace kvs {

namespace {

constexpr Stamp kEarly = Stamp::from_ms(100);
constexpr Stamp kLate = Stamp::from_ms(200);

RecordHeader header_of(Dot dot, Stamp stamp, RecordKind kind) {
  return {.version = {.stamp = stamp,
                      .verdict = {},
                      .uuid = {.high = static_cast<std::uint64_t>(dot.origin), .low = dot.seq},
                      .dot = dot},
          .kind = kind};
}

/// Three machines whose folders are the instances 10, 11 and 12. `x` is an early write of machine
/// 2, `t` a later delete of machine 0, both of the key "a".
class ClusterLedgerTest : public testing::Test {
 protected:
  ClusterLedgerTest() {
    for (std::uint32_t machine = 0; machine < 3; ++machine) {
      list(machine, {0, 1, 2});
    }
  }

  void commit(std::uint32_t machine, const RecordHeader& header,
              RecordWrite::Kind kind = RecordWrite::Kind::store) {
    Batch batch;
    batch.effects.writes.push_back(
        {.key = Key::from_store("a"), .record = {.header = header, .value = ""}, .kind = kind});
    ledger_.closed(machine, batch);
    if (kind == RecordWrite::Kind::store) {
      batch.effects.knowledge = covering(machine, header.version.dot);
    }
    ledger_.durable(machine, batch);
  }

  /// The K of a machine with this dot.
  [[nodiscard]] std::vector<KnowledgeWrite> covering(std::uint32_t machine, Dot dot) const {
    Knowledge known = ledger_.knowledge(machine);
    known.add(dot);
    return {{.origin = dot.origin, .known = known.of(dot.origin)}};
  }

  void learn(std::uint32_t machine, Dot dot) {
    Batch batch;
    batch.effects.knowledge = covering(machine, dot);
    ledger_.durable(machine, batch);
  }

  void empty_knowledge(std::uint32_t machine) {
    Batch batch;
    for (const auto& [origin, known] : ledger_.knowledge(machine).origins()) {
      batch.effects.knowledge.push_back({.origin = origin, .known = {}});
    }
    ledger_.durable(machine, batch);
  }

  /// Who is on the list of a machine.
  void list(std::uint32_t machine, const std::vector<std::uint32_t>& members) {
    Batch batch;
    batch.effects.identity = Identity{.instance = 10 + machine};
    batch.effects.roster.emplace();
    for (const std::uint32_t member : members) {
      if (member != machine) {
        batch.effects.roster->emplace_back().instance = Instance{10 + member};
      }
    }
    ledger_.durable(machine, batch);
  }

  void forget_delete(std::uint32_t machine) { commit(machine, t_, RecordWrite::Kind::drop); }

  [[nodiscard]] bool may_return() const {
    return ledger_.find(x_.version.dot)->may_return_after(kLate);
  }

  ClusterLedger ledger_{3};
  RecordHeader x_ = header_of({.origin = Origin{2}, .seq = 1}, kEarly, RecordKind::value);
  RecordHeader t_ = header_of({.origin = Origin{1}, .seq = 1}, kLate, RecordKind::tombstone);
};

TEST_F(ClusterLedgerTest, AWriteThatAMemberKnewMayNotReturn) {
  commit(2, x_);
  commit(0, t_);
  forget_delete(0);
  EXPECT_FALSE(may_return());
}

TEST_F(ClusterLedgerTest, AWriteThatOnlyARemovedMachineHeldMayReturn) {
  list(0, {0, 1});
  commit(2, x_);
  commit(0, t_);
  EXPECT_FALSE(may_return()) << "the delete is still held";
  forget_delete(0);
  EXPECT_TRUE(may_return());
  EXPECT_FALSE(ledger_.find(x_.version.dot)->may_return_after(Stamp::from_ms(201)))
      << "after a newer delete";
}

TEST_F(ClusterLedgerTest, WhatAMemberWasToldAfterTheDeleteCameFromOutside) {
  list(0, {0, 1});
  commit(2, x_);
  commit(0, t_);
  learn(1, t_.version.dot);
  learn(1, x_.version.dot);
  forget_delete(0);
  EXPECT_TRUE(may_return());
}

TEST_F(ClusterLedgerTest, WhatAMemberKnewBeforeTheDeleteIsHeldBack) {
  list(0, {0, 1});
  commit(2, x_);
  commit(0, t_);
  learn(1, x_.version.dot);
  learn(1, t_.version.dot);
  forget_delete(0);
  EXPECT_FALSE(may_return());
}

TEST_F(ClusterLedgerTest, WhatNoKTellsOfAnyMoreMayReturn) {
  commit(2, x_);
  commit(0, x_);
  learn(1, x_.version.dot);
  commit(0, t_);
  forget_delete(0);
  empty_knowledge(0);
  EXPECT_FALSE(may_return()) << "another one knows that it is over";
  empty_knowledge(1);
  EXPECT_TRUE(may_return()) << "whoever holds it does not";
}

TEST_F(ClusterLedgerTest, ARestoredMachineMayWriteBelowADeleteThatItHasNotMet) {
  commit(0, t_);
  learn(2, t_.version.dot);
  forget_delete(0);
  ledger_.swapped(2, Swap::restored);
  commit(2, x_);
  EXPECT_TRUE(may_return());
}

TEST_F(ClusterLedgerTest, AMemberMayNot) {
  commit(0, t_);
  forget_delete(0);
  commit(2, x_);
  EXPECT_FALSE(may_return());
}

TEST_F(ClusterLedgerTest, AWriteIsLostWithTheLastFolderThatReflectedIt) {
  commit(2, x_);
  learn(1, x_.version.dot);
  ledger_.swapped(2, Swap::wiped);
  EXPECT_FALSE(ledger_.find(x_.version.dot)->lost);
  ledger_.swapped(1, Swap::wiped);
  EXPECT_TRUE(ledger_.find(x_.version.dot)->lost);
}

}  // namespace

}  // namespace kvs
