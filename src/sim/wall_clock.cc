#include "sim/wall_clock.h"

namespace kvs {

std::int64_t WallClock::exact_ms(Instant now) const {
  return base_ms_ + ((now - anchor_).ns / 1000 * rate_per_mille_ / 1'000'000);
}

WallTime WallClock::read(Instant now) const {
  const std::int64_t ms = exact_ms(now);
  return {grain_ms_ == 1 ? ms : ms - ms % grain_ms_};
}

void WallClock::jump(Instant now, std::int64_t ms) {
  base_ms_ = exact_ms(now) + ms;
  anchor_ = now;
}

void WallClock::set_rate(Instant now, std::int64_t per_mille) {
  jump(now, 0);
  rate_per_mille_ = per_mille;
}

void WallClock::heal() {
  *this = WallClock{};
}

}  // namespace kvs
