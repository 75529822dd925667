// What kvs-sim is asked to do.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutant.h"
#include "base/result.h"
#include "sim/cluster_scenario.h"
#include "sim/measures.h"
#include "sim/scenario.h"
#include "sim/suite.h"

namespace kvs {

enum class Task : std::uint8_t { run, shrink, mutants, measure, help };

struct CommandLine {
  Task task = Task::run;
  SeedRange seeds{.first = 1, .last = 1000};
  bool trace = false;   // print every event; for one seed
  bool hash = false;    // print the hash of all that happened
  bool probes = false;  // fail if a mark was never reached
  Mutant mutant = Mutant::none;
  Overrides overrides;

  bool cluster = false;  // simulate a cluster, with these overrides instead
  ClusterOverrides cluster_overrides;

  std::vector<const Measure*> measures;  // with --measure
  MeasureSize measure_size;
};

inline constexpr std::string_view kUsage =
    R"(usage: kvs-sim [OPTION...]   runs nodes in a simulated world and checks their promises

  --seeds A..B      the seeds to run (default 1..1000)
  --seed N          one seed
  --trace           print what happens, event by event
  --hash            print a hash of everything that happened
  --probes          fail if a KVS_PROBE mark was never reached; print how often each was
  --shrink          look for a smaller run of the seed that fails too; print its command
  --mutant NAME     break one rule of the code (a name or number of --mutants)
  --mutants         break each rule in turn over the seeds; fail if a mutant is never noticed

  --faults A,B,...  instead of those that the seed draws; `none` for none
  --clients N, --keys N, --steps N

  --cluster         a cluster instead of one node, with faults of its own
  --nodes N         how many nodes it has
  --watchers N      how many clients watch
  --minutes N       how long faults strike, in virtual time

  --measure A,B,... prints figures beside what is wanted; `all`, or of: spread, loss, copies, crash,
                    quiet, rest, halves, ties, exchange, absence. --nodes N for one size only
  --quick           few repetitions, small sizes; fails if a goal is missed
)";

/// Reads the arguments behind the program's name. Error: invalid_config.
Result<CommandLine> parse_command_line(std::span<const std::string_view> arguments);

/// The arguments that run `seed` with these overrides.
[[nodiscard]] std::string arguments_for(std::uint64_t seed, const Overrides& overrides,
                                        Mutant mutant);
[[nodiscard]] std::string arguments_for(std::uint64_t seed, const ClusterOverrides& overrides,
                                        Mutant mutant);

}  // namespace kvs
