#include "core/config.h"

#include <fmt/format.h>

#include "core/config_keys.h"

namespace kvs {

namespace {

struct KeyPair {
  std::string_view lesser;
  std::string_view greater;
  std::string_view lesser_rule;  // "at most", "less than"
  std::string_view greater_rule;
};

/// Both keys, since either may be the one to change.
void add_problems(const Config& config, const KeyPair& pair, std::vector<ConfigProblem>& problems) {
  const std::string lesser = config_value(config, *find_config_key(pair.lesser));
  const std::string greater = config_value(config, *find_config_key(pair.greater));
  problems.push_back(
      {.key = std::string(pair.lesser),
       .value = lesser,
       .allowed = fmt::format("{} {}, which is {}", pair.lesser_rule, pair.greater, greater)});
  problems.push_back(
      {.key = std::string(pair.greater),
       .value = greater,
       .allowed = fmt::format("{} {}, which is {}", pair.greater_rule, pair.lesser, lesser)});
}

}  // namespace

std::string advertised_address(const Config& config, const Whereabouts& here) {
  if (const auto address = parse_address(config.advertise_address)) {
    return to_string(*address);
  }
  if (!config.advertise_address.empty()) {
    return to_string(Address{.host = config.advertise_address, .port = here.port});
  }
  const std::string host =
      is_every_interface(config.bind_address) ? std::string(here.host_name) : config.bind_address;
  return to_string(Address{.host = host, .port = here.port});
}

std::vector<ConfigProblem> check_config(const Config& config) {
  std::vector<ConfigProblem> problems;
  Config scratch;
  for (const ConfigKey& key : config_keys()) {
    const std::string value = config_value(config, key);
    if (set_config_value(scratch, key, value)) {
      continue;
    }
    problems.push_back(
        {.key = std::string(key.name), .value = value, .allowed = allowed_values(key)});
  }
  if (config.gossip_interval_min > config.gossip_interval_max) {
    add_problems(config,
                 {.lesser = "gossip_interval_min",
                  .greater = "gossip_interval_max",
                  .lesser_rule = "at most",
                  .greater_rule = "at least"},
                 problems);
  }
  if (config.probe_timeout >= config.probe_interval) {
    add_problems(config,
                 {.lesser = "probe_timeout_ms",
                  .greater = "probe_interval_ms",
                  .lesser_rule = "less than",
                  .greater_rule = "more than"},
                 problems);
  }
  return problems;
}

}  // namespace kvs
