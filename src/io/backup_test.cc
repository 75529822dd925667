#include "io/backup.h"

#include <filesystem>
#include <functional>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "core/fingerprint.h"
#include "io/restore.h"
#include "support/store_files.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::uint64_t kWrites = 300;

class BackupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    open();
    Effects identity;
    identity.identity = Identity{.instance = 5, .joined_ms = 77, .complete = true};
    identity.roster.emplace();
    identity.roster->emplace_back().node_id = "other";
    ASSERT_TRUE(store_->commit(identity));
    write_records(*store_, 1, kWrites);
    keep_root();
  }

  void open() {
    store_ = Store::open({.data_dir = folder_ / "data", .durability = Durability::os}).value();
  }

  /// As the core does with each batch.
  void keep_root() {
    Effects root;
    root.root.emplace();
    const auto cursor = store_->cursor();
    for (cursor->seek(""); cursor->valid(); cursor->next()) {
      root.root->add(fingerprint_of(cursor->key().text(), cursor->record()->header));
    }
    root.knowledge.push_back({.origin = Origin{9}, .known = {.upto = 1, .beyond = {}}});
    ASSERT_TRUE(store_->commit(root));
  }

  [[nodiscard]] Result<Backup> back_up(const std::string& name) const {
    return take_backup(*store_, {.folder = folder_ / "backups",
                                 .name = name,
                                 .node_id = "n1",
                                 .now = {.ms = 1'764'000'000'000}});
  }

  [[nodiscard]] Result<Restored> restore(std::function<bool()> interrupted = {}) const {
    return restore_backup({.backup = folder_ / "backups/b", .folder = folder_ / "restored"},
                          {.interrupted = std::move(interrupted), .tell = {}});
  }

  [[nodiscard]] std::string file_in_backup(const std::string& part) const {
    return files_like(folder_ / "backups/b/db", part).back();
  }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(BackupTest, HoldsWhatWasCommittedBeforeItAndNothingLater) {
  const auto backup = back_up("b");
  ASSERT_TRUE(backup) << backup.error().detail;
  EXPECT_EQ(backup->path, folder_ / "backups/b");
  write_records(*store_, kWrites, 2 * kWrites);
  const auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_EQ(restored->records, kWrites - 1);
  EXPECT_EQ(restored->tombstones, 0U);
  EXPECT_EQ(restored->note, backup->note);
  const auto copy = Store::open({.data_dir = folder_ / "restored"});
  ASSERT_TRUE(copy) << copy.error().detail;
  EXPECT_EQ((*copy)->open_report().damage, "");
  EXPECT_EQ(tally(**copy, 1, kWrites).right, kWrites - 1);
  EXPECT_EQ(tally(**copy, kWrites, 2 * kWrites).missing, kWrites);
  EXPECT_TRUE((*copy)->recovered().knowledge.covers(Dot{.origin = Origin{9}, .seq = 1}));
}

TEST_F(BackupTest, ARestoredFolderIsAMemberOfItsOwnThatKnowsNobody) {
  ASSERT_TRUE(back_up("b"));
  ASSERT_TRUE(restore());
  const auto copy = Store::open({.data_dir = folder_ / "restored"});
  ASSERT_TRUE(copy);
  const Recovered& recovered = (*copy)->recovered();
  ASSERT_TRUE(recovered.identity);
  EXPECT_NE(recovered.identity->instance, 5U);
  EXPECT_NE(recovered.identity->instance, 0U);
  EXPECT_GT(recovered.identity->joined_ms, 77);
  EXPECT_TRUE(recovered.identity->complete);
  EXPECT_TRUE(recovered.roster.empty());
  EXPECT_TRUE(recovered.root);
}

TEST_F(BackupTest, TablesAreSharedAndStayWhenTheNodeReplacesThem) {
  store_.reset();
  open();  // what was in the log is in a table now
  const auto backup = back_up("b");
  ASSERT_TRUE(backup);
  EXPECT_GT(fs::hard_link_count(file_in_backup(".sst")), 1U);
  store_.reset();
  fs::remove_all(folder_ / "data");
  ASSERT_TRUE(restore());
  EXPECT_EQ(fs::hard_link_count(files_like(folder_ / "restored/db", ".sst").back()), 1U);
}

TEST_F(BackupTest, OneIsNeverReplacedByAnother) {
  ASSERT_TRUE(back_up("b"));
  const std::string before = read_file(fs::path(folder_ / "backups/b/BACKUP"));
  const auto again = back_up("b");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::id_in_use);
  EXPECT_EQ(read_file(fs::path(folder_ / "backups/b/BACKUP")), before);
  EXPECT_TRUE(back_up("c"));
}

TEST_F(BackupTest, WhatWasLeftHalfMadeIsNoBackupAndGoesWithTheNext) {
  const std::string half = folder_ / "backups/.making-x";
  fs::create_directories(half + "/db.tmp");
  write_file(half + "/LOCK", "");
  ASSERT_TRUE(back_up("b"));
  EXPECT_FALSE(fs::exists(half));
  std::size_t entries = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "backups")) {
    EXPECT_EQ(entry.path().filename(), "b");
    ++entries;
  }
  EXPECT_EQ(entries, 1U);
}

TEST_F(BackupTest, AFolderThatCannotBeUsedIsAnErrorAndLeavesNothing) {
  write_file(folder_ / "backups", "");
  const auto at_file = back_up("b");
  ASSERT_FALSE(at_file);
  EXPECT_EQ(at_file.error().code, Errc::invalid_config);
  const auto elsewhere = take_backup(
      *store_, {.folder = "/proc/self/fd", .name = "b", .node_id = "n1", .now = {.ms = 1}});
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, Errc::invalid_config);
  const auto no_parent = take_backup(
      *store_, {.folder = folder_ / "a/b", .name = "b", .node_id = "n1", .now = {.ms = 1}});
  ASSERT_FALSE(no_parent);
  EXPECT_EQ(no_parent.error().code, Errc::invalid_config);
}

TEST_F(BackupTest, ACopyThatIsNotWholeIsRefusedBeforeAnythingIsWritten) {
  ASSERT_TRUE(back_up("b"));
  const std::string log = file_in_backup(".log");
  const std::string whole = read_file(fs::path(log));
  for (const std::string& part :
       {whole.substr(0, whole.size() - 1), with_flipped_bit(whole, 99), std::string()}) {
    write_file(log, part);
    const auto restored = restore();
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, Errc::corrupt_data);
  }
  fs::remove(log);
  EXPECT_THAT(restore().error().detail, HasSubstr("is missing"));
  write_file(log, whole);
  write_file(folder_ / "backups/b/BACKUP", "kvs backup, format 1\n");
  EXPECT_EQ(restore().error().code, Errc::corrupt_data);
  fs::remove(folder_ / "backups/b/BACKUP");
  EXPECT_EQ(restore().error().code, Errc::data_dir_unusable);
  EXPECT_FALSE(fs::exists(folder_ / "restored"));
}

TEST_F(BackupTest, ARecordThatIsDamagedIsFound) {
  store_.reset();
  open();
  ASSERT_TRUE(back_up("b"));
  store_.reset();
  const std::string table = file_in_backup(".sst");
  const std::string whole = read_file(fs::path(table));
  write_file(table, with_flipped_bit(whole, 8 * 100));  // in the first block of data
  const auto restored = restore();
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, Errc::corrupt_data);
  EXPECT_FALSE(Store::open({.data_dir = folder_ / "restored"}));
}

TEST_F(BackupTest, RecordsThatWereNotCountedAreFound) {
  write_records(*store_, kWrites, kWrites + 1);  // without the sum that the core keeps
  ASSERT_TRUE(back_up("b"));
  const auto restored = restore();
  ASSERT_FALSE(restored);
  EXPECT_THAT(restored.error().detail, HasSubstr("not those that were counted"));
}

TEST_F(BackupTest, AnInterruptedRestoreIsNoDataFolderAndCanBeRepeated) {
  ASSERT_TRUE(back_up("b"));
  for (std::uint64_t looks = 0;; ++looks) {
    std::uint64_t left = looks;
    const auto restored = restore([&left] { return left-- == 0; });
    if (restored) {
      EXPECT_GT(looks, 5U);
      break;
    }
    ASSERT_EQ(restored.error().detail, "interrupted");
    if (!fs::exists(folder_ / "restored")) {
      continue;  // the backup was still being looked at
    }
    const auto opened = Store::open({.data_dir = folder_ / "restored"});
    ASSERT_FALSE(opened) << looks;
    EXPECT_THAT(opened.error().detail, HasSubstr("repeat kvs restore"));
  }
  const auto copy = Store::open({.data_dir = folder_ / "restored"});
  ASSERT_TRUE(copy) << copy.error().detail;
  EXPECT_EQ(tally(**copy, 1, kWrites).right, kWrites - 1);
}

TEST_F(BackupTest, ARestoreThatWasKilledAtItsVeryEndIsRepeatedWithoutANewIdentity) {
  const auto backup = back_up("b");
  ASSERT_TRUE(backup);
  ASSERT_TRUE(restore());
  const auto instance_of_copy = [this] {
    const auto copy = Store::open({.data_dir = folder_ / "restored"});
    return copy ? (*copy)->recovered().identity->instance : 0;
  };
  const std::uint64_t instance = instance_of_copy();
  write_file(folder_ / "restored/RESTORING", to_string(backup->note.id) + "\ncopied\n");
  ASSERT_TRUE(restore());
  EXPECT_EQ(instance_of_copy(), instance);
  EXPECT_FALSE(fs::exists(folder_ / "restored/RESTORING"));
}

TEST_F(BackupTest, NothingIsRestoredIntoAFolderThatHoldsAnything) {
  ASSERT_TRUE(back_up("b"));
  ASSERT_TRUE(restore());
  const auto again = restore();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::data_dir_unusable);
  const auto in_use =
      restore_backup({.backup = folder_ / "backups/b", .folder = folder_ / "data"}, {});
  ASSERT_FALSE(in_use);
  EXPECT_THAT(in_use.error().detail, HasSubstr("is in use by process"));
  EXPECT_EQ(tally(*store_, 1, kWrites).right, kWrites - 1);
}

TEST_F(BackupTest, TwoRestoresDoNotMix) {
  ASSERT_TRUE(back_up("b"));
  ASSERT_TRUE(back_up("c"));
  std::uint64_t left = 6;
  ASSERT_FALSE(restore([&left] { return left-- == 0; }));
  ASSERT_TRUE(fs::exists(folder_ / "restored/RESTORING"));
  const auto other =
      restore_backup({.backup = folder_ / "backups/c", .folder = folder_ / "restored"}, {});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().detail, HasSubstr("another backup"));
  EXPECT_TRUE(restore());
}

TEST_F(BackupTest, ABackupIsNoDataFolderItself) {
  ASSERT_TRUE(back_up("b"));
  const auto opened = Store::open({.data_dir = folder_ / "backups/b"});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().detail, HasSubstr("is a backup"));
  fs::remove(folder_ / "backups/b/LOCK");
  EXPECT_TRUE(restore());
}

}  // namespace
}  // namespace kvs
