// What the store costs with 1 M records of 100 bytes: reads from its cache and from RocksDB, scans,
// pages of listings, commits of 1 and of 64 records with both durabilities.
//
// The data folder is made below KVS_BENCH_FOLDER (default: the working folder) and removed.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/check.h"
#include "base/prng.h"
#include "core/effects.h"
#include "core/key.h"
#include "core/listing.h"
#include "io/store.h"

namespace kvs {
namespace {

constexpr std::uint64_t kRecords = 1'000'000;
constexpr std::string_view kValue =
    R"({"id":12345678,"name":"John Doe","email":"john.doe@example.com","active":true,"score":99.5,)"
    R"("x":1})";

std::string key_text(std::uint64_t number) {
  return fmt::format("users/{:08}/profile", number);
}

/// The key of a record.
using Naming = std::string (*)(std::uint64_t number);

/// Which cursor of the store.
enum class Use : std::uint8_t { page, scan };

/// A batch of writes, and the bytes that its views look at.
class Batch {
 public:
  explicit Batch(Naming naming) : naming_(naming) {}

  /// `size` records with random keys out of all.
  void fill(std::size_t size, Prng& prng) {
    effects_.clear();
    keys_.clear();
    keys_.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
      add(prng.below(kRecords), prng);
    }
  }

  void fill_run(std::uint64_t first, std::size_t size, Prng& prng) {
    effects_.clear();
    keys_.clear();
    keys_.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
      add(first + i, prng);
    }
  }

  [[nodiscard]] const Effects& effects() const { return effects_; }

 private:
  void add(std::uint64_t number, Prng& prng) {
    keys_.push_back(naming_(number));
    const Version version{.stamp = {++stamp_},
                          .verdict = {},
                          .uuid = make_uuid(prng),
                          .dot = {.origin = Origin{1}, .seq = stamp_}};
    effects_.writes.push_back(
        {.key = Key::from_store(keys_.back()),
         .record = {.header = {.version = version, .kind = RecordKind::value}, .value = kValue}});
  }

  Naming naming_;
  Effects effects_;
  std::vector<std::string> keys_;
  std::uint64_t stamp_ = 0;
};

/// A filled store in a folder of its own, removed at the end.
class Filled {
 public:
  explicit Filled(Durability durability, std::uint64_t cache_bytes = 256ULL << 20U,
                  Naming naming = key_text) {
    const char* parent = std::getenv("KVS_BENCH_FOLDER");
    folder_ =
        (parent != nullptr ? std::filesystem::path(parent) : std::filesystem::current_path()) /
        fmt::format("store-bench-{}", static_cast<const void*>(this));
    auto opened = Store::open(
        {.data_dir = folder_.string(), .durability = durability, .cache_bytes = cache_bytes});
    KVS_CHECK(opened.has_value(), opened.error().detail);
    store_ = std::move(*opened);
    Batch batch(naming);
    for (std::uint64_t first = 0; first < kRecords; first += 1000) {
      batch.fill_run(first, 1000, prng_);
      const auto done = store_->commit(batch.effects());
      KVS_CHECK(done.has_value(), done.error().detail);
    }
  }

  Filled(const Filled&) = delete;
  Filled& operator=(const Filled&) = delete;

  ~Filled() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Store& store() { return *store_; }

  Prng& prng() { return prng_; }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<Store> store_;
  Prng prng_{1};
};

/// Random reads of the first `range(1)` records with `range(0)` MiB of cache, after one pass.
void store_get(benchmark::State& state) {
  Filled filled(Durability::os, static_cast<std::uint64_t>(state.range(0)) << 20U);
  const auto keys = static_cast<std::uint64_t>(state.range(1));
  for (std::uint64_t number = 0; number < keys; number += kRecords / 100'000) {
    benchmark::DoNotOptimize(filled.store().get(Key::from_store(key_text(number))));
  }
  std::string text;
  for (auto _ : state) {
    text = key_text(filled.prng().below(keys));
    auto record = filled.store().get(Key::from_store(text));
    KVS_CHECK(record.has_value() && *record, "a record is missing");
    benchmark::DoNotOptimize(record);
  }
}

BENCHMARK(store_get)
    ->ArgNames({"cache_mb", "keys"})
    ->Args({8, kRecords})
    ->Args({256, kRecords})
    ->Args({256, 50'000});

/// 100 records from a random place; time is for all of them and the cursor.
void store_scan_100(benchmark::State& state) {
  Filled filled(Durability::os);
  for (auto _ : state) {
    auto cursor = filled.store().cursor();
    cursor->seek(key_text(filled.prng().below(kRecords - 100)));
    for (int i = 0; i < 100 && cursor->valid(); ++i, cursor->next()) {
      benchmark::DoNotOptimize(cursor->record());
    }
  }
}

BENCHMARK(store_scan_100);

/// 100 children with 10,000 records below each.
std::string tree_key(std::uint64_t number) {
  return fmt::format("tree/child-{:03}/{:06}/leaf", number / 10'000, number % 10'000);
}

/// Counts what it is given, and no more.
class Names final : public ListSink {
 public:
  Appetite take(const ListEntry& entry) override {
    benchmark::DoNotOptimize(entry.name.data());
    ++count;
    return Appetite::more;
  }

  std::size_t count = 0;
};

/// A page of up to 100 names; time is for all of it, the cursor included.
void list_page(benchmark::State& state, const ListRequest& request, Use use) {
  Filled filled(Durability::os, 256ULL << 20U, tree_key);
  for (auto _ : state) {
    auto cursor = use == Use::page ? filled.store().page_cursor() : filled.store().cursor();
    Listing listing(*cursor, request);
    Names names;
    const auto progress = listing.step(1000, names);
    KVS_CHECK(progress && *progress == Listing::Progress::done && names.count == 100, "no page");
  }
}

void store_list_large_children(benchmark::State& state, Use use) {
  list_page(state, {.path = "tree", .limit = 100}, use);
}

void store_list_small_children(benchmark::State& state, Use use) {
  list_page(state, {.path = "tree/child-042", .limit = 100}, use);
}

void store_list_below(benchmark::State& state, Use use) {
  list_page(state, {.path = "tree", .depth = ListRequest::Depth::below, .limit = 100}, use);
}

BENCHMARK_CAPTURE(store_list_large_children, page, Use::page);
BENCHMARK_CAPTURE(store_list_large_children, scan, Use::scan);
BENCHMARK_CAPTURE(store_list_small_children, page, Use::page);
BENCHMARK_CAPTURE(store_list_small_children, scan, Use::scan);
BENCHMARK_CAPTURE(store_list_below, page, Use::page);
BENCHMARK_CAPTURE(store_list_below, scan, Use::scan);

/// Commits of `range(0)` records; wall time, for the disk is in it.
void store_commit(benchmark::State& state, Durability durability) {
  Filled filled(durability);
  Batch batch(key_text);
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    batch.fill(size, filled.prng());
    const auto done = filled.store().commit(batch.effects());
    KVS_CHECK(done.has_value(), done.error().detail);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK_CAPTURE(store_commit, os, Durability::os)->Arg(1)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(store_commit, sync, Durability::sync)->Arg(1)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace kvs
