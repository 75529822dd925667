#include "app/heartbeat.h"

#include <atomic>
#include <mutex>
#include <utility>

namespace kvs {

namespace {

/// For STATUS= alone.
constexpr Duration kUnwatchedInterval = Duration::from_seconds(5);

Duration interval_of(const Heartbeat::Options& options) {
  if (!options.supervisor.listens()) {
    return Duration{INT64_MAX};
  }
  return options.watchdog ? Duration{options.watchdog->ns / 4} : kUnwatchedInterval;
}

}  // namespace

/// Shared with the answers that are under way, which may outlive the heartbeat.
struct Heartbeat::Round {
  explicit Round(const Options& options) : supervisor(options.supervisor), status(options.status) {}

  void end();

  const Supervisor& supervisor;
  const std::function<std::string()> status;
  std::atomic<std::size_t> owed = 0;  // answers to this round

  std::mutex mutex;
  bool stopped = false;     // protected by mutex
  bool ready = false;       // likewise
  std::string last_status;  // likewise
};

void Heartbeat::Round::end() {
  const std::string line = status();
  const std::lock_guard lock(mutex);
  if (stopped) {
    return;
  }
  std::string message = std::exchange(ready, true) ? "WATCHDOG=1" : "READY=1\nWATCHDOG=1";
  if (line != last_status) {
    message += "\nSTATUS=" + line;
    last_status = line;
  }
  supervisor.tell(message);
}

Heartbeat::Heartbeat(const Options& options, std::vector<Ask> threads)
    : interval_(interval_of(options)), threads_(std::move(threads)) {
  if (options.supervisor.listens()) {
    round_ = std::make_shared<Round>(options);
  }
}

void Heartbeat::begin_round() {
  if (!round_ || round_->owed.load(std::memory_order_acquire) > 0) {
    return;
  }
  round_->owed.store(threads_.size(), std::memory_order_release);
  for (const Ask& ask : threads_) {
    ask([round = round_] {
      if (round->owed.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        round->end();
      }
    });
  }
}

void Heartbeat::stop() {
  if (!round_) {
    return;
  }
  const std::lock_guard lock(round_->mutex);
  round_->stopped = true;
  round_->supervisor.tell("STOPPING=1\nSTATUS=ending in good order");
}

}  // namespace kvs
