// What kind of run a seed stands for: which faults, how many clients and keys, how fast a disk.
//
// Swarm testing (Groce et al. 2012): each seed switches on a random subset of the faults and draws
// its own tunables, so that no fault hides another. A part of a scenario may be overridden, to
// shrink a failing run: every component draws from a stream of its own, so leaving one fault out
// does not change how the others strike.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/prng.h"
#include "base/result.h"
#include "base/time.h"
#include "core/config.h"
#include "sim/fault_set.h"

namespace kvs {

enum class Fault : std::uint8_t {
  // the process
  kill,
  power_loss,
  pause,
  crash_loop,        // several crashes, some of them while it recovers
  kill_at_commit,    // while it lasts, the process often dies between the steps of a commit
  kill_in_recovery,  // while it lasts, half of the starts die
  read_only,         // restarted as a read-only node, and back
  // the wall clock
  clock_jump,
  clock_drift,
  clock_freeze,
  clock_far_future,
  // the disk
  disk_full,
  disk_overloaded,
  write_error,
  sync_error,
  read_error,
  read_flip,
  rot_record,
  rot_log,
  rot_state,
  slow_disk,
  stalled_disk,
  // clients
  impatience,  // clients give up after a few milliseconds
};

inline constexpr std::size_t kFaultCount = static_cast<std::size_t>(Fault::impatience) + 1;

/// The name on the command line, e.g. "power_loss".
[[nodiscard]] std::string_view to_string(Fault fault);

using FaultSet = FaultSetOf<Fault>;

/// Names joined by commas; "none" if empty.
[[nodiscard]] std::string to_string(const FaultSet& faults);

/// Reads that form. Error: invalid_config, naming the word that is no fault.
Result<FaultSet> parse_faults(std::string_view text);

/// How often clients do what, in parts of the sum.
struct Mix {
  std::uint32_t put = 0;
  std::uint32_t put_if = 0;
  std::uint32_t del = 0;
  std::uint32_t del_if = 0;
  std::uint32_t get = 0;
  std::uint32_t list = 0;
};

struct Scenario {
  std::uint64_t seed = 0;

  FaultSet faults;
  std::uint64_t clients = 1;
  std::uint64_t keys = 1;
  std::uint64_t steps = 100;  // operations of the first act

  Durability durability = Durability::sync;
  std::uint64_t batches_in_flight = 1;
  std::uint64_t batch_max = 16;            // steps
  std::uint64_t checkpoint_per_mille = 0;  // of commits
  std::uint64_t value_bytes_max = 100;
  Mix mix;
  Duration act_one;
  Duration think;  // the rest are means of what is drawn each time
  Duration gather;
  Duration network;
  Duration write;
  Duration sync;
  Duration reply;  // exactly
  Duration recovery;
};

/// What a command line may fix instead of leaving it to the seed.
struct Overrides {
  std::optional<FaultSet> faults;
  std::optional<std::uint64_t> clients;
  std::optional<std::uint64_t> keys;
  std::optional<std::uint64_t> steps;

  bool operator==(const Overrides&) const = default;
};

[[nodiscard]] Scenario draw_scenario(std::uint64_t seed, const Overrides& overrides);

/// Who draws random numbers: each has a stream that depends on the seed and on nobody else.
enum class Stream : std::uint8_t {
  scenario,
  disk,
  process,
  clients,
  nemesis,
  oracles,
  network,
  watchers,
  bounds,
};

/// The seed of a stream; `number` tells apart several of one kind.
[[nodiscard]] std::uint64_t stream_seed(std::uint64_t seed, Stream stream, std::uint64_t number);

/// A random duration with this mean, mostly near it, sometimes many times longer.
[[nodiscard]] Duration draw_around(Prng& prng, Duration mean);

}  // namespace kvs
