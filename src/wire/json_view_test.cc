#include "wire/json_view.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/json.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::vector<std::pair<std::string, std::string>> members_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> found;
  JsonMembers members(text);
  while (auto member = members.next()) {
    found.emplace_back(member->name, member->value);
  }
  EXPECT_FALSE(members.next());
  return found;
}

std::vector<std::string> elements_of(std::string_view text) {
  std::vector<std::string> found;
  JsonElements elements(text);
  while (const auto element = elements.next()) {
    found.emplace_back(*element);
  }
  return found;
}

TEST(JsonView, AWalkTakesWhatStandsThereInItsOrder) {
  JsonWalk walk(R"( [ "a\\\"]" ,{"x":[1,{}]} , -1.5e3 ])");
  EXPECT_FALSE(walk.take('{'));
  EXPECT_TRUE(walk.take('['));
  EXPECT_EQ(walk.take_value(), R"("a\\\"]")");
  EXPECT_TRUE(walk.take(','));
  EXPECT_EQ(walk.take_value(), R"({"x":[1,{}]})");
  EXPECT_TRUE(walk.take(','));
  EXPECT_EQ(walk.take_value(), "-1.5e3");
  EXPECT_FALSE(walk.take_value());
  EXPECT_TRUE(walk.take(']'));
  EXPECT_FALSE(walk.take(']'));
  EXPECT_FALSE(walk.take_value());
  for (const char* text : {"", " ", "\"", "\"a\\", "[1", "{\"a\":\"}"}) {
    EXPECT_FALSE(JsonWalk(text).take_value()) << text;
  }
}

TEST(JsonView, UnquotesOntoTheEnd) {
  std::string text = "a/";
  EXPECT_TRUE(append_unquoted(R"("b\n\u00e4")", text));
  EXPECT_EQ(text, "a/b\n\xc3\xa4");
  for (const char* none : {"", "b", "\"b", "1", "\"\\x\"", "\"a\"b\""}) {
    EXPECT_FALSE(append_unquoted(none, text)) << none;
  }
}

TEST(JsonView, MembersWithTheirValuesAsTheyStand) {
  EXPECT_THAT(
      members_of(R"( { "a" : 1 ,"b":{"x":"}\"]","y":[1, 2]},"":"q\"u","n":null, "d":[{},[ ]] } )"),
      ElementsAre(Pair("a", "1"), Pair("b", R"({"x":"}\"]","y":[1, 2]})"), Pair("", R"("q\"u")"),
                  Pair("n", "null"), Pair("d", "[{},[ ]]")));
  EXPECT_THAT(members_of("{}"), IsEmpty());
  EXPECT_THAT(members_of(" { } "), IsEmpty());
}

TEST(JsonView, BlanksAroundAValueAreThereForWhoAsks) {
  JsonMembers members("{\"a\": 1\n,\"b\":\t[ ] }");
  const auto first = members.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->value, "1");
  EXPECT_EQ(first->raw, " 1\n");
  const auto second = members.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->raw, "\t[ ] ");
}

TEST(JsonView, NamesAreUnescaped) {
  EXPECT_THAT(members_of(R"({"a\u00e9\n":true})"), ElementsAre(Pair("a\u00e9\n", "true")));
}

TEST(JsonView, Elements) {
  EXPECT_THAT(elements_of(R"([ 1,"a,b" , [2,3],{"c":4} ])"),
              ElementsAre("1", R"("a,b")", "[2,3]", R"({"c":4})"));
  EXPECT_THAT(elements_of("[]"), IsEmpty());
}

TEST(JsonView, WhatIsNoObjectOrArrayHasNoParts) {
  for (const char* text : {"", " ", "[", "{", "[]", "1", "\"{}\"", "{1:2}", "{\"a\"}", "{\"a\":}",
                           "{\"a\":\"", "{\"a\":{", "{\"\\x\":1}", "{:", "}"}) {
    EXPECT_THAT(members_of(text), IsEmpty()) << text;
  }
  for (const char* text : {"", "{}", "[", "]", "[,", "[\"", "[[1", "1"}) {
    EXPECT_THAT(elements_of(text), IsEmpty()) << text;
  }
}

TEST(JsonView, ACutObjectIsNotClosed) {
  const auto closed = [](std::string_view text) {
    JsonMembers members(text);
    while (members.next()) {
    }
    return members.closed();
  };
  for (const char* text : {"{}", " { } ", R"({"a":1})", R"( {"a":{"b":"}"}, "c":[2] } )"}) {
    EXPECT_TRUE(closed(text)) << text;
  }
  for (const char* text : {"", "{", R"({"a":1)", R"({"a":1,)", R"({"a":1,})", R"({"a":1}})",
                           R"({"a":1} x)", R"({"a":{"b":1})", R"({"a")", "[]"}) {
    EXPECT_FALSE(closed(text)) << text;
  }
}

TEST(JsonView, StringsAreUnescaped) {
  EXPECT_EQ(json_string(R"("")"), "");
  EXPECT_EQ(json_string(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(json_string(R"("\u0041\u00e9\u20AC\ud83d\ude00.")"), "A\u00e9\u20ac\U0001F600.");
  EXPECT_EQ(json_string(R"("\u0000")"), std::string(1, '\0'));
  EXPECT_EQ(json_string(R"("\ud83dx\ude00\ud83d\u0041")"), "\uFFFDx\uFFFD\uFFFDA");
  for (const char* text : {"", "a", "\"", "\"a", "a\"", "\"a\"b\"", R"("\x")", R"("\u12")",
                           R"("\u12g4")", R"("\")", R"("\u")", R"("\u+123")"}) {
    EXPECT_FALSE(json_string(text)) << text;
  }
}

TEST(JsonView, WhatIsWrittenIsReadBack) {
  std::string every;
  for (int byte = 0; byte < 128; ++byte) {
    every.push_back(static_cast<char>(byte));
  }
  every += "\u00e9\uFFFD\U0001F600";
  std::string written;
  append_json_string(written, every);
  EXPECT_EQ(json_string(written), every);
}

TEST(JsonView, Numbers) {
  EXPECT_EQ(json_integer("0"), 0);
  EXPECT_EQ(json_integer("-12"), -12);
  EXPECT_EQ(json_integer("9223372036854775807"), INT64_MAX);
  for (const char* text : {"", "1.0", "1e3", "9223372036854775808", "\"1\"", "null"}) {
    EXPECT_FALSE(json_integer(text)) << text;
  }
}

TEST(JsonView, OneMember) {
  const std::string_view object = R"({"a":"x","n":5,"a":"y","o":{"n":6}})";
  EXPECT_EQ(json_member(object, "a"), R"("x")");
  EXPECT_EQ(json_string_member(object, "a"), "x");
  EXPECT_EQ(json_integer_member(object, "n"), 5);
  EXPECT_EQ(json_integer_member(json_member(object, "o").value_or(""), "n"), 6);
  EXPECT_FALSE(json_string_member(object, "n"));
  EXPECT_FALSE(json_integer_member(object, "a"));
  EXPECT_FALSE(json_member(object, "z"));
}

}  // namespace
}  // namespace kvs
