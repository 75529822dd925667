#include "io/store_errors.h"

#include <atomic>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>
#include <sys/mount.h>

#include "io/rocks_options.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

using rocksdb::IOStatus;

/// A log whose syncs fail for want of space, as on file systems that allot late, when told to.
class LogWithoutSpace final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  LogWithoutSpace(std::unique_ptr<rocksdb::FSWritableFile>&& file, const std::atomic<bool>& full)
      : FSWritableFileOwnerWrapper(std::move(file)), full_(full) {}

  IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    return full_ ? IOStatus::NoSpace("While fdatasync: 000004.log", "No space left on device")
                 : FSWritableFileOwnerWrapper::Sync(options, context);
  }

 private:
  const std::atomic<bool>& full_;
};

class DiskWithoutSpace final : public rocksdb::FileSystemWrapper {
 public:
  explicit DiskWithoutSpace(const std::atomic<bool>& full)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), full_(full) {}

  [[nodiscard]] const char* Name() const override { return "DiskWithoutSpace"; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           rocksdb::IODebugContext* context) override {
    IOStatus status = FileSystemWrapper::NewWritableFile(name, options, result, context);
    if (status.ok() && name.ends_with(".log")) {
      *result = std::make_unique<LogWithoutSpace>(std::move(*result), full_);
    }
    return status;
  }

 private:
  const std::atomic<bool>& full_;
};

rocksdb::Status put(rocksdb::DB& database, const std::string& value) {
  rocksdb::WriteOptions options;
  options.sync = true;
  return database.Put(options, "key", value);
}

std::unique_ptr<rocksdb::DB> open(const std::string& path, rocksdb::Env* env) {
  rocksdb::Options options = rocks_options(1U << 20U);
  options.create_if_missing = true;
  options.env = env;
  rocksdb::DB* database = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path, &database);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return std::unique_ptr<rocksdb::DB>(database);
}

TEST(StoreErrors, OfASyncWithoutSpaceNobodyKnowsWhatItLeft) {
  const TemporaryFolder folder;
  std::atomic<bool> full = false;
  const auto env = rocksdb::NewCompositeEnv(std::make_shared<DiskWithoutSpace>(full));
  {
    const auto database = open(folder / "db", env.get());
    ASSERT_TRUE(put(*database, "old").ok());
    full = true;
    const rocksdb::Status failed = put(*database, "new");
    ASSERT_TRUE(failed.IsNoSpace()) << failed.ToString();
    EXPECT_EQ(write_error(failed).code, Errc::io_error);
    EXPECT_THAT(write_error(failed).detail, ::testing::HasSubstr("fdatasync"));
    // What has stopped RocksDB before a write began is another matter.
    const rocksdb::Status refused = put(*database, "newer");
    ASSERT_TRUE(refused.IsNoSpace()) << refused.ToString();
    EXPECT_EQ(write_error(refused).code, Errc::disk_full);
  }
  full = false;
  const auto database = open(folder / "db", env.get());
  std::string value;
  ASSERT_TRUE(database->Get(rocksdb::ReadOptions(), "key", &value).ok());
  EXPECT_EQ(value, "new") << "it was in the log: to have told the client of a full disk was wrong";
}

TEST(StoreErrors, AnAppendWithoutSpaceLeavesNothing) {
  const TemporaryFolder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "a small tmpfs cannot be mounted without root's rights";
  }
  {
    const auto database = open(folder / "db", rocksdb::Env::Default());
    ASSERT_TRUE(put(*database, "old").ok());
    const rocksdb::Status failed = put(*database, std::string(std::size_t{2} << 20U, 'x'));
    EXPECT_TRUE(failed.IsNoSpace()) << failed.ToString();
    EXPECT_EQ(write_error(failed).code, Errc::disk_full) << failed.ToString();
  }
  EXPECT_EQ(::umount(folder.path().c_str()), 0);
}

TEST(StoreErrors, TheOthersAreToldApart) {
  EXPECT_EQ(write_error(rocksdb::Status::Incomplete("Write stall")).code, Errc::overloaded);
  EXPECT_EQ(write_error(rocksdb::Status::Corruption("x")).code, Errc::corrupt_data);
  EXPECT_EQ(write_error(rocksdb::Status::IOError("x")).code, Errc::io_error);
  EXPECT_EQ(read_error(rocksdb::Status::Corruption("x")).code, Errc::corrupt_data);
  EXPECT_EQ(read_error(rocksdb::Status::IOError("x")).code, Errc::io_error);
}

}  // namespace
}  // namespace kvs
