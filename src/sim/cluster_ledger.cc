#include "sim/cluster_ledger.h"

#include <algorithm>

namespace kvs {

const ClusterWrite* ClusterLedger::find(Dot dot) const {
  const auto it = by_dot_.find(dot);
  return it == by_dot_.end() ? nullptr : it->second;
}

std::vector<const ClusterWrite*> ClusterLedger::within(const DotRange& range) const {
  std::vector<const ClusterWrite*> found;
  for (auto it = by_dot_.lower_bound({.origin = range.origin, .seq = range.first});
       it != by_dot_.end() && it->first <= Dot{.origin = range.origin, .seq = range.last}; ++it) {
    found.push_back(it->second);
  }
  return found;
}

const std::vector<const ClusterWrite*>& ClusterLedger::of(std::string_view key) const {
  static const std::vector<const ClusterWrite*> kNone;
  const auto it = by_key_.find(key);
  return it == by_key_.end() ? kNone : it->second;
}

bool ClusterLedger::replaced(std::string_view key, const Version& version) const {
  return std::ranges::any_of(of(key),
                             [&](const ClusterWrite* write) { return write->version() > version; });
}

bool ClusterLedger::reflected_beside(std::uint32_t machine, const ClusterWrite& write) const {
  for (std::uint32_t other = 0; other < machines_.size(); ++other) {
    const bool sound = other != machine && !damaged(other, write.key);
    if (sound && knowledge(other).covers(write.version().dot)) {
      return true;
    }
  }
  return false;
}

bool ClusterLedger::reflected_by_all(Dot dot) const {
  return std::ranges::all_of(machines_, [&](const MachineState& state) {
    return state.gone || state.knowledge.covers(dot);
  });
}

bool ClusterLedger::caught_up(std::uint32_t machine) const {
  return std::ranges::all_of(machines_, [&](const MachineState& other) {
    return other.knowledge.minus(knowledge(machine)).empty();
  });
}

void ClusterLedger::lose(const ClusterWrite& write, std::uint32_t machine) {
  by_dot_.at(write.version().dot)->lost = true;
  displace_older(write, machine);
}

void ClusterLedger::lose_what_only_reflects(std::uint32_t machine) {
  for (const DotRange& range : knowledge(machine).minus({})) {
    for (const ClusterWrite* write : within(range)) {
      if (!reflected_beside(machine, *write)) {
        lose(*write, machine);
      }
    }
  }
}

/// Whoever covers an older write of the key may hold nothing of it, because of the one that is
/// lost: K comes from peers, and the lost one may have been put off.
void ClusterLedger::displace_older(const ClusterWrite& lost, std::uint32_t machine) {
  for (const ClusterWrite* older : of(lost.key)) {
    const Dot dot = older->version().dot;
    bool held_elsewhere = false;
    for (std::uint32_t other = 0; other < machines_.size(); ++other) {
      const auto it = held(other).find(lost.key);
      held_elsewhere = held_elsewhere || (other != machine && it != held(other).end() &&
                                          it->second.version.dot == dot);
    }
    if (older->live() && older->version() < lost.version() && !held_elsewhere) {
      by_dot_.at(dot)->displaced = true;
    }
  }
}

/// A write whose batch had failed was part of no node's knowledge until now: it counts as new.
void ClusterLedger::turned_up(ClusterWrite& write) {
  write.lost = write.lost || (write.failed && !write.durable);
  write.durable = true;
}

void ClusterLedger::add(Machine machine, const RecordWrite& write) {
  const Version& version = write.record.header.version;
  if (by_dot_.contains(version.dot)) {
    return;
  }
  ClusterWrite& added = writes_.emplace_back();
  added.key = write.key.text();
  added.record = {.header = write.record.header, .value = std::string(write.record.value)};
  added.machine = machine;
  added.counts_as_new = some_removed_ || machines_.at(machine).behind;
  ++changes_;
  by_dot_[version.dot] = &added;
  by_uuid_[version.uuid].push_back(&added);
  by_key_[added.key].push_back(&added);
}

void ClusterLedger::closed(Machine machine, const Batch& batch) {
  for (const RecordWrite& write : batch.effects.writes) {
    if (write.kind == RecordWrite::Kind::store) {
      add(machine, write);
    }
  }
}

void ClusterLedger::durable(Machine machine, const Batch& batch) {
  MachineState& state = machines_.at(machine);
  for (const RecordWrite& write : batch.effects.writes) {
    if (write.kind == RecordWrite::Kind::store) {
      state.held.insert_or_assign(std::string(write.key.text()), write.record.header);
      by_dot_.at(write.record.header.version.dot)->durable = true;
      state.damaged.erase(std::string(write.key.text()));
    } else {
      state.damaged.erase(std::string(write.key.text()));
      state.held.erase(std::string(write.key.text()));
    }
  }
  note_knowledge(machine, batch.effects.knowledge);
  state.behind = state.behind && !caught_up(machine);
}

/// What a machine forgets that nobody else reflects may return after its delete was collected.
void ClusterLedger::note_knowledge(Machine machine, const std::vector<KnowledgeWrite>& writes) {
  MachineState& state = machines_.at(machine);
  state.forgot = std::ranges::any_of(writes, [&](const KnowledgeWrite& write) {
    return write.known.last() < state.knowledge.of(write.origin).last();
  });
  const Knowledge before = state.forgot ? state.knowledge : Knowledge{};
  changes_ += writes.empty() ? 0 : 1;
  for (const KnowledgeWrite& write : writes) {
    state.knowledge.set(write.origin, write.known);
  }
  for (const DotRange& range : before.minus(state.knowledge)) {
    for (const ClusterWrite* write : within(range)) {
      if (!reflected_beside(machine, *write)) {
        by_dot_.at(write->version().dot)->counts_as_new = true;
      }
    }
  }
}

void ClusterLedger::failed(Machine /*machine*/, const Batch& batch, Errc /*why*/) {
  for (const RecordWrite& write : batch.effects.writes) {
    const auto it = by_dot_.find(write.record.header.version.dot);
    if (write.kind == RecordWrite::Kind::store && it != by_dot_.end()) {  // else: never closed
      it->second->failed = true;
    }
  }
}

void ClusterLedger::answered(Machine /*machine*/, const Operation& /*operation*/,
                             const WriteOutcome& outcome) {
  if (succeeded(outcome.status)) {
    for (ClusterWrite* write : by_uuid_[outcome.uuid]) {
      write->acknowledged = true;
    }
  }
}

/// Whoever is off the list is not waited for: what some member does not reflect now, and what is
/// written until all have met again, may return after a newer delete was collected.
void ClusterLedger::traced(Machine /*machine*/, const Trace& trace) {
  if (trace.kind != Trace::Kind::member_removed) {
    return;
  }
  if (some_removed_ && changes_at_removal_ == changes_) {
    return;  // in a large cluster everybody tells of it in the same moment
  }
  some_removed_ = true;
  changes_at_removal_ = changes_;
  for (ClusterWrite& write : writes_) {
    write.counts_as_new = write.counts_as_new || !reflected_by_all(write.version().dot);
  }
}

void ClusterLedger::swapped(Machine machine, Swap swap) {
  lose_what_only_reflects(machine);
  ++changes_;
  machines_.at(machine) = {.gone = swap == Swap::gone,
                           .behind = swap == Swap::restored || swap == Swap::copied};
}

/// What no other machine reflects is lost with the record.
void ClusterLedger::rotted(Machine machine, const std::string& key) {
  machines_.at(machine).damaged.insert(key);
  for (const ClusterWrite* write : of(key)) {
    if (!reflected_beside(machine, *write)) {
      lose(*write, machine);
    }
  }
}

void ClusterLedger::recovered(Machine machine, const Image& image) {
  MachineState& state = machines_.at(machine);
  state.held.clear();
  state.damaged.clear();
  state.knowledge = image.state.knowledge;
  ++changes_;
  for (const auto& [key, record] : image.records) {
    if (!record) {
      state.damaged.insert(key);
    } else {
      state.held.emplace(key, record->header);
      if (const auto it = by_dot_.find(record->header.version.dot); it != by_dot_.end()) {
        turned_up(*it->second);
      }
    }
  }
}

}  // namespace kvs
