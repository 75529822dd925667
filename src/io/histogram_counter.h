// A histogram that any thread may add to and any may read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/histogram.h"

namespace kvs {

class HistogramCounter {
 public:
  void add(std::uint64_t value) {
    counts_[Histogram::bucket_of(value)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  [[nodiscard]] Histogram read() const {
    Histogram histogram;
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
      histogram.counts[i] = counts_[i].load(std::memory_order_relaxed);
      histogram.total += histogram.counts[i];
    }
    histogram.sum = sum_.load(std::memory_order_relaxed);
    return histogram;
  }

 private:
  std::array<std::atomic<std::uint64_t>, Histogram::kBuckets> counts_{};
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace kvs
