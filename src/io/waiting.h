// Waiting until descriptors are ready, time is up or the user interrupts: poll with a deadline.
#pragma once

#include <cstdint>
#include <span>

#include <poll.h>

#include "base/time.h"
#include "io/interrupt.h"

namespace kvs {

enum class Woken : std::uint8_t { ready, timed_out, interrupted };

/// Waits until one of `polled` is ready, and fills in their `revents`. Those with a negative
/// descriptor are ignored. `interrupt` may be null; what it has noted before counts too.
[[nodiscard]] Woken wait_for(std::span<pollfd> polled, Instant until, Interrupt* interrupt);

}  // namespace kvs
