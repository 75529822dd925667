#include "core/merge.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

Version version(std::uint64_t stamp, std::uint64_t uuid, std::uint32_t votes = 0) {
  return {.stamp = {stamp},
          .verdict = {.votes = votes, .oldest_join_ms = 0, .voters_hash = 0},
          .uuid = {.high = uuid, .low = uuid},
          .dot = {.origin = Origin{uuid}, .seq = 1}};
}

TEST(Merge, TheLaterStampWins) {
  EXPECT_EQ(merge(version(1, 9), version(2, 1)), MergeOutcome::take);
  EXPECT_EQ(merge(version(2, 1), version(1, 9)), MergeOutcome::keep);
}

TEST(Merge, TheSameVersionIsKept) {
  EXPECT_EQ(merge(version(1, 1), version(1, 1)), MergeOutcome::keep);
  EXPECT_EQ(merge(version(1, 1, 3), version(1, 1, 3)), MergeOutcome::keep);
}

TEST(Merge, EqualStampsWithoutVerdictAreATie) {
  EXPECT_EQ(merge(version(1, 1), version(1, 2)), MergeOutcome::tie);
  EXPECT_EQ(merge(version(1, 2), version(1, 1)), MergeOutcome::tie);
}

TEST(Merge, AVerdictEndsATie) {
  EXPECT_EQ(merge(version(1, 9), version(1, 1, 1)), MergeOutcome::take);
  EXPECT_EQ(merge(version(1, 1, 1), version(1, 9)), MergeOutcome::keep);
  EXPECT_EQ(merge(version(1, 9, 1), version(1, 1, 2)), MergeOutcome::take);
  EXPECT_EQ(merge(version(1, 1, 2), version(1, 9, 1)), MergeOutcome::keep);
  EXPECT_EQ(merge(version(1, 1), version(1, 1, 1)), MergeOutcome::take)
      << "the verdict on the version that is held";
}

TEST(Merge, ANewerWriteBeatsAVerdict) {
  EXPECT_EQ(merge(version(1, 1, 100), version(2, 1)), MergeOutcome::take);
}

TEST(Merge, TheSameUuidWithAnotherDotIsNoTie) {
  Version again = version(1, 1);
  again.dot.seq = 2;
  EXPECT_EQ(merge(version(1, 1), again), MergeOutcome::take);
  EXPECT_EQ(merge(again, version(1, 1)), MergeOutcome::keep);
}

}  // namespace
}  // namespace kvs
