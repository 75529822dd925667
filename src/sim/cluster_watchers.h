// Clients that watch a cluster, all through both acts.
//
// They come to a machine, break off, stay away, and go on at any other with the text of their last
// cursor; a machine that dies takes its streams along, one that is paused is silent, and a client
// that reads slowly is dropped. What they are told is the oracles' business (cluster_oracle_watch).
// They read what disks show without the faults of the moment and report no damage, and they draw
// from streams of their own: the rest of a run does not notice them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/watcher.h"
#include "sim/cluster_clients.h"
#include "sim/cluster_observer.h"
#include "sim/world.h"

namespace kvs {

class ClusterWatchers final : public ClusterObserver {
 public:
  ClusterWatchers(const ClusterScenario& scenario, const Premises& premises, Machines& machines);

  void start();

  void handle(const Wake& wake);

  void crashed(Machine machine, Crash crash) override;

  /// Everybody catches up.
  void ended(const std::vector<FinalState>& states) override;

 private:
  class Ear;

  struct Guest {
    std::uint64_t number = 0;
    Prng prng;
    Duration pace;
    std::uint64_t appetite_max = 1;  // events at a time
    std::uint32_t machine = 0;
    std::unique_ptr<Watcher> watcher;
    WatchRequest request;               // as it asked
    std::optional<WatchCursor> cursor;  // of the last event; nothing: it begins anew
    std::uint64_t away = 0;             // turns that it skips
    FeedPlace caught_up_at;
  };

  void act(Guest& guest);
  void rest(Guest& guest);
  void come(Guest& guest);
  void leave(Guest& guest);
  void begin(Guest& guest, std::uint32_t machine);
  void told(Guest& guest, const WatchEvent& event);

  [[nodiscard]] static std::optional<WatchCursor> cursor_read_back(const Guest& guest);
  [[nodiscard]] bool answers(std::uint32_t machine) const;
  [[nodiscard]] bool may_begin_now(const Guest& guest, std::uint32_t machine) const;
  [[nodiscard]] bool follows(const Guest& guest) const;

  /// What a stream gives before it has to wait, or its reader does.
  struct Meal {
    std::size_t work = 1;
    std::uint64_t appetite = 1;
  };

  Watcher::Progress step(Guest& guest, const Meal& meal);
  void finish(Guest& guest, const std::vector<std::uint32_t>& sound);
  void give_up_cursor(Guest& guest);

  [[nodiscard]] Watching watching(const Guest& guest) const {
    return {.client = guest.number, .request = guest.request};
  }

  const ClusterScenario& scenario_;
  Premises premises_;
  Machines& machines_;
  std::vector<Guest> guests_;
};

}  // namespace kvs
