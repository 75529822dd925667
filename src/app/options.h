// Where the configuration comes from: a YAML file, over it the environment (KVS_<KEY>), under it
// the defaults.
//
// All errors are found in one go and come back as one Error whose detail has a line for each, such
// as
//   config.yaml:3: port: "80a" is not allowed; allowed: a whole number, 0 to 65535
//   KVS_LOG_LEVEL: "loud" is not allowed; allowed: debug, info, warn or error
// parse_options() is pure: file and environment are arguments. docs/configuration.md is the
// contract.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/config.h"

namespace kvs {

struct EnvironmentVariable {
  std::string name;
  std::string value;
};

/// All that a configuration is made of.
struct OptionsInput {
  /// How the file is called in messages.
  std::string file_name;
  std::string file_text;
  /// Those that are not called KVS_... are passed over.
  std::vector<EnvironmentVariable> environment;
  /// The node's id where none is given.
  std::string host_name;
};

struct Options {
  Config config;
  /// For each key, in the order of config_keys(): "default", "FILE:LINE", or the variable's name.
  std::vector<std::string> sources;
};

/// Error: invalid_config, with all that is wrong, a line each.
[[nodiscard]] Result<Options> parse_options(const OptionsInput& input);

/// The same with the file at `path`, this process's environment and this machine's host name.
/// Errors: io_error, if the file cannot be read; invalid_config.
[[nodiscard]] Result<Options> load_options(const std::string& path);

/// The name of the environment variable of a key: "KVS_PORT" for "port".
[[nodiscard]] std::string variable_of(std::string_view key);

}  // namespace kvs
