#include "app/latencies.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kvs {

namespace {

Duration from_us(std::uint64_t us) {
  return {static_cast<std::int64_t>(us) * 1000};
}

}  // namespace

void Latencies::add(Duration span) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(span.ns, 0) / 1000);
  ++counts_[bucket_of(us)];
  ++count_;
  max_us_ = std::max(max_us_, us);
  sum_us_ += us;
}

Duration Latencies::percentile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(
      std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets && count_ > 0; ++bucket) {
    seen += counts_[bucket];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) {
      return from_us(std::min(top_of(bucket), max_us_));
    }
  }
  return {};
}

Duration Latencies::mean() const {
  return count_ == 0 ? Duration{} : from_us(sum_us_ / count_);
}

std::size_t Latencies::bucket_of(std::uint64_t us) {
  if (us < kSteps) {
    return us;
  }
  const auto doublings = static_cast<unsigned>(std::bit_width(us)) - kStepBits - 1;
  const std::size_t bucket = kSteps * (doublings + 1) + ((us >> doublings) - kSteps);
  return std::min(bucket, kBuckets - 1);
}

std::uint64_t Latencies::top_of(std::size_t bucket) {
  if (bucket < kSteps) {
    return bucket;
  }
  const std::size_t doublings = bucket / kSteps - 1;
  return ((kSteps + bucket % kSteps + 1) << doublings) - 1;
}

}  // namespace kvs
