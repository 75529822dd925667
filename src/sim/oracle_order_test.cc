#include "sim/oracle_order.h"

#include <gtest/gtest.h>

#include "support/handmade_run.h"

namespace kvs {

namespace {

const WriteOutcome kDiskFull{.status = WriteStatus::disk_full};

Telling with_stamp(std::uint64_t bits) {
  return {.stamp = Stamp{bits}};
}

Telling with_dot(std::uint64_t origin, std::uint64_t seq) {
  return {.dot = Dot{.origin = Origin{origin}, .seq = seq}};
}

TEST(StampsIncrease, NoticesAnEqualAndASmallerStamp) {
  for (const std::uint64_t next : {9U, 8U}) {
    HandmadeRun<StampsIncrease> run;
    run.decide("a", with_stamp(9));
    EXPECT_FALSE(run.violated());
    run.decide("b", with_stamp(next));
    EXPECT_TRUE(run.violated());
  }
}

TEST(StampsIncrease, RemembersDurableStampsAcrossRestarts) {
  HandmadeRun<StampsIncrease> run;
  run.write("a", with_stamp(9));
  run.crash(Crash::power_loss);
  run.recover(run.image({}));  // lost with durability `os`, but somebody may have seen it
  run.decide("a", with_stamp(9));
  EXPECT_TRUE(run.violated());
}

TEST(StampsIncrease, ForgetsStampsThatNeverLeft) {
  HandmadeRun<StampsIncrease> run;
  run.decide("a", with_stamp(9));
  run.crash(Crash::kill);
  run.recover(run.image({}));
  run.decide("a", with_stamp(5));
  EXPECT_FALSE(run.violated());
}

TEST(DotsAreUnique, AcceptsDenseDots) {
  HandmadeRun<DotsAreUnique> run;
  run.write("a", with_dot(1, 1));
  run.write("a", with_dot(1, 2));
  run.write("a", with_dot(2, 1));  // after a failed commit
  run.crash(Crash::kill);
  run.write("a", with_dot(3, 1));
  EXPECT_FALSE(run.violated());
}

TEST(DotsAreUnique, NoticesADotGivenTwice) {
  HandmadeRun<DotsAreUnique> run;
  run.decide("a", with_dot(1, 1));
  run.decide("b", with_dot(1, 1));
  run.close();
  EXPECT_TRUE(run.violated());
}

TEST(DotsAreUnique, NoticesAGap) {
  HandmadeRun<DotsAreUnique> run;
  run.write("a", with_dot(1, 2));
  EXPECT_TRUE(run.violated());
}

TEST(DotsAreUnique, NoticesAnOriginOfAnEarlierRun) {
  HandmadeRun<DotsAreUnique> run;
  run.write("a", with_dot(1, 1));
  run.crash(Crash::kill);
  run.write("a", with_dot(1, 2));
  EXPECT_TRUE(run.violated());
}

TEST(RepliesWait, AcceptsRepliesInOrderAfterTheCommit) {
  HandmadeRun<RepliesWait> run;
  const Told put = run.decide("a");
  const Told refused = run.decide("a", {.status = WriteStatus::version_mismatch});
  run.commit(run.close());
  run.answer(put);
  run.answer(refused);
  run.end(run.image({put}));
  EXPECT_FALSE(run.violated());
}

TEST(RepliesWait, NoticesAReplyBeforeTheCommit) {
  HandmadeRun<RepliesWait> run;
  const Told told = run.decide("a");
  run.close();
  run.answer(told);
  EXPECT_TRUE(run.violated());
}

TEST(RepliesWait, NoticesAnAcknowledgedFailure) {
  HandmadeRun<RepliesWait> run;
  const Told told = run.decide("a");
  run.fail_batch(run.close(), Errc::disk_full);
  run.answer(told);
  EXPECT_TRUE(run.violated());
}

TEST(RepliesWait, NoticesARefusalThatRestsOnAFailedWrite) {
  for (const bool told_the_truth : {true, false}) {
    HandmadeRun<RepliesWait> run;
    run.write("a");
    const Told first =
        run.decide("a", {.status = WriteStatus::deleted, .kind = Operation::Kind::del});
    const Told second =
        run.decide("a", {.status = WriteStatus::not_found, .kind = Operation::Kind::del});
    run.fail_batch(run.close(), Errc::disk_full);
    run.answer(first, kDiskFull);
    run.answer(second, told_the_truth ? kDiskFull : second.outcome);
    EXPECT_EQ(run.violated(), !told_the_truth);
  }
}

TEST(RepliesWait, NoticesASkippedReply) {
  HandmadeRun<RepliesWait> run;
  run.decide("a");
  const Told second = run.decide("b");
  run.commit(run.close());
  run.answer(second);
  EXPECT_TRUE(run.violated());
}

TEST(RepliesWait, NoticesASecondReply) {
  HandmadeRun<RepliesWait> run;
  run.answer(run.write("a"));
  EXPECT_TRUE(run.violated());
}

TEST(RepliesWait, NoticesAReplyThatNeverCame) {
  HandmadeRun<RepliesWait> run;
  run.decide("a");
  run.commit(run.close());
  run.end(run.image({}));
  EXPECT_TRUE(run.violated());
}

TEST(RepliesWait, NoticesAnAnswerThatWasNotDecided) {
  HandmadeRun<RepliesWait> run;
  const Told told = run.decide("a");
  run.commit(run.close());
  run.answer(told, kDiskFull);
  EXPECT_TRUE(run.violated());
}

TEST(RepliesWait, NoticesABatchCommittedAfterItFailed) {
  HandmadeRun<RepliesWait> run;
  run.decide("a");
  const Batch batch = run.close();
  run.fail_batch(batch, Errc::disk_full);
  run.commit(batch);
  EXPECT_TRUE(run.violated());
}

TEST(RepliesWait, NoticesBatchesOutOfOrder) {
  HandmadeRun<RepliesWait> run;
  run.decide("a");
  const Batch first = run.close();
  run.decide("b");
  run.commit(run.close());
  run.commit(first);
  EXPECT_TRUE(run.violated());
}

}  // namespace

}  // namespace kvs
