#include "sim/oracle_state.h"

#include <gtest/gtest.h>

#include "support/handmade_run.h"

namespace kvs {

namespace {

using KnowledgeRun = HandmadeRun<KnowledgeIsExact>;

const FaultSet kNoFaults;

FaultSet rotting() {
  FaultSet faults;
  faults.insert(Fault::rot_record);
  return faults;
}

TEST(KnowledgeIsExact, AcceptsReplacedAndUnacknowledgedWrites) {
  KnowledgeRun run(Durability::sync, kNoFaults);
  const Told first = run.write("a");
  const Told second = run.write("a");
  const Told survivor = run.decide("b");
  run.fail_batch(run.close(), Errc::disk_full);
  run.crash(Crash::kill);
  run.recover(run.image({first, second, survivor}));
  run.end(run.image({first, second, survivor}));
  EXPECT_FALSE(run.violated());
}

TEST(KnowledgeIsExact, NoticesADotThatWasNeverGiven) {
  KnowledgeRun run(Durability::sync, kNoFaults);
  Image image = run.image({run.write("a")});
  image.state.knowledge.add({.origin = Origin{5}, .seq = 2});
  run.recover(image);
  EXPECT_TRUE(run.violated());
}

TEST(KnowledgeIsExact, NoticesCoverageWithoutTheRecord) {
  KnowledgeRun run(Durability::sync, kNoFaults);
  const Told a = run.write("a");
  const Told b = run.decide("b");
  run.close();
  Image image = run.image({a, b});
  image.records.erase("b");
  run.crash(Crash::kill);
  run.recover(image);
  EXPECT_TRUE(run.violated());
}

TEST(KnowledgeIsExact, NoticesARecordWithoutCoverage) {
  KnowledgeRun run(Durability::sync, kNoFaults);
  Image image = run.image({run.write("a")});
  image.state.knowledge = {};
  run.crash(Crash::kill);
  run.recover(image);
  EXPECT_TRUE(run.violated());
}

/// K as a batch writes it: these dots and no others of their origin.
KnowledgeWrite known(std::initializer_list<Told> writes) {
  Knowledge knowledge;
  for (const Told& told : writes) {
    knowledge.add(told.record.header.version.dot);
  }
  const auto& [origin, entry] = *knowledge.origins().begin();
  return {.origin = origin, .known = entry};
}

TEST(KnowledgeIsExact, AcceptsThatDamageEmptiesKAndAWriteRefillsPartOfIt) {
  for (const bool shrinks : {true, false}) {
    KnowledgeRun run(Durability::sync, rotting());
    const Told a = run.decide("a");
    const Told b = run.decide("b");
    run.knows(known({a, b}));
    run.commit(run.close());
    run.knows(shrinks ? known({b}) : known({a, b}));
    run.commit(run.close());
    Image image = run.image({a, b});
    image.state.knowledge = {};
    image.state.knowledge.add(b.record.header.version.dot);
    run.crash(Crash::kill);
    run.recover(image);
    EXPECT_EQ(run.violated(), !shrinks);
  }
}

/// Nothing of this origin is known.
KnowledgeWrite nothing_of(Origin origin) {
  return {.origin = origin, .known = {}};
}

TEST(KnowledgeIsExact, NoticesThatKIsGivenUpWithoutDamage) {
  for (const FaultSet& faults : {kNoFaults, rotting()}) {
    const bool damaged = faults != kNoFaults;
    KnowledgeRun shrinks(Durability::sync, faults);
    shrinks.knows(known({shrinks.decide("a")}));
    shrinks.commit(shrinks.close());
    EXPECT_FALSE(shrinks.violated());
    shrinks.knows(nothing_of(Origin{5}));
    shrinks.close();
    EXPECT_EQ(shrinks.violated(), !damaged);

    KnowledgeRun leaves_out(Durability::sync, faults);
    leaves_out.decide("a");
    leaves_out.knows(nothing_of(Origin{5}));
    leaves_out.close();
    EXPECT_EQ(leaves_out.violated(), !damaged);
  }
}

/// A run up to a restart: a batch with "b" and one with "c" in flight fail together, a later one
/// with "d" is durable.
struct FailedRun {
  explicit FailedRun(const FaultSet& faults = kNoFaults) : run(Durability::sync, faults) {}

  void fail_two() {
    a = run.decide("a");
    run.knows(known({a}));
    run.commit(run.close());
    b = run.decide("b");
    run.knows(known({a, b}));
    const Batch first = run.close();
    c = run.decide("c");
    run.knows(known({a, b, c}));
    const Batch second = run.close();
    run.fail_batch(first, Errc::disk_full);
    run.fail_batch(second, Errc::disk_full);
  }

  /// With the K of the origin that failed, or without it.
  void go_on(std::optional<KnowledgeWrite> again) {
    d = run.decide("d", {.dot = Dot{.origin = Origin{6}, .seq = 1}});
    if (again) {
      run.knows(*again);
    }
    run.knows(known({d}));
    run.commit(run.close());
  }

  /// Starts on what is known and one record that is not.
  void restart_with(const Told& left) {
    Image image = KnowledgeRun::image({a, d});
    image.records.emplace(left.operation->key, left.record);
    run.crash(Crash::kill);
    run.recover(image);
  }

  KnowledgeRun run;
  Told a, b, c, d;
};

TEST(KnowledgeIsExact, AcceptsWhatAFailedBatchLeftIfKWasWrittenAgainSince) {
  for (const bool again : {true, false}) {
    FailedRun failed;
    failed.fail_two();
    failed.go_on(again ? std::optional(known({failed.a})) : std::nullopt);
    EXPECT_FALSE(failed.run.violated());
    failed.restart_with(failed.b);
    EXPECT_EQ(failed.run.violated(), !again);
  }
}

TEST(KnowledgeIsExact, NoticesABatchThatTheDiskNeverMet) {
  FailedRun failed;
  failed.fail_two();
  failed.go_on(known({failed.a}));
  failed.restart_with(failed.c);
  EXPECT_TRUE(failed.run.violated());
}

TEST(KnowledgeIsExact, NoticesThatWhatWasNotFoundComesBack) {
  FailedRun failed;
  failed.fail_two();
  failed.go_on(known({failed.a}));
  failed.run.recover(KnowledgeRun::image({failed.a, failed.d}));
  EXPECT_FALSE(failed.run.violated());
  failed.restart_with(failed.b);
  EXPECT_TRUE(failed.run.violated());
}

TEST(KnowledgeIsExact, NoticesThatNobodyNoticesWhatAFailedBatchLeft) {
  for (const bool gives_up : {true, false}) {
    FailedRun failed;
    failed.fail_two();
    failed.go_on(known({failed.a}));
    failed.restart_with(failed.b);
    if (gives_up) {
      failed.run.knows(nothing_of(Origin{5}));
      failed.run.knows(nothing_of(Origin{6}));
    }
    failed.run.commit(failed.run.close());
    failed.run.observers().tell(&Observer::idle, Knowledge{}, Disk(1));
    EXPECT_EQ(failed.run.violated(), !gives_up);
  }
}

TEST(KnowledgeIsExact, NoticesThatAReplacedWriteIsNotCovered) {
  for (const Durability durability : {Durability::sync, Durability::os}) {
    KnowledgeRun run(durability, kNoFaults);
    run.write("a");
    const Told second = run.write("a");
    run.crash(Crash::power_loss);
    run.recover(run.image({second}));
    EXPECT_EQ(run.violated(), durability == Durability::sync);
  }
}

TEST(KnowledgeIsExact, NoticesThatMemoryAndDiskDiffer) {
  KnowledgeRun run(Durability::sync, kNoFaults);
  Disk disk(1);
  Knowledge knowledge;
  run.observers().tell(&Observer::idle, knowledge, disk);
  EXPECT_FALSE(run.violated());
  knowledge.add({.origin = Origin{5}, .seq = 1});
  run.observers().tell(&Observer::idle, knowledge, disk);
  EXPECT_TRUE(run.violated());
}

TEST(OneOutcome, AcceptsTheMergeOfAllWrites) {
  HandmadeRun<OneOutcome> run(std::uint64_t{1});
  const Told first = run.write("a");
  const Told second = run.write("a");
  const Told other = run.write("b");
  run.end(run.image({first, second, other}));
  EXPECT_FALSE(run.violated());
}

TEST(OneOutcome, AcceptsWhatAFailedBatchLeft) {
  HandmadeRun<OneOutcome> run(std::uint64_t{1});
  Image image = run.image({run.write("a")});
  const Told left = run.decide("b");
  run.fail_batch(run.close(), Errc::disk_full);
  image.records.emplace("b", left.record);  // K was written again since
  for (int starts = 0; starts < 2; ++starts) {
    run.crash(Crash::kill);
    run.recover(image);
  }
  run.end(image);
  EXPECT_FALSE(run.violated());
}

TEST(OneOutcome, NoticesAnotherWinner) {
  HandmadeRun<OneOutcome> run(std::uint64_t{1});
  const Told first = run.write("a");
  run.write("a");
  run.end(run.image({first}));
  EXPECT_TRUE(run.violated());
}

Batch with_identity(std::uint64_t instance) {
  Batch batch;
  batch.effects.identity = Identity{.instance = instance, .joined_ms = 1};
  return batch;
}

TEST(IdentityStays, NoticesASecondOne) {
  HandmadeRun<IdentityStays> run;
  run.commit(with_identity(1));
  EXPECT_FALSE(run.violated());
  run.commit(with_identity(2));
  EXPECT_TRUE(run.violated());
}

TEST(IdentityStays, NoticesALostOne) {
  HandmadeRun<IdentityStays> run;
  run.recover(run.image({}));
  EXPECT_FALSE(run.violated());
  run.commit(with_identity(1));
  run.recover(run.image({}));
  EXPECT_TRUE(run.violated());
}

TEST(EndsAsTheModel, NoticesEachDifference) {
  const auto ends = [](void (*change)(Image&)) {
    HandmadeRun<EndsAsTheModel> run;
    const Told a = run.write("a");
    Image image = run.image({a, run.write("b")});
    change(image);
    run.end(image);
    return run.violated();
  };
  EXPECT_FALSE(ends([](Image&) {}));
  EXPECT_TRUE(ends([](Image& image) { image.records.erase("a"); }));
  EXPECT_TRUE(ends([](Image& image) { image.records.at("a")->value = "2"; }));
  EXPECT_TRUE(ends([](Image& image) { image.records.at("a") = fail(Errc::corrupt_data, ""); }));
  EXPECT_TRUE(ends([](Image& image) { image.records.emplace("c", image.records.at("a")); }));
}

}  // namespace

}  // namespace kvs
