#include "sim/oracle_durability.h"

#include <gtest/gtest.h>

#include "support/handmade_run.h"

namespace kvs {

namespace {

TEST(SurvivesKill, AcceptsWhatIsFoundAgain) {
  HandmadeRun<SurvivesKill> run;
  const Told old = run.write("a");
  const Told newer = run.write("a");
  const Told lost = run.decide("a");  // never acknowledged
  run.crash(Crash::kill);
  run.recover(run.image({old, newer}));
  EXPECT_FALSE(run.violated());
  run.crash(Crash::kill);
  run.recover(run.image({old, newer, lost}));
  EXPECT_FALSE(run.violated());
}

TEST(SurvivesKill, MissesALostWrite) {
  HandmadeRun<SurvivesKill> run;
  run.write("a");
  run.crash(Crash::kill);
  run.recover(run.image({}));
  EXPECT_TRUE(run.violated());
}

TEST(SurvivesKill, MissesAWriteThatAnOlderOneReplaced) {
  HandmadeRun<SurvivesKill> run;
  const Told old = run.write("a");
  run.write("a");
  run.crash(Crash::kill);
  run.recover(run.image({old}));
  EXPECT_TRUE(run.violated());
}

TEST(SurvivesKill, MissesARecordThatNobodyDamaged) {
  for (const bool rotted : {false, true}) {
    HandmadeRun<SurvivesKill> run;
    Image image = run.image({run.write("a")});
    image.records.at("a") = fail(Errc::corrupt_data, "damaged");
    if (rotted) {
      run.observers().tell(&Observer::rotted, std::string_view("a"));
    }
    run.crash(Crash::kill);
    run.recover(image);
    EXPECT_EQ(run.violated(), !rotted);
  }
}

TEST(SurvivesKill, LeavesLossOfPowerToTheOther) {
  HandmadeRun<SurvivesKill> run;
  run.write("a", {}, Flush::os);
  run.crash(Crash::power_loss);
  run.recover(run.image({}));
  EXPECT_FALSE(run.violated());
}

TEST(SurvivesPowerLoss, MissesASyncedWrite) {
  HandmadeRun<SurvivesPowerLoss> run(Durability::sync);
  run.write("a");
  run.crash(Crash::power_loss);
  run.recover(run.image({}));
  EXPECT_TRUE(run.violated());
}

TEST(SurvivesPowerLoss, MissesItAfterAKillBeforeThePowerWent) {
  HandmadeRun<SurvivesPowerLoss> run(Durability::sync);
  run.write("a");
  run.crash(Crash::kill);
  run.crash(Crash::power_loss);
  run.recover(run.image({}));
  EXPECT_TRUE(run.violated());
}

TEST(SurvivesPowerLoss, RefusesAcknowledgementsBeforeTheSync) {
  for (const Durability durability : {Durability::sync, Durability::os}) {
    HandmadeRun<SurvivesPowerLoss> run(durability);
    run.write("a", {}, Flush::os);
    EXPECT_EQ(run.violated(), durability == Durability::sync);
  }
}

TEST(SurvivesPowerLoss, LetsOsLoseOnlyWhatWasWrittenSinceTheLastSync) {
  for (const bool keeps_synced : {true, false}) {
    HandmadeRun<SurvivesPowerLoss> run(Durability::os);
    const Told first = run.write("a", {}, Flush::os);
    const Told synced = run.write("b", {}, Flush::sync);
    run.write("a", {}, Flush::os);
    run.crash(Crash::power_loss);
    run.recover(keeps_synced ? run.image({first, synced}) : run.image({synced}));
    EXPECT_EQ(run.violated(), !keeps_synced);
  }
}

TEST(SurvivesPowerLoss, WhatARestartFoundIsSafe) {
  HandmadeRun<SurvivesPowerLoss> run(Durability::os);
  const Told write = run.write("a", {}, Flush::os);
  run.crash(Crash::kill);
  run.recover(run.image({write}));
  run.crash(Crash::power_loss);
  run.recover(run.image({}));
  EXPECT_TRUE(run.violated());
}

}  // namespace

}  // namespace kvs
