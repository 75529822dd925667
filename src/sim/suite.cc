#include "sim/suite.h"

#include <algorithm>

#include "sim/digest.h"

namespace kvs {

namespace {

bool fails(std::uint64_t seed, const Overrides& overrides) {
  return !simulate(draw_scenario(seed, overrides), nullptr).violations.empty();
}

/// Keeps `candidate` if it still fails.
bool adopt(std::uint64_t seed, const Overrides& candidate, Overrides& smallest) {
  if (!fails(seed, candidate)) {
    return false;
  }
  smallest = candidate;
  return true;
}

void drop_faults(std::uint64_t seed, Overrides& smallest) {
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    FaultSet fewer = smallest.faults.value_or(FaultSet{});
    if (fewer.contains(static_cast<Fault>(i))) {
      fewer.erase(static_cast<Fault>(i));
      Overrides candidate = smallest;
      candidate.faults = fewer;
      adopt(seed, candidate, smallest);
    }
  }
}

/// The smallest value of one number, by halving the distance.
void lower(std::uint64_t seed, std::optional<std::uint64_t> Overrides::* number,
           Overrides& smallest) {
  std::uint64_t best = (smallest.*number).value_or(1);
  for (std::uint64_t step = best / 2; step > 0;) {
    Overrides candidate = smallest;
    candidate.*number = best - step;
    const bool adopted = best > step && adopt(seed, candidate, smallest);
    best = adopted ? best - step : best;
    step = adopted ? std::min(step, best / 2) : step / 2;
  }
}

}  // namespace

SuiteResult run_seeds(const SeedRange& seeds, const Overrides& overrides,
                      const std::function<void(std::uint64_t)>& started) {
  SuiteResult result;
  Digest digest;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    started(seed);
    const RunResult run = simulate(draw_scenario(seed, overrides), nullptr);
    digest.mix(run.hash);
    result.events += run.events;
    result.operations += run.operations;
    if (!run.violations.empty()) {
      result.failures.push_back({.seed = seed, .violation = run.violations.front()});
    }
  }
  result.hash = digest.value();
  return result;
}

Overrides shrink(std::uint64_t seed, const Overrides& overrides) {
  const Scenario scenario = draw_scenario(seed, overrides);
  Overrides smallest{.faults = scenario.faults,
                     .clients = scenario.clients,
                     .keys = scenario.keys,
                     .steps = scenario.steps};
  for (Overrides before{}; before != smallest;) {
    before = smallest;
    drop_faults(seed, smallest);
    for (const auto number : {&Overrides::steps, &Overrides::clients, &Overrides::keys}) {
      lower(seed, number, smallest);
    }
  }
  return smallest;
}

std::vector<MutantResult> run_mutants(const SeedRange& seeds,
                                      const std::function<void(std::uint64_t)>& started) {
  std::vector<MutantResult> results;
  for (const MutantInfo& info : mutants()) {
    if (info.judge != MutantJudge::one_node) {
      continue;
    }
    set_mutant(info.mutant);
    const SuiteResult suite = run_seeds(seeds, {}, started);
    MutantResult& result = results.emplace_back(MutantResult{.info = info, .first = {}});
    result.found_in = suite.failures.size();
    if (!suite.failures.empty()) {
      result.first = suite.failures.front();
    }
  }
  set_mutant(Mutant::none);
  return results;
}

}  // namespace kvs
