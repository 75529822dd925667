// The machine: clocks, entropy, host name. The only room that asks the operating system for them;
// everybody else takes time and randomness as arguments.
//
// Every function may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace kvs {

/// Unix time of this machine. It may jump both ways.
[[nodiscard]] WallTime wall_now();

/// The monotonic clock: never goes back; stands still while the machine sleeps.
[[nodiscard]] Instant monotonic_now();

/// 64 random bits of the kernel: seeds for Prng, origins. Waits, at most once after the machine's
/// boot, until the kernel has gathered enough.
[[nodiscard]] std::uint64_t entropy();

/// Processor cores that this process may use (its affinity, so a container's share): at least 1.
[[nodiscard]] std::size_t usable_cores();

/// This machine's host name; "localhost" if it has none.
[[nodiscard]] std::string host_name();

}  // namespace kvs
