// Several connections to one node with many calls under way on each: what import and the load
// generator put their work on.
//
// A call is a number to its owner. Each gets exactly one end: its answer, or the loss of its
// connection, after which nobody knows whether the node did it. Answers of different connections
// come in any order. The owner gives calls while there is room, and lets the pool work in turns.
// One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <poll.h>

#include "base/time.h"
#include "io/http_lane.h"
#include "io/waiting.h"

namespace kvs {

struct LanePoolOptions {
  Address node;
  std::size_t connections = 4;
  std::size_t depth = 64;                         // calls under way on a connection
  std::size_t bytes_max = std::size_t{4} << 20U;  // of requests not sent yet, on a connection
  Duration connect_timeout = Duration::from_seconds(5);
  Duration silence_timeout = Duration::from_seconds(30);
  Interrupt* interrupt = nullptr;  // outlives the pool
};

/// Hears what became of calls, within LanePool::turn().
class LaneOwner {
 public:
  using CallNumber = std::uint64_t;

  virtual ~LaneOwner() = default;

  /// `asked` is when the call was given to the pool.
  virtual void answered(CallNumber number, const Answer& answer, Instant asked) = 0;

  virtual void lost(CallNumber number, const Error& why) = 0;

 protected:
  LaneOwner() = default;
  LaneOwner(const LaneOwner&) = default;
  LaneOwner& operator=(const LaneOwner&) = default;
};

class LanePool {
 public:
  using CallNumber = LaneOwner::CallNumber;

  /// Opens nothing yet. `owner` outlives the pool.
  LanePool(LanePoolOptions options, LaneOwner& owner);
  LanePool(const LanePool&) = delete;
  LanePool& operator=(const LanePool&) = delete;
  ~LanePool();

  /// Opens the connections that are not open; address_unusable if one of them cannot be.
  Result<void> open();

  /// Why a connection is not open any more; nothing if all are, as after open().
  [[nodiscard]] const std::optional<Error>& broken() const { return broken_; }

  /// True if some connection takes another call now.
  [[nodiscard]] bool has_room() const;

  /// The caller has checked that there is room.
  void ask(CallNumber number, const ClientCall& call);

  [[nodiscard]] std::size_t under_way() const { return under_way_; }

  /// Waits until something can be done, at most until `until`, and does it. `extra` is waited for
  /// too, if it is a descriptor. An interrupt is told once; later turns do without it.
  Woken turn(Instant until, pollfd extra = {.fd = -1, .events = 0, .revents = 0});

 private:
  struct Waiting {
    CallNumber number = 0;
    Instant asked{};
  };

  struct Lane;

  /// The open connection with the fewest calls that has room; null if none has.
  [[nodiscard]] Lane* roomiest() const;
  void pump(Lane& lane, Instant now);
  void close(Lane& lane, const Error& why);

  LanePoolOptions options_;
  LaneOwner& owner_;
  std::string host_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::size_t under_way_ = 0;
  std::optional<Error> broken_;
};

}  // namespace kvs
