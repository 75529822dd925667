// `kvs check [CONFIG.yaml]`: prints every value in force and where it comes from, as YAML; or what
// is wrong.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/cli.h"
#include "app/default_config.h"
#include "app/options.h"
#include "core/config_keys.h"

namespace kvs {
namespace {

int check(const std::string& path) {
  const auto options = load_options(path);
  if (!options) {
    print_error(options.error().detail);
    return kExitFailed;
  }
  for (std::size_t i = 0; i < config_keys().size(); ++i) {
    const ConfigKey& key = config_keys()[i];
    const std::string line = fmt::format("{}: {}", key.name, yaml_value(options->config, key));
    fmt::print("{:<40}  # {}\n", line, options->sources[i]);
  }
  return kExitFine;
}

}  // namespace

void declare_check(CLI::App& app, Command& command) {
  CLI::App* const parser =
      app.add_subcommand("check", "Show the configuration in force, or what is wrong with it");
  const auto path = std::make_shared<std::string>(kDefaultConfigPath);
  parser->add_option("CONFIG.yaml", *path, "Configuration file")->capture_default_str();
  parser->callback([path, &command] {
    command = [path] {
      return check(*path);
    };
  });
}

}  // namespace kvs
