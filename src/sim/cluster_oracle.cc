#include "sim/cluster_oracle.h"

#include <algorithm>

#include <fmt/format.h>

namespace kvs {

namespace {

std::string name_of(const Version& version) {
  return fmt::format("{}.{}/{:016x}:{}{}", version.stamp.ms(), version.stamp.bits & 0xffffU,
                     static_cast<std::uint64_t>(version.dot.origin), version.dot.seq,
                     version.verdict.given() ? "+verdict" : "");
}

/// Equal stamps and no verdict: only a ballot may put one in the place of the other.
bool tied(const Version& a, const Version& b) {
  return a.stamp == b.stamp && a.uuid != b.uuid && !a.verdict.given() && !b.verdict.given();
}

/// Of what expired the value may be gone.
bool is_same(const RecordView& record, const Record& original) {
  const bool freed = record.header.kind == RecordKind::expired && record.value.empty();
  return record.header == original.header && (freed || record.value == original.value);
}

}  // namespace

// --- versions never go back

void NeverGoesBack::take(Machine machine, const std::string& key, const RecordHeader& header) {
  const auto [it, first] = floors_.try_emplace({machine, key}, header);
  if (first || it->second == header) {
    return;
  }
  const Version& floor = it->second.version;
  const ClusterWrite* write = ledger().find(header.version.dot);
  const bool counts_as_new = write != nullptr && write->may_return_after(floor.stamp);
  const bool shows_the_same = !ClusterWrite::stays(it->second) && !header.live();
  if (tied(floor, header.version)) {
    report(fmt::format("machine {} gave up {} for {}, under `{}`, without a ballot", machine,
                       name_of(floor), name_of(header.version), key));
  } else if (header.version < floor && !counts_as_new && !shows_the_same) {
    report(fmt::format("machine {} holds {} under `{}` and held {} before", machine,
                       name_of(header.version), key, name_of(floor)));
  }
  it->second = std::max(it->second, header, [](const RecordHeader& a, const RecordHeader& b) {
    return a.version < b.version;
  });
}

/// Without K a node cannot know an old write for one whose delete was collected.
void NeverGoesBack::forget_deleted(Machine machine) {
  std::erase_if(floors_, [&](const auto& entry) {
    return entry.first.first == machine && !ledger().held(machine).contains(entry.first.second);
  });
}

void NeverGoesBack::closed(Machine machine, const Batch& batch) {
  for (const RecordWrite& write : batch.effects.writes) {
    if (write.kind != RecordWrite::Kind::store) {
      going_[{machine, std::string(write.key.text())}] = batch.number;
    }
  }
}

void NeverGoesBack::durable(Machine machine, const Batch& batch) {
  if (ledger().has_forgotten(machine)) {
    forget_deleted(machine);
  }
  for (const RecordWrite& write : batch.effects.writes) {
    const std::pair place(machine, std::string(write.key.text()));
    if (const auto it = going_.find(place); it != going_.end() && it->second <= batch.number) {
      going_.erase(it);
    }
    if (write.kind == RecordWrite::Kind::store) {
      held_.insert(place);
      take(machine, place.second, write.record.header);
    } else {
      held_.erase(place);
    }
  }
}

void NeverGoesBack::swapped(Machine machine, Swap /*swap*/) {
  const auto of_machine = [&](const auto& entry) {
    return entry.first.first == machine;
  };
  std::erase_if(floors_, of_machine);
  std::erase_if(going_, of_machine);
  std::erase_if(held_, [&](const auto& place) { return place.first == machine; });
}

void NeverGoesBack::rotted(Machine machine, const std::string& key) {
  floors_.erase({machine, key});
}

void NeverGoesBack::recovered(Machine machine, const Image& image) {
  for (const auto& place : held_) {
    if (place.first == machine && !image.records.contains(place.second) &&
        !going_.contains(place)) {
      report(fmt::format("machine {} lost what it held under `{}` in a restart", machine,
                         place.second));
    }
  }
  std::erase_if(held_, [&](const auto& place) { return place.first == machine; });
  std::erase_if(going_, [&](const auto& entry) { return entry.first.first == machine; });
  for (const auto& [key, record] : image.records) {
    held_.emplace(machine, key);
    if (record) {
      take(machine, key, record->header);
    }
  }
}

// --- reads show acknowledged writes

void ReadsShowWrites::durable(Machine machine, const Batch& /*batch*/) {
  if (ledger().has_forgotten(machine)) {
    std::erase_if(floors_, [&](const auto& entry) {
      return entry.first.first == machine && !ledger().held(machine).contains(entry.first.second);
    });
  }
}

void ReadsShowWrites::answered(Machine machine, const Operation& operation,
                               const WriteOutcome& outcome) {
  if (!succeeded(outcome.status)) {
    return;
  }
  const Version version{.stamp = outcome.stamp, .verdict = {}, .uuid = outcome.uuid, .dot = {}};
  Version& floor = floors_[{machine, operation.key}];
  floor = std::max(floor, version);
}

void ReadsShowWrites::swapped(Machine machine, Swap /*swap*/) {
  std::erase_if(floors_, [&](const auto& entry) { return entry.first.first == machine; });
}

void ReadsShowWrites::rotted(Machine machine, const std::string& key) {
  floors_.erase({machine, key});
}

void ReadsShowWrites::asked_elsewhere(Machine machine, const Operation& operation) {
  const auto it = floors_.find({machine, operation.key});
  asked_[operation.ticket] = it == floors_.end() ? Version{} : it->second;
}

void ReadsShowWrites::got(Machine machine, const Reading& reading) {
  const auto it = floors_.find({machine, reading.operation.key});
  const auto asked = asked_.extract(reading.operation.ticket);
  if (it == floors_.end() || !reading.record) {
    return;
  }
  const Version& floor = asked ? std::min(asked.mapped(), it->second) : it->second;
  if (floor == Version{}) {
    return;
  }
  const std::optional<Record>& record = *reading.record;
  if (record && record->header.version.stamp < floor.stamp) {
    const ClusterWrite* write = ledger().find(record->header.version.dot);
    if (write == nullptr || !write->may_return_after(floor.stamp)) {
      report(fmt::format("machine {} shows {} under `{}` after it acknowledged {}", machine,
                         name_of(record->header.version), reading.operation.key, name_of(floor)));
    }
  }
  const auto deleted = [&](const ClusterWrite* write) {
    return !write->live() && write->version().stamp >= floor.stamp;
  };
  if (!record && std::ranges::none_of(ledger().of(reading.operation.key), deleted)) {
    report(fmt::format("machine {} shows nothing under `{}` after it acknowledged {}", machine,
                       reading.operation.key, name_of(floor)));
  }
}

// --- records cross unchanged

/// True for what this batch acknowledges to a client, and for a verdict on what somebody wrote.
bool RecordsAreExact::accepted(const Batch& batch, const Version& version) const {
  if (version.verdict.given()) {
    return std::ranges::any_of(ledger().writes(), [&](const ClusterWrite& write) {
      return write.version().uuid == version.uuid && write.version().dot != version.dot;
    });
  }
  return std::ranges::any_of(batch.effects.replies, [&](const Reply& reply) {
    return reply.outcome.uuid == version.uuid && reply.outcome.stamp == version.stamp;
  });
}

void RecordsAreExact::closed(Machine machine, const Batch& batch) {
  for (const RecordWrite& write : batch.effects.writes) {
    if (write.kind != RecordWrite::Kind::store) {
      continue;
    }
    const Version& version = write.record.header.version;
    if (seen_.insert(version.dot).second && !accepted(batch, version)) {
      report(fmt::format("machine {} stores {} under `{}`, which nobody wrote", machine,
                         name_of(version), write.key.text()));
    }
    const ClusterWrite* original = ledger().find(version.dot);
    const bool same = original != nullptr && original->key == write.key.text() &&
                      is_same(write.record, original->record);
    if (!same) {
      report(fmt::format("machine {} stores {} under `{}`, which is not what was written", machine,
                         name_of(version), write.key.text()));
    }
  }
}

void RecordsAreExact::got(Machine machine, const Reading& reading) {
  const Record* const record = reading.found();
  if (record == nullptr) {
    return;
  }
  const ClusterWrite* original = ledger().find(record->header.version.dot);
  if (original == nullptr || original->key != reading.operation.key ||
      !is_same(record->view(), original->record)) {
    report(fmt::format("machine {} shows {} under `{}`, which is not what was written", machine,
                       name_of(record->header.version), reading.operation.key));
  }
}

// --- K covers what the state reflects

/// What is newer and covered is looked at by itself; what is deleted may be forgotten.
bool KnowledgeIsTrue::overtaken(Machine machine, const ClusterWrite& write) const {
  return std::ranges::any_of(ledger().of(write.key), [&](const ClusterWrite* newer) {
    return newer->version() > write.version() &&
           (!newer->live() || ledger().knowledge(machine).covers(newer->version().dot));
  });
}

void KnowledgeIsTrue::check(Machine machine, const ClusterWrite& write) {
  const auto& held = ledger().held(machine);
  const auto it = held.find(write.key);
  if (ledger().damaged(machine, write.key)) {
    return;  // until it is found K may cover it
  }
  const bool reflected = it != held.end() && it->second.version >= write.version();
  if (!reflected && write.live() && !overtaken(machine, write)) {
    report(fmt::format("machine {} covers {} and holds nothing of it under `{}`", machine,
                       name_of(write.version()), write.key));
  }
}

void KnowledgeIsTrue::check_new(Machine machine) {
  Knowledge& checked = checked_[machine];
  const Knowledge& known = ledger().knowledge(machine);
  const std::vector<DotRange> news = known.minus(checked);
  for (const DotRange& range : news) {
    for (const ClusterWrite* write : ledger().within(range)) {
      check(machine, *write);
    }
  }
  std::ranges::for_each(news, [&](const DotRange& range) { checked.add(range); });
  if (checked != known) {
    checked = known;  // it covers less than before
  }
}

void KnowledgeIsTrue::durable(Machine machine, const Batch& batch) {
  check_new(machine);
  for (const RecordWrite& write : batch.effects.writes) {
    const ClusterWrite* gone = ledger().find(write.record.header.version.dot);
    if (write.kind != RecordWrite::Kind::store && gone != nullptr) {
      check(machine, *gone);
    }
  }
}

void KnowledgeIsTrue::recovered(Machine machine, const Image& /*image*/) {
  checked_[machine] = {};
  check_new(machine);
}

// --- the newest write wins

const ClusterWrite* NewestWins::newest_safe(std::string_view key) const {
  const ClusterWrite* newest = nullptr;
  for (const ClusterWrite* write : ledger().of(key)) {
    const bool counts = write->acknowledged && !write->lost;
    if (counts && (newest == nullptr || newest->version() < write->version())) {
      newest = write;
    }
  }
  return newest;
}

void NewestWins::check(const FinalState& state, const std::string& key) {
  const ClusterWrite* floor = newest_safe(key);
  if (floor == nullptr) {
    return;
  }
  const Stamp newest = floor->version().stamp;
  const auto it = state.image.records.find(key);
  const bool live = it != state.image.records.end() && it->second && it->second->header.live();
  if (live && it->second->header.version.stamp < newest) {
    const ClusterWrite* shown = ledger().find(it->second->header.version.dot);
    if (shown == nullptr || !shown->may_return_after(newest)) {
      report(fmt::format("machine {} ends with {} under `{}`, older than {}", state.machine,
                         name_of(it->second->header.version), key, name_of(floor->version())));
    }
  }
  const auto deleted = [&](const ClusterWrite* write) {
    return !write->live() && write->version().stamp >= newest;
  };
  if (!live && std::ranges::none_of(ledger().of(key), deleted)) {
    report(fmt::format("machine {} ends without {} under `{}`, which nobody deleted", state.machine,
                       name_of(floor->version()), key));
  }
}

void NewestWins::ended(const std::vector<FinalState>& states) {
  std::set<std::string> keys;
  for (const ClusterWrite& write : ledger().writes()) {
    keys.insert(write.key);
  }
  for (const FinalState& state : states) {
    for (const std::string& key : keys) {
      check(state, key);
    }
  }
}

}  // namespace kvs
