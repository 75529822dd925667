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
    const std::string min_value = config_value(config, min);
    const std::string max_value = config_value(config, max);
    problems.push_back({.key = std::string(min.name),
                        .value = min_value,
                        .allowed = fmt::format("at most {}, which is {}", max.name, max_value)});
    problems.push_back({.key = std::string(max.name),
                        .value = max_value,
                        .allowed = fmt::format("at least {}, which is {}", min.name, min_value)});
  }
  return problems;
}

}  // namespace kvs
