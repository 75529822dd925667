// The answer to a watch: events as they come (text/event-stream), or one JSON object that ends
// after the first changes (long polling).
//
// Made while it is sent and only as fast as the client reads; nothing is queued but what the
// connection holds. A stream without events still says something now and then, so that proxies do
// not close it and a client that is gone is noticed.
#pragma once

#include <functional>

#include "base/time.h"
#include "core/watcher.h"
#include "wire/api.h"
#include "wire/request_handler.h"

namespace kvs {

/// A stream that has told nothing for so long says so.
inline constexpr Duration kWatchHeartbeat = Duration::from_seconds(15);

/// A JSON answer ends after so many events, unless a snapshot is not complete.
inline constexpr std::size_t kWatchPollEventsMax = 1000;

/// Hears of every stream and event, for figures and damage reports.
class WatchTally {
 public:
  WatchTally() = default;
  WatchTally(const WatchTally&) = delete;
  WatchTally& operator=(const WatchTally&) = delete;
  virtual ~WatchTally() = default;

  virtual void opened() = 0;
  virtual void closed() = 0;
  virtual void told(const WatchEvent& event) = 0;
};

/// What a stream is made of; all outlives it.
struct WatchParts {
  const WatchSource& source;
  WatchTally& tally;
  std::function<WallTime()> wall_clock;
  std::function<void(Key key)> damaged = nullptr;  // told of a damaged record; may be missing
};

/// Appends the head of the answer and gives the source of the rest.
[[nodiscard]] Handled answer_watch(const AnswerTarget& target, const WatchKeys& request,
                                   WatchParts parts, Instant now);

}  // namespace kvs
