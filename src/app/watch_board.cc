#include "app/watch_board.h"

#include <algorithm>
#include <utility>

#include "core/expirer.h"
#include "io/os.h"

namespace kvs {

namespace {

void count(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

WatchBoard::WatchBoard(const StoreView& records, WatchFeed::Start start,
                       std::function<void()> awake)
    : records_(records),
      options_(start.options),
      awake_(std::move(awake)),
      feed_(records, std::move(start)) {}

void WatchBoard::add(std::vector<std::shared_ptr<const WatchNews>>& news) {
  {
    const std::lock_guard lock(mutex_);
    for (std::shared_ptr<const WatchNews>& one : news) {
      feed_.add(std::move(one));
    }
  }
  news.clear();
  // Whoever read the feed before this was counted before that.
  if (awake_ && opened_.load() != closed_.load()) {
    awake_();
  }
}

void WatchBoard::set_expiry_clock(WallTime clock, Instant at) {
  expiry_ahead_ms_.store(clock.ms - (at - Instant{}).ms());
  std::int64_t shown_ms = expiry_clock_ms_.load();
  const auto follows = [&clock](std::int64_t shown) {
    return clock.ms > shown || shown - clock.ms > Expirer::kSetBackMax.ms();
  };
  while (follows(shown_ms) && !expiry_clock_ms_.compare_exchange_weak(shown_ms, clock.ms)) {
  }
  const std::lock_guard lock(mutex_);
  feed_.set_expiry_clock(clock);
}

WallTime WatchBoard::expiry_clock() const {
  const std::int64_t now_ms = (monotonic_now() - Instant{}).ms() + expiry_ahead_ms_.load();
  std::int64_t shown_ms = expiry_clock_ms_.load();
  while (shown_ms < now_ms && !expiry_clock_ms_.compare_exchange_weak(shown_ms, now_ms)) {
  }
  return {std::max(shown_ms, now_ms)};
}

std::uint64_t WatchBoard::run() const {
  const std::lock_guard lock(mutex_);
  return feed_.run();
}

WatchSource::Reading WatchBoard::read(const FeedPlace& place) const {
  const std::lock_guard lock(mutex_);
  return feed_.read(place);
}

WatchSource::Head WatchBoard::head() const {
  const std::lock_guard lock(mutex_);
  return feed_.head();
}

WatchSource::Resumption WatchBoard::resume(const WatchCursor& cursor, WallTime wall) const {
  const std::lock_guard lock(mutex_);
  return feed_.resume(cursor, wall);
}

void WatchBoard::opened() {
  opened_.fetch_add(1);
}

void WatchBoard::closed() {
  closed_.fetch_add(1);
}

void WatchBoard::told(const WatchEvent& event) {
  switch (event.kind) {
    case WatchEvent::Kind::put:
    case WatchEvent::Kind::del:
      return count(changes_);
    case WatchEvent::Kind::bookmark:
      return count(bookmarks_);
    case WatchEvent::Kind::reset:
      return count(resets_);
    case WatchEvent::Kind::end:
      break;
  }
  switch (event.why) {
    case WatchEnd::slow:
      return count(slow_);
    case WatchEnd::behind:
      return count(behind_);
    case WatchEnd::damaged:
    case WatchEnd::unreadable:
      return count(unreadable_);
    case WatchEnd::none:
      break;
  }
}

WatchFigures WatchBoard::figures() const {
  const std::uint64_t closed = closed_.load();  // first, so that open cannot become negative
  const std::uint64_t opened = opened_.load();
  WatchFigures figures{.open = opened - closed,
                       .opened = opened,
                       .changes = changes_.load(std::memory_order_relaxed),
                       .bookmarks = bookmarks_.load(std::memory_order_relaxed),
                       .resets = resets_.load(std::memory_order_relaxed),
                       .ended_slow = slow_.load(std::memory_order_relaxed),
                       .ended_behind = behind_.load(std::memory_order_relaxed),
                       .ended_unreadable = unreadable_.load(std::memory_order_relaxed),
                       .feed_bytes = 0};
  const std::lock_guard lock(mutex_);
  figures.feed_bytes = feed_.bytes();
  return figures;
}

}  // namespace kvs
