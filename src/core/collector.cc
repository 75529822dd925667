#include "core/collector.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

namespace {

/// Since when the key has been without a value, as far as this record tells.
std::int64_t dead_since_ms(const RecordHeader& header) {
  return std::max(header.version.stamp.ms(), header.expires_ms);
}

}  // namespace

void Collector::set_view(const View& view) {
  auto members = view.members | std::views::filter([&](const Member& member) {
                   return member.instance != view.self && member.state != MemberState::left;
                 }) |
                 std::views::transform(&Member::instance);
  if (std::ranges::equal(members, members_)) {
    return;
  }
  const std::vector<Instance> before = std::exchange(members_, {members.begin(), members.end()});
  std::vector<Report> kept(members_.size());
  reported_ = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (const std::size_t place = place_of(before[i]); place < kept.size() && reports_[i]) {
      kept[place] = std::move(reports_[i]);
      ++reported_;
    }
  }
  reports_ = std::move(kept);
  news_ = true;
  round_.reset();
  sweep_.reset();
  vain_.reset();
}

/// Beyond the last one: it is no member.
std::size_t Collector::place_of(Instance member) const {
  const auto it = std::ranges::lower_bound(members_, member);
  return it == members_.end() || *it != member ? members_.size()
                                               : static_cast<std::size_t>(it - members_.begin());
}

void Collector::report(Instance member, std::shared_ptr<const Knowledge> knowledge) {
  const std::size_t place = place_of(member);
  if (place == members_.size()) {
    return;
  }
  Report& held = reports_[place];
  reported_ += held == nullptr ? 1U : 0U;
  news_ = news_ || held == nullptr || (held != knowledge && *held != *knowledge);
  held = std::move(knowledge);
}

std::shared_ptr<const Knowledge> Collector::reported(Instance member) const {
  const std::size_t place = place_of(member);
  return place == members_.size() ? nullptr : reports_[place];
}

/// Of what all cover, and of what any covers.
Collector::Round Collector::round_of_now() const {
  Round now{.low = *mine_, .high = *mine_};
  std::vector<const Knowledge*> told;  // members that hold the same share a report
  for (const Report& report : reports_) {
    const Knowledge* known = report.get();
    if (known == nullptr || known == mine_.get() || std::ranges::find(told, known) != told.end()) {
      continue;
    }
    told.push_back(known);
    now.low = now.low.meet(*known);
    now.high.join(*known);
  }
  return now;
}

void Collector::look(const std::shared_ptr<const Knowledge>& mine, WallTime wall) {
  news_ = news_ || mine != mine_;
  mine_ = mine;
  at_rest_ = !news_ && !sweep_ && vain_ && wall.ms < vain_->young_until_ms;
  if (sweep_ || reported_ < members_.size()) {
    return;
  }
  if (at_rest_) {
    KVS_PROBE("collector: nothing is new, and nothing may go");
    return;
  }
  if (news_) {
    vain_.reset();
  }
  news_ = false;
  Round now = round_of_now();
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
    sweep_ = Sweep{.low = std::move(round_->low), .after = {}};
    round_ = std::move(now);
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
    if (!record) {
      sweep_->in_vain = false;  // it may be readable the next time
      continue;
    }
    const bool expires = record->header.expires_ms != 0;
    if ((record->header.live() && !expires) || !sweep_->low.covers(record->header.version.dot)) {
      continue;
    }
    const std::int64_t dead_ms = dead_since_ms(record->header);
    if (record->header.live() || dead_ms > youngest_ms) {
      // What is to expire comes of age without another write.
      sweep_->young_until_ms = std::min(sweep_->young_until_ms, dead_ms + min_age_.ms());
    } else {
      may_go.push_back({.path = sweep_->after, .header = record->header});
      sweep_->in_vain = false;
    }
  }
  if (!cursor->valid()) {
    sweep_->in_vain = sweep_->in_vain && cursor->status();
    end_sweep();
  } else {
    sweep_->after += '\0';  // the next slice begins after it
  }
  return may_go;
}

/// If it found nothing and went by what all cover now, the next one could find nothing either, as
/// long as nothing is heard and no tombstone comes of age.
void Collector::end_sweep() {
  std::optional<Sweep> ended = std::exchange(sweep_, std::nullopt);
  vain_.reset();
  if (ended && ended->in_vain && round_ && round_->low == ended->low) {
    vain_ = std::move(ended);
  }
}

}  // namespace kvs
