#include "io/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace kvs {
namespace {

TEST(ProcessUsage, TellsMemoryThreadsAndDescriptors) {
  const ProcessUsage before = process_usage();
  EXPECT_GT(before.resident_bytes, 1U << 20U);
  EXPECT_GE(before.threads, 1U);
  EXPECT_GT(before.open_descriptors_max, before.open_descriptors);
  const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(process_usage().open_descriptors, before.open_descriptors + 1);
  ::close(descriptor);
}

}  // namespace
}  // namespace kvs
