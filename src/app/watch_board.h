// The node's feed for watchers, between the threads: the node's thread adds to it, doors read it.
//
// Also counts what watchers were told. Everything here may be called from any thread; a lock is
// held for moments only, and readers share what the feed holds.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/watch_feed.h"
#include "wire/metrics.h"
#include "wire/watch_body.h"

namespace kvs {

class WatchBoard final : public WatchSource, public WatchTally {
 public:
  /// `records` outlives the board. `awake` is called after something was added while somebody
  /// watches; it may be missing.
  WatchBoard(const StoreView& records, WatchFeed::Start start, std::function<void()> awake);

  /// Called by the node's thread, in order.
  void add(std::vector<std::shared_ptr<const WatchNews>>& news);

  [[nodiscard]] const StoreView& store() const override { return records_; }

  [[nodiscard]] const WatchOptions& options() const override { return options_; }

  /// What the node's expiry clock shows at this moment. Called by the node's thread.
  void set_expiry_clock(WallTime clock, Instant at);

  /// The same for now: after a pause of the process readers must not see what expired meanwhile,
  /// though the node's thread has not looked yet. Of the monotonic clock, because only the node
  /// knows what to make of a wall clock that was set. It does not go back either.
  [[nodiscard]] WallTime expiry_clock() const override;

  [[nodiscard]] std::uint64_t run() const override;
  [[nodiscard]] Reading read(const FeedPlace& place) const override;
  [[nodiscard]] Head head() const override;
  [[nodiscard]] Resumption resume(const WatchCursor& cursor, WallTime wall) const override;

  void opened() override;
  void closed() override;
  void told(const WatchEvent& event) override;

  [[nodiscard]] WatchFigures figures() const;

 private:
  const StoreView& records_;
  const WatchOptions options_;
  const std::function<void()> awake_;

  mutable std::mutex mutex_;
  WatchFeed feed_;  // protected by mutex_

  mutable std::atomic<std::int64_t> expiry_clock_ms_ = 0;
  std::atomic<std::int64_t> expiry_ahead_ms_ = 0;  // of the monotonic clock
  std::atomic<std::uint64_t> opened_ = 0;
  std::atomic<std::uint64_t> closed_ = 0;
  std::atomic<std::uint64_t> changes_ = 0;
  std::atomic<std::uint64_t> bookmarks_ = 0;
  std::atomic<std::uint64_t> resets_ = 0;
  std::atomic<std::uint64_t> slow_ = 0;
  std::atomic<std::uint64_t> behind_ = 0;
  std::atomic<std::uint64_t> unreadable_ = 0;
};

}  // namespace kvs
