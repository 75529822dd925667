#include "io/os.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <sched.h>

namespace kvs {
namespace {

TEST(Os, WallClockIsInThisCentury) {
  constexpr std::int64_t kStartOf2020 = 1'577'836'800'000;
  constexpr std::int64_t kStartOf2100 = 4'102'444'800'000;
  EXPECT_GT(wall_now().ms, kStartOf2020);
  EXPECT_LT(wall_now().ms, kStartOf2100);
}

TEST(Os, MonotonicClockNeverGoesBack) {
  Instant last = monotonic_now();
  for (int i = 0; i < 1000; ++i) {
    const Instant now = monotonic_now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Os, EntropyDoesNotRepeat) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100; ++i) {
    seen.insert(entropy());
  }
  EXPECT_EQ(seen.size(), 100U);
}

TEST(Os, UsableCoresAreThoseOfTheAffinity) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(usable_cores(), static_cast<std::size_t>(CPU_COUNT(&before)));
  int first = 0;
  while (!CPU_ISSET(first, &before)) {
    ++first;
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usable_cores(), 1U);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(Os, HostNameIsPrintable) {
  const std::string name = host_name();
  EXPECT_FALSE(name.empty());
  EXPECT_TRUE(std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F; })) << name;
}

}  // namespace
}  // namespace kvs
