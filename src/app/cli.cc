#include "app/cli.h"

#include <cstdio>
#include <exception>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/default_config.h"
#include "app/options.h"

namespace kvs {
namespace {

constexpr const char* kFooter =
    "Without a subcommand a node is run. Without CONFIG.yaml, ./config.yaml is used; if there is "
    "none, one with all defaults is written.\n"
    "Every key of it can be set by an environment variable too: KVS_PORT=9000 kvs\n"
    "SIGTERM or SIGINT end the node in good order, SIGHUP opens its log file anew.\n"
    "kvs SUBCOMMAND --help tells the options of one; the manual page kvs(1) tells the rest.";

/// `kvs [CONFIG.yaml]`: an empty path means the default file.
int run_node(const std::string& named_path, const Serve& serve) {
  const std::string path = named_path.empty() ? kDefaultConfigPath : named_path;
  if (named_path.empty()) {
    if (const auto written = write_default_config(path); !written) {
      print_error(written.error().detail);
      return kExitFailed;
    }
  }
  const auto options = load_options(path);
  if (!options) {
    print_error(options.error().detail);
    return kExitFailed;
  }
  return serve(options->config, path);
}

void declare_clients(CLI::App& app, Command& command) {
  declare_get(app, command);
  declare_put(app, command);
  declare_del(app, command);
  declare_ls(app, command);
  declare_tree(app, command);
  declare_watch(app, command);
  declare_members(app, command);
  declare_status(app, command);
  declare_leave(app, command);
  declare_export(app, command);
  declare_import(app, command);
  declare_bench(app, command);
  declare_backup(app, command);
}

/// The subcommand that the command line chose, and a blank; empty if it chose none.
std::string chosen(const CLI::App& app) {
  const auto subcommands = app.get_subcommands();
  return subcommands.empty() ? std::string() : subcommands.front()->get_name() + ' ';
}

}  // namespace

void print_error(const std::string& detail) {
  std::string_view rest = detail;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    fmt::print(stderr, "kvs: {}\n", rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
}

int run_cli(int argc, const char* const* argv, const Serve& serve) {
  try {
    CLI::App app("KVS: a hierarchical key-value store, JSON over HTTP.", "kvs");
    app.set_version_flag("--version", "kvs " KVS_VERSION);
    app.footer(kFooter);
    app.require_subcommand(0, 1);
    std::string path;
    app.add_option("CONFIG.yaml", path, "Configuration file of the node to run");
    Command command;
    declare_check(app, command);
    declare_make_conflict(app, command);
    declare_restore(app, command);
    declare_clients(app, command);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) {
        return app.exit(error);  // --help and --version come this way
      }
      print_error(fmt::format("{}; see kvs {}--help", error.what(), chosen(app)));
      return kExitUsage;
    }
    if (command && !path.empty()) {
      print_error("name the file after the subcommand: kvs check CONFIG.yaml");
      return kExitUsage;
    }
    return command ? command() : run_node(path, serve);
  } catch (const std::exception& error) {
    print_error(error.what());
    return kExitFailed;
  }
}

}  // namespace kvs
