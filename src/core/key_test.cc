#include "core/key.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/prng.h"

namespace kvs {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kBytesMax = 1024;

Result<Key> parse(std::string_view text) {
  return Key::parse(text, kBytesMax);
}

TEST(Key, IsTheTextItWasMadeOf) {
  for (const char* text : {"a", "users/john/profile", "a b", "_ts:1:x", "...", ".a", "a.",
                           "..a/b..", "\xc3\xa4/\xe2\x82\xac", "%2F", "a\\b", "\xf4\x8f\xbf\xbf",
                           "~", "0", " ", "\xc2\x80", "\xef\xbb\xbf"}) {
    const auto key = parse(text);
    ASSERT_TRUE(key) << text << ": " << key.error().detail;
    EXPECT_EQ(key->text(), text);
  }
}

TEST(Key, RefusesWhatNamesNothing) {
  for (const char* text : {"", "/", "//", "/a", "a/", "a//b", "a/b/", ".", "..", "./a", "../a",
                           "a/.", "a/..", "a/./b", "a/../b"}) {
    const auto key = parse(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().code, Errc::invalid_key) << text;
    EXPECT_FALSE(key.error().detail.empty());
  }
}

TEST(Key, RefusesControlCharacters) {
  for (unsigned c = 0; c < 0x80; ++c) {
    const std::string text = std::string("a") + static_cast<char>(c) + "b";
    const bool control = c < 0x20 || c == 0x7f;
    EXPECT_EQ(parse(text).has_value(), !control) << c;
  }
}

TEST(Key, RefusesWhatIsNotUtf8) {
  for (const char* text : {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf",
                           "\xe2\x82", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xff", "\xe2\x82/\xac"}) {
    const auto key = parse(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().code, Errc::invalid_key);
  }
}

TEST(Key, SaysWhereAndWhat) {
  EXPECT_THAT(parse("ab\x01").error().detail, HasSubstr("0x01 at offset 2"));
  EXPECT_THAT(parse("a\xc3(").error().detail, HasSubstr("0xc3 at offset 1"));
  EXPECT_THAT(parse("a//b").error().detail, HasSubstr("empty segment"));
  EXPECT_THAT(parse("a/..").error().detail, HasSubstr("`..`"));
}

TEST(Key, HasALimitInBytes) {
  EXPECT_TRUE(parse(std::string(kBytesMax, 'k')));
  const auto key = parse(std::string(kBytesMax + 1, 'k'));
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, Errc::key_too_large);
  EXPECT_THAT(key.error().detail, HasSubstr("1025"));
  EXPECT_THAT(key.error().detail, HasSubstr("1024"));
  EXPECT_TRUE(Key::parse("\xc3\xa4", 2));
  EXPECT_EQ(Key::parse("\xc3\xa4x", 2).error().code, Errc::key_too_large);
}

TEST(Key, OrderIsThatOfBytes) {
  const std::vector<std::string> ordered{
      "A", "a", "a b", "a!", "a-b", "a/b", "a0", "\xc3\xa4", "\xf0\x9f\x98\x80"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      EXPECT_EQ(Key::from_store(ordered[i]) <=> Key::from_store(ordered[j]), i <=> j)
          << ordered[i] << " " << ordered[j];
    }
  }
}

bool in_range(const KeyRange& range, std::string_view text) {
  return text >= range.begin && (range.end.empty() || text < range.end);
}

TEST(Key, KeysBelowAPathAreOneRange) {
  const KeyRange range = keys_below("a/b");
  EXPECT_EQ(range.begin, "a/b/");
  for (const char* text : {"a/b/c", "a/b/c/d", "a/b/\xf4\x8f\xbf\xbf", "a/b/ "}) {
    EXPECT_TRUE(in_range(range, text)) << text;
  }
  for (const char* text :
       {"a", "a/b", "a/b!", "a/b-/c", "a/b.", "a/b0", "a/bb/c", "a/c", "b/b/c"}) {
    EXPECT_FALSE(in_range(range, text)) << text;
  }
}

TEST(Key, EveryKeyIsBelowTheRoot) {
  const KeyRange range = keys_below("");
  for (const char* text : {" ", "a", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(in_range(range, text));
  }
}

std::string random_text(Prng& prng) {
  static constexpr std::string_view kBytes = "a/b.0- !";
  std::string text;
  for (std::uint64_t i = prng.below(8); i > 0; --i) {
    text.push_back(kBytes[prng.below(kBytes.size())]);
  }
  return text;
}

TEST(Key, RangesHoldExactlyWhatBeginsWithThePath) {
  Prng prng(1);
  for (int round = 0; round < 20'000; ++round) {
    const std::string path = random_text(prng);
    const std::string text = random_text(prng);
    if (!parse(path) || !parse(text)) {
      continue;
    }
    const bool below = text.starts_with(path + "/");
    EXPECT_EQ(in_range(keys_below(path), text), below) << path << " | " << text;
    if (below) {
      EXPECT_LT(text, past_subtree(path));
    } else if (text > path + "/") {
      EXPECT_GE(text, past_subtree(path)) << path << " | " << text;
    }
  }
}

}  // namespace
}  // namespace kvs
