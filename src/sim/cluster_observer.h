// What can be seen of a cluster's run. As sim/observer, with the machine that it happens on.
#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"
#include "core/watcher.h"
#include "sim/observer.h"

namespace kvs {

/// What somebody did to the folder of a machine whose process is down. Gone: it never comes back.
enum class Swap : std::uint8_t { wiped, restored, copied, gone };

/// The end of a run, when all was quiet: what one machine holds.
struct FinalState {
  std::uint32_t machine = 0;
  Image image;
  const Knowledge* knowledge = nullptr;
  std::shared_ptr<const View> view;
  WallTime wall;  // of a right clock

  /// True for a stamp that others put off until their clocks have come near it.
  [[nodiscard]] bool puts_off(Stamp stamp) const {
    return stamp.ms() > wall.ms + NodeOptions{}.clock_skew_ms_max;
  }
};

/// A client that watches, and how it asked: the place is the one that its cursor names.
struct Watching {
  std::uint64_t client = 0;
  const WatchRequest& request;
};

class ClusterObserver {
 public:
  using Machine = std::uint32_t;

  ClusterObserver() = default;
  ClusterObserver(const ClusterObserver&) = delete;
  ClusterObserver& operator=(const ClusterObserver&) = delete;
  ClusterObserver(ClusterObserver&&) = delete;
  ClusterObserver& operator=(ClusterObserver&&) = delete;
  virtual ~ClusterObserver() = default;

  /// Whoever watches from outside hears this before each event; oracles do not.
  virtual void time_is(Instant) {}

  virtual void asked(Machine, const Operation&) {}  // a client sends

  virtual void called(Machine, const PeerCall&) {}  // a peer's call reaches the node

  virtual void returned(Machine, const PeerReturn&) {}

  virtual void sent(Machine, const PeerSend&) {}

  virtual void traced(Machine, const Trace&) {}

  virtual void closed(Machine, const Batch&) {}  // the batch is complete

  virtual void durable(Machine, const Batch&) {}  // the disk has committed it

  virtual void failed(Machine, const Batch&, Errc) {}  // it never will, or nobody knows

  virtual void answered(Machine, const Operation&, const WriteOutcome&) {}

  virtual void asked_elsewhere(Machine, const Operation&) {
  }  // the answer to a read will be another's

  virtual void got(Machine, const Reading&) {}

  virtual void crashed(Machine, Crash) {}  // everything in memory is gone

  virtual void swapped(Machine, Swap) {}  // and then the folder was replaced

  virtual void rotted(Machine, const std::string&) {}  // the record under this key was damaged

  virtual void recovered(Machine, const Image&) {}  // the process runs on what it found

  virtual void unopened(Machine, Errc) {}  // it found something and refused to run

  virtual void watch_began(Machine, const Watching&) {}

  virtual void watch_told(Machine, const Watching&, const WatchEvent&) {}

  virtual void watch_caught_up(Machine, const Watching&) {}  // nothing is left to be told now

  virtual void watch_broke_off(Machine, const Watching&) {}

  virtual void clock_struck(Machine, std::int64_t) {}  // wrong from now on, at most so many ms

  virtual void healed() {}  // no fault from now on

  virtual void ended(const std::vector<FinalState>&) {}
};

class ClusterObservers {
 public:
  /// The observer outlives this.
  void add(ClusterObserver& observer) { observers_.push_back(&observer); }

  /// Calls one of ClusterObserver's functions on each.
  template <class... Params, class... Args>
  void tell(void (ClusterObserver::*event)(Params...), const Args&... args) const {
    for (ClusterObserver* observer : observers_) {
      (observer->*event)(args...);
    }
  }

 private:
  std::vector<ClusterObserver*> observers_;
};

}  // namespace kvs
