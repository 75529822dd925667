#include "app/yaml_entries.h"

#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string show(const YamlValue& value) {
  static const std::map<YamlKind, std::string> kNames = {{YamlKind::none, "none"},
                                                         {YamlKind::plain, "plain"},
                                                         {YamlKind::quoted, "quoted"},
                                                         {YamlKind::list, "list"},
                                                         {YamlKind::other, "other"}};
  return fmt::format("{}({})@{}", kNames.at(value.kind), value.text, value.line);
}

/// Every entry and problem, one text each.
std::vector<std::string> read(std::string_view text) {
  const YamlEntries result = read_yaml_entries(text);
  std::vector<std::string> all;
  for (const auto& entry : result.entries) {
    std::string shown = fmt::format("{}@{} = {}", entry.key, entry.line, show(entry.value));
    for (const auto& item : entry.items) {
      shown += " " + show(item);
    }
    all.push_back(shown);
  }
  for (const auto& problem : result.problems) {
    all.push_back(fmt::format("problem@{}: {}", problem.line, problem.text));
  }
  return all;
}

TEST(YamlEntries, ReadsValuesWithTheirLines) {
  EXPECT_THAT(read("# comment\na: 1\n\n'b': \"two\" # more\nc:\nd: ~\ne: |\n  block\n"),
              ElementsAre("a@2 = plain(1)@2", "b@4 = quoted(two)@4", "c@5 = none()@5",
                          "d@6 = none()@6", "e@7 = quoted(block\n)@7"));
}

TEST(YamlEntries, ReadsLists) {
  EXPECT_THAT(read("a: [x, 'y']\nb:\n- p\n- q\nc: []\n"),
              ElementsAre("a@1 = list()@1 plain(x)@1 quoted(y)@1",
                          "b@2 = list()@3 plain(p)@3 plain(q)@4", "c@5 = list()@5"));
}

TEST(YamlEntries, AnEmptyTextHasNothing) {
  for (const auto* text : {"", "\n\n", "# only a comment\n", "---\n", "---\n...\n", "~",
                           "\xEF\xBB\xBF", "{}", "%YAML 1.2\n---\n"}) {
    EXPECT_THAT(read(text), IsEmpty()) << text;
  }
}

TEST(YamlEntries, TakesWindowsLineEndsAndAByteOrderMark) {
  EXPECT_THAT(read("\xEF\xBB\xBF"
                   "a: 1\r\nb: x\r\n"),
              ElementsAre("a@1 = plain(1)@1", "b@2 = plain(x)@2"));
}

TEST(YamlEntries, NotesWhatAConfigurationHasNoUseFor) {
  EXPECT_THAT(
      read("a: {b: [c]}\nd: &x 1\ne: *x\nf: !!int 2\ng: [[h], {i: j}, *x]\nk: 3\n"),
      ElementsAre("a@1 = other(a map)@1", "d@2 = other(a value with an anchor or a tag)@2",
                  "e@3 = other(an alias)@3", "f@4 = other(a value with an anchor or a tag)@4",
                  "g@5 = list()@5 other(a list)@5 other(a map)@5 other(an alias)@5",
                  "k@6 = plain(3)@6"));
}

TEST(YamlEntries, KeepsBothOfTwoEqualKeys) {
  EXPECT_THAT(read("a: 1\na: 2\n"), ElementsAre("a@1 = plain(1)@1", "a@2 = plain(2)@2"));
}

TEST(YamlEntries, RefusesKeysThatAreNoWords) {
  EXPECT_THAT(read("? [a, b]\n: [c, d]\n? {e: f}\n: g\n~: h\ni: 1\n"),
              ElementsAre("i@6 = plain(1)@6", "problem@1: a key must be a word; write `key: value`",
                          "problem@3: a key must be a word; write `key: value`",
                          "problem@5: a key must be a word; write `key: value`"));
}

TEST(YamlEntries, RefusesWhatIsNoMap) {
  for (const auto* text : {"- a\n- b\n", "just text\n", "[a: 1]", "42", "'quoted'", "!!str x"}) {
    EXPECT_THAT(read(text),
                ElementsAre("problem@1: this is not a list of keys; write one `key: value` a line"))
        << text;
  }
}

TEST(YamlEntries, RefusesASecondDocument) {
  EXPECT_THAT(read("a: 1\n---\nb: 2\n---\nc: 3\n"),
              ElementsAre("a@1 = plain(1)@1",
                          "problem@2: this does not belong to the keys above it; indent all keys "
                          "alike, with no `---` between"));
}

TEST(YamlEntries, RefusesWhatIsNotUtf8) {
  EXPECT_THAT(read("a: 1\nb: caf\xE9\n"),
              ElementsAre("problem@2: not UTF-8; save the file as UTF-8"));
  EXPECT_THAT(read(std::string_view("\xFF\xFE"
                                    "a\0:\0",
                                    6)),
              ElementsAre("problem@1: not UTF-8; save the file as UTF-8"));
}

TEST(YamlEntries, RefusesControlCharacters) {
  EXPECT_THAT(read("a: 1\n\nb: \x04\nc: 2\n"),
              ElementsAre("problem@3: a control character (U+0004); remove it"));
  EXPECT_THAT(read(std::string_view("\0", 1)),
              ElementsAre("problem@1: a control character (U+0000); remove it"));
}

TEST(YamlEntries, NamesTheLineOfASyntaxError) {
  for (const auto* text : {"a: 1\nb: [1, 2\n", "a: 1\n  b: 2\n", "a: 1\nb: *nowhere\n",
                           "a: 1\nb: }\n", "a: 1\n\tb: 2\n", "a: 1\nb: @x\n"}) {
    const auto problems = read_yaml_entries(text).problems;
    ASSERT_EQ(problems.size(), 1U) << text;
    EXPECT_THAT(problems[0].text, HasSubstr("not YAML: ")) << text;
    EXPECT_GE(problems[0].line, 2) << text << problems[0].text;
    EXPECT_LE(problems[0].line, 3) << text << problems[0].text;
  }
}

TEST(YamlEntries, AMissingQuoteDoesNotSwallowLines) {
  for (const auto* text : {"a: 'open\nb: 2\n", "a: \"open\nb: 2\n", "a: \"open\\\" \nb: 2\n\"",
                           "a: 'open'' \nb: 2\n", "a: 'two\n  lines'\n"}) {
    const YamlEntries result = read_yaml_entries(text);
    if (!result.problems.empty()) {
      continue;
    }
    ASSERT_EQ(result.entries.size(), 1U) << text;
    EXPECT_EQ(show(result.entries[0].value), "other(a quoted text that does not end on its line)@1")
        << text;
  }
  EXPECT_THAT(read("\xEF\xBB\xBF# \u20ac\r\na: ['\u20ac''', \"\\\"\\\\\", 'b']\n"),
              ElementsAre("a@2 = list()@2 quoted(\u20ac')@2 quoted(\"\\)@2 quoted(b)@2"));
}

TEST(YamlEntries, RefusesTooLongATextUnread) {
  const std::string longest(kYamlBytesMax, '\n');
  EXPECT_THAT(read(longest), IsEmpty());
  EXPECT_THAT(read(longest + "\n"), ElementsAre("problem@0: longer than 1048576 bytes"));
}

TEST(YamlEntries, SurvivesDeepNesting) {
  for (const auto* part : {"[", "{a: ", "- ", "? ", "a: [", "!x ", "&a ", "{", "[[{"}) {
    for (const int count : {400, 600, 20'000}) {
      std::string text = "a: ";
      for (int i = 0; i < count; ++i) {
        text += part;
      }
      const YamlEntries result = read_yaml_entries(text);
      EXPECT_LE(result.entries.size(), 1U) << part;
      EXPECT_FALSE(count > 1000 && result.problems.empty()) << part;
    }
  }
}

TEST(YamlEntries, AnAliasBombStaysSmall) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    text += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 9; ++j) {
      text += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
    }
    text += "]\n";
  }
  const YamlEntries result = read_yaml_entries(text);
  EXPECT_EQ(result.entries.size(), 40U);
  EXPECT_EQ(result.entries.back().items.size(), 9U);
}

TEST(YamlEntries, ProblemsAreFew) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += "? [a]\n: b\n";
  }
  EXPECT_LE(read_yaml_entries(text).problems.size(), 20U);
}

}  // namespace
}  // namespace kvs
