#include "app/console_files.h"

#include <algorithm>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvs {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ConsoleFiles, ThePageAndAllThatItNeeds) {
  const ConsoleFile* const page = find_console_file("");
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->content_type, "text/html; charset=utf-8");
  EXPECT_THAT(std::string(page->bytes), StartsWith("<!doctype html>"));
  for (const std::string_view name : {"main.js", "console.css", "icon.svg"}) {
    EXPECT_THAT(std::string(page->bytes), HasSubstr("\"" + std::string(name) + "\""));
    EXPECT_NE(find_console_file(name), nullptr) << name;
  }
}

TEST(ConsoleFiles, TypesByName) {
  for (const ConsoleFile& file : console_files()) {
    const std::string_view suffix = file.name.substr(file.name.rfind('.') + 1);
    const std::string_view type = file.name.empty() ? "text/html; charset=utf-8"
                                  : suffix == "js"  ? "text/javascript; charset=utf-8"
                                  : suffix == "css" ? "text/css; charset=utf-8"
                                                    : "image/svg+xml";
    EXPECT_EQ(file.content_type, type) << file.name;
  }
}

TEST(ConsoleFiles, EachContentHasATagOfItsOwn) {
  std::set<std::string_view> tags;
  for (const ConsoleFile& file : console_files()) {
    EXPECT_EQ(file.etag.size(), 34U) << file.name;
    EXPECT_TRUE(file.etag.starts_with('"') && file.etag.ends_with('"')) << file.name;
    EXPECT_TRUE(tags.insert(file.etag).second) << file.name;
  }
}

TEST(ConsoleFiles, OrderedAndFoundByName) {
  EXPECT_TRUE(std::ranges::is_sorted(console_files(), {}, &ConsoleFile::name));
  for (const ConsoleFile& file : console_files()) {
    EXPECT_EQ(find_console_file(file.name), &file);
  }
  for (const std::string_view name :
       {"index.html", "none.js", "main.j", "main.jss", "../main.js", "~"}) {
    EXPECT_EQ(find_console_file(name), nullptr) << name;
  }
}

/// Modules name each other by relative paths: each has to be there.
TEST(ConsoleFiles, EveryImportIsThere) {
  constexpr std::string_view kFrom = "from \"./";
  for (const ConsoleFile& file : console_files()) {
    for (std::size_t at = file.bytes.find(kFrom); at != std::string_view::npos;
         at = file.bytes.find(kFrom, at + 1)) {
      const std::size_t begin = at + kFrom.size();
      const std::string_view name = file.bytes.substr(begin, file.bytes.find('"', begin) - begin);
      EXPECT_NE(find_console_file(name), nullptr) << file.name << " imports " << name;
    }
  }
}

}  // namespace
}  // namespace kvs
