// One run: a seed's world in two acts, watched by every oracle.
//
// First act: clients work while faults strike. Second act: all is healed, and within a bound of
// virtual time the node must serve everything asked of it; then it is restarted once more and its
// folder is compared with the model. A run depends on its scenario alone.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/observer.h"
#include "sim/scenario.h"

namespace kvs {

struct RunResult {
  std::vector<Violation> violations;  // of the moment at which the first was found
  std::uint64_t hash = 0;             // of every event and effect
  std::uint64_t events = 0;
  std::uint64_t operations = 0;
  Duration time;  // virtual
};

/// Runs a scenario to its end or to the first violation. `watcher` sees everything; may be nullptr.
[[nodiscard]] RunResult simulate(const Scenario& scenario, Observer* watcher);

}  // namespace kvs
