// What watchers go by: the latest durable changes of a node in their order, and the K after them.
//
// Bounded in memory whatever watchers do: there is one feed for all, each of them has a place in
// it, and who falls behind its oldest entry has lost its place. Changes are hints: a watcher that
// meets one tells what its path holds now (core/watcher). The feed also decides how a cursor that
// another run or another node has made goes on here; docs/consistency.md, "Watching", proves it.
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/change.h"
#include "core/effects.h"
#include "core/knowledge.h"
#include "core/store_view.h"

namespace kvs {

/// What a durable batch did, for watchers.
struct WatchNews {
  std::vector<Change> changes;            // in their order
  std::vector<KnowledgeWrite> knowledge;  // K after them, where it has changed

  /// K was emptied. Told before anything is durable that could not have been stored otherwise.
  bool emptied = false;

  /// K covers every record held, after this.
  bool whole = false;

  /// Of everything up to here that has expired it was told, in changes of that cause or with
  /// `overdue`; nothing while the node has met nothing that expires.
  ExpiryPlace expired;

  /// The expiry clock was set back: `expired` is before what was told.
  bool clock_set_back = false;
};

/// Which change of a feed comes next.
struct FeedPlace {
  std::uint64_t run = 0;     // of the feed; 0: of none
  std::uint64_t number = 0;  // of the news
  std::uint64_t index = 0;   // of the change in it

  bool operator==(const FeedPlace&) const = default;
};

/// What a client has seen: all of it that is below its path, or what replaced it.
struct WatchCursor {
  Knowledge seen;
  FeedPlace place;
  WallTime made;  // when it covered all that the node knew

  /// To the client all of `seen` that has its place up to here has expired.
  ExpiryPlace expired;

  /// A snapshot of what `seen` covers was under way: some of it was told. It begins anew, where all
  /// of it is known.
  bool partial = false;

  bool operator==(const WatchCursor&) const = default;
};

struct WatchOptions {
  /// How long a stream waits for this node to learn what its client has seen elsewhere.
  Duration patience = Duration::from_seconds(20);

  /// A client whose cursor has moved on without an event is told of that so often.
  Duration bookmark_interval = Duration::from_seconds(15);

  /// Within this time after a cursor was made no tombstone is collected that it does not cover.
  Duration cursor_age_max = Duration::from_seconds(21LL * 3600);

  /// No two nodes' expiry clocks are believed to differ by more.
  Duration clocks_differ_max = Duration::from_seconds(300);

  /// For so long a scan looks at one moment of the store.
  Duration moment_age_max = Duration::from_seconds(30);

  /// A scan for a difference keeps so many ranges of dots at most, of some 64 bytes each: keys do
  /// not come in the order in which they were written. Where more differs, all is told anew.
  std::size_t scan_ranges_max = 16'384;

  /// A step looks at so many bytes of values at most, and one value more.
  std::size_t step_bytes_max = 1U << 20U;
};

/// What a watcher sees of a node.
class WatchSource {
 public:
  struct Reading {
    enum class Kind : std::uint8_t {
      news,
      nothing_yet,
      too_late,   // it is not there any more
      other_run,  // K was emptied since
    };

    Kind kind = Kind::nothing_yet;
    std::shared_ptr<const WatchNews> news;
  };

  /// The end of the feed. The store shows all that came before it, and maybe more.
  struct Head {
    FeedPlace place;
    std::shared_ptr<const Knowledge> known;
    ExpiryPlace expired;  // see WatchNews
  };

  /// How a cursor goes on.
  struct Resumption {
    enum class Way : std::uint8_t {
      wait,    // the client has seen what this node does not know yet
      replay,  // the changes from `from.place` on hold all that it has not seen
      scan,    // it lacks what `from.known` covers and its cursor does not
      reset,   // deletions that it has not seen may be forgotten: it needs everything
    };

    Way way = Way::wait;
    Head from;
    std::vector<std::string> dropped;  // keys that went without a tombstone: it may hold them
  };

  virtual ~WatchSource() = default;

  [[nodiscard]] virtual const StoreView& store() const = 0;
  [[nodiscard]] virtual const WatchOptions& options() const = 0;

  /// Another one as soon as K is emptied: ask it after reading a record.
  [[nodiscard]] virtual std::uint64_t run() const = 0;

  /// What the node's expiry clock shows: clients are not told of values whose time is over.
  [[nodiscard]] virtual WallTime expiry_clock() const = 0;

  [[nodiscard]] virtual Reading read(const FeedPlace& place) const = 0;
  [[nodiscard]] virtual Head head() const = 0;
  [[nodiscard]] virtual Resumption resume(const WatchCursor& cursor, WallTime wall) const = 0;

 protected:
  WatchSource() = default;
  WatchSource(const WatchSource&) = default;
  WatchSource& operator=(const WatchSource&) = default;
};

class WatchFeed final : public WatchSource {
 public:
  /// How much is kept: what is older goes.
  struct Bounds {
    std::size_t news_max = 16'384;
    std::size_t bytes_max = std::size_t{8} << 20U;
    std::size_t dropped_max = 4096;
    std::size_t checkpoint_news = 512;  // between two places from which others' cursors go on
    std::size_t checkpoint_changes = 2048;
  };

  struct Start {
    std::uint64_t run = 1;  // random, not 0
    Knowledge known;        // the durable K
    WallTime expired;       // what had expired by then may be collected; 0: nothing ever did
    WatchOptions options;
    Bounds bounds;
  };

  /// `store` outlives the feed.
  WatchFeed(const StoreView& store, Start start);

  /// What has become durable, in order.
  void add(std::shared_ptr<const WatchNews> news);

  [[nodiscard]] const StoreView& store() const override { return *store_; }

  [[nodiscard]] const WatchOptions& options() const override { return options_; }

  [[nodiscard]] std::uint64_t run() const override { return run_; }

  [[nodiscard]] WallTime expiry_clock() const override { return expiry_clock_; }

  void set_expiry_clock(WallTime clock) { expiry_clock_ = clock; }

  [[nodiscard]] Reading read(const FeedPlace& place) const override;
  [[nodiscard]] Head head() const override;
  [[nodiscard]] Resumption resume(const WatchCursor& cursor, WallTime wall) const override;

  /// Memory that the news take, about.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  /// K before the news of this number, when it covered every record held.
  struct Checkpoint {
    std::uint64_t number = 0;
    std::shared_ptr<const Knowledge> known;
    ExpiryPlace expired;
  };

  /// A live record that went without a tombstone, in the news of this number.
  struct Dropped {
    std::uint64_t number = 0;
    std::string path;
  };

  void empty();
  void begin_run();
  void bury(const std::string& path, const RecordHeader& gone);
  void forget_oldest();
  void mark(const WatchNews& news);

  [[nodiscard]] std::uint64_t next() const { return first_ + news_.size(); }

  [[nodiscard]] bool has_place(const FeedPlace& place) const;
  [[nodiscard]] bool may_lack_deletions(const WatchCursor& cursor, WallTime wall) const;

  const StoreView* store_;
  WatchOptions options_;
  Bounds bounds_;
  std::uint64_t run_;
  std::deque<std::shared_ptr<const WatchNews>> news_;
  std::uint64_t first_ = 0;  // number of the oldest
  std::size_t bytes_ = 0;
  Knowledge known_;
  mutable std::shared_ptr<const Knowledge> shared_;  // the same; null: it has changed since
  Knowledge buried_;  // for each origin all up to the last tombstone that went
  WallTime expiry_clock_;
  ExpiryPlace expired_;         // see WatchNews
  ExpiryPlace buried_expired_;  // the last place of what expired and went
  std::deque<Dropped> dropped_;
  std::deque<Checkpoint> checkpoints_;
  std::size_t changes_since_checkpoint_ = 0;
};

}  // namespace kvs
