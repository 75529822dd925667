#include "sim/cluster_ledger.h"

#include <algorithm>

namespace kvs {

namespace {

std::set<std::uint64_t> instances(const std::vector<Member>& roster) {
  std::set<std::uint64_t> found;
  for (const Member& member : roster) {
    if (member.state != MemberState::left) {
      found.insert(static_cast<std::uint64_t>(member.instance));
    }
  }
  return found;
}

}  // namespace

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

bool ClusterLedger::reflected_beside(std::uint32_t machine, const ClusterWrite& write) const {
  for (std::uint32_t other = 0; other < machines_.size(); ++other) {
    const bool sound = other != machine && !damaged(other, write.key);
    if (sound && knowledge(other).covers(write.version().dot)) {
      return true;
    }
  }
  return false;
}

/// True if a machine other than this one has seen the write off: whoever still holds it has to drop
/// it there.
bool ClusterLedger::seen_off_beside(std::uint32_t machine, const ClusterWrite& write) const {
  const Dot dot = write.version().dot;
  for (std::uint32_t other = 0; other < machines_.size(); ++other) {
    const auto it = held(other).find(write.key);
    const bool holds_it = it != held(other).end() && it->second.version.dot == dot;
    if (other != machine && !holds_it && !damaged(other, write.key) &&
        knowledge(other).covers(dot)) {
      return true;
    }
  }
  return false;
}

/// True if a member of this machine's list knew of the write before it knew of the delete, so that
/// the K which it reported told of it. Whoever lost its folder or its K does not count until it has
/// caught up: what it reported before is void.
bool ClusterLedger::known_to_members(std::uint32_t machine, const ClusterWrite& write,
                                     Dot deleted) const {
  return std::ranges::any_of(machines_, [&](const MachineState& state) {
    if (state.gone || state.behind || !machines_.at(machine).members.contains(state.instance)) {
      return false;
    }
    const auto known = state.since.find(write.version().dot);
    const auto delete_known = state.since.find(deleted);
    return known != state.since.end() &&
           (delete_known == state.since.end() || known->second <= delete_known->second);
  });
}

bool ClusterLedger::caught_up(std::uint32_t machine) const {
  return std::ranges::all_of(machines_, [&](const MachineState& other) {
    return other.behind || knowledge(machine).covers(other.knowledge);
  });
}

void ClusterLedger::lose_what_only_reflects(std::uint32_t machine) {
  for (const DotRange& range : knowledge(machine).minus({})) {
    for (const ClusterWrite* write : within(range)) {
      if (!reflected_beside(machine, *write)) {
        by_dot_.at(write->version().dot)->lost = true;
      }
    }
    uncover(machine, range);
  }
}

/// This machine's K covers these writes no more. What nobody else has seen off may come back after
/// a delete that it had forgotten relying on that.
void ClusterLedger::uncover(std::uint32_t machine, const DotRange& range) {
  MachineState& state = machines_.at(machine);
  for (const ClusterWrite* write : within(range)) {
    state.since.erase(write->version().dot);
    const auto gone = forgotten_.find(write->key);
    if (gone == forgotten_.end() || seen_off_beside(machine, *write)) {
      continue;
    }
    std::optional<Version>& after = by_dot_.at(write->version().dot)->returns_after;
    for (const Forgotten& forgotten : gone->second) {
      if (write->version() < forgotten.version && (!after || *after < forgotten.version)) {
        after = forgotten.version;
      }
    }
  }
}

/// The two rounds let a delete go only if no member knows of an older write which another does not.
void ClusterLedger::forget(std::uint32_t machine, const std::string& key,
                           const RecordHeader& gone) {
  if (ClusterWrite::stays(gone)) {
    return;
  }
  const MachineState& state = machines_.at(machine);
  Forgotten& forgotten =
      forgotten_[key].emplace_back(Forgotten{.version = gone.version, .members = state.members});
  forgotten.members.insert(state.instance);
  for (const ClusterWrite* write : of(key)) {
    const Dot dot = write->version().dot;
    std::optional<Version>& after = by_dot_.at(dot)->returns_after;
    if (write->version() < gone.version && !state.knowledge.covers(dot) &&
        !known_to_members(machine, *write, gone.version.dot) && (!after || *after < gone.version)) {
      after = gone.version;
    }
  }
}

/// A verdict on a write that may return, and a write of a machine that was no member when a newer
/// delete was forgotten, or that lost its folder or its K since, and has not met that delete.
void ClusterLedger::inherit(ClusterWrite& added) const {
  std::optional<Version>& after = added.returns_after;
  for (const ClusterWrite* other : of(added.key)) {
    if (other->version().uuid == added.version().uuid && other->returns_after &&
        (!after || *after < *other->returns_after)) {
      after = other->returns_after;
    }
  }
  const auto it = forgotten_.find(added.key);
  if (it == forgotten_.end()) {
    return;
  }
  const MachineState& state = machines_.at(added.machine);
  for (const Forgotten& forgotten : it->second) {
    const bool outside = state.behind || !forgotten.members.contains(state.instance);
    if (added.version() < forgotten.version && outside &&
        !state.knowledge.covers(forgotten.version.dot) && (!after || *after < forgotten.version)) {
      after = forgotten.version;
    }
  }
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
  inherit(added);
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
  ++time_;
  if (batch.effects.identity) {
    state.instance = batch.effects.identity->instance;
  }
  if (batch.effects.roster) {
    state.members = instances(*batch.effects.roster);
  }
  for (const RecordWrite& write : batch.effects.writes) {
    const std::string key(write.key.text());
    state.damaged.erase(key);
    if (write.kind == RecordWrite::Kind::store) {
      state.held.insert_or_assign(key, write.record.header);
    } else {
      state.held.erase(key);
    }
  }
  state.forgot = false;
  for (const KnowledgeWrite& write : batch.effects.knowledge) {
    set_knowledge(machine, write.origin, write.known);
  }
  for (const RecordWrite& write : batch.effects.writes) {
    if (write.kind != RecordWrite::Kind::store) {
      forget(machine, std::string(write.key.text()), write.record.header);
    }
  }
  state.behind = (state.behind || state.forgot) && !caught_up(machine);
}

void ClusterLedger::set_knowledge(std::uint32_t machine, Origin origin,
                                  const OriginKnowledge& known) {
  MachineState& state = machines_.at(machine);
  Knowledge before;
  before.set(origin, state.knowledge.of(origin));
  state.knowledge.set(origin, known);
  Knowledge now;
  now.set(origin, state.knowledge.of(origin));
  for (const DotRange& range : now.minus(before)) {
    for (const ClusterWrite* write : within(range)) {
      state.since[write->version().dot] = time_;
    }
  }
  for (const DotRange& range : before.minus(now)) {
    state.forgot = true;
    uncover(machine, range);
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

void ClusterLedger::swapped(Machine machine, Swap swap) {
  lose_what_only_reflects(machine);
  machines_.at(machine) = {};
  machines_.at(machine).gone = swap == Swap::gone;
  machines_.at(machine).behind = true;
}

/// What no other machine reflects is lost with the record.
void ClusterLedger::rotted(Machine machine, const std::string& key) {
  machines_.at(machine).damaged.insert(key);
  for (const ClusterWrite* write : of(key)) {
    if (!reflected_beside(machine, *write)) {
      by_dot_.at(write->version().dot)->lost = true;
    }
  }
}

void ClusterLedger::recovered(Machine machine, const Image& image) {
  MachineState& state = machines_.at(machine);
  ++time_;
  state.held.clear();
  state.damaged.clear();
  state.members = instances(image.state.roster);
  state.instance = image.state.identity ? image.state.identity->instance : 0;
  const Knowledge before = state.knowledge;
  for (const auto* const known : {&before, &image.state.knowledge}) {
    for (const auto& [origin, entry] : known->origins()) {
      set_knowledge(machine, origin, image.state.knowledge.of(origin));
    }
  }
  for (const auto& [key, record] : image.records) {
    if (record) {
      state.held.emplace(key, record->header);
    } else {
      state.damaged.insert(key);
    }
  }
}

}  // namespace kvs
