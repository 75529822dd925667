#include "base/probe.h"

#ifdef KVS_SIM_BUILD

#include <algorithm>

namespace kvs {

namespace {

// The one registry of the test builds; marks enter it before main begins and never leave.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
constinit const ProbeMark* newest_mark = nullptr;

}  // namespace

ProbeMark::ProbeMark(const char* name) : name_(name), next_(newest_mark) {
  newest_mark = this;
}

std::vector<ProbeCount> probe_counts() {
  std::vector<ProbeCount> counts;
  for (const ProbeMark* mark = newest_mark; mark != nullptr; mark = mark->next()) {
    counts.push_back(mark->count());
  }
  std::ranges::sort(counts, {}, &ProbeCount::name);
  return counts;
}

}  // namespace kvs

#endif
