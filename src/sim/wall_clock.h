// The machine's wall clock as the node sees it: wrong in every way that clocks are wrong.
//
// It reads base + (time since the anchor) * rate; each change moves the anchor to now, so that a
// new rate bends the clock without a jump.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace kvs {

class WallClock {
 public:
  /// Unix ms at the virtual instant zero, when the clock is right.
  static constexpr std::int64_t kEpochMs = 1'700'000'000'000;

  [[nodiscard]] WallTime read(Instant now) const;

  /// Steps forward or back.
  void jump(Instant now, std::int64_t ms);

  /// Runs at `per_mille` of the right speed; 0: stands still.
  void set_rate(Instant now, std::int64_t per_mille);

  /// Shows multiples of `ms` only, as a clock that is read seldom; 1: every millisecond.
  void set_grain(std::int64_t ms) { grain_ms_ = ms; }

  /// Right again, whatever happened before.
  void heal();

 private:
  [[nodiscard]] std::int64_t exact_ms(Instant now) const;

  std::int64_t base_ms_ = kEpochMs;
  Instant anchor_;
  std::int64_t rate_per_mille_ = 1000;
  std::int64_t grain_ms_ = 1;
};

}  // namespace kvs
