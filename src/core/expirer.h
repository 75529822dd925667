// When values stop being shown: the expiry clock, and what follows at each record's time.
//
// A record that expires needs no other write: from its instant on it counts as a deletion, on every
// node by that node's expiry clock, which is the cluster's clock as this node knows it and does not
// go back (docs/consistency.md, "Time to live"). Here is what a node does about it: it tells
// watchers once, in the order of the places, and some time later lets the bytes of the value go,
// after which the record is kept like a tombstone. What expires when is in an index of the store;
// here are only places in it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "core/change.h"
#include "core/expiry.h"
#include "core/store_view.h"

namespace kvs {

class Expirer {
 public:
  /// What is looked at in one go.
  static constexpr std::size_t kAtOnce = 500;

  /// A clock that is set back further than that is followed.
  static constexpr Duration kSetBackMax = Duration::from_seconds(300);

  /// `store` outlives it. For `kept_for` after it was hidden a value's bytes stay: no clock that is
  /// a little behind has to do without them, and a clock that was far ahead for a moment, as at the
  /// start of a machine, has destroyed nothing.
  Expirer(const StoreView& store, Duration kept_for) : store_(store), kept_for_(kept_for) {}

  /// The first thing in a run, at this time of the cluster's clock; the runs before have hidden
  /// what had expired by `reserve`. What has expired until now nobody is told of.
  void start(const Now& cluster, WallTime reserve);

  /// It is this time by the cluster's clock.
  void look(const Now& cluster);

  /// What the expiry clock shows.
  [[nodiscard]] WallTime clock() const { return clock_; }

  /// All that expires up to here was told.
  [[nodiscard]] const ExpiryPlace& told() const { return told_; }

  /// True if this run has seen anything that expires.
  [[nodiscard]] bool in_use() const { return in_use_; }

  /// True once after the clock was followed back: what had expired by it has not.
  [[nodiscard]] bool take_set_back();

  /// What has expired since, as changes for watchers; empty if nothing is due. Not what comes at or
  /// after `pending`, the first place of what is about to become durable: watchers hear of a record
  /// before they hear that its time is over.
  [[nodiscard]] std::vector<Change> tell(const std::optional<ExpiryPlace>& pending);

  /// Paths of records that tell() found damaged. Nobody is told of them: whoever watches must learn
  /// that what this node knows is void, before it hears that all up to told() was told.
  [[nodiscard]] std::vector<std::string> take_damaged() { return std::exchange(damaged_, {}); }

  /// Entries whose values are to be freed, in a batch that ends with committed() or
  /// commit_failed().
  [[nodiscard]] std::vector<ExpiryEntry> begin_freeing();

  /// True if take_due_reserve() has one.
  [[nodiscard]] bool wants_reserve() const { return unkept_ && clock_ > reserve_; }

  /// What is to be kept for the next run, in the batch that is about to close: a second ahead, so
  /// that this is not asked for oftener.
  [[nodiscard]] std::optional<WallTime> take_due_reserve();

  /// The oldest closed batch is durable, and did this.
  void committed(std::span<const Change> changes);

  /// The batch that freed values is durable, or has failed.
  void freed();

  void commit_failed();

  /// When tell() or begin_freeing() have something to do.
  [[nodiscard]] Instant next_deadline() const;

  /// Told so far.
  [[nodiscard]] std::uint64_t expired() const { return expired_; }

 private:
  static constexpr std::int64_t kNever = INT64_MAX;

  [[nodiscard]] Result<std::optional<Change>> change_of(const ExpiryEntry& entry) const;
  void note(const ExpiryPlace& place);
  void note_told(std::size_t count);
  void mark();
  [[nodiscard]] WallTime freeable() const;

  [[nodiscard]] bool over(std::int64_t ms) const { return ms <= clock_.ms; }

  /// What the clock showed at some moment.
  struct Mark {
    Instant at;
    WallTime clock;
  };

  const StoreView& store_;
  Duration kept_for_;
  std::deque<Mark> marks_;  // the first is older than kept_for_, if any is
  Instant looked_at_;
  WallTime clock_;
  bool in_use_ = false;
  bool set_back_ = false;
  ExpiryPlace told_;
  std::int64_t tell_at_ms_ = kNever;  // by the clock
  std::vector<std::string> damaged_;
  bool waits_ = false;      // tell() does, until the next batch is durable
  ExpiryPlace free_after_;  // no entry is left up to here
  ExpiryPlace freeing_upto_;
  std::int64_t free_at_ms_ = kNever;  // likewise
  bool freeing_ = false;
  WallTime reserve_;
  bool unkept_ = false;  // something was told since the reserve was kept
  std::uint64_t expired_ = 0;
};

}  // namespace kvs
