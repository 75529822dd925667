// How often values fell into ranges that double: enough for percentiles within a factor of two, in
// a few hundred bytes, and adding costs nanoseconds.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace kvs {

/// Bucket 0 counts zeros; bucket i counts values in [2^(i-1), 2^i); the last one everything above.
struct Histogram {
  static constexpr std::size_t kBuckets = 40;

  std::array<std::uint64_t, kBuckets> counts{};
  std::uint64_t sum = 0;
  std::uint64_t total = 0;

  static constexpr std::size_t bucket_of(std::uint64_t value) {
    const auto bucket = static_cast<std::size_t>(std::bit_width(value));
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }

  constexpr void add(std::uint64_t value) {
    ++counts[bucket_of(value)];
    sum += value;
    ++total;
  }

  constexpr void add(const Histogram& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) {
      counts[i] += other.counts[i];
    }
    sum += other.sum;
    total += other.total;
  }

  bool operator==(const Histogram&) const = default;
};

}  // namespace kvs
