// Loaded into a node before the C library: its wall clock is off by SHIFTED_CLOCK_MS milliseconds.
// The monotonic clock stays as it is. For test_clocks.py.
#include <cstdlib>

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern "C" int clock_gettime(clockid_t clock, timespec* now) {
  constexpr long kMillisecondsPerSecond = 1000;
  constexpr long kNanosecondsPerMillisecond = 1'000'000;
  constexpr long kNanosecondsPerSecond = 1'000'000'000;
  static const char* const kText = std::getenv("SHIFTED_CLOCK_MS");
  static const long kShiftMs = kText == nullptr ? 0 : std::strtol(kText, nullptr, 10);
  const long status = syscall(SYS_clock_gettime, clock, now);
  if (status == 0 && clock == CLOCK_REALTIME) {
    now->tv_sec += kShiftMs / kMillisecondsPerSecond;
    now->tv_nsec += kShiftMs % kMillisecondsPerSecond * kNanosecondsPerMillisecond;
    if (now->tv_nsec >= kNanosecondsPerSecond) {
      now->tv_nsec -= kNanosecondsPerSecond;
      ++now->tv_sec;
    } else if (now->tv_nsec < 0) {
      now->tv_nsec += kNanosecondsPerSecond;
      --now->tv_sec;
    }
  }
  return static_cast<int>(status);
}
