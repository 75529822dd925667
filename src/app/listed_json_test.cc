#include "app/listed_json.h"

#include <gtest/gtest.h>

#include "wire/client_calls.h"
#include "wire/record_line.h"

namespace kvs {
namespace {

std::string line_of(std::string_view folder, const ListedEntry& entry) {
  std::string line;
  append_listed_json(line, folder, entry);
  return line;
}

ListedEntry key(std::string name, std::string_view data) {
  return {.name = std::move(name), .uuid = "u-1", .timestamp_ms = 7, .data = data};
}

Errc error_of_line(std::string_view line) {
  const auto record = RecordLineReader(kKeyBytesMax).read(line);
  EXPECT_FALSE(record) << line;
  return record ? Errc::not_found : record.error().code;
}

TEST(ListedJson, Lines) {
  EXPECT_EQ(line_of("users", key("john", R"({"a": 1})")),
            R"({"path":"users/john","uuid":"u-1","timestamp":7,"data":{"a": 1}})");
  EXPECT_EQ(line_of("", key("a\"b", "")), R"({"path":"a\"b","uuid":"u-1","timestamp":7})");
  EXPECT_EQ(line_of("", {.name = "a", .uuid = "u", .timestamp_ms = 7, .expires_ms = 9, .data = {}}),
            R"({"path":"a","uuid":"u","timestamp":7,"expires":9})");
  EXPECT_EQ(line_of("users", {.name = "john/", .uuid = {}, .data = {}}),
            R"({"path":"users/john/"})");
}

TEST(ListedJson, ValuesOfSeveralLinesStayOnOneAndComeBack) {
  const std::string value = "{\r\n\t\"a\" :\n[1,\n\"\\n\"]}\n";
  const std::string line = line_of("x", key("y", value));
  EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos);
  EXPECT_EQ(line, R"({"path":"x/y","uuid":"u-1","timestamp":7,"data":{   "a" : [1, "\n"]},)"
                  R"("text":"{\r\n\t\"a\" :\n[1,\n\"\\n\"]}\n"})");
  const auto record = RecordLineReader(kKeyBytesMax).read(line);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->path, "x/y");
  EXPECT_EQ(record->value, value);
}

TEST(ListedJson, EveryValueComesBackByteForByte) {
  RecordLineReader reader(kKeyBytesMax);
  for (const std::string value :
       {"1", "null", "\"\\u00e9\"", "[ 1 , 2 ]", " 1", "{} ", "\t\"a\"\r\n",
        "{\"path\":\"z\",\"data\":2}", "\"}\\\"\"", "1.50e+1"}) {
    const auto record = reader.read(line_of("a", key("\u00e9 \\", value)));
    ASSERT_TRUE(record) << value;
    EXPECT_EQ(record->value, value);
    EXPECT_EQ(record->path, "a/\u00e9 \\");
  }
}

TEST(ListedJson, TheDeepestValueIsNotTooDeepForItsLine) {
  const std::string deepest = std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']');
  EXPECT_TRUE(RecordLineReader(kKeyBytesMax).read(line_of("", key("a", deepest))));
  EXPECT_EQ(error_of_line(line_of("", key("a", '[' + deepest + ']'))), Errc::invalid_json);
}

TEST(ListedJson, OtherMembersAreIgnored) {
  const auto record =
      RecordLineReader(kKeyBytesMax).read(R"( {"data":[1],"ttl":{"x":2},"path":"a"} )");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->value, "[1]");
}

TEST(ListedJson, WhatIsNoRecordIsRefused) {
  for (const char* line :
       {"", "x", "[]", "{}", R"({"path":"a"})", R"({"data":1})", R"({"path":1,"data":1})",
        R"({"path":"a","data":})", R"({"path":"a","data":x})", R"({"path":"a","data":1)",
        R"({"path":"a","data":12} 3)", R"({"path":"a","data":{"b":1})",
        R"({"path":"a","data":1,"text":"{"})", R"({"path":"a","data":{"k":1,"k":2}})"}) {
    EXPECT_EQ(error_of_line(line), Errc::invalid_json) << line;
  }
  EXPECT_EQ(error_of_line(R"({"path":"a//b","data":1})"), Errc::invalid_key);
  EXPECT_EQ(error_of_line(R"({"path":"","data":1})"), Errc::invalid_key);
  EXPECT_EQ(error_of_line(R"({"path":")" + std::string(4097, 'a') + R"(","data":1})"),
            Errc::key_too_large);
}

}  // namespace
}  // namespace kvs
