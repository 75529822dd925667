#include "io/data_folder.h"

#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/store_files.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Error error_of(const std::string& path) {
  const auto folder = DataFolder::open(path);
  EXPECT_FALSE(folder);
  return folder ? Error{} : folder.error();
}

/// Without root's rights, while it lives.
class WithoutRoot {
 public:
  WithoutRoot() {
    constexpr uid_t kNobody = 65534;
    dropped_ = ::geteuid() != 0 || ::seteuid(kNobody) == 0;
  }

  WithoutRoot(const WithoutRoot&) = delete;
  WithoutRoot& operator=(const WithoutRoot&) = delete;

  ~WithoutRoot() {
    if (::getuid() == 0 && ::seteuid(0) != 0) {
      ADD_FAILURE() << "root's rights are lost";
    }
  }

  [[nodiscard]] bool dropped() const { return dropped_; }

 private:
  bool dropped_ = false;
};

TEST(DataFolder, IsMadeOnceAndRecognisedAfterwards) {
  const TemporaryFolder place;
  {
    const auto folder = DataFolder::open(place / "d");
    ASSERT_TRUE(folder);
    EXPECT_TRUE(folder->created());
    EXPECT_EQ(folder->path(), place / "d");
  }
  struct stat status{};
  ASSERT_EQ(::stat((place / "d").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0007U, 0U) << "others must not read the data";
  EXPECT_EQ(read_file(place / "d/FORMAT"), "kvs data folder, format 1\n");
  const auto again = DataFolder::open(place / "d");
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->created());
}

TEST(DataFolder, AnEmptyFolderWillDo) {
  const TemporaryFolder place;
  fs::create_directory(place / "d");
  fs::create_directory(place / "d/lost+found");
  EXPECT_TRUE(DataFolder::open(place / "d"));
}

TEST(DataFolder, IsHeldByOneProcess) {
  const TemporaryFolder place;
  auto first = std::optional(DataFolder::open(place / "d"));
  ASSERT_TRUE(*first);
  const Error error = error_of(place / "d");
  EXPECT_EQ(error.code, Errc::data_dir_unusable);
  EXPECT_THAT(error.detail, HasSubstr(fmt::format("in use by process {};", ::getpid())));
  first.reset();
  EXPECT_TRUE(DataFolder::open(place / "d"));
}

TEST(DataFolder, ANewerFormatIsRefusedAndNothingTouched) {
  const TemporaryFolder place;
  fs::create_directory(place / "d");
  write_file(place / "d/FORMAT", "kvs data folder, format 2\n");
  const Error error = error_of(place / "d");
  EXPECT_EQ(error.code, Errc::format_too_new);
  EXPECT_THAT(error.detail, HasSubstr("format 2"));
  EXPECT_THAT(error.detail, HasSubstr("start a newer kvs"));
  EXPECT_EQ(files_like(place / "d", "").size(), 1U);
}

TEST(DataFolder, AFormatThatSaysNothingIsRefused) {
  for (const char* text : {"", "format 1", "kvs data folder, format ", "kvs data folder, format x",
                           "kvs data folder, format 0", "kvs data folder, format 99999999999"}) {
    const TemporaryFolder place;
    fs::create_directory(place / "d");
    write_file(place / "d/FORMAT", text);
    EXPECT_EQ(error_of(place / "d").code, Errc::data_dir_unusable) << text;
    EXPECT_EQ(read_file(place / "d/FORMAT"), text);
  }
}

TEST(DataFolder, SomebodyElsesFolderIsRefusedAndNothingTouched) {
  const TemporaryFolder place;
  fs::create_directory(place / "d");
  write_file(place / "d/thesis.txt", "do not touch");
  const Error error = error_of(place / "d");
  EXPECT_EQ(error.code, Errc::data_dir_unusable);
  EXPECT_THAT(error.detail, HasSubstr("holds thesis.txt"));
  EXPECT_EQ(files_like(place / "d", "").size(), 1U);
}

TEST(DataFolder, AFirstStartThatWasInterruptedIsRepeated) {
  const TemporaryFolder place;
  fs::create_directory(place / "d");
  write_file(place / "d/LOCK", "123");
  write_file(place / "d/FORMAT.new", "kvs da");
  const auto folder = DataFolder::open(place / "d");
  ASSERT_TRUE(folder);
  EXPECT_TRUE(folder->created());
}

TEST(DataFolder, AFileOrAnAbsentParentIsRefused) {
  const TemporaryFolder place;
  write_file(place / "file", "");
  EXPECT_EQ(error_of(place / "file").code, Errc::data_dir_unusable);
  EXPECT_EQ(error_of(place / "no/such").code, Errc::data_dir_unusable);
  EXPECT_THAT(error_of(place / "no/such").detail, HasSubstr("make its parent folder"));
}

TEST(DataFolder, WithoutRightsItSaysSo) {
  const TemporaryFolder place;
  fs::create_directory(place / "closed");
  ASSERT_TRUE(DataFolder::open(place / "ours"));
  fs::permissions(place.path(), fs::perms::owner_all | fs::perms::others_exec);
  fs::permissions(place / "ours", fs::perms::owner_read | fs::perms::owner_exec |
                                      fs::perms::others_read | fs::perms::others_exec);
  fs::permissions(place / "closed", fs::perms::none);
  const WithoutRoot rights;
  if (!rights.dropped()) {
    GTEST_SKIP() << "root's rights cannot be dropped here";
  }
  for (const char* name : {"closed", "ours", "new"}) {
    const Error error = error_of(place / name);
    EXPECT_EQ(error.code, Errc::data_dir_unusable) << name;
    EXPECT_THAT(error.detail, HasSubstr("Permission denied")) << name;
  }
}

TEST(DataFolder, AParentThatMayNotBeListedWillDo) {
  const TemporaryFolder place;
  fs::create_directory(place / "d");
  fs::permissions(place / "d", fs::perms::all);
  // Whether this test's user is its owner or, without root's rights, of its group.
  fs::permissions(place.path(),
                  fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec);
  {
    const WithoutRoot rights;
    if (!rights.dropped()) {
      GTEST_SKIP() << "root's rights cannot be dropped here";
    }
    ASSERT_NE(::eaccess(place.path().c_str(), R_OK), 0);
    const auto folder = DataFolder::open(place / "d");
    EXPECT_TRUE(folder) << folder.error().detail;
  }
  fs::permissions(place.path(), fs::perms::owner_all);
}

TEST(DataFolder, TheSameDamagedLogsAreKeptOnce) {
  const TemporaryFolder place;
  auto folder = DataFolder::open(place / "d");
  ASSERT_TRUE(folder);
  const fs::path database = folder->database_path();
  fs::create_directory(database);
  write_file(database / "000007.log", "damaged");
  write_file(database / "000009.log", "sound");
  const std::string first = folder->keep_logs(WallTime{1000}).value();
  EXPECT_EQ(folder->keep_logs(WallTime{2000}).value(), first) << "links to the same files";
  fs::remove(database / "000007.log");
  write_file(database / "000007.log", "damaged");
  write_file(database / "000010.log", "");  // a start that failed left it
  EXPECT_EQ(folder->keep_logs(WallTime{3000}).value(), first) << "other files, the same bytes";
  for (const char* bytes : {"Damaged", "damage"}) {
    fs::remove(database / "000007.log");
    write_file(database / "000007.log", bytes);
    EXPECT_NE(folder->keep_logs(WallTime{4000 + bytes[0]}).value(), first) << bytes;
  }
  fs::remove(database / "000009.log");
  EXPECT_EQ(folder->keep_logs(WallTime{5000}).value(), place / "d/damaged-5000");
  EXPECT_EQ(files_like(place / "d", "damaged-").size(), 4U) << "none of them is ever deleted";
  EXPECT_EQ(read_file(first + "/000007.log"), "damaged");
}

TEST(DataFolder, DamageIsRememberedUntilForgotten) {
  const TemporaryFolder place;
  std::string copy;
  {
    auto folder = DataFolder::open(place / "d");
    ASSERT_TRUE(folder);
    EXPECT_FALSE(folder->marked_damaged());
    fs::create_directory(folder->database_path());
    write_file(folder->database_path() + "/000007.log", "damaged");
    write_file(folder->database_path() + "/LOG", "not a log of writes");
    copy = folder->keep_logs(WallTime{1234}).value();
    fs::remove(folder->database_path() + "/000007.log");
  }
  EXPECT_EQ(copy, place / "d/damaged-1234");
  EXPECT_EQ(read_file(copy + "/000007.log"), "damaged");
  EXPECT_EQ(files_like(copy, "").size(), 1U);
  auto folder = DataFolder::open(place / "d");
  ASSERT_TRUE(folder);
  EXPECT_TRUE(folder->marked_damaged());
  EXPECT_TRUE(folder->forget_damage());
  EXPECT_FALSE(folder->marked_damaged());
  EXPECT_TRUE(folder->forget_damage());
}

TEST(DataFolder, TellsWhatIsFree) {
  const TemporaryFolder place;
  const auto folder = DataFolder::open(place / "d");
  ASSERT_TRUE(folder);
  EXPECT_GT(folder->free_bytes(), 0U);
}

}  // namespace
}  // namespace kvs
