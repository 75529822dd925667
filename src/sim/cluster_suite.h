// Many runs of the cluster's simulator: as sim/suite.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/cluster_simulation.h"
#include "sim/suite.h"

namespace kvs {

struct ClusterSuiteResult {
  std::uint64_t hash = 0;  // of the runs' hashes, in order
  std::uint64_t events = 0;
  std::uint64_t operations = 0;
  std::uint64_t writes = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  double node_hours = 0;
  Duration slowest;  // convergence after the healing
  std::vector<FailedSeed> failures;
};

/// Runs every seed of the range. `started` hears of each before it runs.
[[nodiscard]] ClusterSuiteResult run_cluster_seeds(
    const SeedRange& seeds, const ClusterOverrides& overrides,
    const std::function<void(std::uint64_t)>& started);

/// Looks for a smaller run of the same seed that violates something too.
[[nodiscard]] ClusterOverrides shrink_cluster(std::uint64_t seed,
                                              const ClusterOverrides& overrides);

/// Runs the seeds once with each mutant that a cluster has to show. Leaves no mutant set.
[[nodiscard]] std::vector<MutantResult> run_cluster_mutants(
    const SeedRange& seeds, const std::function<void(std::uint64_t)>& started);

}  // namespace kvs
