// Who wrote what in a cluster's run, and what each machine holds: the truth that oracles compare
// with.
//
// It follows from what the machines closed, committed and recovered, and from nothing that a node
// says about itself. Writes stay in memory for the whole run; pointers to them stay valid.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
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
  std::uint32_t machine = 0;  // that made it
  bool acknowledged = false;  // to a client
  bool lost = false;          // only a folder that is gone reflected it, at that time

  /// The newest delete of the key that was forgotten while no member knew of this write, or by
  /// whoever knew last: it may come back after that one as if it were new.
  std::optional<Version> returns_after;

  [[nodiscard]] const Version& version() const { return record.header.version; }

  /// True for a value that stays until somebody writes; one that expires counts as a delete.
  [[nodiscard]] bool live() const { return stays(record.header); }

  [[nodiscard]] static bool stays(const RecordHeader& header) {
    return header.live() && header.expires_ms == 0;
  }

  /// True if it may be shown by a node that showed a version with this stamp before.
  [[nodiscard]] bool may_return_after(Stamp shown) const {
    return returns_after && shown <= returns_after->stamp;
  }
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
  /// which deletes it had seen off.
  [[nodiscard]] bool has_forgotten(std::uint32_t machine) const {
    return machines_.at(machine).forgot;
  }

  /// True while the record under the key cannot be read there.
  [[nodiscard]] bool damaged(std::uint32_t machine, const std::string& key) const {
    return machines_.at(machine).damaged.contains(key);
  }

  /// True while a record of that disk cannot be read: whoever meets it empties K.
  [[nodiscard]] bool damaged(std::uint32_t machine) const {
    return !machines_.at(machine).damaged.empty();
  }

  void closed(Machine machine, const Batch& batch) override;
  void durable(Machine machine, const Batch& batch) override;
  void answered(Machine machine, const Operation& operation, const WriteOutcome& outcome) override;
  void swapped(Machine machine, Swap swap) override;
  void rotted(Machine machine, const std::string& key) override;
  void recovered(Machine machine, const Image& image) override;

 private:
  struct MachineState {
    Held held;
    Knowledge knowledge;
    std::map<Dot, std::uint64_t> since;  // when K came to cover a write
    std::set<std::string> damaged;
    std::uint64_t instance = 0;       // of its folder
    std::set<std::uint64_t> members;  // the instances without whose K it forgets no delete
    bool gone = false;
    bool forgot = false;  // in its last batch
    bool behind = false;  // lost its folder or its K, and has not caught up yet
  };

  /// A delete that a machine forgot, and who was a member then.
  struct Forgotten {
    Version version;
    std::set<std::uint64_t> members;
  };

  [[nodiscard]] bool reflected_beside(std::uint32_t machine, const ClusterWrite& write) const;
  [[nodiscard]] bool seen_off_beside(std::uint32_t machine, const ClusterWrite& write) const;
  [[nodiscard]] bool known_to_members(std::uint32_t machine, const ClusterWrite& write,
                                      Dot deleted) const;
  [[nodiscard]] bool caught_up(std::uint32_t machine) const;
  void lose_what_only_reflects(std::uint32_t machine);
  void set_knowledge(std::uint32_t machine, Origin origin, const OriginKnowledge& known);
  void uncover(std::uint32_t machine, const DotRange& range);
  void forget(std::uint32_t machine, const std::string& key, const RecordHeader& gone);
  void add(Machine machine, const RecordWrite& write);
  void inherit(ClusterWrite& added) const;

  std::vector<MachineState> machines_;
  std::uint64_t time_ = 0;  // counts durable batches and starts
  std::deque<ClusterWrite> writes_;
  std::map<Dot, ClusterWrite*> by_dot_;
  std::map<Uuid, std::vector<ClusterWrite*>> by_uuid_;
  std::map<std::string, std::vector<const ClusterWrite*>, std::less<>> by_key_;
  std::map<std::string, std::vector<Forgotten>> forgotten_;  // by key
};

}  // namespace kvs
