// kvs-sim: see command_line.h for its options and docs/testing.md for what it proves.

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/probe.h"
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
  return fmt::format("{} {} --trace", program, arguments_for(seed, line.overrides, line.mutant));
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

int run(std::string_view program, const CommandLine& line) {
  set_mutant(line.mutant);
  if (line.trace) {
    Tracer tracer;
    note_start(program, line, line.seeds.first);
    static_cast<void>(simulate(draw_scenario(line.seeds.first, line.overrides), &tracer));
  }
  const SuiteResult result = run_seeds(
      line.seeds, line.overrides, [&](std::uint64_t seed) { note_start(program, line, seed); });
  constexpr std::size_t kPrintedMax = 20;
  for (std::size_t i = 0; i < result.failures.size() && i < kPrintedMax; ++i) {
    print_failure(result.failures[i], replay_command(program, line, result.failures[i].seed));
  }
  fmt::print("{} of {} seeds failed; {} operations, {} events\n", result.failures.size(),
             line.seeds.size(), result.operations, result.events);
  if (line.hash) {
    fmt::print("hash {:016x}\n", result.hash);
  }
  const bool probed = !line.probes || print_probes();
  return result.failures.empty() && probed ? 0 : 1;
}

int shrink_run(std::string_view program, const CommandLine& line) {
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
  const std::vector<MutantResult> results =
      run_mutants(line.seeds, [&](std::uint64_t seed) { note_start(program, line, seed); });
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

int run_task(std::string_view program, const CommandLine& line) {
  switch (line.task) {
    case Task::run:
      return run(program, line);
    case Task::shrink:
      return shrink_run(program, line);
    case Task::mutants:
      return run_all_mutants(program, line);
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
