#include "core/watch_feed.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

namespace {

std::size_t bytes_of(const WatchNews& news) {
  std::size_t bytes = sizeof(WatchNews) + news.knowledge.size() * sizeof(KnowledgeWrite);
  for (const Change& change : news.changes) {
    bytes += sizeof(Change) + change.path.capacity() + change.replaced.capacity() * sizeof(Dot);
  }
  return bytes;
}

}  // namespace

WatchFeed::WatchFeed(const StoreView& store, Start start)
    : store_(&store),
      options_(start.options),
      bounds_(start.bounds),
      run_(start.run),
      known_(std::move(start.known)),
      expired_(start.expired == WallTime{} ? ExpiryPlace{} : end_of(start.expired)) {}

void WatchFeed::add(std::shared_ptr<const WatchNews> news) {
  if (news->emptied && !KVS_MUTATED(watch_ignores_emptied)) {
    empty();
  }
  if (news->clock_set_back) {
    begin_run();
    expired_ = {};
  }
  for (const Change& change : news->changes) {
    if (!change.after && change.before) {
      bury(change.path, *change.before);
    }
  }
  for (const KnowledgeWrite& write : news->knowledge) {
    known_.set(write.origin, write.known);
    shared_.reset();
  }
  expired_ = std::max(expired_, news->expired);
  bytes_ += bytes_of(*news);
  changes_since_checkpoint_ += news->changes.size();
  news_.push_back(std::move(news));
  mark(*news_.back());
  while (news_.size() > bounds_.news_max || (bytes_ > bounds_.bytes_max && news_.size() > 1)) {
    forget_oldest();
  }
}

/// Nobody goes on here as if nothing had been: records may be lost, and come back older.
void WatchFeed::empty() {
  KVS_PROBE("watch feed: K was emptied");
  begin_run();
  known_ = {};
  shared_.reset();
}

void WatchFeed::begin_run() {
  ++run_;
  first_ = next();
  news_.clear();
  bytes_ = 0;
  checkpoints_.clear();
}

void WatchFeed::bury(const std::string& path, const RecordHeader& gone) {
  const Dot dot = gone.version.dot;
  if (!gone.live()) {
    buried_.add(DotRange{.origin = dot.origin, .first = 1, .last = dot.seq});
    if (gone.expires_ms != 0) {
      buried_expired_ = std::max(buried_expired_, place_of(gone));
    }
    return;
  }
  dropped_.push_back({.number = next(), .path = path});
  if (dropped_.size() > bounds_.dropped_max) {
    KVS_PROBE("watch feed: more was dropped than is remembered");
    buried_.join(known_);
    dropped_.pop_front();
  }
}

void WatchFeed::forget_oldest() {
  bytes_ -= bytes_of(*news_.front());
  news_.pop_front();
  ++first_;
  while (!checkpoints_.empty() && checkpoints_.front().number < first_) {
    checkpoints_.pop_front();
  }
}

void WatchFeed::mark(const WatchNews& news) {
  const std::uint64_t last = checkpoints_.empty() ? 0 : checkpoints_.back().number;
  const bool due = checkpoints_.empty() || next() - last >= bounds_.checkpoint_news ||
                   changes_since_checkpoint_ >= bounds_.checkpoint_changes;
  if (due && (news.whole || KVS_MUTATED(watch_trusts_partial_knowledge))) {
    checkpoints_.push_back({.number = next(), .known = head().known, .expired = expired_});
    changes_since_checkpoint_ = 0;
  }
}

WatchSource::Reading WatchFeed::read(const FeedPlace& place) const {
  if (place.run != run_) {
    return {.kind = Reading::Kind::other_run, .news = {}};
  }
  if (place.number < first_) {
    return {.kind = Reading::Kind::too_late, .news = {}};
  }
  if (place.number >= next()) {
    return {.kind = Reading::Kind::nothing_yet, .news = {}};
  }
  return {.kind = Reading::Kind::news,
          .news = news_[static_cast<std::size_t>(place.number - first_)]};
}

WatchSource::Head WatchFeed::head() const {
  if (shared_ == nullptr) {
    shared_ = std::make_shared<const Knowledge>(known_);
  }
  return {
      .place = {.run = run_, .number = next(), .index = 0}, .known = shared_, .expired = expired_};
}

bool WatchFeed::has_place(const FeedPlace& place) const {
  if (place.run != run_ || place.number < first_ || place.number > next()) {
    return false;
  }
  const std::size_t size =
      place.number == next()
          ? 0
          : news_[static_cast<std::size_t>(place.number - first_)]->changes.size();
  return place.index <= size;
}

/// A tombstone that went without being seen is nowhere to be found. Nor need this node ever have
/// held it: K that came with an exchange covers what others had collected long ago.
bool WatchFeed::may_lack_deletions(const WatchCursor& cursor, WallTime wall) const {
  if (KVS_MUTATED(watch_forgets_buried)) {
    return false;
  }
  const std::int64_t age_ms = wall.ms - cursor.made.ms;
  const std::int64_t age_max_ms = options_.cursor_age_max.ms();
  const bool old = age_ms >= age_max_ms || age_ms <= -age_max_ms;
  const bool covers_all = cursor.seen.covers(known_) && cursor.expired >= expired_;
  return !cursor.seen.covers(buried_) || cursor.expired < buried_expired_ || (old && !covers_all);
}

WatchSource::Resumption WatchFeed::resume(const WatchCursor& cursor, WallTime wall) const {
  using Way = Resumption::Way;
  if (has_place(cursor.place) && !cursor.partial) {
    return {.way = Way::replay,
            .from = {.place = cursor.place, .known = {}, .expired = {}},
            .dropped = {}};
  }
  if (!known_.covers(cursor.seen) && !KVS_MUTATED(watch_resumes_behind)) {
    return {};
  }
  // A clock that was far ahead has taken for dead what has not expired.
  const bool far_ahead =
      cursor.expired.expires_ms - expiry_clock_.ms > options_.clocks_differ_max.ms();
  if (cursor.partial || far_ahead || may_lack_deletions(cursor, wall)) {
    KVS_PROBE("watch feed: a cursor needs everything");
    return {.way = Way::reset, .from = head(), .dropped = {}};
  }
  Resumption resumption{.way = Way::scan, .from = head(), .dropped = {}};
  const auto seen =
      std::ranges::find_if(checkpoints_ | std::views::reverse, [&](const Checkpoint& point) {
        return point.expired <= cursor.expired && cursor.seen.covers(*point.known);
      });
  if (seen != std::ranges::rend(checkpoints_)) {
    KVS_PROBE("watch feed: the feed reaches back to another's cursor");
    resumption.way = Way::replay;
    resumption.from.place = {.run = run_, .number = seen->number, .index = 0};
  }
  // Whether the cursor covers what was dropped does not matter: the client may hold an older one.
  for (const Dropped& dropped : dropped_) {
    if (dropped.number < resumption.from.place.number) {
      resumption.dropped.push_back(dropped.path);
    }
  }
  return resumption;
}

}  // namespace kvs
