// What docs/consistency.md promises of values with a time to live.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "sim/cluster_oracle.h"

namespace kvs {

/// E1: nobody serves a value later than its time and the skew of the clocks, nobody hides it
/// earlier, and a node that has hidden it does not show it again. Whose clock was off by years is
/// asked nothing: alone, it believes it.
class TimesAreKept final : public ClusterOracle {
 public:
  TimesAreKept(std::uint32_t machines, const ClusterLedger& ledger, Findings& findings)
      : ClusterOracle("times to live are kept", ledger, findings), machines_(machines) {}

  /// What a right clock shows; told before each event.
  void clocks_are_right(WallTime now) { now_ = now; }

  void clock_struck(Machine machine, std::int64_t ahead_ms) override;
  void swapped(Machine machine, Swap swap) override;
  void rotted(Machine machine, const std::string& key) override;
  void got(Machine machine, const Reading& reading) override;

 private:
  /// More than any strike but that of a clock that is off by years.
  static constexpr std::int64_t kFarMs = 1'000'000;

  /// A timer that is not served at once, on a machine that is paused or has much to do.
  static constexpr std::int64_t kLateMs = 1000;

  /// True if that machine's idea of the time may be off by years.
  [[nodiscard]] bool lost_in_time(Machine machine) const {
    return off_by_years_.contains(machine) || 2 * off_by_years_.size() >= machines_;
  }

  std::uint32_t machines_;
  WallTime now_;
  std::map<Machine, std::int64_t> off_ms_;  // strikes add up
  std::int64_t skew_ms_ = kLateMs;          // at most between two clocks
  std::set<Machine> off_by_years_;
  std::set<std::pair<Machine, Dot>> hidden_;
};

}  // namespace kvs
