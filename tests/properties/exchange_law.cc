// Whatever is lost, late, repeated or broken off, the nodes end equal, no deleted key shows again
// and no write is lost: random events over the production rooms, with members that come and go,
// backups that are restored and records that rot.
#include <string>

#include <gtest/gtest.h>

#include "base/mutant.h"
#include "support/exchange_world.h"
#include "support/law_seeds.h"
#include "support/sanitized.h"

namespace kvs {
namespace {

using Plan = ExchangeWorld::Plan;

struct Outcome {
  std::string wrong;  // the first thing; empty if nothing is
  std::uint64_t seed = 0;
  std::size_t collected = 0;
  std::size_t completed = 0;
  std::size_t ties = 0;
};

void add(std::uint64_t seed, const Plan& plan, Outcome& outcome) {
  ExchangeWorld world(seed, plan);
  outcome.wrong = world.run();
  outcome.seed = seed;
  outcome.collected += world.collected();
  outcome.completed += world.sessions_completed();
  outcome.ties += world.ties();
}

Outcome run(std::uint64_t seeds, const Plan& plan) {
  Outcome outcome;
  for (std::uint64_t seed = 1; seed <= seeds && outcome.wrong.empty(); ++seed) {
    add(seed, plan, outcome);
  }
  return outcome;
}

constexpr Plan kEverything{.returns = true, .restores = true, .damage = true};
constexpr Plan kExpiring{.expires = true};
constexpr Plan kEverythingExpiring{
    .returns = true, .restores = true, .damage = true, .expires = true};

/// The events that matter did happen.
void expect_events(const Outcome& outcome, std::uint64_t seeds) {
  EXPECT_GT(outcome.collected, seeds / 4);
  EXPECT_GT(outcome.completed, 5 * seeds);
  EXPECT_GT(outcome.ties, seeds);
}

void expect_held(std::uint64_t seeds, const Plan& plan) {
  const Outcome outcome = run(seeds, plan);
  EXPECT_EQ(outcome.wrong, "") << "seed " << outcome.seed;
  expect_events(outcome, seeds);
}

constexpr std::uint64_t kSeeds = testing::kSanitized ? 20 : 80;

TEST(law_exchange, MembersThatStay) {
  expect_held(kSeeds, {});
}

TEST(law_exchange, MembersThatAreRemovedAndReturn) {
  expect_held(kSeeds, {.returns = true});
}

TEST(law_exchange, BackupsThatAreRestored) {
  expect_held(kSeeds, {.restores = true});
}

TEST(law_exchange, RecordsThatRot) {
  expect_held(kSeeds, {.damage = true});
}

TEST(law_exchange, Everything) {
  expect_held(kSeeds, kEverything);
}

TEST(law_exchange, ValuesThatExpire) {
  expect_held(kSeeds, kExpiring);
}

TEST(law_exchange, ValuesThatExpireAndEverything) {
  expect_held(kSeeds, kEverythingExpiring);
}

TEST(law_exchange, SeedsThatFoundBugs) {
  // 7085: K was joined while a damaged record was still among the sums.
  // 15187: K, emptied by damage, did not learn what a write replaced; a late push brought it back.
  // 10274, 19497: a tie outlived the damage of the record held, and K never became equal.
  // 29805, 34226: likewise, and a tombstone that waited for the join stayed.
  // 39978, below: a dead record was dropped before the join, and a late push took its place.
  for (const std::uint64_t seed :
       std::initializer_list<std::uint64_t>{7085, 10274, 15187, 19497, 29805, 34226}) {
    EXPECT_EQ(ExchangeWorld(seed, kEverything).run(), "") << "seed " << seed;
  }
  // As 7085, but the end of the exchange came after the commit of the emptied K.
  EXPECT_EQ(ExchangeWorld(9358, {.damage = true}).run(), "");
  EXPECT_EQ(ExchangeWorld(39978, {.returns = true, .restores = true}).run(), "");
  // A version that was put off was taken for beaten by one that it tied with.
  EXPECT_EQ(ExchangeWorld(5441, {.returns = true, .restores = true}).run(), "");
}

TEST(law_exchange, SeedsThatForgetWhatNobodyCanTell) {
  // 16575: a push is under way while damage empties the only member's K that covered it.
  // 25411, 27421: damage and an old backup take the last K that covered a collected delete.
  // 20496: nodes that were removed settle a tie with a write that no member has seen.
  for (const std::uint64_t seed :
       std::initializer_list<std::uint64_t>{16575, 20496, 25411, 27421}) {
    EXPECT_EQ(ExchangeWorld(seed, kEverything).run(), "") << "seed " << seed;
  }
}

// For hours of quiet: docs/testing.md
void expect_held_for_many_seeds(const Plan& plan) {
  const auto seeds = law_seeds_from_outside();
  ASSERT_TRUE(seeds) << "KVS_LAW_SEEDS is no range A..B";
  Outcome outcome;
  for (std::uint64_t seed = seeds->first; seed <= seeds->last; ++seed) {
    add(seed, plan, outcome);
    EXPECT_EQ(outcome.wrong, "") << "seed " << seed;
  }
  if (seeds->count() >= 100) {
    expect_events(outcome, seeds->count());
  }
}

TEST(law_exchange, DISABLED_MembersThatStayManySeeds) {
  expect_held_for_many_seeds({});
}

TEST(law_exchange, DISABLED_ReturnsManySeeds) {
  expect_held_for_many_seeds({.returns = true});
}

TEST(law_exchange, DISABLED_RestoresManySeeds) {
  expect_held_for_many_seeds({.restores = true});
}

TEST(law_exchange, DISABLED_ReturnsAndRestoresManySeeds) {
  expect_held_for_many_seeds({.returns = true, .restores = true});
}

TEST(law_exchange, DISABLED_DamageManySeeds) {
  expect_held_for_many_seeds({.damage = true});
}

TEST(law_exchange, DISABLED_ExpiringManySeeds) {
  expect_held_for_many_seeds(kEverythingExpiring);
}

TEST(law_exchange, DISABLED_EverythingManySeeds) {
  expect_held_for_many_seeds(kEverything);
}

#ifdef KVS_SIM_BUILD

class WithMutant {
 public:
  explicit WithMutant(Mutant mutant) { set_mutant(mutant); }

  WithMutant(const WithMutant&) = delete;
  WithMutant& operator=(const WithMutant&) = delete;

  ~WithMutant() { set_mutant(Mutant::none); }
};

void expect_found(Mutant mutant, const Plan& plan) {
  const WithMutant active(mutant);
  const Outcome outcome = run(400, plan);
  EXPECT_NE(outcome.wrong, "");
}

TEST(law_exchange, FindsCollectionInOneRound) {
  expect_found(Mutant::collect_in_one_round, kEverything);
}

TEST(law_exchange, FindsJoinsThatCoverTies) {
  expect_found(Mutant::join_covers_ties, {});
}

TEST(law_exchange, FindsJoinsThatCoverWhatWasPutOff) {
  expect_found(Mutant::join_covers_deferred, kEverything);
}

TEST(law_exchange, FindsWhatIsDroppedBeforeTheJoin) {
  expect_found(Mutant::dead_dropped_before_join, kEverything);
}

TEST(law_exchange, FindsExchangesThatOnlyTakeTheNewest) {
  expect_found(Mutant::newest_only_exchange, {});
}

TEST(law_exchange, FindsRecordsTakenAlthoughKCoversThem) {
  expect_found(Mutant::covered_record_taken, kEverything);
}

TEST(law_exchange, FindsKThatOutlivesAFailedCommit) {
  expect_found(Mutant::knowledge_kept_after_failure, kEverything);
}

#endif

}  // namespace
}  // namespace kvs
