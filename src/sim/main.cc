// kvs-sim: see command_line.h for its options and docs/testing.md for what it proves.

#include <csignal>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/probe.h"
#include "sim/cluster_suite.h"
#include "sim/cluster_tracer.h"
#include "sim/command_line.h"
#include "sim/suite.h"
#include "sim/tracer.h"

namespace kvs {

namespace {

/// For a failed KVS_CHECK, which aborts: the command that replays the run.
struct Replay {
  char text[512] = {};
};

// A signal handler can be given nothing; this is what ours prints.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
Replay current_replay;

extern "C" void print_replay(int) {
  std::fputs(current_replay.text, stderr);
}

std::string replay_command(std::string_view program, const CommandLine& line, std::uint64_t seed) {
  const std::string arguments = line.cluster
                                    ? arguments_for(seed, line.cluster_overrides, line.mutant)
                                    : arguments_for(seed, line.overrides, line.mutant);
  return fmt::format("{} {} --trace", program, arguments);
}

void note_start(std::string_view program, const CommandLine& line, std::uint64_t seed) {
  const std::string text = "  replay: " + replay_command(program, line, seed) + "\n";
  std::snprintf(current_replay.text, sizeof current_replay.text, "%s", text.c_str());
}

void print_failure(const FailedSeed& failure, std::string_view replay) {
  fmt::print("seed {} violates \"{}\": {}\n  replay: {}\n", failure.seed, failure.violation.oracle,
             failure.violation.what, replay);
}

/// False if a mark was never reached.
bool print_probes() {
  bool all = true;
  for (const ProbeCount& probe : probe_counts()) {
    fmt::print("{:>12}  {}\n", probe.hits, probe.name);
    all = all && probe.hits > 0;
  }
  if (!all) {
    fmt::print("a mark was never reached: the runs do not test that branch\n");
  }
  return all;
}

void print_failures(std::string_view program, const CommandLine& line,
                    const std::vector<FailedSeed>& failures) {
  constexpr std::size_t kPrintedMax = 20;
  for (std::size_t i = 0; i < failures.size() && i < kPrintedMax; ++i) {
    print_failure(failures[i], replay_command(program, line, failures[i].seed));
  }
}

int run_cluster(std::string_view program, const CommandLine& line) {
  set_mutant(line.mutant);
  if (line.trace) {
    ClusterTracer tracer;
    note_start(program, line, line.seeds.first);
    static_cast<void>(
        simulate_cluster(draw_cluster_scenario(line.seeds.first, line.cluster_overrides), &tracer));
  }
  const std::clock_t begin = std::clock();
  const ClusterSuiteResult result =
      run_cluster_seeds(line.seeds, line.cluster_overrides,
                        [&](std::uint64_t seed) { note_start(program, line, seed); });
  const double cpu_minutes = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC / 60;
  print_failures(program, line, result.failures);
  fmt::print("{} of {} clusters failed; {} operations, {} writes, {} events\n",
             result.failures.size(), line.seeds.size(), result.operations, result.writes,
             result.events);
  fmt::print(
      "{:.1f} node-hours, {:.0f} a CPU-minute; {} messages, {} bytes; slowest to converge: "
      "{:.1f} s\n",
      result.node_hours, result.node_hours / cpu_minutes, result.messages, result.bytes,
      static_cast<double>(result.slowest.ms()) / 1000);
  if (line.hash) {
    fmt::print("hash {:016x}\n", result.hash);
  }
  const bool probed = !line.probes || print_probes();
  return result.failures.empty() && probed ? 0 : 1;
}

int run(std::string_view program, const CommandLine& line) {
  if (line.cluster) {
    return run_cluster(program, line);
  }
  set_mutant(line.mutant);
  if (line.trace) {
    Tracer tracer;
    note_start(program, line, line.seeds.first);
    static_cast<void>(simulate(draw_scenario(line.seeds.first, line.overrides), &tracer));
  }
  const SuiteResult result = run_seeds(
      line.seeds, line.overrides, [&](std::uint64_t seed) { note_start(program, line, seed); });
  print_failures(program, line, result.failures);
  fmt::print("{} of {} seeds failed; {} operations, {} events\n", result.failures.size(),
             line.seeds.size(), result.operations, result.events);
  if (line.hash) {
    fmt::print("hash {:016x}\n", result.hash);
  }
  const bool probed = !line.probes || print_probes();
  return result.failures.empty() && probed ? 0 : 1;
}

int shrink_cluster_run(std::string_view program, const CommandLine& line) {
  set_mutant(line.mutant);
  const std::uint64_t seed = line.seeds.first;
  const auto violations = [&](const ClusterOverrides& overrides) {
    return simulate_cluster(draw_cluster_scenario(seed, overrides), nullptr).violations;
  };
  if (violations(line.cluster_overrides).empty()) {
    fmt::print("seed {} violates nothing\n", seed);
    return 1;
  }
  CommandLine smaller = line;
  smaller.cluster_overrides = shrink_cluster(seed, line.cluster_overrides);
  print_failure({.seed = seed, .violation = violations(smaller.cluster_overrides).front()},
                replay_command(program, smaller, seed));
  return 0;
}

int shrink_run(std::string_view program, const CommandLine& line) {
  if (line.cluster) {
    return shrink_cluster_run(program, line);
  }
  set_mutant(line.mutant);
  const std::uint64_t seed = line.seeds.first;
  if (simulate(draw_scenario(seed, line.overrides), nullptr).violations.empty()) {
    fmt::print("seed {} violates nothing\n", seed);
    return 1;
  }
  CommandLine smaller = line;
  smaller.overrides = shrink(seed, line.overrides);
  const RunResult result = simulate(draw_scenario(seed, smaller.overrides), nullptr);
  print_failure({.seed = seed, .violation = result.violations.front()},
                replay_command(program, smaller, seed));
  return 0;
}

int run_all_mutants(std::string_view program, const CommandLine& line) {
  const auto started = [&](std::uint64_t seed) {
    note_start(program, line, seed);
  };
  const std::vector<MutantResult> results =
      line.cluster ? run_cluster_mutants(line.seeds, started) : run_mutants(line.seeds, started);
  std::size_t found = 0;
  fmt::print("{:>3}  {:<30} {:>9}  {:<40} {}\n", "no.", "mutant", "found in", "first by",
             "the rule it breaks");
  for (const MutantResult& result : results) {
    found += result.found_in > 0 ? 1 : 0;
    fmt::print("{:>3}  {:<30} {:>9}  {:<40} {}\n", static_cast<unsigned>(result.info.mutant),
               result.info.name, result.found_in,
               result.first ? result.first->violation.oracle : "NEVER", result.info.broken);
  }
  fmt::print("{} of {} mutants found in {} seeds each\n", found, results.size(), line.seeds.size());
  return found == results.size() ? 0 : 1;
}

/// Prints the table line by line. 1 if a goal was missed.
int run_measures(const CommandLine& line) {
  bool met = true;
  fmt::print("| measure | wanted | measured | met |\n|---|---|---|---|\n");
  for (const Measure* measure : line.measures) {
    measure->run(line.measure_size, [&](const Figure& figure) {
      met = met && figure.met != Figure::Met::no;
      fmt::print("{}\n", table_row(figure));
      std::fflush(stdout);
    });
  }
  return met ? 0 : 1;
}

int run_task(std::string_view program, const CommandLine& line) {
  switch (line.task) {
    case Task::run:
      return run(program, line);
    case Task::shrink:
      return shrink_run(program, line);
    case Task::mutants:
      return run_all_mutants(program, line);
    case Task::measure:
      return run_measures(line);
    case Task::help:
      fmt::print("{}", kUsage);
      return 0;
  }
  return 2;
}

}  // namespace

}  // namespace kvs

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const auto line = kvs::parse_command_line(arguments);
  if (!line) {
    fmt::print(stderr, "kvs-sim: {}\n{}", line.error().detail, kvs::kUsage);
    return 2;
  }
  std::signal(SIGABRT, kvs::print_replay);
  return kvs::run_task(argv[0], *line);
}
