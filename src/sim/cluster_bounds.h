// Narrow bounds for the nodes of a simulated cluster.
//
// In production the bounds of queues, tables and messages are wide, so that a cluster of a minute
// never comes near them. In some runs (ClusterFault::narrow) they are drawn small, for each machine
// its own and most of them only on some, so that what happens at a bound happens all the time.
#pragma once

#include <cstdint>

#include "sim/cluster_scenario.h"

namespace kvs {

/// Narrows what the seed draws for this machine; the same for each of its lives.
void narrow_bounds(const ClusterScenario& scenario, std::uint32_t machine, NodeOptions& options);

}  // namespace kvs
