// What time the cluster believes it is, and what that allows: the median of the members' wall
// clocks bounds what this node stamps and what it takes from others.
//
// The median moves only if half of all clocks do, so one bad clock can neither own a key nor move
// the others beyond the bound (max_clock_skew_ms).
#pragma once

#include <cstdint>

#include "base/time.h"
#include "core/record.h"

namespace kvs {

class ClusterClock {
 public:
  explicit ClusterClock(std::int64_t skew_ms_max) : skew_ms_max_(skew_ms_max) {}

  /// How far cluster time is ahead of this node's clock; negative if it is behind.
  void set_offset_ms(std::int64_t offset_ms) { offset_ms_ = offset_ms; }

  [[nodiscard]] std::int64_t offset_ms() const { return offset_ms_; }

  /// True if this node's clock is so far ahead that its stamps are held back.
  [[nodiscard]] bool holds_back(WallTime wall) const { return for_stamps(wall) < wall; }

  /// The wall clock to stamp by: this node's, but not further ahead of cluster time than allowed.
  [[nodiscard]] WallTime for_stamps(WallTime wall) const;

  /// The largest stamp that a peer's record may bear.
  [[nodiscard]] Stamp newest_allowed(WallTime wall) const;

 private:
  std::int64_t skew_ms_max_;
  std::int64_t offset_ms_ = 0;
};

}  // namespace kvs
