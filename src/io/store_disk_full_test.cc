// A disk that fills up and is emptied again: nothing acknowledged is lost, reads go on, and writes
// come back by themselves.

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "io/store.h"
#include "support/store_files.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMiB = std::size_t{1} << 20U;

/// A value that no compression makes smaller.
std::string noise(std::uint64_t seq, std::size_t size) {
  Prng prng(seq);
  std::string bytes(size, '\0');
  for (char& c : bytes) {
    c = static_cast<char>(prng.next());
  }
  return bytes;
}

class FullDisk : public ::testing::Test {
 protected:
  static constexpr std::size_t kDiskMiB = 96;
  static constexpr std::size_t kValueBytes = 8000;

  void SetUp() override {
    fs::create_directory(disk());
    const std::string options = "size=" + std::to_string(kDiskMiB) + "m";
    mounted_ = ::mount("tmpfs", disk().c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (!mounted_) {
      GTEST_SKIP() << "a small tmpfs cannot be mounted without root's rights";
    }
  }

  void TearDown() override {
    store_.reset();
    if (mounted_) {
      EXPECT_EQ(::umount(disk().c_str()), 0);
    }
  }

  [[nodiscard]] std::string disk() const { return place_ / "disk"; }

  Result<void> open() {
    store_.reset();
    auto store = Store::open({.data_dir = disk() + "/d", .cache_bytes = kMiB});
    if (!store) {
      return std::unexpected(store.error());
    }
    store_ = std::move(*store);
    return {};
  }

  Result<void> put_next() {
    const std::uint64_t seq = acknowledged_ + 1;
    ConformanceBatch batch;
    batch.put(test_key(seq), conformance_record(seq, noise(seq, kValueBytes)));
    batch.state().knowledge.push_back({.origin = Origin{7}, .known = {.upto = seq, .beyond = {}}});
    const auto outcome = store_->commit(batch.effects());
    acknowledged_ += outcome ? 1 : 0;
    return outcome;
  }

  Error fill() {
    while (true) {
      const auto outcome = put_next();
      if (!outcome) {
        return outcome.error();
      }
    }
  }

  /// Another program writes `bytes`, or as much as there is room for.
  void others_write(std::size_t bytes) {
    std::ofstream file(disk() + "/ballast", std::ios::binary);
    const std::string piece(64 * 1024, 'x');
    for (std::size_t written = 0; written < bytes && file << piece << std::flush;) {
      written += piece.size();
    }
  }

  void others_delete() { fs::remove(disk() + "/ballast"); }

  void expect_all_there(const Store& store) const {
    for (std::uint64_t seq = 1; seq <= acknowledged_; ++seq) {
      const std::string key = test_key(seq);
      const auto record = store.get(Key::from_store(key));
      ASSERT_TRUE(record && *record) << seq;
      ASSERT_EQ(record->value(), noise(seq, kValueBytes)) << seq;
    }
  }

  TemporaryFolder place_;
  bool mounted_ = false;
  std::unique_ptr<Store> store_;
  std::uint64_t acknowledged_ = 0;
};

TEST_F(FullDisk, WritesAreRefusedReadsGoOnAndItRecovers) {
  others_write(40 * kMiB);
  ASSERT_TRUE(open());
  EXPECT_EQ(fill().code, Errc::disk_full);
  EXPECT_GT(acknowledged_, 100U);
  EXPECT_TRUE(store_->stats().disk_full);
  expect_all_there(*store_);
  others_delete();
  EXPECT_TRUE(put_next());
  EXPECT_FALSE(store_->stats().disk_full);
  expect_all_there(*store_);
}

TEST_F(FullDisk, AKillOnAFullDiskLosesNothing) {
  others_write(40 * kMiB);
  ASSERT_TRUE(open());
  EXPECT_EQ(fill().code, Errc::disk_full);
  copy_folder(disk() + "/d", place_ / "killed");
  const auto killed = Store::open({.data_dir = place_ / "killed"});
  ASSERT_TRUE(killed) << killed.error().detail;
  EXPECT_EQ((*killed)->open_report().damage, "");
  EXPECT_FALSE((*killed)->open_report().torn_tail);
  EXPECT_EQ((*killed)->recovered().knowledge.of(Origin{7}).upto, acknowledged_);
  expect_all_there(**killed);
}

TEST_F(FullDisk, AStartOnAFullDiskServesReads) {
  others_write(40 * kMiB);
  ASSERT_TRUE(open());
  EXPECT_EQ(fill().code, Errc::disk_full);
  ASSERT_TRUE(open());
  expect_all_there(*store_);
  static_cast<void>(fill());
  others_delete();
  EXPECT_TRUE(put_next());
}

TEST_F(FullDisk, WithoutASingleByteLeftNothingIsLost) {
  ASSERT_TRUE(open());
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(put_next());
  }
  others_write(kDiskMiB * kMiB);
  EXPECT_EQ(put_next().error().code, Errc::disk_full);
  expect_all_there(*store_);
  const auto reopened = open();
  ASSERT_FALSE(reopened);
  EXPECT_EQ(reopened.error().code, Errc::disk_full);
  EXPECT_THAT(reopened.error().detail, ::testing::HasSubstr("are needed to start"));
  others_delete();
  ASSERT_TRUE(open());
  EXPECT_EQ(store_->open_report().damage, "");
  expect_all_there(*store_);
  EXPECT_TRUE(put_next());
}

}  // namespace
}  // namespace kvs
