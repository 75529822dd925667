// Many runs: ranges of seeds, mutants, and the shrinking of a run that failed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/mutant.h"
#include "sim/scenario.h"
#include "sim/simulation.h"

namespace kvs {

/// Seeds first to last, both included.
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1;

  [[nodiscard]] std::uint64_t size() const { return last - first + 1; }
};

struct FailedSeed {
  std::uint64_t seed = 0;
  Violation violation;  // the first
};

struct SuiteResult {
  std::uint64_t hash = 0;  // of the runs' hashes, in order
  std::uint64_t events = 0;
  std::uint64_t operations = 0;
  std::vector<FailedSeed> failures;
};

/// Runs every seed of the range. `started` hears of each before it runs.
[[nodiscard]] SuiteResult run_seeds(const SeedRange& seeds, const Overrides& overrides,
                                    const std::function<void(std::uint64_t)>& started);

/// Looks for a smaller run of the same seed that violates something too: fewer faults, clients,
/// keys, steps. Error-free only in the sense that the result fails whenever `overrides` did.
[[nodiscard]] Overrides shrink(std::uint64_t seed, const Overrides& overrides);

/// In how many seeds a mutant was noticed.
struct MutantResult {
  MutantInfo info;
  std::uint64_t found_in = 0;
  std::optional<FailedSeed> first;
};

/// Runs the seeds once with each mutant that one node has to show. Leaves no mutant set.
[[nodiscard]] std::vector<MutantResult> run_mutants(
    const SeedRange& seeds, const std::function<void(std::uint64_t)>& started);

}  // namespace kvs
