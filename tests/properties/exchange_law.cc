// Whatever is lost, late, repeated or broken off, the nodes end equal, no deleted key shows again
// and no write is lost: random events over the production rooms, with members that come and go,
// backups that are restored and records that rot.
#include <gtest/gtest.h>

#include "base/mutant.h"
#include "support/exchange_world.h"

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

Outcome run(std::uint64_t seeds, const Plan& plan) {
  Outcome outcome;
  for (std::uint64_t seed = 1; seed <= seeds && outcome.wrong.empty(); ++seed) {
    ExchangeWorld world(seed, plan);
    outcome.wrong = world.run();
    outcome.seed = seed;
    outcome.collected += world.collected();
    outcome.completed += world.sessions_completed();
    outcome.ties += world.ties();
  }
  return outcome;
}

constexpr Plan kEverything{.returns = true, .restores = true, .damage = true};

void expect_held(std::uint64_t seeds, const Plan& plan) {
  const Outcome outcome = run(seeds, plan);
  EXPECT_EQ(outcome.wrong, "") << "seed " << outcome.seed;
  // The events that matter did happen.
  EXPECT_GT(outcome.collected, seeds / 4);
  EXPECT_GT(outcome.completed, 5 * seeds);
  EXPECT_GT(outcome.ties, seeds);
}

constexpr std::uint64_t kSeeds = 80;

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

// For hours of quiet: --gtest_also_run_disabled_tests --gtest_filter=*ManySeeds
TEST(law_exchange, DISABLED_EverythingManySeeds) {
  expect_held(20'000, kEverything);
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
