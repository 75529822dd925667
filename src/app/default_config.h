// The configuration file that a first start writes: every key with its default and a comment that
// says what it means and what is allowed; and values as YAML.
#pragma once

#include <string>

#include "base/result.h"
#include "core/config_keys.h"
#include "io/file.h"

namespace kvs {

/// The value of the key's field as YAML, e.g. `["node1:8080"]`.
[[nodiscard]] std::string yaml_value(const Config& config, const ConfigKey& key);

/// The text of the file for a node called `node_id`. It reads back as exactly the defaults.
[[nodiscard]] std::string default_config_text(const std::string& node_id);

/// Writes that file to `path`, whole or not at all, unless something is there already. Errors:
/// io_error, saying what to do.
[[nodiscard]] Result<FileCreation> write_default_config(const std::string& path);

}  // namespace kvs
