#include "io/file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temporary_folder.h"

namespace kvs {
namespace {

using ::testing::HasSubstr;

std::string read(const std::string& path) {
  auto text = read_file(path, 1 << 20);
  EXPECT_TRUE(text) << text.error().detail;
  return text ? *text : "";
}

std::size_t entries(const TemporaryFolder& folder) {
  const std::filesystem::directory_iterator all(folder.path());
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(File, CreatesAndReads) {
  const TemporaryFolder folder;
  const std::string text("line\n\0\xFF", 7);
  const auto created = create_file(folder / "a", text);
  ASSERT_TRUE(created) << created.error().detail;
  EXPECT_EQ(*created, FileCreation::created);
  EXPECT_EQ(read(folder / "a"), text);
  EXPECT_EQ(entries(folder), 1U);
  struct stat status{};
  ASSERT_EQ(::stat((folder / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
}

TEST(File, LeavesWhatIsThere) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a") << "old";
  const auto created = create_file(folder / "a", "new");
  ASSERT_TRUE(created);
  EXPECT_EQ(*created, FileCreation::existed);
  EXPECT_EQ(read(folder / "a"), "old");
  EXPECT_EQ(entries(folder), 1U);
}

TEST(File, LeavesADanglingLinkAndAFolder) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("nowhere", folder / "link");
  std::filesystem::create_directory(folder / "folder");
  for (const auto* name : {"link", "folder"}) {
    const auto created = create_file(folder / name, "new");
    ASSERT_TRUE(created);
    EXPECT_EQ(*created, FileCreation::existed);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "nowhere"));
}

TEST(File, OneOfManyCreatorsWins) {
  const TemporaryFolder folder;
  constexpr int kCreators = 8;
  std::vector<int> created(kCreators);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kCreators; ++i) {
      threads.emplace_back([&, i] {
        const auto result = create_file(folder / "a", std::to_string(i));
        created[static_cast<std::size_t>(i)] = result && *result == FileCreation::created ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(std::ranges::count(created, 1), 1);
  const auto winner = std::ranges::find(created, 1) - created.begin();
  EXPECT_EQ(read(folder / "a"), std::to_string(winner));
  EXPECT_EQ(entries(folder), 1U);
}

TEST(File, SaysWhyItCannotBeCreated) {
  const TemporaryFolder folder;
  const auto created = create_file(folder / "absent/a", "new");
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, Errc::io_error);
  EXPECT_EQ(created.error().detail,
            "cannot write " + (folder / "absent/a") + ": No such file or directory");
  EXPECT_EQ(entries(folder), 0U);
}

TEST(File, SaysWhyItCannotBeRead) {
  const TemporaryFolder folder;
  const auto absent = read_file(folder / "a", 10);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().detail, "cannot read " + (folder / "a") + ": No such file or directory");
  const auto is_folder = read_file(folder.path(), 10);
  ASSERT_FALSE(is_folder);
  EXPECT_THAT(is_folder.error().detail, HasSubstr("Is a directory"));
}

TEST(File, ReadsAsMuchAsAllowedAndNoMore) {
  const TemporaryFolder folder;
  ASSERT_TRUE(create_file(folder / "a", "12345"));
  EXPECT_TRUE(read_file(folder / "a", 5));
  const auto longer = read_file(folder / "a", 4);
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error().detail, HasSubstr("more than 4 bytes"));
  EXPECT_FALSE(read_file("/dev/zero", 100'000));
  EXPECT_EQ(read("/dev/null"), "");
}

}  // namespace
}  // namespace kvs
