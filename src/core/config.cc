#include "core/config.h"

#include <fmt/format.h>

#include "core/config_keys.h"

namespace kvs {

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
    const ConfigKey& min = *find_config_key("gossip_interval_min");
    const ConfigKey& max = *find_config_key("gossip_interval_max");
    problems.push_back({.key = std::string(min.name),
                        .value = config_value(config, min),
                        .allowed = fmt::format("at most gossip_interval_max, which is {}",
                                               config_value(config, max))});
  }
  return problems;
}

}  // namespace kvs
