#include "io/rocks_options.h"

#include <algorithm>

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/table.h>

namespace kvs {

namespace {

constexpr std::uint64_t kTableFileBytes = 32U << 20U;

bool supported(rocksdb::CompressionType wanted) {
  const auto types = rocksdb::GetSupportedCompressions();
  return std::ranges::find(types, wanted) != types.end();
}

void set_tables(rocksdb::Options& options, std::uint64_t block_cache_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(block_cache_bytes, 4);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;  // else their memory has no bound
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  options.compression =
      supported(rocksdb::kLZ4Compression) ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

void set_memory_and_files(rocksdb::Options& options) {
  options.write_buffer_size = kWriteBufferBytes;
  options.max_write_buffer_number = 3;
  options.target_file_size_base = kTableFileBytes;
  options.max_bytes_for_level_base = 4 * kTableFileBytes;
  options.level_compaction_dynamic_level_bytes = true;
  options.level0_file_num_compaction_trigger = kTablesToCompact;
  options.max_open_files = 512;
  options.max_background_jobs = 2;  // more than a few lose data in 7.8 (parallel flushes)
  options.max_file_opening_threads = 2;
}

void set_safety(rocksdb::Options& options) {
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  options.avoid_unnecessary_blocking_io = true;
}

void set_info_log(rocksdb::Options& options) {
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 1U << 20U;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
}

}  // namespace

rocksdb::Options rocks_options(std::uint64_t block_cache_bytes) {
  rocksdb::Options options;
  set_tables(options, block_cache_bytes);
  set_memory_and_files(options);
  set_safety(options);
  set_info_log(options);
  return options;
}

void stop_counting_in_this_thread() {
  thread_local const bool kStopped = [] {
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
    return true;
  }();
  static_cast<void>(kStopped);
}

}  // namespace kvs
