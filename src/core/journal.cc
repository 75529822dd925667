#include "core/journal.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

namespace {

constexpr std::size_t kIndexBytes = 64;      // a node of the index
constexpr std::size_t kLatestLookback = 16;  // entries looked at for each record of latest()

}  // namespace

void Journal::add(std::span<const Change> changes) {
  for (const Change& change : changes) {
    if (change.after || change.learnt) {
      append(ref_of(change));
    }
  }
}

void Journal::append(WriteRef ref) {
  const std::uint64_t place = first_ + entries_.size();
  for (const Dot dot : ref.replaced) {
    point(dot, place);
  }
  point(ref.dot, place);
  bytes_ += memory_of(ref);
  entries_.push_back(std::move(ref));
  while (!entries_.empty() && (bytes_ > options_.bytes_max || dots_ > options_.dots_max)) {
    KVS_PROBE("journal: the oldest entry had to go");
    drop_oldest();
  }
}

void Journal::point(Dot dot, std::uint64_t place) {
  Places& places = index_[dot.origin];
  const std::size_t before = places.size();
  places.insert_or_assign(places.end(), dot.seq, place);  // most dots come in order
  const std::size_t added = places.size() - before;
  dots_ += added;
  bytes_ += added * kIndexBytes;
}

void Journal::unpoint(Dot dot, std::uint64_t place) {
  const auto origin = index_.find(dot.origin);
  if (origin == index_.end()) {
    return;
  }
  const auto it = origin->second.find(dot.seq);
  if (it == origin->second.end() || it->second != place) {
    KVS_PROBE("journal: a dot was applied again");
    return;
  }
  origin->second.erase(it);
  --dots_;
  bytes_ -= kIndexBytes;
  if (origin->second.empty()) {
    index_.erase(origin);
  }
}

void Journal::drop_oldest() {
  const WriteRef& oldest = entries_.front();
  for (const Dot dot : oldest.replaced) {
    unpoint(dot, first_);
  }
  unpoint(oldest.dot, first_);
  bytes_ -= memory_of(oldest);
  entries_.pop_front();
  ++first_;
}

const WriteRef& Journal::at(std::uint64_t place) const {
  return entries_[static_cast<std::size_t>(place - first_)];
}

// Looks at the ends only: enough to refuse most of what lies too far back before any record is
// read.
bool Journal::may_reach(const DotRange& range) const {
  const auto origin = index_.find(range.origin);
  return origin != index_.end() && origin->second.contains(range.first) &&
         origin->second.contains(range.last);
}

Delta Journal::answer(const Knowledge& mine, const Knowledge& theirs,
                      const StoreView& store) const {
  const std::vector<DotRange> missing = mine.minus(theirs);
  for (const DotRange& range : missing) {
    if (!may_reach(range)) {
      return {.extent = Delta::Extent::impossible, .records = {}};
    }
  }
  RecordGatherer gatherer(store);
  for (const DotRange& range : missing) {
    const Places& places = index_.find(range.origin)->second;
    std::uint64_t next = range.first;
    for (auto it = places.find(next); it != places.end() && it->first <= range.last; ++it) {
      if (gatherer.bytes() >= options_.answer_bytes ||
          gatherer.count() >= options_.answer_records) {
        return {.extent = Delta::Extent::part, .records = gatherer.take()};
      }
      const Dot dot{.origin = range.origin, .seq = it->first};
      const bool gap = it->first != next && !KVS_MUTATED(delta_skips_gaps);
      if (gap || !gatherer.add(at(it->second), dot)) {
        KVS_PROBE("journal: a dot amidst others cannot be told");
        return {.extent = Delta::Extent::impossible, .records = {}};
      }
      ++next;
    }
  }
  return {.extent = Delta::Extent::whole, .records = gatherer.take()};
}

std::vector<PeerRecord> Journal::latest(std::size_t count, const StoreView& store) const {
  std::vector<PeerRecord> records;
  std::vector<std::string_view> seen;
  std::size_t bytes = 0;
  std::size_t looks = count * kLatestLookback;
  for (auto it = entries_.rbegin(); it != entries_.rend() && looks > 0; ++it, --looks) {
    if (records.size() == count) {
      break;
    }
    if (std::ranges::find(seen, it->path) != seen.end()) {
      continue;
    }
    seen.push_back(it->path);
    auto record = current_record(store, *it);
    if (!record) {
      continue;
    }
    if (record->record.header.version.dot != it->dot) {
      record->replaced.push_back(it->dot);
    }
    bytes += message_bytes(*record);
    if (bytes > options_.latest_bytes) {
      break;
    }
    records.push_back(*std::move(record));
  }
  return records;
}

}  // namespace kvs
