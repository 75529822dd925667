// The command line: `kvs [CONFIG.yaml]` runs a node; `kvs check`, `kvs restore` and
// `kvs make-conflict` work without one; the other subcommands are clients of a node (app/client).
// docs/kvs.1 is normative.
//
// A subcommand is one small file: declare_NAME() adds it to the parser and sets what it runs.
// Errors are lines `kvs: ...` on standard error.
#pragma once

#include <functional>
#include <string>

#include "core/config.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name
class App;
}

namespace kvs {

// Exit codes, for scripts.
inline constexpr int kExitFine = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;        // a wrong command line, key or value
inline constexpr int kExitNotFound = 3;     // no such key or member
inline constexpr int kExitCondition = 4;    // a condition does not hold
inline constexpr int kExitUnreachable = 5;  // no node, or no answer
inline constexpr int kExitNotNow = 6;       // the node refuses for now: later again
inline constexpr int kExitSignal = 128;     // plus the signal that interrupted the work

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

/// Likewise for the others.
void declare_make_conflict(CLI::App& app, Command& command);
void declare_get(CLI::App& app, Command& command);
void declare_put(CLI::App& app, Command& command);
void declare_del(CLI::App& app, Command& command);
void declare_ls(CLI::App& app, Command& command);
void declare_tree(CLI::App& app, Command& command);
void declare_watch(CLI::App& app, Command& command);
void declare_members(CLI::App& app, Command& command);
void declare_status(CLI::App& app, Command& command);
void declare_leave(CLI::App& app, Command& command);
void declare_export(CLI::App& app, Command& command);
void declare_import(CLI::App& app, Command& command);
void declare_bench(CLI::App& app, Command& command);
void declare_backup(CLI::App& app, Command& command);
void declare_restore(CLI::App& app, Command& command);

}  // namespace kvs
