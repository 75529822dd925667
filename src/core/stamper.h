// The hybrid logical clock of one node: strictly increasing stamps, whatever the wall clock does.
//
// Invariants: a new stamp is larger than every stamp given or observed before, across restarts too.
// For that a reserve is written ahead: no stamp above the reserve leaves the node before a larger
// reserve is durable, and a restarted node continues above the reserve it finds.
#pragma once

#include <optional>

#include "base/mutant.h"
#include "base/time.h"
#include "core/record.h"

namespace kvs {

class Stamper {
 public:
  /// How far a reserve reaches beyond the stamp that asked for it: the most that a quick restart
  /// can push stamps ahead of the wall clock.
  static constexpr std::int64_t kReserveMs = 1000;

  /// Continues above `reserve`, the last one made durable (zero for a new data folder).
  explicit Stamper(Stamp reserve)
      : last_(KVS_MUTATED(stamp_ignores_reserve) ? Stamp{} : reserve), reserve_(reserve) {}

  /// The next stamp: the wall clock's, or just above the last one if that is larger.
  Stamp next(WallTime wall);

  /// Takes note of a stamp seen elsewhere; later stamps will be larger.
  void observe(Stamp seen);

  /// The reserve that must be durable before the stamps given so far may leave; nothing if the one
  /// written before still suffices. Counts as written once asked for.
  std::optional<Stamp> take_due_reserve();

  /// A reserve that was taken may not have reached the disk: the next batch writes one again.
  void forget_reserve() {
    if (!KVS_MUTATED(reserve_kept_after_failure)) {
      reserve_ = {};
    }
  }

  /// The largest stamp given or observed.
  [[nodiscard]] Stamp last() const { return last_; }

 private:
  Stamp last_;
  Stamp reserve_;
};

}  // namespace kvs
