// Tells the supervisor that this process is ready, and then that it lives, from its threads
// themselves: not a timer's word.
//
// A round asks each thread to answer in its turn, as it would any other letter; the one that
// answers last sends the message. A thread that hangs, or waits for what never comes, leaves the
// round open, and no message follows until it answers. The committing thread is not asked: it waits
// for the disk, and a node on a stalled disk goes on reading and being a member.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "io/supervisor.h"

namespace kvs {

class Heartbeat {
 public:
  /// Has one thread run `answer`, once, in its turn; may drop it when the thread ends.
  using Ask = std::function<void(std::function<void()> answer)>;

  struct Options {
    const Supervisor& supervisor;
    /// Of the supervisor, if it asks for signs of life.
    std::optional<Duration> watchdog;
    /// One line about the process, for a person. Called on any of the threads.
    std::function<std::string()> status;
  };

  /// What `options` refers to outlives the threads that are asked.
  Heartbeat(const Options& options, std::vector<Ask> threads);

  /// The time from one round to the next: a round that takes no longer than that, begun so often,
  /// leaves half of the watchdog's time to spare. Never, if nobody listens.
  [[nodiscard]] Duration interval() const { return interval_; }

  /// Asks all threads, unless one still owes its answer to the round before. The end of the first
  /// round tells READY=1, of every round WATCHDOG=1, and STATUS= if it changed. One thread only.
  void begin_round();

  /// Tells STOPPING=1; what threads still answer is not told. The same thread.
  void stop();

 private:
  struct Round;

  Duration interval_;
  std::vector<Ask> threads_;
  std::shared_ptr<Round> round_;  // none if nobody listens
};

}  // namespace kvs
