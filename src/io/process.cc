#include "io/process.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/resource.h>
#include <unistd.h>

namespace kvs {

namespace {

std::uint64_t resident_pages() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t virtual_pages = 0;
  std::uint64_t resident = 0;
  file >> virtual_pages >> resident;
  return resident;
}

std::uint64_t entries_of(const char* folder) {
  std::error_code failed;
  const std::filesystem::directory_iterator entries(folder, failed);
  if (failed) {
    return 0;
  }
  return static_cast<std::uint64_t>(std::distance(begin(entries), end(entries)));
}

std::int64_t ms_of(const timeval& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1000 + time.tv_usec / 1000;
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage usage;
  usage.resident_bytes = resident_pages() * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  usage.open_descriptors = entries_of("/proc/self/fd");
  usage.threads = entries_of("/proc/self/task");
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    usage.open_descriptors_max = limit.rlim_cur;
  }
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) {
    usage.cpu_ms = ms_of(used.ru_utime) + ms_of(used.ru_stime);
  }
  return usage;
}

}  // namespace kvs
