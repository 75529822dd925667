#include "sim/disk.h"

#include <gtest/gtest.h>

#include "support/store_conformance.h"

namespace kvs {

namespace {

/// The disk as the conformance suite drives a store.
class DiskDriver {
 public:
  Result<void> open() {
    recovered_ = KVS_TRY(disk_.open());
    return {};
  }

  void close() { disk_.kill(); }

  void kill() { disk_.kill(); }

  Result<void> commit(const Effects& effects) {
    disk_.begin(effects);
    if (auto written = disk_.write(); !written) {
      return written;
    }
    if (auto synced = disk_.sync(); !synced) {
      return synced;
    }
    disk_.apply();
    return {};
  }

  Result<std::optional<Record>> get(Key key) { return disk_.get(key); }

  const StoreView& view() { return disk_; }

  std::unique_ptr<RecordCursor> cursor() { return disk_.cursor(); }

  Recovered recovered() { return recovered_; }

 private:
  Disk disk_{7};
  Recovered recovered_;
};

/// A disk with a process on it, and short words for commits of one record.
class DiskTest : public ::testing::Test {
 protected:
  explicit DiskTest(std::uint64_t seed = 1) : disk_(seed) { EXPECT_TRUE(disk_.open()); }

  void begin(const std::string& key, std::uint64_t seq) {
    batch_ = {};
    batch_.put(key, conformance_record(seq, "value"));
    batch_.state().knowledge = {{.origin = Origin{7}, .known = {.upto = seq, .beyond = {}}}};
    disk_.begin(batch_.effects());
  }

  void write(const std::string& key, std::uint64_t seq) {
    begin(key, seq);
    EXPECT_TRUE(disk_.write());
    disk_.apply();
  }

  void commit(const std::string& key, std::uint64_t seq) {
    begin(key, seq);
    EXPECT_TRUE(disk_.write());
    EXPECT_TRUE(disk_.sync());
    disk_.apply();
  }

  /// The seq of what is shown under `key`; 0: nothing.
  std::uint64_t shown(const std::string& key) {
    const auto record = disk_.get(Key::from_store(key));
    EXPECT_TRUE(record);
    return record && *record ? (*record)->header.version.dot.seq : 0;
  }

  Disk disk_;
  ConformanceBatch batch_;
};

TEST_F(DiskTest, ACommitShowsWhenItIsApplied) {
  begin("a", 1);
  EXPECT_TRUE(disk_.write());
  EXPECT_TRUE(disk_.sync());
  EXPECT_EQ(shown("a"), 0U);
  disk_.apply();
  EXPECT_EQ(shown("a"), 1U);
}

TEST_F(DiskTest, DeathOfTheProcessKeepsWhatTheOsHas) {
  write("a", 1);
  begin("b", 2);
  EXPECT_TRUE(disk_.write());  // not applied
  disk_.kill();
  ASSERT_TRUE(disk_.open());
  EXPECT_EQ(shown("a"), 1U);
  EXPECT_EQ(shown("b"), 2U);
}

TEST_F(DiskTest, DeathInTheMiddleOfAWriteLosesOnlyThatBatch) {
  commit("a", 1);
  begin("b", 2);
  disk_.kill();
  ASSERT_TRUE(disk_.open());
  EXPECT_EQ(shown("a"), 1U);
  EXPECT_EQ(shown("b"), 0U);
}

TEST(Disk, LossOfPowerKeepsAPrefixAndAllThatWasSynced) {
  std::set<std::uint64_t> survivors;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Disk disk(seed);
    ASSERT_TRUE(disk.open());
    for (std::uint64_t seq = 1; seq <= 6; ++seq) {
      ConformanceBatch batch;
      disk.begin(batch.put("k" + std::to_string(seq), conformance_record(seq, "v")).effects());
      ASSERT_TRUE(disk.write());
      if (seq == 3) {
        ASSERT_TRUE(disk.sync());
      }
      disk.apply();
    }
    disk.lose_power();
    ASSERT_TRUE(disk.open());
    const Image image = disk.image();
    ASSERT_GE(image.records.size(), 3U);
    for (std::uint64_t seq = 1; seq <= image.records.size(); ++seq) {
      EXPECT_TRUE(image.records.contains("k" + std::to_string(seq)));
    }
    survivors.insert(image.records.size());
  }
  EXPECT_EQ(survivors.size(), 4U) << "3 to 6 batches, each in some seed";
}

TEST_F(DiskTest, ACopyIsWhatTheOsHas) {
  commit("a", 1);
  disk_.checkpoint();
  write("b", 2);
  begin("c", 3);
  Disk other(2);
  other.replace(disk_.copy());
  ASSERT_TRUE(other.open());
  EXPECT_EQ(other.image().records.size(), 2U);
  EXPECT_EQ(other.state().knowledge.of(Origin{7}).upto, 2U);
}

TEST_F(DiskTest, AFolderThatWasReplacedSurvivesLossOfPower) {
  commit("a", 1);
  const Disk::Folder backup = disk_.copy();
  commit("b", 2);
  disk_.kill();
  disk_.replace(backup);
  disk_.lose_power();
  ASSERT_TRUE(disk_.open());
  EXPECT_EQ(shown("a"), 1U);
  EXPECT_EQ(shown("b"), 0U);
  disk_.replace({});
  ASSERT_TRUE(disk_.open());
  EXPECT_TRUE(disk_.image().records.empty());
}

TEST_F(DiskTest, WhatARestartFoundIsSynced) {
  write("a", 1);
  disk_.kill();
  ASSERT_TRUE(disk_.open());
  disk_.lose_power();
  ASSERT_TRUE(disk_.open());
  EXPECT_EQ(shown("a"), 1U);
}

TEST(Disk, AfterAFailedSyncLaterOnesLie) {
  bool lost = false;
  for (std::uint64_t seed = 0; seed < 50 && !lost; ++seed) {
    Disk disk(seed);
    ASSERT_TRUE(disk.open());
    ConformanceBatch batch;
    disk.begin(batch.put("a", conformance_record(1, "v")).effects());
    ASSERT_TRUE(disk.write());
    disk.faults().sync_error_rate = 1000;
    EXPECT_FALSE(disk.sync());
    disk.faults() = {};
    EXPECT_TRUE(disk.sync());
    disk.lose_power();
    ASSERT_TRUE(disk.open());
    lost = disk.image().records.empty();
  }
  EXPECT_TRUE(lost);
}

TEST_F(DiskTest, AFullDiskRefusesWritesAndServesReads) {
  commit("a", 1);
  disk_.faults().full = true;
  begin("a", 2);
  const auto written = disk_.write();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Errc::disk_full);
  EXPECT_EQ(shown("a"), 1U);
  disk_.faults().full = false;
  commit("a", 3);
  disk_.kill();
  ASSERT_TRUE(disk_.open());
  EXPECT_EQ(shown("a"), 3U);
}

TEST(Disk, AFailedWriteMayBeFoundByARestartButNotBefore) {
  std::set<std::size_t> found;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Disk disk(seed);
    ASSERT_TRUE(disk.open());
    ConformanceBatch batch;
    disk.begin(batch.put("a", conformance_record(1, "v")).effects());
    disk.faults().full = true;
    EXPECT_FALSE(disk.write());
    disk.faults().full = false;
    EXPECT_TRUE(disk.image().records.empty());
    disk.kill();
    ASSERT_TRUE(disk.open());
    found.insert(disk.image().records.size());
  }
  EXPECT_EQ(found, (std::set<std::size_t>{0, 1}));
}

TEST_F(DiskTest, AStartOnAFullDiskIsRefusedAndChangesNothing) {
  commit("a", 1);
  disk_.kill();
  disk_.faults().full = true;
  EXPECT_FALSE(disk_.open());
  disk_.faults().full = false;
  ASSERT_TRUE(disk_.open());
  EXPECT_EQ(shown("a"), 1U);
}

TEST_F(DiskTest, OverloadLeavesNothing) {
  disk_.faults().overload_rate = 1000;
  begin("a", 1);
  EXPECT_FALSE(disk_.write());
  disk_.kill();
  ASSERT_TRUE(disk_.open());
  EXPECT_EQ(shown("a"), 0U);
}

TEST_F(DiskTest, ReadErrorsAndFlippedBitsAreErrorsAndAreReported) {
  commit("a", 1);
  const Key key = Key::from_store("a");
  disk_.faults().read_error_rate = 1000;
  EXPECT_EQ(disk_.get(key).error().code, Errc::io_error);
  EXPECT_EQ(disk_.take_read_fault(), Errc::io_error);
  EXPECT_EQ(disk_.take_read_fault(), std::nullopt);
  disk_.faults() = {};
  disk_.faults().read_flip_rate = 1000;
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(disk_.find(key).error().code, Errc::corrupt_data);
  }
  disk_.faults() = {};
  EXPECT_EQ(shown("a"), 1U);
}

TEST_F(DiskTest, ACursorThatCannotReadEndsWithTheError) {
  commit("a", 1);
  commit("b", 2);
  const auto cursor = disk_.cursor();
  cursor->seek({});
  EXPECT_TRUE(cursor->valid());
  disk_.faults().read_error_rate = 1000;
  EXPECT_TRUE(cursor->record()) << "it was given before";
  cursor->next();
  EXPECT_FALSE(cursor->valid());
  EXPECT_EQ(cursor->status().error().code, Errc::io_error);
  EXPECT_EQ(disk_.take_read_fault(), Errc::io_error);
  disk_.faults() = {};
  cursor->seek("b");
  EXPECT_TRUE(cursor->valid());
  EXPECT_TRUE(cursor->status());
  cursor->next();
  EXPECT_FALSE(cursor->valid());
  EXPECT_TRUE(cursor->status());
}

TEST_F(DiskTest, ARottenRecordIsAnErrorUntilItIsReplaced) {
  commit("a", 1);
  EXPECT_EQ(disk_.rot_record(), std::nullopt) << "it is only in the log";
  disk_.checkpoint();
  EXPECT_EQ(disk_.rot_record(), "a");
  EXPECT_EQ(disk_.get(Key::from_store("a")).error().code, Errc::corrupt_data);
  EXPECT_EQ(disk_.rot_record(), std::nullopt) << "it is damaged already";
  disk_.kill();
  ASSERT_TRUE(disk_.open());
  EXPECT_FALSE(disk_.image().records.at("a"));
  commit("a", 2);
  EXPECT_EQ(shown("a"), 2U);
}

TEST_F(DiskTest, ARottenLogIsNoticedUntilItIsRepaired) {
  commit("a", 1);
  ASSERT_TRUE(disk_.rot_log());
  EXPECT_TRUE(disk_.must_notice());
  disk_.kill();
  EXPECT_EQ(disk_.open().error().code, Errc::corrupt_data);
  disk_.repair();
  EXPECT_FALSE(disk_.must_notice());
  ASSERT_TRUE(disk_.open());
  EXPECT_EQ(shown("a"), 1U);
}

TEST_F(DiskTest, RottenStateIsNoticedUnlessTheLogReplacesIt) {
  commit("a", 1);
  EXPECT_FALSE(disk_.rot_state()) << "it is only in the log";
  disk_.checkpoint();
  ASSERT_TRUE(disk_.rot_state());
  EXPECT_TRUE(disk_.must_notice());
  commit("a", 2);
  EXPECT_FALSE(disk_.must_notice());
  disk_.kill();
  ASSERT_TRUE(disk_.open());
  EXPECT_EQ(disk_.state().knowledge.of(Origin{7}).upto, 2U);
}

}  // namespace

INSTANTIATE_TYPED_TEST_SUITE_P(Simulated, StoreConformance, DiskDriver);

}  // namespace kvs
