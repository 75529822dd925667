// What the promises of docs/consistency.md mean for a cluster while it runs: one oracle each.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/cluster_ledger.h"

namespace kvs {

/// A name, the ledger to compare with, and where to complain. The ledger hears of events first.
class ClusterOracle : public ClusterObserver {
 public:
  ClusterOracle(std::string_view name, const ClusterLedger& ledger, Findings& findings)
      : name_(name), ledger_(ledger), findings_(findings) {}

 protected:
  void report(std::string what) { findings_.report(name_, std::move(what)); }

  [[nodiscard]] const ClusterLedger& ledger() const { return ledger_; }

 private:
  std::string_view name_;
  const ClusterLedger& ledger_;
  Findings& findings_;
};

/// P1, P6, P7: what a machine holds under a key never becomes older, across restarts and drops too,
/// unless its folder was replaced or that record damaged; what it holds is there after a restart.
/// A write that no member knew of may return after a newer delete was forgotten
/// (ClusterWrite::returns_after); a node whose K was emptied forgets which deletes it had seen off.
class NeverGoesBack final : public ClusterOracle {
 public:
  NeverGoesBack(const ClusterLedger& ledger, Findings& findings)
      : ClusterOracle("versions never go back", ledger, findings) {}

  void closed(Machine machine, const Batch& batch) override;
  void durable(Machine machine, const Batch& batch) override;
  void swapped(Machine machine, Swap swap) override;
  void rotted(Machine machine, const std::string& key) override;
  void recovered(Machine machine, const Image& image) override;

 private:
  using Place = std::pair<Machine, std::string>;

  void forget_deleted(Machine machine);
  void take(Machine machine, const std::string& key, const RecordHeader& header);

  std::map<Place, RecordHeader> floors_;
  std::set<Place> held_;                  // where something is, durably
  std::map<Place, std::uint64_t> going_;  // the batch that drops it, on its way
};

/// P8: a machine's reads show what it acknowledged to clients before they were asked, or something
/// newer.
class ReadsShowWrites final : public ClusterOracle {
 public:
  ReadsShowWrites(const ClusterLedger& ledger, Findings& findings)
      : ClusterOracle("reads show acknowledged writes", ledger, findings) {}

  void durable(Machine machine, const Batch& batch) override;
  void answered(Machine machine, const Operation& operation, const WriteOutcome& outcome) override;
  void swapped(Machine machine, Swap swap) override;
  void rotted(Machine machine, const std::string& key) override;
  void asked_elsewhere(Machine machine, const Operation& operation) override;
  void got(Machine machine, const Reading& reading) override;

 private:
  std::map<std::pair<Machine, std::string>, Version> floors_;
  std::map<Ticket, Version> asked_;  // floors of reads that others answer, as they were asked
};

/// P13: records cross unchanged: equal dots, equal records, wherever they are stored and whoever
/// reads them; and whatever is stored was once accepted from a client.
class RecordsAreExact final : public ClusterOracle {
 public:
  RecordsAreExact(const ClusterLedger& ledger, Findings& findings)
      : ClusterOracle("records cross unchanged", ledger, findings) {}

  void closed(Machine machine, const Batch& batch) override;
  void got(Machine machine, const Reading& reading) override;

 private:
  [[nodiscard]] bool accepted(const Batch& batch, const Version& version) const;

  std::set<Dot> seen_;
};

/// K covers only what the state reflects: it is held, or something newer was written, or it was a
/// delete.
class KnowledgeIsTrue final : public ClusterOracle {
 public:
  explicit KnowledgeIsTrue(const ClusterLedger& ledger, Findings& findings)
      : ClusterOracle("K covers what the state reflects", ledger, findings) {}

  void durable(Machine machine, const Batch& batch) override;
  void recovered(Machine machine, const Image& image) override;

 private:
  [[nodiscard]] bool overtaken(Machine machine, const ClusterWrite& write) const;
  void check(Machine machine, const ClusterWrite& write);
  void check_new(Machine machine);

  std::map<Machine, Knowledge> checked_;
};

/// P5, P6 after convergence: under each key everybody holds the newest of what was acknowledged and
/// not lost, or something newer that somebody wrote.
class NewestWins final : public ClusterOracle {
 public:
  NewestWins(const ClusterLedger& ledger, Findings& findings)
      : ClusterOracle("the newest write wins", ledger, findings) {}

  void ended(const std::vector<FinalState>& states) override;

 private:
  void check(const FinalState& state, const std::string& key);

  [[nodiscard]] const ClusterWrite* newest_safe(std::string_view key) const;
};

}  // namespace kvs
