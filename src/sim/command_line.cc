#include "sim/command_line.h"

#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace kvs {

namespace {

Result<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(Errc::invalid_config, fmt::format("`{}` is not a number", text));
  }
  return number;
}

Result<SeedRange> parse_seeds(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    return fail(Errc::invalid_config, fmt::format("`{}` is not A..B", text));
  }
  const SeedRange seeds{.first = KVS_TRY(parse_number(text.substr(0, dots))),
                        .last = KVS_TRY(parse_number(text.substr(dots + 2)))};
  if (seeds.first > seeds.last) {
    return fail(Errc::invalid_config, fmt::format("`{}` contains no seed", text));
  }
  return seeds;
}

Result<Mutant> parse_mutant(std::string_view text) {
  for (const MutantInfo& info : mutants()) {
    if (info.name == text || std::to_string(static_cast<unsigned>(info.mutant)) == text) {
      return info.mutant;
    }
  }
  return fail(Errc::invalid_config, fmt::format("`{}` is no mutant", text));
}

/// Options that stand alone. False: `option` is none of them.
bool take_flag(std::string_view option, CommandLine& line) {
  if (option == "--trace") {
    line.trace = true;
  } else if (option == "--hash") {
    line.hash = true;
  } else if (option == "--probes") {
    line.probes = true;
  } else if (option == "--shrink") {
    line.task = Task::shrink;
  } else if (option == "--mutants") {
    line.task = Task::mutants;
  } else if (option == "--help") {
    line.task = Task::help;
  } else {
    return false;
  }
  return true;
}

Result<void> take_number(std::string_view option, std::string_view value, Overrides& overrides) {
  if (option == "--clients") {
    overrides.clients = KVS_TRY(parse_number(value));
  } else if (option == "--keys") {
    overrides.keys = KVS_TRY(parse_number(value));
  } else if (option == "--steps") {
    overrides.steps = KVS_TRY(parse_number(value));
  } else {
    return fail(Errc::invalid_config, fmt::format("unknown option `{}`", option));
  }
  return {};
}

Result<void> take_option(std::string_view option, std::string_view value, CommandLine& line) {
  if (option == "--seeds") {
    line.seeds = KVS_TRY(parse_seeds(value));
  } else if (option == "--seed") {
    const std::uint64_t seed = KVS_TRY(parse_number(value));
    line.seeds = {.first = seed, .last = seed};
  } else if (option == "--mutant") {
    line.mutant = KVS_TRY(parse_mutant(value));
  } else if (option == "--faults") {
    line.overrides.faults = KVS_TRY(parse_faults(value));
  } else {
    return take_number(option, value, line.overrides);
  }
  return {};
}

}  // namespace

Result<CommandLine> parse_command_line(std::span<const std::string_view> arguments) {
  CommandLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (take_flag(arguments[i], line)) {
      continue;
    }
    if (i + 1 == arguments.size()) {
      return fail(Errc::invalid_config,
                  fmt::format("unknown option or no value: `{}`", arguments[i]));
    }
    KVS_TRY(take_option(arguments[i], arguments[i + 1], line));
    ++i;
  }
  const bool impossible = line.overrides.clients == 0 || line.overrides.keys == 0;
  if (impossible) {
    return fail(Errc::invalid_config, "a run needs a client and a key");
  }
  return line;
}

std::string arguments_for(std::uint64_t seed, const Overrides& overrides, Mutant mutant) {
  std::string text = fmt::format("--seed {}", seed);
  if (overrides.faults) {
    text += fmt::format(" --faults {}", to_string(*overrides.faults));
  }
  if (overrides.clients) {
    text += fmt::format(" --clients {}", *overrides.clients);
  }
  if (overrides.keys) {
    text += fmt::format(" --keys {}", *overrides.keys);
  }
  if (overrides.steps) {
    text += fmt::format(" --steps {}", *overrides.steps);
  }
  for (const MutantInfo& info : mutants()) {
    if (info.mutant == mutant) {
      text += fmt::format(" --mutant {}", info.name);
    }
  }
  return text;
}

}  // namespace kvs
