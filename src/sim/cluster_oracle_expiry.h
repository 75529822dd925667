// What docs/consistency.md promises of values with a time to live.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "sim/clock_skew.h"
#include "sim/cluster_oracle.h"

namespace kvs {

/// E1: nobody serves a value later than its time and the skew of the clocks, nobody hides it
/// earlier, and a node that has hidden it does not show it again. Whose clock was off by years is
/// asked nothing: alone, it believes it.
class TimesAreKept final : public ClusterOracle {
 public:
  TimesAreKept(std::uint32_t machines, const ClusterLedger& ledger, Findings& findings)
      : ClusterOracle("times to live are kept", ledger, findings), skew_(machines) {}

  /// What a right clock shows; told before each event.
  void clocks_are_right(WallTime now) { now_ = now; }

  void clock_struck(Machine machine, std::int64_t ahead_ms) override;
  void swapped(Machine machine, Swap swap) override;
  void rotted(Machine machine, const std::string& key) override;
  void got(Machine machine, const Reading& reading) override;

 private:
  ClockSkew skew_;
  WallTime now_;
  std::set<std::pair<Machine, Dot>> hidden_;
};

}  // namespace kvs
