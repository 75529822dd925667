// What the store does with files that were cut off, altered or lost. Whatever happens, no read
// gives a wrong record, and what is missing is reported.

#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/rocks_options.h"
#include "io/store.h"
#include "support/store_files.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::uint64_t kRecords = 300;

class DamagedStore : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Store>> open() {
    return Store::open(
        {.data_dir = folder_ / "d", .durability = Durability::os, .cache_bytes = 1U << 20U});
  }

  /// A folder as a kill -9 leaves it: everything in the log.
  void make_killed() {
    {
      const auto store = open();
      ASSERT_TRUE(store);
      write_records(**store, 1, kRecords);
      copy_folder(folder_ / "d", folder_ / "copy");
    }
    fs::remove_all(folder_ / "d");
    fs::rename(folder_ / "copy", folder_ / "d");
    copy_folder(folder_ / "d", folder_ / "original");
  }

  /// A folder with its records in tables, and the state too.
  void make_tables() {
    make_killed();
    ASSERT_TRUE(open());
    copy_folder(folder_ / "d", folder_ / "original");
  }

  void restore() { copy_folder(folder_ / "original", folder_ / "d"); }

  [[nodiscard]] fs::path the_file(const std::string& part) const {
    const auto paths = files_like(folder_ / "d/db", part);
    EXPECT_FALSE(paths.empty()) << part;
    // Of several the largest: logs may be empty.
    return *std::ranges::max_element(paths, {},
                                     [](const fs::path& path) { return fs::file_size(path); });
  }

  /// Flips bits of one file, one after the other, and looks what a store makes of it.
  template <class Look>
  void for_flipped_bits(const std::string& part, int trials, Look look) {
    const fs::path path = the_file(part);
    const std::string bytes = read_file(path);
    Prng prng(7);
    for (int trial = 0; trial < trials; ++trial) {
      restore();
      write_file(path, with_flipped_bit(bytes, prng.below(bytes.size() * 8)));
      look();
    }
  }

  TemporaryFolder folder_;
};

TEST_F(DamagedStore, AKilledStoreComesBackWhole) {
  make_killed();
  for (int start = 0; start < 2; ++start) {
    const auto store = open();
    ASSERT_TRUE(store);
    EXPECT_EQ((*store)->open_report().damage, "");
    EXPECT_FALSE((*store)->open_report().torn_tail);
    EXPECT_EQ(tally(**store, 1, kRecords).right, kRecords - 1);
    EXPECT_EQ((*store)->recovered().knowledge.of(Origin{7}).upto, kRecords - 1);
  }
}

TEST_F(DamagedStore, ATornTailIsDroppedWithoutAlarm) {
  make_killed();
  const fs::path log = the_file(".log");
  const std::string bytes = read_file(log);
  Prng prng(1);
  for (int trial = 0; trial < 30; ++trial) {
    restore();
    write_file(log, bytes.substr(0, prng.below(bytes.size())));
    if (trial % 3 == 0) {  // a next log was begun already
      write_file(log.parent_path() / "000099.log", "");
    }
    if (trial % 2 == 0) {  // the file had been made longer
      const std::size_t whole_sectors = fs::file_size(log) / 512 * 512;
      fs::resize_file(log, whole_sectors);
      fs::resize_file(log, whole_sectors + 512 * prng.below(300));
    }
    const auto store = open();
    ASSERT_TRUE(store) << store.error().detail;
    EXPECT_EQ((*store)->open_report().damage, "");
    EXPECT_FALSE((*store)->open_report().knowledge_emptied);
    const std::uint64_t upto = (*store)->recovered().knowledge.of(Origin{7}).upto;
    const ReadTally found = tally(**store, 1, kRecords);
    EXPECT_EQ(found.right, upto) << "K and records must be of one moment";
    EXPECT_EQ(found.right + found.missing, kRecords - 1);
    EXPECT_EQ(tally(**store, 1, upto + 1).right, upto);
  }
}

TEST_F(DamagedStore, UnwrittenSectorsAtTheEndAreATornTail) {
  make_killed();
  const fs::path log = the_file(".log");
  std::string bytes = read_file(log);
  const std::size_t sector = (bytes.size() - 1000) / 512 * 512;
  bytes.replace(sector, bytes.size() - sector, bytes.size() - sector, '\0');
  write_file(log, bytes);
  const auto store = open();
  ASSERT_TRUE(store) << store.error().detail;
  EXPECT_TRUE((*store)->open_report().torn_tail);
  EXPECT_EQ((*store)->open_report().damage, "");
  EXPECT_EQ(tally(**store, 1, kRecords).right, (*store)->recovered().knowledge.of(Origin{7}).upto);
}

// A start recovered from a torn log and went on in the next one; then the power was cut, and the
// torn log is still there.
TEST_F(DamagedStore, WhatFollowsATornLogIsKept) {
  constexpr std::uint64_t kFew = 60;  // one block of the log
  {
    const auto store = open();
    ASSERT_TRUE(store);
    write_records(**store, 1, kFew);
    copy_folder(folder_ / "d", folder_ / "copy");
  }
  fs::remove_all(folder_ / "d");
  fs::rename(folder_ / "copy", folder_ / "d");
  const fs::path log = the_file(".log");
  const std::string bytes = read_file(log);
  ASSERT_LT(bytes.size(), std::size_t{32768});
  const std::size_t half = fragment_offsets(bytes).at(kFew / 2);
  write_file(log, bytes.substr(0, half + 10));
  write_file(log.parent_path() / "000099.log", bytes.substr(half));
  const auto store = open();
  ASSERT_TRUE(store) << store.error().detail;
  EXPECT_EQ((*store)->open_report().damage, "");
  EXPECT_EQ(tally(**store, 1, kFew).right, kFew - 1);
  EXPECT_EQ((*store)->recovered().knowledge.of(Origin{7}).upto, kFew - 1);
}

TEST_F(DamagedStore, EveryFlippedBitInTheLogIsReported) {
  make_killed();
  const std::string damaged_name = the_file(".log").filename();
  for_flipped_bits(".log", 60, [&] {
    const std::string damaged = read_file(folder_ / "d/db/" + damaged_name);
    {
      const auto store = open();
      ASSERT_TRUE(store) << store.error().detail;
      const OpenReport& report = (*store)->open_report();
      EXPECT_THAT(report.damage, HasSubstr(damaged_name));
      EXPECT_TRUE(report.knowledge_emptied);
      EXPECT_TRUE((*store)->recovered().knowledge.origins().empty());
      EXPECT_EQ(read_file(report.damaged_copy + "/" + damaged_name), damaged);
      const ReadTally found = tally(**store, 1, kRecords);
      EXPECT_EQ(found.wrong + found.damaged, 0U);
      EXPECT_GE(found.missing, 1U) << "one batch at least is gone";
      // No more than one block of the log, and what is sound after it is kept.
      EXPECT_LT(found.missing, 200U);
      write_records(**store, 500, 510);
    }
    const auto again = open();
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ((*again)->open_report().damage, "");
    EXPECT_FALSE((*again)->open_report().knowledge_emptied);
    EXPECT_EQ(tally(**again, 500, 510).right, 10U);
    EXPECT_EQ(files_like(folder_ / "d", "damaged-").size(), 1U);
  });
}

TEST_F(DamagedStore, ZeroedSectorsInTheLogAreReported) {
  make_killed();
  const fs::path log = the_file(".log");
  const std::string bytes = read_file(log);
  Prng prng(2);
  for (int trial = 0; trial < 20; ++trial) {
    restore();
    std::string zeroed = bytes;
    zeroed.replace(prng.below(bytes.size() / 512 - 2) * 512, 512, 512, '\0');
    write_file(log, zeroed);
    const auto store = open();
    ASSERT_TRUE(store) << store.error().detail;
    EXPECT_NE((*store)->open_report().damage, "");
    EXPECT_EQ(tally(**store, 1, kRecords).wrong, 0U);
  }
}

// The process ends after RocksDB used what was sound, before K was emptied.
TEST_F(DamagedStore, DamageIsNotForgottenByAKillDuringRecovery) {
  make_killed();
  write_file(folder_ / "d/DAMAGED", "");
  {
    const auto store = open();
    ASSERT_TRUE(store);
    EXPECT_TRUE((*store)->open_report().knowledge_emptied);
    EXPECT_TRUE((*store)->recovered().knowledge.origins().empty());
    EXPECT_EQ(tally(**store, 1, kRecords).right, kRecords - 1);
  }
  const auto again = open();
  ASSERT_TRUE(again);
  EXPECT_FALSE((*again)->open_report().knowledge_emptied);
  EXPECT_TRUE((*again)->recovered().knowledge.origins().empty());
}

/// The logs of three runs that were killed, one after the other: the first two are in tables.
class LogsOfThreeRuns : public DamagedStore {
 protected:
  void SetUp() override {
    for (std::uint64_t run = 0; run < 3; ++run) {
      {
        const auto store = open();
        ASSERT_TRUE(store);
        write_records(**store, 1 + run * kRun, 1 + (run + 1) * kRun);
        copy_folder(folder_ / "d", folder_ / "copy");
      }
      fs::remove_all(folder_ / "d");
      fs::rename(folder_ / "copy", folder_ / "d");
      const fs::path log = the_file(".log");
      logs_.emplace_back(log, read_file(log));
    }
    copy_folder(folder_ / "d", folder_ / "original");
  }

  static constexpr std::uint64_t kRun = 20;
  std::vector<std::pair<fs::path, std::string>> logs_;
};

// RocksDB removes newest first, and was killed after the second.
TEST_F(LogsOfThreeRuns, ARemovalThatWasInterruptedIsNoDamage) {
  write_file(logs_[0].first, logs_[0].second);
  const auto store = open();
  ASSERT_TRUE(store);
  EXPECT_EQ((*store)->open_report().damage, "");
  EXPECT_EQ(tally(**store, 1, 1 + 3 * kRun).right, 3 * kRun);
  EXPECT_TRUE(files_like(folder_ / "d", "damaged-").empty());
}

TEST_F(LogsOfThreeRuns, DamageBesideAnOldLogIsNoticed) {
  for (const std::size_t old : {0U, 1U}) {
    restore();
    write_file(logs_[old].first, logs_[old].second);
    write_file(logs_[2].first, with_flipped_bit(logs_[2].second, 5'000));
    const auto store = open();
    ASSERT_TRUE(store);
    EXPECT_NE((*store)->open_report().damage, "");
    EXPECT_EQ(tally(**store, 1, 1 + 2 * kRun).right, 2 * kRun);
  }
}

TEST_F(DamagedStore, FlippedBitsInTablesGiveErrorsNeverWrongRecords) {
  make_tables();
  std::uint64_t noticed = 0;
  for_flipped_bits(".sst", 60, [&] {
    const auto store = open();
    if (!store) {
      EXPECT_EQ(store.error().code, Errc::corrupt_data);
      ++noticed;
      return;
    }
    const ReadTally found = tally(**store, 1, kRecords);
    EXPECT_EQ(found.wrong + found.missing, 0U);
    std::uint64_t walked = 0;
    const auto cursor = (*store)->cursor();
    for (cursor->seek(""); cursor->valid(); cursor->next()) {
      const auto record = cursor->record();
      ++walked;
      ASSERT_EQ(cursor->key().text(), test_key(walked));
      ASSERT_TRUE(record);
      ASSERT_EQ(record->value, test_record(walked).value);
    }
    EXPECT_TRUE(walked == kRecords - 1 || !cursor->status());
    const bool state_damaged = !(*store)->open_report().damage.empty();
    noticed += found.damaged > 0 || !cursor->status() || state_damaged ? 1 : 0;
    EXPECT_TRUE(state_damaged ||
                (*store)->recovered().knowledge.of(Origin{7}).upto == kRecords - 1);
    EXPECT_EQ((*store)->stats().damaged_reads > 0, found.damaged > 0);
  });
  EXPECT_GT(noticed, 30U);  // the others hit what nobody reads: properties, filters
}

TEST_F(DamagedStore, FlippedBitsInTheManifestAndCurrentAreRefusedOrHarmless) {
  make_tables();
  for (const char* part : {"MANIFEST", "CURRENT"}) {
    for_flipped_bits(part, 30, [&] {
      const auto store = open();
      if (!store) {
        EXPECT_EQ(store.error().code, Errc::corrupt_data) << store.error().detail;
        EXPECT_THAT(store.error().detail, HasSubstr("restore the folder from a backup"));
        EXPECT_FALSE(files_like(folder_ / "d/db", ".sst").empty());
        return;
      }
      const ReadTally found = tally(**store, 1, kRecords);
      EXPECT_EQ(found.right, kRecords - 1) << part;
    });
  }
}

TEST_F(DamagedStore, FlippedBitsInOptionsAndIdentityAreHarmless) {
  make_tables();
  for (const char* part : {"OPTIONS", "IDENTITY"}) {
    for_flipped_bits(part, 10, [&] {
      const auto store = open();
      ASSERT_TRUE(store) << store.error().detail;
      EXPECT_EQ(tally(**store, 1, kRecords).right, kRecords - 1);
    });
  }
}

// RocksDB alone would begin a new database and delete what it finds.
TEST_F(DamagedStore, ALostCurrentOrManifestIsRefusedAndNothingDeleted) {
  make_tables();
  for (const char* part : {"CURRENT", "MANIFEST"}) {
    restore();
    for (const auto& path : files_like(folder_ / "d/db", part)) {
      fs::remove(path);
    }
    const auto tables = files_like(folder_ / "d/db", ".sst");
    const auto store = open();
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, Errc::corrupt_data) << store.error().detail;
    EXPECT_EQ(files_like(folder_ / "d/db", ".sst"), tables);
    EXPECT_FALSE(tables.empty());
  }
}

TEST_F(DamagedStore, ALostTableIsRefused) {
  make_tables();
  fs::remove(the_file(".sst"));
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::corrupt_data) << store.error().detail;
}

/// True as soon as a flush or compaction of the store has failed; false if none does for a second.
bool wait_for_background_error(const Store& store) {
  for (int i = 0; i < 200 && store.stats().background_errors == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return store.stats().background_errors > 0;
}

// Compaction reads every byte, finds the damage and stops; RocksDB then takes no more writes.
TEST_F(DamagedStore, DamageThatStopsCompactionEndsWritesNotReads) {
  make_tables();
  const fs::path table = the_file(".sst");
  std::string bytes = read_file(table);
  bytes.replace(100, 8, "destroys");
  write_file(table, bytes);
  for (int tables = 1; tables < kTablesToCompact;
       ++tables) {  // each start makes a table of what the log held
    const auto store = open();
    ASSERT_TRUE(store) << store.error().detail;
    write_records(**store, 1, 5);
  }
  const auto store = open();  // one more: time for a compaction
  ASSERT_TRUE(store) << store.error().detail;
  ASSERT_TRUE(wait_for_background_error(**store));
  ConformanceBatch batch;
  batch.put(test_key(1), test_record(1));
  const auto outcome = (*store)->commit(batch.effects());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::corrupt_data) << outcome.error().detail;
  const ReadTally found = tally(**store, 1, kRecords);
  EXPECT_EQ(found.wrong + found.missing, 0U);
  EXPECT_GT(found.right, 0U);
  EXPECT_GT(found.damaged, 0U);
}

}  // namespace
}  // namespace kvs
