#include "wire/list_page_reader.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kEntryMax = 200;

struct Read {
  std::vector<std::string> entries;
  std::optional<std::string> next;  // nothing if there was an error
};

Read read_in_steps(std::string_view text, std::size_t step) {
  Read read;
  ListPageReader reader(kEntryMax);
  const auto take = [&read](std::string_view entry) -> Result<void> {
    read.entries.emplace_back(entry);
    return {};
  };
  for (; !text.empty(); text.remove_prefix(std::min(step, text.size()))) {
    if (const auto taken = reader.take(text.substr(0, step), take); !taken) {
      return read;
    }
  }
  if (const auto next = reader.finish()) {
    read.next = *next;
  }
  return read;
}

/// What comes of the text, which must not depend on how it is cut.
Read read(std::string_view text) {
  const Read whole = read_in_steps(text, text.size() + 1);
  for (std::size_t step = 1; step <= text.size(); ++step) {
    const Read pieces = read_in_steps(text, step);
    EXPECT_EQ(pieces.entries, whole.entries) << step << ": " << text;
    EXPECT_EQ(pieces.next, whole.next) << step << ": " << text;
  }
  return whole;
}

TEST(ListPageReader, EntriesAndTheCursor) {
  const Read page = read(R"({"path":"users/","entries":[{"name":"john/"},)"
                         R"({"name":"a","data":{"x":[1,{"y":"]}"}]}}],"next":"bWFy"})");
  EXPECT_THAT(page.entries,
              ElementsAre(R"({"name":"john/"})", R"({"name":"a","data":{"x":[1,{"y":"]}"}]}})"));
  EXPECT_EQ(page.next, "bWFy");
}

TEST(ListPageReader, NoEntriesAndTheLastPage) {
  const Read page = read(R"({"path":"","entries":[]})");
  EXPECT_THAT(page.entries, IsEmpty());
  EXPECT_EQ(page.next, "");
}

TEST(ListPageReader, StringsMayHoldAnything) {
  const Read page = read(R"({"path":"[{\"","entries":[{"name":"\\\"}]"},)"
                         R"({"name":"{"}],"next":"\\"})");
  EXPECT_THAT(page.entries, ElementsAre(R"({"name":"\\\"}]"})", R"({"name":"{"})"));
  EXPECT_EQ(page.next, "\\");
}

TEST(ListPageReader, FieldsThatAreNotKnownAreIgnored) {
  const Read page = read(R"({"a":[{"b":1}],"o":{"c":{"d":2}},"entries":[{"name":"x"}],"e":[[]]})");
  EXPECT_THAT(page.entries, ElementsAre(R"({"name":"x"})"));
  EXPECT_EQ(page.next, "");
}

TEST(ListPageReader, WhatIsNoPageIsAnError) {
  for (const char* text : {"", "{}", "[]", "null", R"({"entries":{}})", R"({"entries":[1]})",
                           R"({"entries":[])", R"({"entries":[{"name":"x"})", R"({"entries":[]}})",
                           R"({"entries":[]} x)", R"({"path":"x)", "]]]]", "<html>"}) {
    EXPECT_FALSE(read(text).next) << text;
  }
}

TEST(ListPageReader, WhatTakesTheEntriesMayRefuse) {
  ListPageReader reader(kEntryMax);
  const auto refuse = [](std::string_view /*text*/) -> Result<void> {
    return fail(Errc::disk_full, "enough");
  };
  const auto taken = reader.take(R"({"entries":[{"name":"x"},{"name":"y"}]})", refuse);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().detail, "enough");
}

TEST(ListPageReader, AnEntryWithoutEndIsRefused) {
  ListPageReader reader(kEntryMax);
  const auto take = [](std::string_view /*text*/) -> Result<void> {
    return {};
  };
  ASSERT_TRUE(reader.take(R"({"entries":[{"name":")", take));
  EXPECT_TRUE(reader.take(std::string(100, 'x'), take));
  EXPECT_FALSE(reader.take(std::string(100, 'x'), take));
}

TEST(ListPageReader, OneEntry) {
  const std::string text =
      R"({"name":"a\u00e9","uuid":"u","timestamp":5,"expires":8,"more":{},"data": {"x": 1} })";
  const auto key = parse_listed_entry(text);
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->is_key());
  EXPECT_EQ(key->name, "a\u00e9");
  EXPECT_EQ(key->uuid, "u");
  EXPECT_EQ(key->timestamp_ms, 5);
  EXPECT_EQ(key->expires_ms, 8);
  EXPECT_EQ(key->data, R"( {"x": 1} )");
  const auto folder = parse_listed_entry(R"({"name":"a/"})");
  ASSERT_TRUE(folder);
  EXPECT_FALSE(folder->is_key());
  for (const char* none : {"", "{}", "[]", R"({"name":1})", R"({"name":""})", R"({"uuid":"u"})"}) {
    EXPECT_FALSE(parse_listed_entry(none)) << none;
  }
}

}  // namespace
}  // namespace kvs
