#include "app/export_file.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/temporary_folder.h"

namespace kvs {
namespace {

using ::testing::HasSubstr;

class ExportFileTest : public ::testing::Test {
 protected:
  void write(std::string_view text) const { std::ofstream(name_, std::ios::binary) << text; }

  [[nodiscard]] std::string text() const {
    std::ostringstream all;
    all << std::ifstream(name_, std::ios::binary).rdbuf();
    return all.str();
  }

  const TemporaryFolder folder_;
  const std::string name_ = folder_ / "all.jsonl";
};

TEST_F(ExportFileTest, ANewOneIsMade) {
  const auto file = create_export_file(name_);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->last_path, "");
  ASSERT_EQ(::write(file->descriptor.number(), "x", 1), 1);
  EXPECT_TRUE(sync_export_file(*file, name_));
  EXPECT_EQ(text(), "x");
}

TEST_F(ExportFileTest, OneThatIsThereIsNotOverwritten) {
  write("mine");
  const auto file = create_export_file(name_);
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().detail, HasSubstr("is there already: --continue"));
  EXPECT_EQ(text(), "mine");
}

TEST_F(ExportFileTest, ItGoesOnAfterTheLastWholeLine) {
  write("{\"path\":\"a\"}\n{\"path\":\"b/\\u00e9\",\"data\":1}\n{\"path\":\"c\",\"da");
  const auto file = continue_export_file(name_);
  ASSERT_TRUE(file) << file.error().detail;
  EXPECT_EQ(file->last_path, "b/\u00e9");
  ASSERT_EQ(::write(file->descriptor.number(), "more", 4), 4);
  EXPECT_EQ(text(), "{\"path\":\"a\"}\n{\"path\":\"b/\\u00e9\",\"data\":1}\nmore");
}

TEST_F(ExportFileTest, LinesMayBeLong) {
  const std::string first = "{\"path\":\"a\",\"data\":\"" + std::string(200'000, 'x') + "\"}\n";
  write(first + "{\"path\":\"b\",\"data\":\"" + std::string(100'000, 'y'));
  const auto file = continue_export_file(name_);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->last_path, "a");
  EXPECT_EQ(text(), first);
}

TEST_F(ExportFileTest, WhatHoldsNoWholeLineBeginsAnew) {
  for (const char* content : {"", "{\"pa", "{\"path\":\"a\",\"uu"}) {
    write(content);
    const auto file = continue_export_file(name_);
    ASSERT_TRUE(file);
    EXPECT_EQ(file->last_path, "");
    EXPECT_EQ(text(), "");
  }
}

TEST_F(ExportFileTest, WithoutAFileOneIsMade) {
  ASSERT_TRUE(continue_export_file(name_));
  EXPECT_EQ(text(), "");
}

TEST_F(ExportFileTest, SomethingElseIsLeftAlone) {
  for (const char* content :
       {"my diary\n", "\n", "{\"path\":1}\n", "my diary\nand more", "my diary", "{}"}) {
    write(content);
    EXPECT_FALSE(continue_export_file(name_)) << content;
    EXPECT_EQ(text(), content);
  }
  EXPECT_FALSE(create_export_file(folder_ / "no/such"));
  EXPECT_FALSE(continue_export_file(folder_.path()));
}

}  // namespace
}  // namespace kvs
