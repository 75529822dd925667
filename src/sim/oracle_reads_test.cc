#include "sim/oracle_reads.h"

#include <gtest/gtest.h>

#include "support/handmade_run.h"

namespace kvs {

namespace {

const Telling kDelete{.status = WriteStatus::deleted, .kind = Operation::Kind::del};

TEST(MonotonicReads, AcceptsReadsThatGoForward) {
  HandmadeRun<MonotonicReads> run(Durability::sync);
  run.read("a", std::nullopt);
  run.read("a", run.write("a").record);
  const Told deleted = run.write("a", kDelete);
  run.read("a", deleted.record);
  run.read("a", deleted.record);
  run.list({});
  EXPECT_FALSE(run.violated());
}

TEST(MonotonicReads, NoticesAnOlderVersion) {
  HandmadeRun<MonotonicReads> run(Durability::sync);
  const Told old = run.write("a");
  const Told newer = run.write("a");
  run.read("a", newer.record);
  run.read("a", old.record);
  EXPECT_TRUE(run.violated());
}

TEST(MonotonicReads, NoticesAnOlderVersionInAListing) {
  HandmadeRun<MonotonicReads> run(Durability::sync);
  const Told old = run.write("a");
  run.read("a", run.write("a").record);
  run.list({old});
  EXPECT_TRUE(run.violated());
}

TEST(MonotonicReads, NoticesThatARecordIsGone) {
  HandmadeRun<MonotonicReads> run(Durability::sync);
  run.read("a", run.write("a").record);
  run.read("a", std::nullopt);
  EXPECT_TRUE(run.violated());
}

TEST(MonotonicReads, LooksAcrossRestarts) {
  HandmadeRun<MonotonicReads> run(Durability::sync);
  const Told old = run.write("a");
  run.read("a", run.write("a").record);
  run.crash(Crash::power_loss);
  run.recover(run.image({old}));
  run.read("a", old.record);
  EXPECT_TRUE(run.violated());
}

TEST(MonotonicReads, LetsLossOfPowerTakeReadsBackWithDurabilityOs) {
  for (const Crash crash : {Crash::power_loss, Crash::kill}) {
    HandmadeRun<MonotonicReads> run(Durability::os);
    const Told old = run.write("a");
    run.read("a", run.write("a", {}, Flush::os).record);
    run.crash(crash);
    run.recover(run.image({old}));
    run.read("a", old.record);
    EXPECT_EQ(run.violated(), crash == Crash::kill);
  }
}

TEST(ReadYourWrites, AcceptsTheWriteOrANewerOne) {
  HandmadeRun<ReadYourWrites> run;
  const Told first = run.write("a");
  run.read("a", first.record);
  run.list({first});
  const Told second = run.write("a", kDelete);
  run.read("a", second.record);
  run.list({});
  EXPECT_FALSE(run.violated());
}

TEST(ReadYourWrites, NoticesAnOlderVersion) {
  HandmadeRun<ReadYourWrites> run;
  const Told old = run.write("a");
  run.write("a");
  run.read("a", old.record);
  EXPECT_TRUE(run.violated());
}

TEST(ReadYourWrites, NoticesAMissingRecord) {
  HandmadeRun<ReadYourWrites> run;
  run.write("a");
  run.read("a", std::nullopt);
  EXPECT_TRUE(run.violated());
}

TEST(ReadYourWrites, NoticesWhatAListingLacks) {
  HandmadeRun<ReadYourWrites> run;
  const Told a = run.write("a");
  run.write("b");
  run.list({a});
  EXPECT_TRUE(run.violated());
}

TEST(ReadYourWrites, NoticesWhatAListingShowsTooOld) {
  HandmadeRun<ReadYourWrites> run;
  const Told old = run.write("a");
  run.write("a");
  run.list({old});
  EXPECT_TRUE(run.violated());
}

TEST(NothingDamagedServed, AcceptsWhatWasWrittenAndErrorsWithAReason) {
  HandmadeRun<NothingDamagedServed> run;
  const Told told = run.write("a");
  run.read("a", told.record);
  run.list({told});
  run.read("a", fail(Errc::corrupt_data, ""), Errc::corrupt_data);
  run.read("a", fail(Errc::io_error, ""), Errc::io_error);
  run.observers().tell(&Observer::rotted, std::string_view("a"));
  run.read("a", fail(Errc::corrupt_data, ""));
  EXPECT_FALSE(run.violated());
}

TEST(NothingDamagedServed, NoticesOneWrongBit) {
  HandmadeRun<NothingDamagedServed> run;
  Record record = run.write("a").record;
  record.value = "0";
  run.read("a", record);
  EXPECT_TRUE(run.violated());
}

TEST(NothingDamagedServed, NoticesAnotherKeysRecord) {
  HandmadeRun<NothingDamagedServed> run;
  run.read("b", run.write("a").record);
  EXPECT_TRUE(run.violated());
}

TEST(NothingDamagedServed, NoticesAVersionThatNobodyWrote) {
  HandmadeRun<NothingDamagedServed> run;
  Told told = run.write("a");
  told.record.header.version.uuid.low ^= 1024U;
  run.list({told});
  EXPECT_TRUE(run.violated());
}

TEST(NothingDamagedServed, NoticesErrorsWithoutAReason) {
  for (const Errc code : {Errc::corrupt_data, Errc::io_error, Errc::disk_full}) {
    HandmadeRun<NothingDamagedServed> run;
    run.write("a");
    run.read("a", fail(code, ""));
    EXPECT_TRUE(run.violated());
  }
}

TEST(NothingDamagedServed, NoticesAStartOnDamagedFiles) {
  HandmadeRun<NothingDamagedServed> run;
  run.observers().tell(&Observer::damage_unnoticed);
  EXPECT_TRUE(run.violated());
}

TEST(ReadsShowTheModel, AcceptsTheNewestDurableWrite) {
  HandmadeRun<ReadsShowTheModel> run;
  run.read("a", std::nullopt);
  run.list({});
  const Told told = run.write("a");
  run.decide("a");  // pending
  run.read("a", told.record);
  run.list({told});
  EXPECT_FALSE(run.violated());
}

TEST(ReadsShowTheModel, NoticesAPendingWrite) {
  HandmadeRun<ReadsShowTheModel> run;
  run.write("a");
  run.read("a", run.decide("a").record);
  EXPECT_TRUE(run.violated());
}

TEST(ReadsShowTheModel, NoticesAFailedWrite) {
  HandmadeRun<ReadsShowTheModel> run;
  const Told told = run.decide("a");
  run.fail_batch(run.close(), Errc::disk_full);
  run.read("a", told.record);
  EXPECT_TRUE(run.violated());
}

TEST(ReadsShowTheModel, NoticesWhatAListingLacksAndWhatItShowsTooMuch) {
  HandmadeRun<ReadsShowTheModel> lacks;
  lacks.write("a");
  lacks.list({});
  EXPECT_TRUE(lacks.violated());

  HandmadeRun<ReadsShowTheModel> shows;
  const Told deleted = shows.write("a", kDelete);
  shows.list({deleted});
  EXPECT_TRUE(shows.violated());
}

}  // namespace

}  // namespace kvs
