// The counters behind StoreFigures (wire/metrics).
//
// Counters are written by the committing thread and by readers, and read by any.
#pragma once

#include <atomic>
#include <cstdint>

#include "io/histogram_counter.h"

namespace kvs {

struct StoreCounters {
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> commits_synced{0};
  std::atomic<std::uint64_t> commits_failed{0};
  std::atomic<std::uint64_t> damaged_reads{0};
  std::atomic<std::uint64_t> lost_records{0};  // in lost+found, at present
  std::atomic<bool> disk_full{false};
  HistogramCounter batch_records;
  HistogramCounter commit_micros;
};

}  // namespace kvs
