#include "sim/cluster_suite.h"

#include <algorithm>
#include <optional>
#include <string>

namespace kvs {

namespace {

/// The oracle that objects first; empty: none does.
std::string objector(std::uint64_t seed, const ClusterOverrides& overrides) {
  const auto violations =
      simulate_cluster(draw_cluster_scenario(seed, overrides), nullptr).violations;
  return violations.empty() ? "" : violations.front().oracle;
}

/// A run of a seed that fails, and the same run made smaller.
struct Shrinking {
  std::uint64_t seed = 0;
  std::string oracle;  // that has to object
  ClusterOverrides smallest;

  /// Keeps `candidate` if the same oracle still objects.
  bool adopt(const ClusterOverrides& candidate) {
    if (candidate.machines < 2U || objector(seed, candidate) != oracle) {
      return false;
    }
    smallest = candidate;
    return true;
  }

  void drop_faults();
  void drop_watchers();
  void lower(std::optional<std::uint64_t> ClusterOverrides::* number);
};

void Shrinking::drop_faults() {
  for (std::size_t i = 0; i < kClusterFaultCount; ++i) {
    const auto fault = static_cast<ClusterFault>(i);
    ClusterFaultSet fewer = smallest.faults.value_or(ClusterFaultSet{});
    if (fewer.contains(fault)) {
      fewer.erase(fault);
      ClusterOverrides candidate = smallest;
      candidate.faults = fewer;
      adopt(candidate);
    }
  }
}

void Shrinking::drop_watchers() {
  ClusterOverrides candidate = smallest;
  candidate.watchers = 0;
  if (candidate != smallest) {
    adopt(candidate);
  }
}

/// The smallest value of one number, by halving the distance.
void Shrinking::lower(std::optional<std::uint64_t> ClusterOverrides::* number) {
  std::uint64_t best = (smallest.*number).value_or(1);
  for (std::uint64_t step = best / 2; step > 0;) {
    ClusterOverrides candidate = smallest;
    candidate.*number = best - step;
    const bool adopted = best > step && adopt(candidate);
    best = adopted ? best - step : best;
    step = adopted ? std::min(step, best / 2) : step / 2;
  }
}

}  // namespace

ClusterSuiteResult run_cluster_seeds(const SeedRange& seeds, const ClusterOverrides& overrides,
                                     const std::function<void(std::uint64_t)>& started) {
  constexpr double kHourNs = 3600e9;
  ClusterSuiteResult result;
  Digest digest;
  for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
    started(seed);
    const ClusterRun run = simulate_cluster(draw_cluster_scenario(seed, overrides), nullptr);
    digest.mix(run.hash);
    result.events += run.events;
    result.operations += run.operations;
    result.writes += run.writes;
    result.messages += run.messages;
    result.bytes += run.bytes;
    result.node_hours += static_cast<double>(run.node_ns) / kHourNs;
    result.slowest = std::max(result.slowest, run.converged);
    if (!run.violations.empty()) {
      result.failures.push_back({.seed = seed, .violation = run.violations.front()});
    }
  }
  result.hash = digest.value();
  return result;
}

ClusterOverrides shrink_cluster(std::uint64_t seed, const ClusterOverrides& overrides) {
  const ClusterScenario scenario = draw_cluster_scenario(seed, overrides);
  Shrinking shrinking{.seed = seed,
                      .oracle = objector(seed, overrides),
                      .smallest = {.faults = scenario.faults,
                                   .machines = scenario.machines,
                                   .clients = scenario.clients,
                                   .watchers = scenario.watchers,
                                   .keys = scenario.wishes.keys,
                                   .steps = scenario.steps,
                                   .minutes = overrides.minutes}};
  for (ClusterOverrides before{}; before != shrinking.smallest;) {
    before = shrinking.smallest;
    shrinking.drop_faults();
    shrinking.drop_watchers();
    for (const auto number :
         {&ClusterOverrides::steps, &ClusterOverrides::machines, &ClusterOverrides::clients,
          &ClusterOverrides::watchers, &ClusterOverrides::keys}) {
      shrinking.lower(number);
    }
  }
  return shrinking.smallest;
}

std::vector<MutantResult> run_cluster_mutants(const SeedRange& seeds,
                                              const std::function<void(std::uint64_t)>& started) {
  std::vector<MutantResult> results;
  for (const MutantInfo& info : mutants()) {
    if (info.judge != MutantJudge::cluster) {
      continue;
    }
    set_mutant(info.mutant);
    MutantResult& result = results.emplace_back(MutantResult{.info = info, .first = {}});
    for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
      started(seed);
      const ClusterRun run = simulate_cluster(draw_cluster_scenario(seed, {}), nullptr);
      if (run.violations.empty()) {
        continue;
      }
      ++result.found_in;
      if (!result.first) {
        result.first = FailedSeed{.seed = seed, .violation = run.violations.front()};
      }
    }
  }
  set_mutant(Mutant::none);
  return results;
}

}  // namespace kvs
