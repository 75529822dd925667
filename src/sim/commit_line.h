// Closed batches on their way to the disk, one after the other: the part of a process that commits.
//
// Batches are committed in the order in which they were closed. A batch that the disk refused, and
// of which it is known that it is void, takes those behind it with it. After any other error nobody
// knows what the disk holds, and the process has to end.
#pragma once

#include <deque>

#include "base/prng.h"
#include "sim/batch.h"
#include "sim/world.h"

namespace kvs {

/// Whose batches they are.
class BatchOwner {
 public:
  virtual ~BatchOwner() = default;

  /// Wakes the owner's process with log_written, log_synced or commit_told; it hands them to the
  /// line.
  virtual void wake_in(Duration delay, Input input) = 0;

  /// The oldest batch is durable, and readers see it.
  virtual void shown(const Batch& batch) = 0;

  /// The node is to be told of that.
  virtual void settled(Batch batch) = 0;

  /// The oldest batch is void, and all behind it.
  virtual void voided(std::deque<Batch> batches, Errc why) = 0;

  /// The process has to end; `batches` are void or not.
  virtual void doomed(const std::deque<Batch>& batches, Errc why) = 0;

 protected:
  BatchOwner() = default;
  BatchOwner(const BatchOwner&) = default;
  BatchOwner& operator=(const BatchOwner&) = default;
};

/// Means of how long the disk takes, and how often the store writes its log into its table.
struct CommitTimes {
  Duration write;
  Duration sync;
  std::uint64_t checkpoint_per_mille = 0;
  Duration told;  // from when readers see a batch until its node hears of it
};

class CommitLine {
 public:
  /// All outlive the line.
  CommitLine(Disk& disk, BatchOwner& owner, Prng& prng) : disk_(disk), owner_(owner), prng_(prng) {}

  void set_times(const CommitTimes& times) { times_ = times; }

  /// Factor on the times that a write and a sync take.
  void slow_down(std::int64_t factor) { slowness_ = factor; }

  /// A batch was closed. One that stores nothing needs only its turn.
  void add(Batch batch);

  void log_written();
  void log_synced();
  void commit_told();

  /// The process died.
  void clear();

  [[nodiscard]] std::size_t size() const { return batches_.size(); }

  [[nodiscard]] bool empty() const { return batches_.empty(); }

  /// True while readers see a batch of which the node has not heard.
  [[nodiscard]] bool untold() const { return untold_; }

 private:
  void commit_front();
  void finish();
  void settle_front();
  void fail(Errc why);
  void doom(Errc why);
  [[nodiscard]] Duration disk_time(Duration mean);

  Disk& disk_;
  BatchOwner& owner_;
  Prng& prng_;
  CommitTimes times_;
  std::int64_t slowness_ = 1;
  std::deque<Batch> batches_;
  bool committing_ = false;
  bool untold_ = false;
};

}  // namespace kvs
