#include "sim/cluster_oracle_order.h"

#include <algorithm>

#include <fmt/format.h>

namespace kvs {

namespace {

bool stores(const RecordWrite& write) {
  return write.kind == RecordWrite::Kind::store;
}

/// True if the write only takes the value from a record that has expired.
bool frees(const RecordWrite& write, const ClusterLedger::Held& held) {
  const auto it = held.find(write.key.text());
  return write.record.header.kind == RecordKind::expired && it != held.end() &&
         it->second == write.record.header;
}

}  // namespace

// --- clocks learn

void ClocksLearn::closed(Machine machine, const Batch& batch) {
  for (const RecordWrite& write : batch.effects.writes) {
    const Version& version = write.record.header.version;
    const bool new_write = stores(write) && seen_.insert(version.dot).second;
    const auto newest = newest_.find(machine);
    if (new_write && !version.verdict.given() && newest != newest_.end() &&
        version.stamp <= newest->second) {
      report(fmt::format("machine {} stamps a write under `{}` {}, after it had held {}", machine,
                         write.key.text(), version.stamp.bits, newest->second.bits));
    }
  }
}

void ClocksLearn::durable(Machine machine, const Batch& batch) {
  Stamp& newest = newest_[machine];
  for (const RecordWrite& write : batch.effects.writes) {
    if (stores(write)) {
      newest = std::max(newest, write.record.header.version.stamp);
    }
  }
}

void ClocksLearn::swapped(Machine machine, Swap /*swap*/) {
  newest_.erase(machine);
}

// --- what K covers

bool CoveredStaysOut::shrinks(Machine machine, const Batch& batch) const {
  return std::ranges::any_of(batch.effects.knowledge, [&](const KnowledgeWrite& write) {
    Knowledge before;
    before.set(write.origin, ledger().knowledge(machine).of(write.origin));
    Knowledge after;
    after.set(write.origin, write.known);
    return !after.covers(before);
  });
}

void CoveredStaysOut::closed(Machine machine, const Batch& batch) {
  if (shrinks(machine, batch)) {
    forgetting_[machine] = batch.number;
  }
  // Whoever meets a damaged record empties K, and may have learnt all of it again by now.
  if (forgetting_.contains(machine) || ledger().damaged(machine)) {
    return;
  }
  for (const RecordWrite& write : batch.effects.writes) {
    const Dot dot = write.record.header.version.dot;
    if (stores(write) && !frees(write, ledger().held(machine)) &&
        ledger().knowledge(machine).covers(dot)) {
      report(fmt::format("machine {} takes {:016x}:{} under `{}`, which it covers", machine,
                         static_cast<std::uint64_t>(dot.origin), dot.seq, write.key.text()));
    }
  }
}

void CoveredStaysOut::durable(Machine machine, const Batch& batch) {
  const auto it = forgetting_.find(machine);
  if (it != forgetting_.end() && batch.number >= it->second) {
    forgetting_.erase(it);
  }
}

void CoveredStaysOut::crashed(Machine machine, Crash /*crash*/) {
  forgetting_.erase(machine);
}

// --- stamps from far ahead

bool FarStampsStayOut::far(Stamp stamp) const {
  return stamp.ms() > now_.ms + kFarMs;
}

void FarStampsStayOut::recovered(Machine machine, const Image& image) {
  if (far(image.state.clock_reserve)) {
    went_on_.insert(machine);
  } else {
    went_on_.erase(machine);
  }
}

void FarStampsStayOut::closed(Machine machine, const Batch& batch) {
  if (struck_.contains(machine) || struck_.size() * 2 >= machines_) {
    return;
  }
  for (const RecordWrite& write : batch.effects.writes) {
    const Version& version = write.record.header.version;
    const ClusterWrite* made = ledger().find(version.dot);
    const bool own = made != nullptr && made->machine == machine;
    const bool goes_on = own && went_on_.contains(machine);
    if (stores(write) && far(version.stamp) && !goes_on) {
      report(fmt::format("machine {} takes a write under `{}` that is stamped {} ms ahead", machine,
                         write.key.text(), version.stamp.ms() - now_.ms));
    }
  }
}

// --- calls

void CallsAreBounded::sent(Machine machine, const PeerSend& /*send*/) {
  if (++open_[machine] > bound_) {
    report(fmt::format("machine {} has more than {} calls under way", machine, bound_));
  }
}

void CallsAreBounded::returned(Machine machine, const PeerReturn& /*returned*/) {
  std::size_t& open = open_[machine];
  open -= open > 0 ? 1 : 0;
}

}  // namespace kvs
