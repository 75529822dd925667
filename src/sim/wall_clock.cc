#include "sim/wall_clock.h"

namespace kvs {

WallTime WallClock::read(Instant now) const {
  return {base_ms_ + ((now - anchor_).ns / 1000 * rate_per_mille_ / 1'000'000)};
}

void WallClock::jump(Instant now, std::int64_t ms) {
  base_ms_ = read(now).ms + ms;
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
