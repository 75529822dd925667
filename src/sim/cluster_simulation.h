// One run of the cluster's simulator: from a scenario to what the oracles have against it.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/cluster_observer.h"
#include "sim/cluster_scenario.h"

namespace kvs {

struct ClusterRun {
  std::vector<Violation> violations;  // empty: all promises were kept
  std::uint64_t hash = 0;             // of all that happened
  std::uint64_t events = 0;
  std::uint64_t operations = 0;
  std::uint64_t writes = 0;
  Duration time;              // of the whole run
  Duration converged;         // after the healing
  std::uint64_t node_ns = 0;  // virtual time times machines
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

/// Runs until the second act is over or an oracle objects. `watcher`, if there is one, sees
/// everything, before the oracles do.
[[nodiscard]] ClusterRun simulate_cluster(const ClusterScenario& scenario,
                                          ClusterObserver* watcher);

}  // namespace kvs
