#include "sim/cluster_suite.h"

#include <algorithm>

namespace kvs {

namespace {

bool fails(std::uint64_t seed, const ClusterOverrides& overrides) {
  return !simulate_cluster(draw_cluster_scenario(seed, overrides), nullptr).violations.empty();
}

/// Keeps `candidate` if it still fails.
bool adopt(std::uint64_t seed, const ClusterOverrides& candidate, ClusterOverrides& smallest) {
  if (!fails(seed, candidate)) {
    return false;
  }
  smallest = candidate;
  return true;
}

void drop_faults(std::uint64_t seed, ClusterOverrides& smallest) {
  for (std::size_t i = 0; i < kClusterFaultCount; ++i) {
    const auto fault = static_cast<ClusterFault>(i);
    if (smallest.faults->contains(fault)) {
      ClusterOverrides candidate = smallest;
      candidate.faults->erase(fault);
      adopt(seed, candidate, smallest);
    }
  }
}

/// The smallest value of one number, by halving the distance.
void lower(std::uint64_t seed, std::optional<std::uint64_t> ClusterOverrides::* number,
           ClusterOverrides& smallest) {
  for (std::uint64_t step = *(smallest.*number) / 2; step > 0;) {
    ClusterOverrides candidate = smallest;
    candidate.*number = *(smallest.*number) - step;
    const bool adopted = *(smallest.*number) > step && adopt(seed, candidate, smallest);
    step = adopted ? std::min(step, *(smallest.*number) / 2) : step / 2;
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
  ClusterOverrides smallest{.faults = scenario.faults,
                            .machines = scenario.machines,
                            .clients = scenario.clients,
                            .keys = scenario.wishes.keys,
                            .steps = scenario.steps};
  for (ClusterOverrides before{}; before != smallest;) {
    before = smallest;
    drop_faults(seed, smallest);
    for (const auto number : {&ClusterOverrides::steps, &ClusterOverrides::machines,
                              &ClusterOverrides::clients, &ClusterOverrides::keys}) {
      lower(seed, number, smallest);
    }
  }
  return smallest;
}

std::vector<MutantResult> run_cluster_mutants(const SeedRange& seeds,
                                              const std::function<void(std::uint64_t)>& started) {
  std::vector<MutantResult> results;
  for (const MutantInfo& info : mutants()) {
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
