#include "core/expirer.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

namespace {

/// An index that cannot be read is tried again after so long.
constexpr std::int64_t kRetryMs = 1000;

/// So often, while values are kept, it is noted what the clock showed.
constexpr std::int64_t kMarks = 8;

/// Before all that expires in this millisecond.
ExpiryPlace before(std::int64_t expires_ms) {
  return end_of(WallTime{expires_ms - 1});
}

}  // namespace

void Expirer::start(const Now& cluster, WallTime reserve) {
  const bool wrong = reserve.ms - cluster.wall.ms > kSetBackMax.ms();
  clock_ = wrong ? cluster.wall : std::max(cluster.wall, reserve);
  looked_at_ = cluster.instant;
  told_ = end_of(clock_);
  free_after_ = {};
  mark();
  const auto first = store_.expiries({}, 1);
  if (!first || !first->empty()) {
    in_use_ = true;
    tell_at_ms_ = clock_.ms;
    free_at_ms_ = clock_.ms;
  }
}

void Expirer::look(const Now& cluster) {
  looked_at_ = cluster.instant;
  if (cluster.wall > clock_ || KVS_MUTATED(expiry_clock_goes_back)) {
    clock_ = cluster.wall;
  } else if (clock_.ms - cluster.wall.ms > kSetBackMax.ms()) {
    KVS_PROBE("expirer: the clock was set back");
    clock_ = cluster.wall;
    reserve_ = {};
    marks_.clear();
    if (end_of(clock_) < told_) {
      told_ = end_of(clock_);
      set_back_ = in_use_;
    }
    if (in_use_) {
      tell_at_ms_ = clock_.ms;
      free_at_ms_ = clock_.ms;
    }
  }
  mark();
}

void Expirer::mark() {
  const Duration step{kept_for_.ns / kMarks};
  if (marks_.empty() || looked_at_ - marks_.back().at >= step) {
    marks_.push_back({.at = looked_at_, .clock = clock_});
  }
  while (marks_.size() > 1 && marks_[1].at + kept_for_ <= looked_at_) {
    marks_.pop_front();
  }
}

/// Values that had expired by this time have been hidden for long enough.
WallTime Expirer::freeable() const {
  const Mark& oldest = marks_.front();
  return oldest.at + kept_for_ <= looked_at_ ? oldest.clock : WallTime{};
}

bool Expirer::take_set_back() {
  return std::exchange(set_back_, false);
}

std::vector<Change> Expirer::tell(const std::optional<ExpiryPlace>& pending) {
  std::vector<Change> changes;
  if (!over(tell_at_ms_)) {
    return changes;
  }
  const auto entries = store_.expiries(told_, kAtOnce);
  if (!entries) {
    tell_at_ms_ = clock_.ms + kRetryMs;
    return changes;
  }
  const ExpiryPlace limit = end_of(clock_);
  tell_at_ms_ = entries->size() == kAtOnce ? clock_.ms : kNever;
  for (const ExpiryEntry& entry : *entries) {
    if (entry.place > limit) {
      tell_at_ms_ = entry.place.expires_ms;
      break;
    }
    if (pending && entry.place >= *pending) {
      break;
    }
    Result<std::optional<Change>> change = change_of(entry);
    if (!change && change.error().code != Errc::corrupt_data) {
      KVS_PROBE("expirer: what is over could not be read");
      tell_at_ms_ = clock_.ms + kRetryMs;
      note_told(changes.size());
      return changes;
    }
    told_ = entry.place;
    if (!change) {
      KVS_PROBE("expirer: what is over was damaged");
      damaged_.push_back(entry.path);
    } else if (std::optional<Change>& found = *change; found.has_value()) {
      changes.push_back(*std::move(found));
    }
  }
  if (pending && *pending <= limit) {
    KVS_PROBE("expirer: what is over is not durable yet");
    tell_at_ms_ = kNever;
    waits_ = true;
  } else if (!over(tell_at_ms_)) {
    told_ = limit;  // nothing is left up to now
  }
  note_told(changes.size());
  return changes;
}

void Expirer::note_told(std::size_t count) {
  expired_ += count;
  unkept_ = unkept_ || count > 0;
}

/// Nothing if the record was replaced since. Errors: the store's.
Result<std::optional<Change>> Expirer::change_of(const ExpiryEntry& entry) const {
  const std::optional<RecordHeader> held = KVS_TRY(store_.find(Key::from_store(entry.path)));
  if (!held || held->expires_ms == 0 || place_of(*held) != entry.place ||
      KVS_MUTATED(expiry_not_told)) {
    return std::optional<Change>();
  }
  Change change;
  change.path = entry.path;
  change.before = held;
  change.after = held;
  change.cause = Change::Cause::expiry;
  return std::optional(std::move(change));
}

std::optional<WallTime> Expirer::take_due_reserve() {
  if (!wants_reserve()) {
    return std::nullopt;
  }
  constexpr std::int64_t kAheadMs = 1000;
  unkept_ = false;
  reserve_ = {clock_.ms + kAheadMs};
  return reserve_;
}

std::vector<ExpiryEntry> Expirer::begin_freeing() {
  if (freeing_ || !over(free_at_ms_)) {
    return {};
  }
  auto entries = store_.expiries(free_after_, kAtOnce);
  if (!entries) {
    free_at_ms_ = clock_.ms + kRetryMs;
    return {};
  }
  const ExpiryPlace limit = std::min(told_, end_of(freeable()));
  const auto rest = std::ranges::upper_bound(*entries, limit, {}, &ExpiryEntry::place);
  free_at_ms_ = entries->size() == kAtOnce ? clock_.ms : kNever;
  if (rest != entries->end()) {
    free_at_ms_ = rest->place.expires_ms + kept_for_.ms();
    if (over(free_at_ms_)) {
      free_at_ms_ = clock_.ms + kRetryMs;  // it has not been hidden for so long
    }
  }
  entries->erase(rest, entries->end());
  if (!entries->empty()) {
    freeing_ = true;
    freeing_upto_ = entries->back().place;
  }
  return *std::move(entries);
}

void Expirer::note(const ExpiryPlace& place) {
  in_use_ = true;
  tell_at_ms_ = std::min(tell_at_ms_, place.expires_ms);
  free_at_ms_ = std::min(free_at_ms_, place.expires_ms + kept_for_.ms());
  free_after_ = std::min(free_after_, before(place.expires_ms));
  freeing_upto_ = std::min(freeing_upto_, before(place.expires_ms));
}

void Expirer::committed(std::span<const Change> changes) {
  for (const Change& change : changes) {
    if (change.after && change.after->expires_ms != 0) {
      note(place_of(*change.after));
    }
  }
  if (std::exchange(waits_, false)) {
    tell_at_ms_ = clock_.ms;
  }
}

void Expirer::freed() {
  free_after_ = freeing_upto_;
  freeing_ = false;
}

void Expirer::commit_failed() {
  if (reserve_ != WallTime{}) {
    unkept_ = true;
    reserve_ = {clock_.ms + kRetryMs};
  }
  if (std::exchange(waits_, false)) {
    tell_at_ms_ = clock_.ms;
  }
  if (std::exchange(freeing_, false)) {
    free_at_ms_ = clock_.ms + kRetryMs;
  }
}

Instant Expirer::next_deadline() const {
  const std::int64_t due_ms = freeing_ ? tell_at_ms_ : std::min(tell_at_ms_, free_at_ms_);
  if (due_ms == kNever) {
    return Instant::never();
  }
  return looked_at_ + Duration::from_ms(std::max<std::int64_t>(0, due_ms - clock_.ms));
}

}  // namespace kvs
