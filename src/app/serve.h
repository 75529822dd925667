// One node, from start to orderly end.
#pragma once

#include <string>

#include "core/config.h"

namespace kvs {

/// Runs a node until SIGTERM or SIGINT, and returns the exit code: 0 after an orderly end, 1 if the
/// node could not start (one line on standard error says why and what to do). A commit that leaves
/// durability unknown, and a second signal, end the process from within. `config_path` is for the
/// log.
int serve(const Config& config, const std::string& config_path);

}  // namespace kvs
