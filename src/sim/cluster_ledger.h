// Who wrote what in a cluster's run, and what each machine holds: the truth that oracles compare
// with.
//
// It follows from what the machines closed, committed and recovered, and from nothing that a node
// says about itself. Writes stay in memory for the whole run; pointers to them stay valid.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cluster_observer.h"

namespace kvs {

/// One write of a client, or one verdict; known by its dot.
struct ClusterWrite {
  std::string key;
  Record record;
  std::uint32_t machine = 0;   // that made it
  bool acknowledged = false;   // to a client
  bool durable = false;        // somewhere, at some time
  bool failed = false;         // its batch: the folder may hold it after all
  bool lost = false;           // only a folder that is gone reflected it, at that time
  bool counts_as_new = false;  // some member that may return was off the list, and others forget
  bool displaced = false;      // by a write that is lost: nobody held the older one any more

  [[nodiscard]] const Version& version() const { return record.header.version; }

  [[nodiscard]] bool live() const { return record.header.live(); }

  /// True if it may come back after everybody forgot a newer delete.
  [[nodiscard]] bool may_return() const { return lost || counts_as_new; }
};

class ClusterLedger final : public ClusterObserver {
 public:
  explicit ClusterLedger(std::uint32_t machines) : machines_(machines) {}

  using Held = std::map<std::string, RecordHeader, std::less<>>;

  /// nullptr: nobody ever wrote it.
  [[nodiscard]] const ClusterWrite* find(Dot dot) const;

  /// The writes whose dots are in this range, in order.
  [[nodiscard]] std::vector<const ClusterWrite*> within(const DotRange& range) const;

  /// The writes of a key, in the order in which they were made.
  [[nodiscard]] const std::vector<const ClusterWrite*>& of(std::string_view key) const;

  [[nodiscard]] const std::deque<ClusterWrite>& writes() const { return writes_; }

  /// What the disk of a machine holds.
  [[nodiscard]] const Held& held(std::uint32_t machine) const { return machines_.at(machine).held; }

  [[nodiscard]] const Knowledge& knowledge(std::uint32_t machine) const {
    return machines_.at(machine).knowledge;
  }

  /// True right after a batch in which K shrank: damage was found there, and with K the node forgot
  /// which deletes it had seen collected.
  [[nodiscard]] bool has_forgotten(std::uint32_t machine) const {
    return machines_.at(machine).forgot;
  }

  /// True while the record under the key cannot be read there.
  [[nodiscard]] bool damaged(std::uint32_t machine, const std::string& key) const {
    return machines_.at(machine).damaged.contains(key);
  }

  /// True if somebody made a write of the key that is newer than this version.
  [[nodiscard]] bool replaced(std::string_view key, const Version& version) const;

  /// What only a removed, wiped or restored machine reflected is lost; it may come back as new.
  void lose_what_only_reflects(std::uint32_t machine);

  void closed(Machine machine, const Batch& batch) override;
  void durable(Machine machine, const Batch& batch) override;
  void failed(Machine machine, const Batch& batch, Errc why) override;
  void answered(Machine machine, const Operation& operation, const WriteOutcome& outcome) override;
  void traced(Machine machine, const Trace& trace) override;
  void swapped(Machine machine, Swap swap) override;
  void rotted(Machine machine, const std::string& key) override;
  void recovered(Machine machine, const Image& image) override;

 private:
  struct MachineState {
    Held held;
    Knowledge knowledge;
    std::set<std::string> damaged;
    bool gone = false;
    bool forgot = false;  // in its last batch
    bool behind = false;  // runs on an older folder, and has not caught up yet
  };

  [[nodiscard]] bool reflected_beside(std::uint32_t machine, const ClusterWrite& write) const;
  [[nodiscard]] bool reflected_by_all(Dot dot) const;
  [[nodiscard]] bool caught_up(std::uint32_t machine) const;
  void lose(const ClusterWrite& write, std::uint32_t machine);
  void note_knowledge(Machine machine, const std::vector<KnowledgeWrite>& writes);
  void add(Machine machine, const RecordWrite& write);
  void displace_older(const ClusterWrite& lost, std::uint32_t machine);
  void turned_up(ClusterWrite& write);

  std::vector<MachineState> machines_;
  bool some_removed_ = false;
  std::uint64_t changes_ = 0;  // of what machines know, and of the writes
  std::uint64_t changes_at_removal_ = 0;
  std::deque<ClusterWrite> writes_;
  std::map<Dot, ClusterWrite*> by_dot_;
  std::map<Uuid, std::vector<ClusterWrite*>> by_uuid_;
  std::map<std::string, std::vector<const ClusterWrite*>, std::less<>> by_key_;
};

}  // namespace kvs
