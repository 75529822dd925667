// What a cluster owes when nothing disturbs it any more (P4, P15): everybody serves, all hold the
// same records, know the same writes, and see the same members.
#pragma once

#include <string>
#include <vector>

#include "sim/cluster_clients.h"
#include "sim/cluster_observer.h"

namespace kvs {

/// The first thing in which two machines differ, or that one lacks; empty: nothing is missing.
/// `now` is what a right clock shows. Keys with a write that its stamp puts off are left out (P10).
[[nodiscard]] std::string what_is_missing(const Machines& machines, WallTime now);

/// True if somebody holds a write that others put off because of its stamp.
[[nodiscard]] bool anything_put_off(const std::vector<FinalState>& states);

/// What each machine that is not gone holds; all these are serving.
[[nodiscard]] std::vector<FinalState> final_states(const Machines& machines, WallTime now);

}  // namespace kvs
