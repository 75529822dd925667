// `kvs make-conflict DIR1 DIR2 [--keys N]`: two data folders as two nodes leave them that knew
// nothing of each other and wrote the same keys in the same milliseconds: equal stamps, different
// values. To watch a conflict being settled.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/cli.h"
#include "core/replica.h"
#include "io/os.h"
#include "io/store.h"

namespace kvs {
namespace {

constexpr std::uint64_t kKeysMax = 1'000'000;
constexpr std::uint64_t kKeysPerBatch = 1000;

struct ConflictOptions {
  std::string first;
  std::string second;
  std::uint64_t keys = 1;
};

/// Nobody's data may be touched.
Result<void> check_empty(const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error) && !error) {
    return {};
  }
  const bool empty = !error && std::filesystem::is_directory(folder, error) &&
                     std::filesystem::is_empty(folder, error);
  if (error) {
    return fail(Errc::data_dir_unusable,
                fmt::format("{} cannot be looked into: {}", folder, error.message()));
  }
  if (!empty) {
    return fail(Errc::data_dir_unusable,
                fmt::format("{} is not an empty folder; name two that are new or empty", folder));
  }
  return {};
}

/// A node that wrote alone, at a time that stood still.
class Writer {
 public:
  Writer(std::string name, WallTime wall, Store& store)
      : name_(std::move(name)),
        wall_(wall),
        store_(store),
        prng_(entropy()),
        replica_({}, store, prng_) {}

  /// Errors: those of Store::commit.
  Result<void> write(std::uint64_t keys, const Identity& identity) {
    effects_.identity = identity;
    for (std::uint64_t first = 1; first <= keys; first += kKeysPerBatch) {
      KVS_TRY(write_batch(first, std::min(first + kKeysPerBatch - 1, keys)));
    }
    return {};
  }

 private:
  Result<void> write_batch(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t number = first; number <= last; ++number) {
      put(number);
    }
    replica_.close_batch(effects_);
    KVS_TRY(store_.commit(effects_));
    replica_.committed();
    effects_.clear();
    return {};
  }

  void put(std::uint64_t number) {
    const std::string& key = effects_.kept.emplace_back(fmt::format("conflict/{}", number));
    const std::string& value =
        effects_.kept.emplace_back(fmt::format(R"({{"writer":"{}","number":{}}})", name_, number));
    replica_.write(wall_, {.key = Key::from_store(key), .value = value, .condition = {}}, effects_);
  }

  std::string name_;
  WallTime wall_;
  Store& store_;
  Prng prng_;
  Replica replica_;
  Effects effects_;
};

Result<void> make_folder(const std::string& folder, const std::string& name, std::uint64_t keys,
                         WallTime wall, std::int64_t joined_ms) {
  const auto store = KVS_TRY(Store::open({.data_dir = folder}));
  return Writer(name, wall, *store)
      .write(keys, {.instance = entropy() | 1U, .joined_ms = joined_ms});
}

Result<void> make_folders(const ConflictOptions& options) {
  std::error_code ignored;
  KVS_TRY(check_empty(options.first));
  KVS_TRY(check_empty(options.second));
  if (std::filesystem::weakly_canonical(options.first, ignored) ==
      std::filesystem::weakly_canonical(options.second, ignored)) {
    return fail(Errc::data_dir_unusable, "DIR1 and DIR2 are one folder; name two");
  }
  const WallTime wall = wall_now();
  // The first one joined a second earlier, so its values win where votes are equal.
  KVS_TRY(make_folder(options.first, "first", options.keys, wall, wall.ms - 1000));
  return make_folder(options.second, "second", options.keys, wall, wall.ms);
}

int make_conflict(const ConflictOptions& options) {
  if (const auto made = make_folders(options); !made) {
    print_error(made.error().detail);
    return kExitFailed;
  }
  fmt::print(
      "{0} and {1} hold different values with equal timestamps: {2} {3}, conflict/1 to "
      "conflict/{2}.\n"
      "Start a node on each. They find the conflict when they meet; the log tells the verdict.\n"
      "  KVS_NODE_ID=first KVS_PORT=8081 KVS_DATA_DIR={0} kvs\n"
      "  KVS_NODE_ID=second KVS_PORT=8082 KVS_DATA_DIR={1} KVS_SEED_NODES=127.0.0.1:8081 kvs\n"
      "  curl http://127.0.0.1:8081/kv/conflict/1 http://127.0.0.1:8082/kv/conflict/1\n"
      "Two nodes have a vote each, so the older one's value stays: \"first\".\n",
      options.first, options.second, options.keys, options.keys == 1 ? "key" : "keys");
  return kExitFine;
}

}  // namespace

void declare_make_conflict(CLI::App& app, Command& command) {
  CLI::App* const parser = app.add_subcommand(
      "make-conflict", "Make two data folders whose values tie, to watch a conflict being settled");
  const auto options = std::make_shared<ConflictOptions>();
  parser->add_option("DIR1", options->first, "First data folder, new or empty")->required();
  parser->add_option("DIR2", options->second, "Second data folder, new or empty")->required();
  parser->add_option("--keys", options->keys, "How many keys tie")
      ->check(CLI::Range(std::uint64_t{1}, kKeysMax))
      ->capture_default_str();
  parser->callback([options, &command] {
    command = [options] {
      return make_conflict(*options);
    };
  });
}

}  // namespace kvs
