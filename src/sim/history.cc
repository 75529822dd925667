#include "sim/history.h"

#include <algorithm>
#include <utility>

namespace kvs {

const Write* History::find(const Uuid& uuid) const {
  const auto it = by_uuid_.find(uuid);
  return it == by_uuid_.end() ? nullptr : it->second;
}

const Write* History::stored(std::string_view key) const {
  const auto it = keys_.find(key);
  return it == keys_.end() ? nullptr : it->second.stored;
}

const Write* History::newest(std::string_view key) const {
  const auto it = keys_.find(key);
  return it == keys_.end() ? nullptr : it->second.newest;
}

bool History::rotten(std::string_view key) const {
  const auto it = keys_.find(key);
  return it != keys_.end() && it->second.rotten;
}

const Step* History::step(Ticket ticket) const {
  const auto it = steps_.find(ticket);
  return it == steps_.end() ? nullptr : &it->second;
}

std::vector<std::string_view> History::keys() const {
  std::vector<std::string_view> keys;
  keys.reserve(keys_.size());
  for (const auto& [key, state] : keys_) {
    keys.emplace_back(key);
  }
  return keys;
}

History::KeyState& History::state(std::string_view key) {
  const auto it = keys_.find(key);
  return it != keys_.end() ? it->second : keys_.emplace(std::string(key), KeyState{}).first->second;
}

void History::decided(const Decision& decision) {
  const Write* basis = state(decision.operation.key).newest;
  steps_.emplace(decision.operation.ticket,
                 Step{.decision = decision,
                      .basis = basis,
                      .basis_fate = basis != nullptr ? basis->fate : Fate::durable});
  if (decision.outcome && succeeded(decision.outcome->status)) {
    add_write(decision, *decision.outcome);
  }
}

/// Its dot is known when the batch is closed.
void History::add_write(const Decision& decision, const WriteOutcome& outcome) {
  const Operation& operation = decision.operation;
  const bool put = operation.kind == Operation::Kind::put;
  Write& write = writes_.emplace_back();
  write.ticket = operation.ticket;
  write.key = operation.key;
  write.record = {.header = {.version = {.stamp = outcome.stamp,
                                         .verdict = {},
                                         .uuid = outcome.uuid,
                                         .dot = {}},
                             .kind = put ? RecordKind::value : RecordKind::tombstone},
                  .value = operation.value};
  write.batch = decision.batch;
  by_uuid_[write.version().uuid] = &write;
  open_batches_[write.batch].push_back(&write);
  KeyState& key = state(operation.key);
  key.writes.push_back(&write);
  key.newest = &write;
}

void History::closed(const Batch& batch) {
  const Knowledge before = known_;
  for (const KnowledgeWrite& write : batch.effects.knowledge) {
    known_.set(write.origin, write.known);
  }
  if (shrinks(batch, before)) {
    given_up_ = writes_.size();
    giving_up_.insert(batch.number);
  }
  for (const RecordWrite& write : batch.effects.writes) {
    const Version& version = write.record.header.version;
    const auto it = by_uuid_.find(version.uuid);
    if (it != by_uuid_.end()) {
      it->second->record.header.version.dot = version.dot;
    }
  }
}

/// A write whose origin the batch says nothing of was forgotten by mistake.
bool History::shrinks(const Batch& batch, const Knowledge& before) const {
  const auto left_out = [&](const RecordWrite& write) {
    const Dot dot = write.record.header.version.dot;
    const auto& knowledge = batch.effects.knowledge;
    return !known_.covers(dot) &&
           std::ranges::find(knowledge, dot.origin, &KnowledgeWrite::origin) != knowledge.end();
  };
  return !known_.covers(before) || std::ranges::any_of(batch.effects.writes, left_out);
}

void History::durable(const Batch& batch) {
  for (const KnowledgeWrite& write : batch.effects.knowledge) {
    known_durably_.set(write.origin, write.known);
  }
  for (Write* write : std::exchange(open_batches_[batch.number], {})) {
    write->fate = Fate::durable;
    KeyState& key = state(write->key);
    key.stored = write;
    key.rotten = false;
  }
  open_batches_.erase(batch.number);
  if (batch.flush == Flush::sync) {
    make_power_proof();
  }
}

/// One sync makes safe what was written before it.
void History::make_power_proof() {
  for (; first_not_power_proof_ < writes_.size(); ++first_not_power_proof_) {
    Write& write = writes_[first_not_power_proof_];
    if (write.fate == Fate::pending) {
      return;
    }
    write.power_proof = write.fate == Fate::durable;
  }
}

void History::failed(const Batch& batch, Errc) {
  known_ = known_durably_;
  for (Write* write : std::exchange(open_batches_[batch.number], {})) {
    write->fate = Fate::failed;
    KeyState& key = state(write->key);
    key.newest = key.stored;
  }
  open_batches_.erase(batch.number);
}

void History::rotted(std::string_view key) {
  state(key).rotten = true;
  state(key).ever_rotted = true;
}

/// True if the folder holds this very write.
bool History::shows(const Image& image, const Write& write) {
  const auto it = image.records.find(write.key);
  return it != image.records.end() && it->second &&
         it->second->header.version.uuid == write.version().uuid;
}

void History::recovered(const Image& image) {
  known_ = image.state.knowledge;
  known_durably_ = known_;
  open_batches_.clear();
  const std::size_t found_without_knowledge = last_shown(image);
  for (std::size_t i = 0; i < writes_.size(); ++i) {
    Write& write = writes_[i];
    // K was written again without what failed, and that may be there all the same, then and later.
    const bool among_those = write.fate != Fate::failed && i < found_without_knowledge;
    const bool found =
        image.state.knowledge.covers(write.version().dot) || among_those || shows(image, write);
    if (write.fate != Fate::gone) {
      write.fate = found ? Fate::durable : Fate::gone;
      write.power_proof = found;
    }
  }
  first_not_power_proof_ = writes_.size();
  for (auto& [key, key_state] : keys_) {
    settle(key_state, image, key);
  }
}

/// A node that met damage gives up its K, which then tells no longer what a folder holds. But a
/// folder holds all that was committed up to some moment: how many writes that is, at least.
std::size_t History::last_shown(const Image& image) const {
  std::size_t shown = 0;
  for (std::size_t i = 0; i < given_up_; ++i) {
    shown = shows(image, writes_[i]) ? i + 1 : shown;
  }
  return shown;
}

void History::settle(KeyState& state, const Image& image, std::string_view key) {
  const auto it = image.records.find(key);
  const bool damaged = it != image.records.end() && !it->second;
  state.stored = nullptr;
  if (damaged) {
    const auto last =
        std::ranges::find(state.writes.rbegin(), state.writes.rend(), Fate::durable, &Write::fate);
    state.stored = last == state.writes.rend() ? nullptr : *last;
  } else if (it != image.records.end()) {
    const auto known = by_uuid_.find(it->second->header.version.uuid);
    state.stored = known == by_uuid_.end() ? nullptr : known->second;
  }
  state.rotten = state.ever_rotted && damaged;
  state.newest = state.stored;
}

}  // namespace kvs
