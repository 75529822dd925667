// `kvs tree [PATH]`: the hierarchy below a path, drawn. Folders are listed one after the other, in
// memory for one page of each level.
#include <deque>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/client.h"
#include "app/human_text.h"
#include "app/list_walk.h"
#include "app/listed_json.h"

namespace kvs {
namespace {

constexpr std::size_t kPageEntries = 500;

struct TreeOptions {
  ClientOptions client;
  std::string path;
  std::size_t depth = 0;  // 0: no bound
};

/// A name that is kept while its page is drawn.
struct Leaf {
  std::string name;
  std::string uuid;
  std::int64_t timestamp_ms = 0;
};

/// The page of a level that is being drawn.
struct Level {
  std::string path;  // without a slash at the end
  std::deque<Leaf> entries;
  std::string after;  // the last name of the page
  bool more = true;   // pages follow
};

class TreePrinter {
 public:
  explicit TreePrinter(const TreeOptions& options)
      : options_(options), client_(http_options(options.client)), out_(STDOUT_FILENO) {}

  Result<void> print(const std::string& path) {
    if (!options_.client.json) {
      KVS_TRY(out_.put(harmless(path.empty() ? "/" : path + '/') + '\n'));
    }
    KVS_TRY(print_below(path));
    if (!options_.client.json) {
      KVS_TRY(out_.put(fmt::format("{} folder{}, {} key{}\n", folders_, folders_ == 1 ? "" : "s",
                                   keys_, keys_ == 1 ? "" : "s")));
    }
    return out_.flush();
  }

  [[nodiscard]] bool partial() const { return partial_; }

 private:
  Result<void> print_below(const std::string& path) {
    KVS_TRY(enter(path));
    while (!levels_.empty()) {
      KVS_TRY(refill(levels_.back()));
      if (levels_.back().entries.empty()) {
        levels_.pop_back();
      } else {
        KVS_TRY(print_next());
      }
    }
    return {};
  }

  Result<void> enter(std::string path) {
    levels_.push_back({.path = std::move(path)});
    return refill(levels_.back());
  }

  /// Fetches the next page once only one entry is left, so that the last one is known for the last.
  Result<void> refill(Level& level) {
    if (!level.more || level.entries.size() > 1) {
      return {};
    }
    ListCall call{.path = level.path, .limit = kPageEntries, .after = {}};
    if (!level.after.empty()) {
      call.after = cursor_after(level.after);
    }
    ListWalk walk(client_, {.call = call, .entries_max = kPageEntries});
    const Walked walked = KVS_TRY(walk.run([&level](const ListedEntry& entry) -> Result<void> {
      level.entries.push_back(
          {.name = entry.name, .uuid = entry.uuid, .timestamp_ms = entry.timestamp_ms});
      level.after = entry.name;
      return {};
    }));
    level.more = walked.more;
    partial_ = partial_ || walked.partial;
    return {};
  }

  Result<void> print_next() {
    Level& level = levels_.back();
    const Leaf leaf = std::move(level.entries.front());
    level.entries.pop_front();
    const bool is_folder = leaf.uuid.empty();
    ++(is_folder ? folders_ : keys_);
    KVS_TRY(out_.put(line_of(level, leaf)));
    if (is_folder && (options_.depth == 0 || levels_.size() < options_.depth)) {
      return enter(full_path(level.path, leaf.name.substr(0, leaf.name.size() - 1)));
    }
    return {};
  }

  [[nodiscard]] std::string line_of(const Level& level, const Leaf& leaf) const {
    std::string line;
    if (options_.client.json) {
      append_listed_json(
          line, level.path,
          {.name = leaf.name, .uuid = leaf.uuid, .timestamp_ms = leaf.timestamp_ms, .data = {}});
      return line += '\n';
    }
    const auto has_more = [](const Level& above) {
      return !above.entries.empty();
    };
    for (std::size_t i = 0; i + 1 < levels_.size(); ++i) {
      line += out_.is_terminal() && has_more(levels_[i]) ? "│   " : "    ";
    }
    if (out_.is_terminal()) {
      line += has_more(level) ? "├── " : "└── ";
    } else {
      line += "    ";
    }
    return line + (out_.is_terminal() ? harmless(leaf.name) : leaf.name) + '\n';
  }

  const TreeOptions& options_;
  HttpClient client_;
  Output out_;
  std::vector<Level> levels_;
  std::uint64_t folders_ = 0;
  std::uint64_t keys_ = 0;
  bool partial_ = false;
};

int tree(const TreeOptions& options) {
  const auto path = folder_argument(options.path);
  if (!path) {
    return report(path.error(), options.client);
  }
  TreePrinter printer(options);
  if (const auto printed = printer.print(*path); !printed) {
    return report(printed.error(), options.client);
  }
  if (printer.partial()) {
    remark("the node still fetches the cluster's data: this is what has arrived", options.client);
  }
  return kExitFine;
}

}  // namespace

void declare_tree(CLI::App& app, Command& command) {
  CLI::App* const parser = app.add_subcommand("tree", "Draw the hierarchy below a path");
  const auto options = std::make_shared<TreeOptions>();
  parser->add_option("PATH", options->path, "Path; without it all is drawn");
  parser->add_option("--depth", options->depth, "At most so many levels")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000}));
  declare_client_options(*parser, options->client);
  parser->callback([options, &command] {
    command = [options] {
      return tree(*options);
    };
  });
}

}  // namespace kvs
