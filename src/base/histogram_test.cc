#include "base/histogram.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(Histogram, PutsEachValueIntoTheBucketOfItsMagnitude) {
  EXPECT_EQ(Histogram::bucket_of(0), 0U);
  EXPECT_EQ(Histogram::bucket_of(1), 1U);
  EXPECT_EQ(Histogram::bucket_of(2), 2U);
  EXPECT_EQ(Histogram::bucket_of(3), 2U);
  EXPECT_EQ(Histogram::bucket_of(4), 3U);
  EXPECT_EQ(Histogram::bucket_of(UINT64_MAX), Histogram::kBuckets - 1);
}

TEST(Histogram, SumsValuesAndOtherHistograms) {
  Histogram a;
  a.add(5);
  a.add(7);
  Histogram b;
  b.add(100);
  b.add(a);
  EXPECT_EQ(b.sum, 112U);
  EXPECT_EQ(b.total, 3U);
  EXPECT_EQ(b.counts[3], 2U);
  EXPECT_EQ(b.counts[7], 1U);
}

}  // namespace
}  // namespace kvs
