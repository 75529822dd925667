#include "sim/command_line.h"

#include <algorithm>
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

Result<std::vector<const Measure*>> parse_measures(std::string_view text) {
  std::vector<const Measure*> wanted;
  if (text == "all") {
    for (const Measure& measure : measures()) {
      wanted.push_back(&measure);
    }
    return wanted;
  }
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    wanted.push_back(find_measure(name));
    if (wanted.back() == nullptr) {
      return fail(Errc::invalid_config, fmt::format("`{}` is no measure", name));
    }
    text.remove_prefix(std::min(text.size(), name.size() + 1));
  }
  return wanted;
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
  } else if (option == "--cluster") {
    line.cluster = true;
  } else if (option == "--quick") {
    line.measure_size.quick = true;
  } else if (option == "--help") {
    line.task = Task::help;
  } else {
    return false;
  }
  return true;
}

Result<void> take_number(std::string_view option, std::string_view value, CommandLine& line) {
  using Number = std::optional<std::uint64_t>;

  struct Place {
    std::string_view name;
    Number Overrides::* of_node;
    Number ClusterOverrides::* of_cluster;
  };

  for (const auto& [name, of_node, of_cluster] :
       {Place{.name = "--clients",
              .of_node = &Overrides::clients,
              .of_cluster = &ClusterOverrides::clients},
        Place{.name = "--keys", .of_node = &Overrides::keys, .of_cluster = &ClusterOverrides::keys},
        Place{.name = "--steps",
              .of_node = &Overrides::steps,
              .of_cluster = &ClusterOverrides::steps}}) {
    if (option == name) {
      line.overrides.*of_node = KVS_TRY(parse_number(value));
      line.cluster_overrides.*of_cluster = line.overrides.*of_node;
      return {};
    }
  }
  if (option == "--nodes") {
    line.cluster_overrides.machines = KVS_TRY(parse_number(value));
    line.measure_size.nodes = static_cast<std::uint32_t>(*line.cluster_overrides.machines);
    return {};
  }
  if (option == "--watchers") {
    line.cluster_overrides.watchers = KVS_TRY(parse_number(value));
    return {};
  }
  if (option == "--minutes") {
    line.cluster_overrides.minutes = KVS_TRY(parse_number(value));
    return {};
  }
  return fail(Errc::invalid_config, fmt::format("unknown option `{}`", option));
}

Result<void> take_faults(std::string_view value, CommandLine& line) {
  if (line.cluster) {
    line.cluster_overrides.faults = KVS_TRY(parse_cluster_faults(value));
  } else {
    line.overrides.faults = KVS_TRY(parse_faults(value));
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
  } else if (option == "--measure") {
    line.task = Task::measure;
    line.measures = KVS_TRY(parse_measures(value));
  } else if (option == "--faults") {
    return take_faults(value, line);
  } else {
    return take_number(option, value, line);
  }
  return {};
}

}  // namespace

Result<CommandLine> parse_command_line(std::span<const std::string_view> arguments) {
  CommandLine line;
  line.cluster = std::ranges::find(arguments, "--cluster") != arguments.end();
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
  const bool impossible = line.overrides.clients == 0 || line.overrides.keys == 0 ||
                          line.cluster_overrides.machines == 0;
  if (impossible) {
    return fail(Errc::invalid_config, "a run needs a node, a client and a key");
  }
  return line;
}

namespace {

void add_number(std::string& text, std::string_view name,
                const std::optional<std::uint64_t>& number) {
  if (number) {
    text += fmt::format(" {} {}", name, *number);
  }
}

void add_mutant(std::string& text, Mutant mutant) {
  for (const MutantInfo& info : mutants()) {
    if (info.mutant == mutant) {
      text += fmt::format(" --mutant {}", info.name);
    }
  }
}

}  // namespace

std::string arguments_for(std::uint64_t seed, const Overrides& overrides, Mutant mutant) {
  std::string text = fmt::format("--seed {}", seed);
  if (overrides.faults) {
    text += fmt::format(" --faults {}", to_string(*overrides.faults));
  }
  add_number(text, "--clients", overrides.clients);
  add_number(text, "--keys", overrides.keys);
  add_number(text, "--steps", overrides.steps);
  add_mutant(text, mutant);
  return text;
}

std::string arguments_for(std::uint64_t seed, const ClusterOverrides& overrides, Mutant mutant) {
  std::string text = fmt::format("--cluster --seed {}", seed);
  if (overrides.faults) {
    text += fmt::format(" --faults {}", to_string(*overrides.faults));
  }
  add_number(text, "--nodes", overrides.machines);
  add_number(text, "--clients", overrides.clients);
  add_number(text, "--watchers", overrides.watchers);
  add_number(text, "--keys", overrides.keys);
  add_number(text, "--steps", overrides.steps);
  add_number(text, "--minutes", overrides.minutes);
  add_mutant(text, mutant);
  return text;
}

}  // namespace kvs
