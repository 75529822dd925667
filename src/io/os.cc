#include "io/os.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <thread>

#include <sched.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/check.h"

namespace kvs {

WallTime wall_now() {
  timespec now{};
  KVS_CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0, "no wall clock");
  return {static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000};
}

Instant monotonic_now() {
  timespec now{};
  KVS_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0, "no monotonic clock");
  return {static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec};
}

std::uint64_t entropy() {
  std::uint64_t bits = 0;
  ssize_t got = -1;
  do {
    got = getrandom(&bits, sizeof bits, 0);
  } while (got < 0 && errno == EINTR);
  KVS_CHECK(got == sizeof bits, "the kernel gives no random numbers");
  return bits;
}

std::size_t usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) {  // more cores than the set has room for
    return std::max(1U, std::thread::hardware_concurrency());
  }
  return static_cast<std::size_t>(std::max(1, CPU_COUNT(&cores)));
}

std::string host_name() {
  std::array<char, 256> name{};
  // The last byte stays 0: a name that fills the array may come without a terminator.
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
    return "localhost";
  }
  return name.data();
}

}  // namespace kvs
