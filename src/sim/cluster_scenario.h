// What kind of cluster and of bad luck a seed stands for.
//
// As for one node (sim/scenario): each seed switches on a random subset of the faults and draws
// sizes and speeds. A part may be overridden, to shrink a failing run. Seeds draw small clusters;
// one that was asked to be large lives for ten minutes, and more of its machines are struck.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/node.h"
#include "core/watch_feed.h"
#include "sim/asker.h"
#include "sim/commit_line.h"
#include "sim/fault_set.h"
#include "sim/network.h"
#include "sim/scenario.h"

namespace kvs {

enum class ClusterFault : std::uint8_t {
  // a machine
  kill,
  power_loss,
  down,        // killed, and up again only when the strike ends
  pause,       // up to a few seconds
  long_pause,  // longer than it takes to be found failed
  wipe,        // killed; comes back with the same name and an empty folder
  restore,     // killed; comes back with an older copy of its folder
  // its clock
  clock_jump,
  clock_drift,
  clock_far_future,  // and perhaps a restart with it
  // its disk
  disk_full,
  slow_disk,
  // the network
  loss,
  duplication,
  replay,
  corruption,
  reset,
  stragglers,
  partition,
  one_way,  // one machine hears all and is heard by nobody, or the reverse
  bridge,   // two halves, and one machine that reaches both
  isolation,
  clogging,
  // the machines again; drawn last, for recorded seeds
  leave,          // orderly, and back again; perhaps only when all is healed
  removal,        // killed or cut off, and taken off the list by force; then back
  gone,           // dead for ever, with its disk
  copied,         // comes back with a copy of the folder of another machine, which runs on
  rot,            // a bit of a stored record flips
  coarse_clocks,  // the clocks of all machines move by steps: stamps tie
  // no fault, and one of all clocks; both drawn by themselves, for recorded seeds
  expiry,      // clients write what expires
  clocks_off,  // each machine's clock is off by up to 30 s
  // drawn by themselves as well
  read_errors,  // of the disk: it does not give what is asked for, and it is sound
  strangers,    // nodes of another cluster call, and members that cannot be are told of
  // and no faults
  narrow,      // bounds of memory and messages (sim/cluster_bounds)
  elsewhere,   // a read of what a machine may lack is answered by another, as in production
  own_seed,    // the first machine names no seed but itself
  told_early,  // machines without features speak as the first version did (sim/earlier_speech)
  told_late,   // nodes hear late of what their disk shows already
};

inline constexpr std::size_t kClusterFaultCount =
    static_cast<std::size_t>(ClusterFault::told_late) + 1;

using ClusterFaultSet = FaultSetOf<ClusterFault>;

[[nodiscard]] std::string_view to_string(ClusterFault fault);
[[nodiscard]] std::string to_string(const ClusterFaultSet& faults);
Result<ClusterFaultSet> parse_cluster_faults(std::string_view text);

struct ClusterScenario {
  std::uint64_t seed = 0;

  ClusterFaultSet faults;
  std::uint32_t machines = 3;
  std::uint64_t clients = 1;
  std::uint64_t watchers = 0;
  std::uint64_t steps = 100;  // operations of the first act
  Wishes wishes;

  std::uint64_t batches_in_flight = 1;
  CommitTimes commit;
  Latency latency;
  bool cold_start = false;  // all begins before the cluster has come together
  bool encoded = false;     // messages cross as the bytes of wire/peer_codec
  std::size_t outbox_queue_bytes = 0;
  std::size_t outbox_direct_members = 0;
  std::uint64_t strikes = 1;  // a machine's fault strikes so many times as often
  std::uint64_t features = kFeatureShortHashes | kFeatureExpiry;  // that nodes tell of themselves
  bool mixed = false;  // every second one has no features, as if of an earlier version
  Duration act_one;
  Duration gossip_interval;
  Duration sync_interval;
  Duration catchup_interval;
  Duration throttle_delay;
  Duration failed_kept;
  Duration tombstone_min_age;
  Duration ttl_max;           // of what expires
  Duration expired_kept_for;  // see core/expirer
  Duration bound;             // after which all that was promised for quiet times must hold
  Duration think;             // the rest are means of what is drawn each time
  Duration gather;
  Duration reply;
  Duration recovery;
};

/// What a command line may fix instead of leaving it to the seed.
struct ClusterOverrides {
  std::optional<ClusterFaultSet> faults;
  std::optional<std::uint64_t> machines;
  std::optional<std::uint64_t> clients;
  std::optional<std::uint64_t> watchers;
  std::optional<std::uint64_t> keys;
  std::optional<std::uint64_t> steps;
  std::optional<std::uint64_t> minutes;  // how long the first act lasts

  bool operator==(const ClusterOverrides&) const = default;
};

[[nodiscard]] ClusterScenario draw_cluster_scenario(std::uint64_t seed,
                                                    const ClusterOverrides& overrides);

/// One run of the process of a machine.
struct MachineLife {
  std::uint32_t machine = 0;
  std::uint64_t life = 0;
};

/// The feed for watchers of such a run, which begins with what was recovered. Its bounds are
/// narrow, so that clients fall behind it.
[[nodiscard]] WatchFeed::Start watch_start(const ClusterScenario& scenario, MachineLife life,
                                           const Recovered& recovered);

/// True for a machine that has no features, as if its node were of an earlier version.
[[nodiscard]] bool is_earlier(const ClusterScenario& scenario, std::uint32_t machine);

/// How the node of a machine is configured.
[[nodiscard]] NodeOptions node_options(const ClusterScenario& scenario, std::uint32_t machine);

}  // namespace kvs
