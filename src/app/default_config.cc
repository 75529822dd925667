#include "app/default_config.h"

#include <utility>

#include <fmt/format.h>

#include "core/config_keys.h"
#include "io/os.h"
#include "wire/json.h"

namespace kvs {
namespace {

constexpr std::string_view kExampleSeeds = "#   e.g. [\"192.168.1.10:8080\", \"node2:8080\"]\n";

/// A JSON string is a YAML string.
std::string quoted(std::string_view text) {
  std::string result;
  append_json_string(result, text);
  return result;
}

}  // namespace

std::string yaml_value(const Config& config, const ConfigKey& key) {
  if (const auto* const list = std::get_if<AddressesRule>(&key.rule)) {
    std::string items;
    for (const Address& address : config.*list->field) {
      items += (items.empty() ? "" : ", ") + quoted(to_string(address));
    }
    return "[" + items + "]";
  }
  const bool is_text =
      std::holds_alternative<TextRule>(key.rule) || std::holds_alternative<ChoiceRule>(key.rule);
  const std::string value = config_value(config, key);
  return is_text ? quoted(value) : value;
}

std::string default_config_text(const std::string& node_id) {
  Config config;
  config.node_id = node_id;
  std::string text =
      "# Configuration of a KVS node. Every key may be left out: these are the defaults.\n"
      "# An environment variable KVS_<KEY>, such as KVS_PORT, goes before its key here.\n"
      "# `kvs check FILE` says what is in force, or what is wrong. Changes take a restart.\n";
  for (const ConfigKey& key : config_keys()) {
    text += fmt::format("\n# {}.\n# Allowed: {}.\n", key.meaning, allowed_values(key));
    if (std::holds_alternative<AddressesRule>(key.rule)) {
      text += kExampleSeeds;
    }
    text += fmt::format("{}: {}\n", key.name, yaml_value(config, key));
  }
  return text;
}

Result<FileCreation> write_default_config(const std::string& path) {
  auto written = create_file(path, default_config_text(host_name()));
  if (!written) {
    return fail(written.error().code,
                written.error().detail +
                    "; start in a folder that this user may write, or name a file: kvs CONFIG.yaml "
                    "(/dev/null stands for one with all defaults)");
  }
  return written;
}

}  // namespace kvs
