#include "core/cluster_clock.h"

#include <algorithm>

#include "base/mutant.h"

namespace kvs {

WallTime ClusterClock::for_stamps(WallTime wall) const {
  return KVS_MUTATED(stamps_not_clamped)
             ? wall
             : std::min(wall, WallTime{wall.ms + offset_ms_ + skew_ms_max_});
}

Stamp ClusterClock::newest_allowed(WallTime wall) const {
  // All stamps of the last millisecond that is allowed; none before the epoch.
  const Stamp beyond = Stamp::from_ms(wall.ms + offset_ms_ + skew_ms_max_ + 1);
  return {beyond.bits == 0 ? 0 : beyond.bits - 1};
}

}  // namespace kvs
