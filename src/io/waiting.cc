#include "io/waiting.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "io/os.h"

namespace kvs {

namespace {

/// In milliseconds, rounded up, so that nobody wakes before the time.
int poll_timeout(Instant until) {
  constexpr std::int64_t kMaxMs = 3'600'000;
  if (until == Instant::never()) {
    return -1;
  }
  const Duration left = until - monotonic_now();
  return static_cast<int>(std::clamp<std::int64_t>((left.ns + 999'999) / 1'000'000, 0, kMaxMs));
}

}  // namespace

Woken wait_for(std::span<pollfd> polled, Instant until, Interrupt* interrupt) {
  std::vector<pollfd> all(polled.begin(), polled.end());
  all.push_back({.fd = interrupt == nullptr ? -1 : interrupt->number(), .events = POLLIN});
  for (;;) {
    if (interrupt != nullptr && interrupt->happened()) {
      return Woken::interrupted;
    }
    const int count = ::poll(all.data(), all.size(), poll_timeout(until));
    const bool signalled = all.back().revents != 0;
    if (count > (signalled ? 1 : 0)) {
      std::copy(all.begin(), all.end() - 1, polled.begin());
      return Woken::ready;
    }
    if (count < 0 && errno != EINTR) {
      return Woken::timed_out;  // out of memory: no wait was possible
    }
    if (!signalled && monotonic_now() >= until) {
      return Woken::timed_out;
    }
  }
}

}  // namespace kvs
