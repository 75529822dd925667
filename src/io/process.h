// What the operating system tells of this process: memory, descriptors, threads, CPU time.
#pragma once

#include <cstdint>

namespace kvs {

struct ProcessUsage {
  std::int64_t cpu_ms = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t open_descriptors_max = 0;
  std::uint64_t threads = 0;
};

/// Of this moment; what cannot be read is 0. Any thread; costs some ten microseconds and more the
/// more descriptors are open.
[[nodiscard]] ProcessUsage process_usage();

}  // namespace kvs
