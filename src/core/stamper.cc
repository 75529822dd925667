#include "core/stamper.h"

#include <algorithm>

namespace kvs {

Stamp Stamper::next(WallTime wall) {
  // One above the last overflows its counter into the milliseconds: still increasing.
  last_ = std::max(Stamp::from_ms(wall.ms), Stamp{last_.bits + 1});
  return last_;
}

void Stamper::observe(Stamp seen) {
  last_ = std::max(last_, seen);
}

std::optional<Stamp> Stamper::take_due_reserve() {
  if (last_ <= reserve_) {
    return std::nullopt;
  }
  reserve_ = Stamp::from_ms(last_.ms() + kReserveMs);
  return reserve_;
}

}  // namespace kvs
