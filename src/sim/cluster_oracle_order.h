// What nodes of a cluster owe one by one, whatever their peers send: clocks that learn, K that is
// kept, stamps from far ahead that stay out, queues with an end.
#pragma once

#include <map>
#include <set>

#include "sim/cluster_oracle.h"

namespace kvs {

/// P10: a client's write has a larger stamp than everything that its node held when it was decided,
/// whatever the clocks say.
class ClocksLearn final : public ClusterOracle {
 public:
  ClocksLearn(const ClusterLedger& ledger, Findings& findings)
      : ClusterOracle("clocks learn from what is stored", ledger, findings) {}

  void closed(Machine machine, const Batch& batch) override;
  void durable(Machine machine, const Batch& batch) override;
  void swapped(Machine machine, Swap swap) override;

 private:
  std::map<Machine, Stamp> newest_;  // that its disk has held
  std::set<Dot> seen_;
};

/// No record whose dot the receiver covers is ever taken.
class CoveredStaysOut final : public ClusterOracle {
 public:
  CoveredStaysOut(const ClusterLedger& ledger, Findings& findings)
      : ClusterOracle("what K covers is not taken again", ledger, findings) {}

  void closed(Machine machine, const Batch& batch) override;
  void durable(Machine machine, const Batch& batch) override;
  void crashed(Machine machine, Crash crash) override;

 private:
  [[nodiscard]] bool shrinks(Machine machine, const Batch& batch) const;

  std::map<Machine, std::uint64_t> forgetting_;  // the batch in which K was emptied, on its way
};

/// P10: as long as most clocks are right, a machine whose clock was never far ahead takes nothing
/// that is stamped far ahead, and stamps nothing so; but a copy of the folder of a machine that did
/// goes on above its stamps.
class FarStampsStayOut final : public ClusterOracle {
 public:
  static constexpr std::int64_t kFarMs = 3'600'000;

  FarStampsStayOut(std::uint32_t machines, const ClusterLedger& ledger, Findings& findings)
      : ClusterOracle("one bad clock owns no key", ledger, findings), machines_(machines) {}

  void clock_struck(Machine machine, std::int64_t ahead_ms) override {
    if (ahead_ms > kFarMs) {
      struck_.insert(machine);
    }
  }

  /// What a right clock shows; told before each event.
  void clocks_are_right(WallTime now) { now_ = now; }

  void closed(Machine machine, const Batch& batch) override;
  void recovered(Machine machine, const Image& image) override;

 private:
  [[nodiscard]] bool far(Stamp stamp) const;

  std::uint32_t machines_;
  std::set<Machine> struck_;
  std::set<Machine> went_on_;  // runs on a folder with stamps from far ahead
  WallTime now_;
};

/// P16: a node has a bounded number of calls under way.
class CallsAreBounded final : public ClusterOracle {
 public:
  CallsAreBounded(std::uint32_t machines, const ClusterLedger& ledger, Findings& findings)
      : ClusterOracle("calls are bounded", ledger, findings), bound_(32 + 8 * machines) {}

  void sent(Machine machine, const PeerSend& send) override;
  void returned(Machine machine, const PeerReturn& returned) override;

  void crashed(Machine machine, Crash /*crash*/) override { open_.erase(machine); }

 private:
  std::size_t bound_;
  std::map<Machine, std::size_t> open_;
};

}  // namespace kvs
