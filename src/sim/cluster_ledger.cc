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

void ClusterLedger::lose_what_only_reflects(std::uint32_t machine) {
  for (const DotRange& range : knowledge(machine).minus({})) {
    for (const ClusterWrite* write : within(range)) {
      const Dot dot = write->version().dot;
      bool elsewhere = false;
      for (std::uint32_t other = 0; other < machines_.size(); ++other) {
        elsewhere = elsewhere || (other != machine && knowledge(other).covers(dot));
      }
      if (!elsewhere) {
        by_dot_.at(dot)->lost = true;
        displace_older(*write, machine);
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
    } else {
      state.held.erase(std::string(write.key.text()));
    }
  }
  for (const KnowledgeWrite& write : batch.effects.knowledge) {
    state.knowledge.set(write.origin, write.known);
  }
}

void ClusterLedger::failed(Machine /*machine*/, const Batch& batch, Errc /*why*/) {
  for (const RecordWrite& write : batch.effects.writes) {
    if (write.kind == RecordWrite::Kind::store) {
      by_dot_.at(write.record.header.version.dot)->failed = true;
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

void ClusterLedger::swapped(Machine machine, Swap /*swap*/) {
  lose_what_only_reflects(machine);
  machines_.at(machine) = {};
}

void ClusterLedger::recovered(Machine machine, const Image& image) {
  MachineState& state = machines_.at(machine);
  state = {.held = {}, .knowledge = image.state.knowledge};
  for (const auto& [key, record] : image.records) {
    if (record) {
      state.held.emplace(key, record->header);
      if (const auto it = by_dot_.find(record->header.version.dot); it != by_dot_.end()) {
        turned_up(*it->second);
      }
    }
  }
}

}  // namespace kvs
