// From the configuration to what the core wants to know.
#pragma once

#include <string>

#include "core/config.h"
#include "core/node.h"

namespace kvs {

/// `address` is where others reach this node.
[[nodiscard]] NodeOptions node_options(const Config& config, const std::string& address);

}  // namespace kvs
