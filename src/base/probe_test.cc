#include "base/probe.h"

#include <algorithm>

#include <gtest/gtest.h>

#ifdef KVS_SIM_BUILD

namespace kvs {

namespace {

void pass(int which) {
  if (which == 1) {
    KVS_PROBE("probe_test: reached");
  }
  if (which == 2) {
    KVS_PROBE("probe_test: never reached");
  }
}

std::uint64_t hits(std::string_view name) {
  const auto counts = probe_counts();
  const auto it = std::ranges::find(counts, name, &ProbeCount::name);
  return it == counts.end() ? UINT64_MAX : it->hits;
}

TEST(Probe, AMarkIsKnownBeforeItIsReached) {
  EXPECT_EQ(hits("probe_test: reached"), 0U);
  pass(1);
  pass(1);
  EXPECT_EQ(hits("probe_test: reached"), 2U);
  EXPECT_EQ(hits("probe_test: never reached"), 0U);
}

}  // namespace

}  // namespace kvs

#endif
