// `kvs ls [PATH]`: the names below a path, or with --recursive all keys, page by page.
#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/client.h"
#include "app/human_text.h"
#include "app/list_walk.h"
#include "app/listed_json.h"
#include "app/table.h"

namespace kvs {
namespace {

constexpr std::size_t kPageEntries = 1000;

struct LsOptions {
  ClientOptions client;
  std::string path;
  std::uint64_t limit = 0;  // 0: no bound
  bool recursive = false;
  bool values = false;
};

/// Prints entries in one of three ways; a table in parts, each aligned by itself.
class LsPrinter {
 public:
  explicit LsPrinter(const LsOptions& options, const std::string& path)
      : options_(options), path_(path), out_(STDOUT_FILENO), table_(new_table()) {}

  Result<void> take(const ListedEntry& entry) {
    if (options_.client.json) {
      std::string line;
      append_listed_json(line, path_, entry);
      return out_.put(line += '\n');
    }
    add_row(entry);
    return ++rows_ % kPageEntries == 0 ? put_table() : Result<void>();
  }

  Result<void> finish() {
    if (!options_.client.json) {
      KVS_TRY(put_table());
    }
    return out_.flush();
  }

 private:
  [[nodiscard]] Table new_table() const {
    std::vector<std::string> titles{"NAME"};
    if (out_.is_terminal()) {
      titles.insert(titles.end(), {"MODIFIED", "VERSION"});
    }
    if (options_.values) {
      titles.emplace_back("VALUE");
    }
    return Table(titles);
  }

  void add_row(const ListedEntry& entry) {
    std::vector<std::string> cells{entry.name};
    if (out_.is_terminal()) {
      cells.push_back(entry.is_key() ? time_text(entry.timestamp_ms) : "");
      cells.push_back(entry.uuid);
    }
    if (options_.values) {
      cells.emplace_back(entry.data);
    }
    table_.add(cells);
  }

  Result<void> put_table() {
    if (table_.empty()) {
      return {};
    }
    const auto style = out_.is_terminal() ? Table::Style::terminal : Table::Style::plain;
    const std::string text = table_.text(style);
    table_ = new_table();
    return out_.put(text);
  }

  const LsOptions& options_;
  const std::string& path_;
  Output out_;
  Table table_;
  std::size_t rows_ = 0;
};

Result<Walked> list(const LsOptions& options) {
  const std::string path = KVS_TRY(folder_argument(options.path));
  using Depth = ListCall::Depth;
  using Values = ListCall::Values;
  HttpClient client(http_options(options.client));
  ListWalk walk(client, {.call = {.path = path,
                                  .depth = options.recursive ? Depth::below : Depth::children,
                                  .values = options.values ? Values::include : Values::omit,
                                  .limit = kPageEntries,
                                  .after = {}},
                         .entries_max = options.limit == 0 ? UINT64_MAX : options.limit});
  LsPrinter printer(options, path);
  auto walked = walk.run([&printer](const ListedEntry& entry) { return printer.take(entry); });
  KVS_TRY(printer.finish());  // what came before an error is shown
  return walked;
}

int ls(const LsOptions& options) {
  const auto walked = list(options);
  if (!walked) {
    return report(walked.error(), options.client);
  }
  if (walked->partial) {
    remark("the node still fetches the cluster's data: this is what has arrived", options.client);
  }
  if (walked->more) {
    remark(fmt::format("there are more than {}: --limit N shows more of them", options.limit),
           options.client);
  }
  return kExitFine;
}

}  // namespace

void declare_ls(CLI::App& app, Command& command) {
  CLI::App* const parser = app.add_subcommand("ls", "List the names below a path");
  const auto options = std::make_shared<LsOptions>();
  parser->add_option("PATH", options->path, "Path; without it all is listed");
  parser->add_flag("--recursive", options->recursive, "List every key below the path");
  parser->add_flag("--values", options->values, "Show values too");
  parser->add_option("--limit", options->limit, "At most so many names")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, UINT64_MAX));
  declare_client_options(*parser, options->client);
  parser->callback([options, &command] {
    command = [options] {
      return ls(*options);
    };
  });
}

}  // namespace kvs
