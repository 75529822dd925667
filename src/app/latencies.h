// How long many things took, as percentiles within 1 %, in memory that does not grow. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace kvs {

class Latencies {
 public:
  /// Counts one; negative spans count as none.
  void add(Duration span);

  [[nodiscard]] std::uint64_t count() const { return count_; }

  /// The span below or at which `share` (0 to 1) of them lie, rounded up by 1 % at most; the
  /// longest for 1. None if nothing was counted.
  [[nodiscard]] Duration percentile(double share) const;

  [[nodiscard]] Duration mean() const;

 private:
  // Spans in microseconds: those below kSteps one by one, above it kSteps buckets a doubling.
  static constexpr unsigned kStepBits = 7;
  static constexpr std::uint64_t kSteps = std::uint64_t{1} << kStepBits;
  static constexpr std::size_t kBuckets = kSteps * (40 - kStepBits);

  static std::size_t bucket_of(std::uint64_t us);
  static std::uint64_t top_of(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_us_ = 0;
  std::uint64_t sum_us_ = 0;
};

}  // namespace kvs
