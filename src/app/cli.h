// The command line: `kvs [CONFIG.yaml]`, `kvs check [CONFIG.yaml]`, `kvs make-conflict DIR1 DIR2`,
// `--help`, `--version`.
//
// A subcommand is one small file: declare_NAME() adds it to the parser and sets what it runs.
// Exit codes: 0 fine; 1 an operating error, said in lines `kvs: ...` on standard error; 2 a wrong
// command line.
#pragma once

#include <functional>
#include <string>

#include "core/config.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name
class App;
}

namespace kvs {

inline constexpr int kExitFine = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

/// The file that is used, and written if absent, where none is named.
inline constexpr const char* kDefaultConfigPath = "./config.yaml";

/// What the command line asks for; gives the exit code.
using Command = std::function<int()>;

/// Runs a node until it is told to stop; gives the exit code.
using Serve = std::function<int(const Config& config, const std::string& config_path)>;

/// Reads the command line and does what it says.
[[nodiscard]] int run_cli(int argc, const char* const* argv, const Serve& serve);

/// Prints each line of `detail` as `kvs: ...` on standard error.
void print_error(const std::string& detail);

/// Adds `kvs check`; `command` is set where the command line chooses it.
void declare_check(CLI::App& app, Command& command);

/// Adds `kvs make-conflict`; likewise.
void declare_make_conflict(CLI::App& app, Command& command);

}  // namespace kvs
