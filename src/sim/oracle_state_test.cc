#include "sim/oracle_state.h"

#include <gtest/gtest.h>

#include "support/handmade_run.h"

namespace kvs {

namespace {

using KnowledgeRun = HandmadeRun<KnowledgeIsExact>;

TEST(KnowledgeIsExact, AcceptsReplacedAndUnacknowledgedWrites) {
  KnowledgeRun run(Durability::sync);
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
  KnowledgeRun run(Durability::sync);
  Image image = run.image({run.write("a")});
  image.state.knowledge.add({.origin = Origin{5}, .seq = 2});
  run.recover(image);
  EXPECT_TRUE(run.violated());
}

TEST(KnowledgeIsExact, NoticesCoverageWithoutTheRecord) {
  KnowledgeRun run(Durability::sync);
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
  KnowledgeRun run(Durability::sync);
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
    KnowledgeRun run(Durability::sync);
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

TEST(KnowledgeIsExact, NoticesThatAReplacedWriteIsNotCovered) {
  for (const Durability durability : {Durability::sync, Durability::os}) {
    KnowledgeRun run(durability);
    run.write("a");
    const Told second = run.write("a");
    run.crash(Crash::power_loss);
    run.recover(run.image({second}));
    EXPECT_EQ(run.violated(), durability == Durability::sync);
  }
}

TEST(KnowledgeIsExact, NoticesThatMemoryAndDiskDiffer) {
  KnowledgeRun run(Durability::sync);
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
