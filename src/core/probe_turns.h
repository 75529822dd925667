// Whose turn it is to probe whom: all members work it out alike, without a word.
//
// The cluster's time is cut into epochs of one probe interval. In each, every member probes the one
// that stands so many places behind it in the order of instances, all by the same number, so each
// is probed by exactly one other; and always at the same moment of the epoch, which is its own. So
// no member goes unprobed for longer than an interval, and probes are spread over it. The number of
// places changes from epoch to epoch: in 2 (N - 1) - 1 of them each member probes all others.
// Members whose lists or clocks differ probe as if by chance until they agree.
// Docs: docs/decisions/0028.
#pragma once

#include <cstdint>

#include "base/ids.h"
#include "base/time.h"

namespace kvs {

/// How many places behind the prober its target stands: 1 .. members - 1; `members` is at least 2.
[[nodiscard]] std::uint64_t turn_shift(std::int64_t epoch, std::uint64_t members);

/// When `probed` is probed in an epoch. `interval` is at least a millisecond.
[[nodiscard]] WallTime turn_time(std::int64_t epoch, Instance probed, Duration interval);

/// The epoch in which the turn of `probed` is the nearest to `now`, which is not negative.
[[nodiscard]] std::int64_t turn_epoch(WallTime now, Instance probed, Duration interval);

}  // namespace kvs
