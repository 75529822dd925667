#include "core/collector.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

void Collector::set_view(const View& view) {
  std::vector<Instance> members;
  for (const Member& member : view.members) {
    if (member.instance != view.self && member.state != MemberState::left) {
      members.push_back(member.instance);
    }
  }
  if (members == members_) {
    return;
  }
  members_ = std::move(members);
  std::erase_if(reports_, [&](const auto& entry) {
    return !std::ranges::binary_search(members_, entry.first);
  });
  round_.reset();
  sweep_.reset();
}

void Collector::report(Instance member, std::shared_ptr<const Knowledge> knowledge) {
  if (std::ranges::binary_search(members_, member)) {
    reports_[member] = std::move(knowledge);
  }
}

std::shared_ptr<const Knowledge> Collector::reported(Instance member) const {
  const auto it = reports_.find(member);
  return it == reports_.end() ? nullptr : it->second;
}

void Collector::look(const Knowledge& mine) {
  if (sweep_ || reports_.size() < members_.size()) {
    return;
  }
  Round now{.low = mine, .high = mine};
  const Knowledge* last = &mine;
  for (const auto& [member, known] : reports_) {
    if (known.get() == last) {
      continue;  // members that hold the same share a report
    }
    last = known.get();
    now.low = now.low.meet(*known);
    now.high.join(*known);
  }
  if (KVS_MUTATED(collect_in_one_round)) {
    sweep_ = Sweep{.low = std::move(now.low), .after = {}};
    return;
  }
  if (!round_) {
    round_ = std::move(now);
    return;
  }
  if (now.low.covers(round_->high)) {
    KVS_PROBE("collector: a second round is over");
    sweep_ = Sweep{.low = std::exchange(round_, std::move(now))->low, .after = {}};
  }
}

std::vector<PeerItem> Collector::next(const StoreView& store, WallTime wall,
                                      std::size_t records_max) {
  std::vector<PeerItem> may_go;
  if (!sweep_) {
    return may_go;
  }
  const std::int64_t youngest_ms = wall.ms - min_age_.ms();
  const auto cursor = store.cursor();
  std::size_t seen = 0;
  for (cursor->seek(sweep_->after); cursor->valid() && seen < records_max; cursor->next()) {
    ++seen;
    sweep_->after = cursor->key().text();
    const auto record = cursor->record();
    if (!record || record->header.live()) {
      continue;
    }
    const Version& version = record->header.version;
    if (version.stamp.ms() <= youngest_ms && sweep_->low.covers(version.dot)) {
      may_go.push_back({.path = sweep_->after, .header = record->header});
    }
  }
  if (!cursor->valid()) {
    sweep_.reset();
  } else {
    sweep_->after += '\0';  // the next slice begins after it
  }
  return may_go;
}

}  // namespace kvs
