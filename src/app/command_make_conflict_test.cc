#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/cli.h"
#include "core/merge.h"
#include "io/store.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Ran {
  int exit_code = -1;
  std::string out;
  std::string err;
};

class MakeConflictTest : public ::testing::Test {
 protected:
  static Ran run(const std::vector<std::string>& arguments) {
    std::vector<const char*> argv{"kvs", "make-conflict"};
    for (const std::string& argument : arguments) {
      argv.push_back(argument.c_str());
    }
    const Serve serve = [](const Config& /*config*/, const std::string& /*path*/) {
      return 7;
    };
    Ran ran;
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    ran.exit_code = run_cli(static_cast<int>(argv.size()), argv.data(), serve);
    std::fflush(nullptr);
    ran.out = ::testing::internal::GetCapturedStdout();
    ran.err = ::testing::internal::GetCapturedStderr();
    return ran;
  }

  static std::unique_ptr<Store> open(const std::string& folder) {
    auto store = Store::open({.data_dir = folder});
    EXPECT_TRUE(store) << store.error().detail;
    return store ? *std::move(store) : nullptr;
  }

  static std::size_t count(const Store& store) {
    std::size_t records = 0;
    const auto cursor = store.cursor();
    for (cursor->seek(""); cursor->valid(); cursor->next()) {
      ++records;
    }
    return records;
  }

  const TemporaryFolder folder_;
  const std::string first_ = folder_ / "a";
  const std::string second_ = folder_ / "b";
};

TEST_F(MakeConflictTest, TheRecordsTie) {
  ASSERT_EQ(run({first_, second_, "--keys", "1500"}).exit_code, kExitFine);
  const auto first = open(first_);
  const auto second = open(second_);
  EXPECT_EQ(count(*first), 1500U);
  EXPECT_EQ(count(*second), 1500U);
  const auto cursor = first->cursor();
  for (cursor->seek(""); cursor->valid(); cursor->next()) {
    const auto mine = first->get_record(cursor->key());
    const auto theirs = second->get_record(cursor->key());
    ASSERT_TRUE(mine && *mine && theirs && *theirs);
    const Version& version = (*mine)->header.version;
    EXPECT_EQ(merge(version, (*theirs)->header.version), MergeOutcome::tie);
    EXPECT_NE((*mine)->value, (*theirs)->value);
    EXPECT_THAT((*mine)->value, HasSubstr(R"("writer":"first")"));
    EXPECT_NE(version.dot.origin, (*theirs)->header.version.dot.origin);
    EXPECT_TRUE(first->recovered().knowledge.covers(version.dot));
    EXPECT_FALSE(second->recovered().knowledge.covers(version.dot));
  }
}

TEST_F(MakeConflictTest, EachFolderIsSomebody) {
  ASSERT_EQ(run({first_, second_}).exit_code, kExitFine);
  const auto first = open(first_);
  const auto second = open(second_);
  ASSERT_TRUE(first->recovered().identity && second->recovered().identity);
  EXPECT_NE(first->recovered().identity->instance, second->recovered().identity->instance);
  EXPECT_LT(first->recovered().identity->joined_ms, second->recovered().identity->joined_ms);
  EXPECT_TRUE(first->recovered().root);
  EXPECT_EQ(count(*first), 1U);
  const auto record = first->find(Key::from_store("conflict/1"));
  ASSERT_TRUE(record && *record);
  EXPECT_GE(first->recovered().clock_reserve, (*record)->version.stamp);
}

TEST_F(MakeConflictTest, EmptyFoldersWillDo) {
  std::filesystem::create_directory(first_);
  std::filesystem::create_directory(second_);
  const Ran ran = run({first_, second_});
  EXPECT_EQ(ran.exit_code, kExitFine) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("KVS_DATA_DIR=" + first_), HasSubstr("conflict/1")));
}

TEST_F(MakeConflictTest, FoldersInUseAreLeftAlone) {
  std::filesystem::create_directory(second_);
  std::ofstream(second_ + "/mine") << "x";
  const Ran ran = run({first_, second_});
  EXPECT_EQ(ran.exit_code, kExitFailed);
  EXPECT_EQ(ran.err,
            "kvs: " + second_ + " is not an empty folder; name two that are new or empty\n");
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(first_));
  EXPECT_EQ(run({second_ + "/mine", first_}).exit_code, kExitFailed);
}

TEST_F(MakeConflictTest, TwiceIsTooOften) {
  ASSERT_EQ(run({first_, second_}).exit_code, kExitFine);
  EXPECT_EQ(run({first_, second_}).exit_code, kExitFailed);
}

TEST_F(MakeConflictTest, OneFolderIsNotTwo) {
  const Ran ran = run({first_, folder_ / "./a"});
  EXPECT_EQ(ran.exit_code, kExitFailed);
  EXPECT_EQ(ran.err, "kvs: DIR1 and DIR2 are one folder; name two\n");
  EXPECT_FALSE(std::filesystem::exists(first_));
}

TEST_F(MakeConflictTest, WrongCommandLines) {
  EXPECT_EQ(run({first_}).exit_code, kExitUsage);
  EXPECT_EQ(run({first_, second_, "--keys", "0"}).exit_code, kExitUsage);
  EXPECT_EQ(run({first_, second_, "--keys", "many"}).exit_code, kExitUsage);
  EXPECT_FALSE(std::filesystem::exists(first_));
}

}  // namespace
}  // namespace kvs
