// Virtual time: what happens next, in an order that depends on the seed alone.
//
// A run is a sequence of events, ordered by (time, sequence). Whoever handles an event may schedule
// more; nothing else moves time. Events for a paused process wait and are delivered, in their
// order, when it resumes.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "base/time.h"
#include "sim/digest.h"

namespace kvs {

/// Who is woken. The process is the shell with its node and the disk calls it waits for.
enum class Target : std::uint8_t { client, process, nemesis, director };

enum class Input : std::uint8_t {
  // client
  client_acts,      // subject: the client
  client_gives_up,  // subject: the ticket
  // process; those of an earlier life are ignored
  request_arrives,  // subject: the ticket
  batch_closes,
  log_written,
  log_synced,
  replies_leave,
  process_starts,
  recovery_ends,
  deadline_passes,
  call_arrives,    // subject: the parcel (sim/network)
  return_arrives,  // subject: the call
  call_times_out,  // likewise
  // nemesis; subject: the strike
  strike_begins,
  strike_ends,
  // director
  act_one_begins,
  act_two_begins,
  time_is_up,
  // client: one that watches; subject: which
  watcher_acts,
  // process
  commit_told,
};

/// An input for somebody. `life` says which run of the process it is meant for (0: any), `machine`
/// whose process, where there are several.
struct Wake {
  Target target{};
  Input input{};
  std::uint64_t subject = 0;
  std::uint64_t life = 0;
  std::uint32_t machine = 0;
};

struct Event {
  Instant at;
  std::uint64_t sequence = 0;
  Wake wake;
};

class World {
 public:
  [[nodiscard]] Instant now() const { return now_; }

  /// Wakes somebody `delay` from now; delays below zero count as zero.
  void schedule(Duration delay, const Wake& wake);

  /// The next event, at whose time the world then is; nothing if nothing will ever happen.
  std::optional<Event> take();

  /// Holds back all events for the process of a machine until resume_process().
  void pause_process(std::uint32_t machine = 0) { paused_.insert(machine); }

  void resume_process(std::uint32_t machine = 0);

  [[nodiscard]] bool process_paused(std::uint32_t machine = 0) const {
    return paused_.contains(machine);
  }

  /// What has happened so far, as a hash; every component adds what it did.
  Digest& digest() { return digest_; }

  [[nodiscard]] const Digest& digest() const { return digest_; }

 private:
  void push(Instant at, const Wake& wake);

  Instant now_;
  std::uint64_t sequence_ = 0;
  std::vector<Event> heap_;
  std::vector<Wake> held_back_;
  std::set<std::uint32_t> paused_;
  Digest digest_;
};

}  // namespace kvs
