// A GET of one of 1 M records, all in memory, by four kinds of cache of the same 256 MiB: the
// record cache, RocksDB's row cache, its block cache, its block cache with a hash index in the
// blocks. docs/decisions/0009-record-cache.md draws the conclusion.
//
// The data folders are made below KVS_BENCH_FOLDER (default: the working folder) and removed.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>

#include "base/check.h"
#include "base/prng.h"
#include "core/effects.h"
#include "io/rocks_options.h"
#include "io/store.h"
#include "wire/record_codec.h"

namespace kvs {
namespace {

constexpr std::uint64_t kRecords = 1'000'000;
constexpr std::uint64_t kCacheBytes = 256ULL << 20U;
constexpr std::string_view kValue =
    R"({"id":12345678,"name":"John Doe","email":"john.doe@example.com","active":true,"score":99.5,)"
    R"("x":1})";

std::string key_text(std::uint64_t number) {
  return fmt::format("users/{:08}/profile", number);
}

/// A folder, gone at the end of the program.
class Folder {
 public:
  explicit Folder(std::string_view name) {
    const char* parent = std::getenv("KVS_BENCH_FOLDER");
    path_ = (parent != nullptr ? std::filesystem::path(parent) : std::filesystem::current_path()) /
            fmt::format("cache-bench-{}", name);
    std::filesystem::remove_all(path_);
  }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  ~Folder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// The record of `number`, as the benchmarks store it.
RecordView record_of(std::uint64_t number) {
  return {.header = {.version = {.stamp = {number},
                                 .verdict = {},
                                 .uuid = {.high = number, .low = ~number},
                                 .dot = {.origin = Origin{1}, .seq = number}},
                     .kind = RecordKind::value},
          .value = kValue};
}

class OwnCache {
 public:
  OwnCache() {
    auto opened = Store::open(
        {.data_dir = folder_.path(), .durability = Durability::os, .cache_bytes = kCacheBytes});
    KVS_CHECK(opened.has_value(), opened.error().detail);
    store_ = std::move(*opened);
    for (std::uint64_t number = 0; number < kRecords; ++number) {
      const std::string key = key_text(number);
      Effects effects;
      effects.writes.push_back({.key = Key::from_store(key), .record = record_of(number)});
      KVS_CHECK(store_->commit(effects).has_value(), "a commit failed");
    }
  }

  bool get(const std::string& key) const {
    const auto record = store_->get(Key::from_store(key));
    return record && *record && record->value().size() == kValue.size();
  }

 private:
  Folder folder_{"own"};
  std::unique_ptr<Store> store_;
};

enum class Kind : std::uint8_t { row_cache, block_cache, hash_index };

class RocksCache {
 public:
  explicit RocksCache(Kind kind) : folder_(fmt::format("rocks-{}", static_cast<int>(kind))) {
    rocksdb::Options options =
        rocks_options(kind == Kind::row_cache ? kCacheBytes / 8 : kCacheBytes);
    options.create_if_missing = true;
    if (kind == Kind::row_cache) {
      options.row_cache = rocksdb::NewLRUCache(kCacheBytes / 8 * 7, 6);
    }
    auto& table = *options.table_factory->GetOptions<rocksdb::BlockBasedTableOptions>();
    if (kind == Kind::hash_index) {
      table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    }
    rocksdb::DB* database = nullptr;
    KVS_CHECK(rocksdb::DB::Open(options, folder_.path(), &database).ok(), "open");
    database_.reset(database);
    std::string encoded;
    for (std::uint64_t number = 0; number < kRecords; ++number) {
      const std::string key = key_text(number);
      encoded.clear();
      encode_record(Key::from_store(key), record_of(number), encoded);
      KVS_CHECK(database_->Put(rocksdb::WriteOptions(), key, encoded).ok(), "put");
    }
    KVS_CHECK(database_->Flush(rocksdb::FlushOptions()).ok(), "flush");
    KVS_CHECK(database_->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr).ok(), "");
  }

  bool get(const std::string& key) const {
    rocksdb::PinnableSlice value;
    const auto status =
        database_->Get(rocksdb::ReadOptions(), database_->DefaultColumnFamily(), key, &value);
    const auto record = decode_record(Key::from_store(key), {value.data(), value.size()});
    return status.ok() && record && record->value.size() == kValue.size();
  }

 private:
  Folder folder_;
  std::unique_ptr<rocksdb::DB> database_;
};

template <class Cache>
void get_uniform(benchmark::State& state, const Cache& cache) {
  Prng prng(1);
  for (std::uint64_t number = 0; number < kRecords; ++number) {  // warm
    benchmark::DoNotOptimize(cache.get(key_text(number)));
  }
  for (auto _ : state) {
    KVS_CHECK(cache.get(key_text(prng.below(kRecords))), "a record is missing");
  }
}

// The number of iterations is given, so each of these runs once and fills one folder.
void own_cache(benchmark::State& state) {
  const OwnCache cache;
  get_uniform(state, cache);
}

void rocks_cache(benchmark::State& state, Kind kind) {
  const RocksCache cache(kind);
  get_uniform(state, cache);
}

BENCHMARK(own_cache)->Iterations(1'000'000);
BENCHMARK_CAPTURE(rocks_cache, row_cache, Kind::row_cache)->Iterations(500'000);
BENCHMARK_CAPTURE(rocks_cache, block_cache, Kind::block_cache)->Iterations(500'000);
BENCHMARK_CAPTURE(rocks_cache, hash_index, Kind::hash_index)->Iterations(500'000);

}  // namespace
}  // namespace kvs
