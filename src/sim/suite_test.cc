#include "sim/suite.h"

#include <gtest/gtest.h>

#include "sim/tracer.h"

namespace kvs {

namespace {

/// Breaks a rule for as long as it lives.
class WithMutant {
 public:
  explicit WithMutant(Mutant mutant) { set_mutant(mutant); }

  WithMutant(const WithMutant&) = delete;
  WithMutant& operator=(const WithMutant&) = delete;

  ~WithMutant() { set_mutant(Mutant::none); }
};

constexpr SeedRange kSeeds{.first = 1, .last = 60};

void ignore(std::uint64_t) {}

TEST(Suite, SeedsAreGreenAndRepeatable) {
  const SuiteResult first = run_seeds(kSeeds, {}, ignore);
  const SuiteResult second = run_seeds(kSeeds, {}, ignore);
  EXPECT_TRUE(first.failures.empty());
  EXPECT_EQ(first.hash, second.hash);
  EXPECT_GT(first.operations, 60U * 20U);
  EXPECT_NE(first.hash, run_seeds({.first = 2, .last = 61}, {}, ignore).hash);
}

TEST(Suite, AWatcherChangesNothing) {
  testing::internal::CaptureStdout();
  Tracer tracer;
  const Scenario scenario = draw_scenario(3, {});
  const RunResult watched = simulate(scenario, &tracer);
  EXPECT_FALSE(testing::internal::GetCapturedStdout().empty());
  EXPECT_EQ(watched.hash, simulate(scenario, nullptr).hash);
}

TEST(Suite, ARunWithoutFaultsServesEverything) {
  const Scenario scenario = draw_scenario(4, {.faults = FaultSet{}, .steps = 200});
  const RunResult result = simulate(scenario, nullptr);
  EXPECT_TRUE(result.violations.empty());
  EXPECT_GE(result.operations, 20U);
}

TEST(Suite, ABrokenRuleIsNoticedAndShrinks) {
  const WithMutant broken(Mutant::condition_ignored);
  const SuiteResult suite = run_seeds(kSeeds, {}, ignore);
  ASSERT_FALSE(suite.failures.empty());
  const FailedSeed& failure = suite.failures.front();
  EXPECT_EQ(failure.violation.oracle, "conditions are checked right");

  const Overrides smallest = shrink(failure.seed, {});
  const Scenario drawn = draw_scenario(failure.seed, {});
  EXPECT_FALSE(simulate(draw_scenario(failure.seed, smallest), nullptr).violations.empty());
  EXPECT_EQ(smallest.faults, FaultSet{}) << "this rule needs no fault to be seen broken";
  EXPECT_EQ(smallest.keys, 1U);
  EXPECT_LT(smallest.steps, drawn.steps);
}

}  // namespace

}  // namespace kvs
