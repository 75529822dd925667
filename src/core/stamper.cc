#include "core/stamper.h"

#include <algorithm>

#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

Stamp Stamper::next(WallTime wall) {
  if (KVS_MUTATED(stamp_follows_wall)) {
    return last_ = Stamp::from_ms(wall.ms);
  }
  if (KVS_MUTATED(stamp_repeats)) {
    return last_ = std::max(Stamp::from_ms(wall.ms), last_);
  }
  if (Stamp::from_ms(wall.ms) <= last_) {
    KVS_PROBE("stamper: the wall clock is not ahead of the last stamp");
  }
  // One above the last overflows its counter into the milliseconds: still increasing.
  last_ = std::max(Stamp::from_ms(wall.ms), Stamp{last_.bits + 1});
  return last_;
}

void Stamper::observe(Stamp seen) {
  last_ = std::max(last_, seen);
}

std::optional<Stamp> Stamper::take_due_reserve() {
  if (last_ <= reserve_ || (KVS_MUTATED(reserve_never_raised) && reserve_ != Stamp{})) {
    return std::nullopt;
  }
  reserve_ = Stamp::from_ms(last_.ms() + kReserveMs);
  return reserve_;
}

}  // namespace kvs
