// What a cluster owes when nothing disturbs it any more (P4, P15): everybody serves, all hold the
// same records, know the same writes, and see the same members.
#pragma once

#include <string>
#include <vector>

#include "sim/cluster_clients.h"
#include "sim/cluster_observer.h"

namespace kvs {

/// The first thing in which two machines differ, or that one lacks; empty: nothing is missing.
[[nodiscard]] std::string what_is_missing(const Machines& machines);

/// What each machine holds; all are serving.
[[nodiscard]] std::vector<FinalState> final_states(const Machines& machines);

}  // namespace kvs
