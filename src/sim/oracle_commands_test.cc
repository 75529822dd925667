#include "sim/oracle_commands.h"

#include <gtest/gtest.h>

#include "support/handmade_run.h"

namespace kvs {

namespace {

using Kind = Condition::Kind;

/// Tells one step on a key that holds what `prepare` wrote; true if the oracle complains.
bool complains(const Telling& telling, void (*prepare)(HandmadeRun<ConditionsHold>&)) {
  HandmadeRun<ConditionsHold> run;
  prepare(run);
  EXPECT_FALSE(run.violated());
  run.decide("a", telling);
  return run.violated();
}

void nothing(HandmadeRun<ConditionsHold>&) {}

void live(HandmadeRun<ConditionsHold>& run) {
  run.write("a");
}

void pending(HandmadeRun<ConditionsHold>& run) {
  run.decide("a");
}

void deleted(HandmadeRun<ConditionsHold>& run) {
  run.write("a");
  run.write("a", {.status = WriteStatus::deleted, .kind = Operation::Kind::del});
}

void failed(HandmadeRun<ConditionsHold>& run) {
  run.decide("a");
  run.fail_batch(run.close(), Errc::disk_full);
}

void rotten(HandmadeRun<ConditionsHold>& run) {
  run.write("a");
  run.observers().tell(&Observer::rotted, std::string_view("a"));
}

TEST(ConditionsHold, APutIsCreatedOrReplaced) {
  for (const auto prepare : {nothing, deleted, failed}) {
    EXPECT_FALSE(complains({.status = WriteStatus::created}, prepare));
    EXPECT_TRUE(complains({.status = WriteStatus::replaced}, prepare));
  }
  for (const auto prepare : {live, pending}) {
    EXPECT_FALSE(complains({.status = WriteStatus::replaced}, prepare));
    EXPECT_TRUE(complains({.status = WriteStatus::created}, prepare));
  }
}

TEST(ConditionsHold, ConditionsDecide) {
  const auto telling = [](WriteStatus status, Kind kind, std::uint64_t low) {
    return Telling{.status = status, .condition = {.kind = kind, .uuid = {.high = 1, .low = low}}};
  };
  for (const auto prepare : {live, pending}) {
    EXPECT_TRUE(complains(telling(WriteStatus::replaced, Kind::if_absent, 0), prepare));
    EXPECT_TRUE(complains(telling(WriteStatus::replaced, Kind::if_match, 99), prepare));
    EXPECT_FALSE(complains(telling(WriteStatus::replaced, Kind::if_match, 1), prepare));
    EXPECT_TRUE(complains(telling(WriteStatus::version_mismatch, Kind::if_match, 1), prepare));
    EXPECT_FALSE(complains(telling(WriteStatus::version_mismatch, Kind::if_absent, 0), prepare));
  }
  for (const auto prepare : {nothing, deleted, failed}) {
    EXPECT_TRUE(complains(telling(WriteStatus::created, Kind::if_exists, 0), prepare));
    EXPECT_FALSE(complains(telling(WriteStatus::created, Kind::if_absent, 0), prepare));
    EXPECT_TRUE(complains(telling(WriteStatus::version_mismatch, Kind::if_absent, 0), prepare));
  }
}

TEST(ConditionsHold, ADeleteNeedsALiveKey) {
  const Telling gone{.status = WriteStatus::deleted, .kind = Operation::Kind::del};
  const Telling missing{.status = WriteStatus::not_found, .kind = Operation::Kind::del};
  EXPECT_TRUE(complains(gone, deleted));
  EXPECT_FALSE(complains(missing, deleted));
  EXPECT_TRUE(complains(missing, live));
  EXPECT_FALSE(complains(gone, live));
}

TEST(ConditionsHold, ModesRefuse) {
  EXPECT_TRUE(complains({.status = WriteStatus::created, .mode = Mode::read_only}, nothing));
  EXPECT_FALSE(complains({.status = WriteStatus::read_only, .mode = Mode::read_only}, nothing));
  EXPECT_TRUE(complains({.status = WriteStatus::read_only}, nothing));
}

TEST(ConditionsHold, DamageIsNeitherAbsenceNorPresence) {
  const Condition absent{.kind = Kind::if_absent, .uuid = {}};
  EXPECT_FALSE(complains({.status = WriteStatus::created}, rotten));
  EXPECT_TRUE(complains({.status = WriteStatus::replaced}, rotten));
  EXPECT_TRUE(complains({.status = WriteStatus::created, .condition = absent}, rotten));
  EXPECT_FALSE(complains({.status = WriteStatus::corrupt_data, .condition = absent}, rotten));
  EXPECT_TRUE(complains({.status = WriteStatus::corrupt_data, .condition = absent}, live));
  EXPECT_FALSE(complains({.status = WriteStatus::io_error, .read_fault = Errc::io_error}, live));
}

const WriteOutcome kDiskFull{.status = WriteStatus::disk_full};

TEST(DiskFullRefuses, AcceptsRefusalsForTheRightReason) {
  HandmadeRun<DiskFullRefuses> run;
  run.observers().tell(&Observer::space_gone);
  const Told put = run.decide("a");
  const Told refused = run.decide("a", {.status = WriteStatus::read_only});
  run.fail_batch(run.close(), Errc::disk_full);
  run.observers().tell(&Observer::space_back);
  run.answer(put, kDiskFull);
  run.answer(refused);
  run.write("a");
  EXPECT_FALSE(run.violated());
}

TEST(DiskFullRefuses, NoticesAcknowledgementsAndWrongReasons) {
  for (const WriteStatus status : {WriteStatus::created, WriteStatus::overloaded}) {
    HandmadeRun<DiskFullRefuses> run;
    run.observers().tell(&Observer::space_gone);
    const Told put = run.decide("a");
    run.fail_batch(run.close(), Errc::disk_full);
    run.answer(put, {.status = status});
    EXPECT_TRUE(run.violated());
  }
}

TEST(DiskFullRefuses, NoticesRefusalsAfterSpaceIsBack) {
  HandmadeRun<DiskFullRefuses> run;
  run.observers().tell(&Observer::space_gone);
  run.observers().tell(&Observer::space_back);
  run.decide("a");
  run.fail_batch(run.close(), Errc::disk_full);
  EXPECT_TRUE(run.violated());
}

TEST(DiskFullRefuses, NoticesAReasonOutOfTheAir) {
  HandmadeRun<DiskFullRefuses> run;
  const Told put = run.decide("a");
  run.commit(run.close());
  run.answer(put, kDiskFull);
  EXPECT_TRUE(run.violated());
}

TEST(RecoversByItself, NoticesRefusalsOnceHealed) {
  for (const bool healed : {false, true}) {
    HandmadeRun<RecoversByItself> run;
    const Told before = run.decide("a", {.status = WriteStatus::read_only});
    if (healed) {
      run.observers().tell(&Observer::healed);
    }
    run.answer(before);
    EXPECT_FALSE(run.violated());
    run.answer(run.decide("a", {.status = WriteStatus::read_only}));
    EXPECT_EQ(run.violated(), healed);
  }
}

TEST(RecoversByItself, AcceptsADeleteThatFindsADeletionAskedBefore) {
  const Telling deleted{.status = WriteStatus::deleted, .kind = Operation::Kind::del};
  const Telling not_found{.status = WriteStatus::not_found, .kind = Operation::Kind::del};
  for (const bool asked_before : {true, false}) {
    HandmadeRun<RecoversByItself> run;
    const Operation* late = asked_before ? &run.ask("a", deleted) : nullptr;
    run.observers().tell(&Observer::healed);
    run.write("a");
    late = late != nullptr ? late : &run.ask("a", deleted);
    const Told deletion = run.decide(*late, deleted);
    run.answer(run.decide("a", not_found));
    EXPECT_EQ(run.violated(), !asked_before);
    run.answer(deletion);
  }
}

TEST(RecoversByItself, NoticesNotFoundWithoutADeletion) {
  const Telling not_found{.status = WriteStatus::not_found, .kind = Operation::Kind::del};
  for (const bool written : {true, false}) {
    HandmadeRun<RecoversByItself> run;
    if (written) {
      run.write("a");
    }
    run.observers().tell(&Observer::healed);
    run.answer(run.decide("a", not_found));
    EXPECT_TRUE(run.violated());
  }
}

TEST(RecoversByItself, ADeletionAskedBeforeExcusesNoOtherRefusal) {
  const Telling deleted{.status = WriteStatus::deleted, .kind = Operation::Kind::del};
  HandmadeRun<RecoversByItself> run;
  run.write("a");
  const Operation& late = run.ask("a", deleted);
  run.observers().tell(&Observer::healed);
  const Operation& first = run.ask("a");
  run.decide(late, deleted);
  run.answer(run.decide(first, {.status = WriteStatus::io_error}));
  EXPECT_TRUE(run.violated());
}

}  // namespace

}  // namespace kvs
