// Whatever is lost, late, repeated or broken off, the nodes end equal, no deleted key shows again
// and no write is lost: random events over the production rooms, with members that stay.
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

void expect_held(const Plan& plan) {
  const Outcome outcome = run(1000, plan);
  EXPECT_EQ(outcome.wrong, "") << "seed " << outcome.seed;
  // The events that matter did happen.
  EXPECT_GT(outcome.collected, 10U);
  EXPECT_GT(outcome.completed, 1000U);
  EXPECT_GT(outcome.ties, 10U);
}

TEST(law_exchange, MembersThatStay) {
  expect_held({});
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
  const Outcome outcome = run(1000, plan);
  EXPECT_NE(outcome.wrong, "");
}

TEST(law_exchange, FindsCollectionInOneRound) {
  expect_found(Mutant::collect_in_one_round, {});
}

TEST(law_exchange, FindsJoinsThatCoverTies) {
  expect_found(Mutant::join_covers_ties, {});
}

#endif

}  // namespace
}  // namespace kvs
