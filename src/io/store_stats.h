// Figures about the store: plain numbers for /metrics, and the counters behind them.
//
// Counters are written by the committing thread and by readers, and read by any.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/histogram.h"
#include "io/histogram_counter.h"

namespace kvs {

/// Figures of one moment. Counts are since the start.
struct StoreStats {
  std::uint64_t records_estimate = 0;  // tombstones included; RocksDB's estimate
  std::uint64_t disk_bytes = 0;        // tables, without the logs
  std::uint64_t memory_bytes = 0;      // memtables, table readers, block cache, record cache
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t cache_records = 0;
  std::uint64_t cache_bytes = 0;
  std::uint64_t commits = 0;
  std::uint64_t commits_synced = 0;
  std::uint64_t commits_failed = 0;
  std::uint64_t background_errors = 0;
  std::uint64_t damaged_reads = 0;  // reads that found damage
  bool stalled = false;             // RocksDB slows down or stops writes
  bool disk_full = false;           // the last commit found no space
  Histogram batch_records;          // records a commit
  Histogram commit_micros;          // time a commit took, sync included
};

struct StoreCounters {
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> commits_synced{0};
  std::atomic<std::uint64_t> commits_failed{0};
  std::atomic<std::uint64_t> damaged_reads{0};
  std::atomic<bool> disk_full{false};
  HistogramCounter batch_records;
  HistogramCounter commit_micros;
};

}  // namespace kvs
