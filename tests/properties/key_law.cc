// Keys are ordered by their bytes, and what lies below a path is one range of that order.
#include <algorithm>
#include <ranges>
#include <string>

#include <gtest/gtest.h>

#include "core/key.h"
#include "properties/generators.h"

namespace kvs {
namespace {

constexpr std::size_t kBytesMax = 64;

bool is_key(std::string_view text) {
  return Key::parse(text, kBytesMax).has_value();
}

bool in_range(const KeyRange& range, std::string_view text) {
  return text >= range.begin && (range.end.empty() || text < range.end);
}

TEST(law_key, OnlyNonEmptySegmentsThatNameAPlace) {
  EXPECT_TRUE(rc::check([] {
    const std::string text = *path_texts();
    const bool sound = std::ranges::none_of(std::views::split(text, '/'), [](auto&& part) {
      const std::string_view segment(part.begin(), part.end());
      return segment.empty() || segment == "." || segment == "..";
    });
    RC_ASSERT(is_key(text) == (sound && !text.empty() && text.size() <= kBytesMax));
  }));
}

TEST(law_key, AKeyOfKeysIsAKey) {
  EXPECT_TRUE(rc::check([] {
    const std::string a = *path_texts();
    const std::string b = *path_texts();
    RC_PRE(a.size() + b.size() < kBytesMax);
    RC_ASSERT(is_key(a + "/" + b) == (is_key(a) && is_key(b)));
  }));
}

TEST(law_key, TheRangeBelowAPathHoldsExactlyWhatBeginsWithIt) {
  EXPECT_TRUE(rc::check([] {
    const std::string path = *path_texts();
    const std::string text = *rc::gen::oneOf(
        path_texts(),
        rc::gen::map(path_texts(), [path](const std::string& rest) { return path + "/" + rest; }));
    RC_PRE(is_key(path) && is_key(text));
    RC_ASSERT(in_range(keys_below(path), text) == text.starts_with(path + "/"));
    RC_ASSERT(in_range(keys_below(""), text));
  }));
}

TEST(law_key, NothingLiesBetweenASubtreeAndWhatIsPastIt) {
  EXPECT_TRUE(rc::check([] {
    const std::string path = *path_texts();
    const std::string text = *path_texts();
    RC_PRE(is_key(path) && is_key(text) && text > path + "/");
    RC_ASSERT(text.starts_with(path + "/") == (text < past_subtree(path)));
  }));
}

TEST(law_key, AnyBytesAreParsedOrRefusedWithASentence) {
  EXPECT_TRUE(rc::check([] {
    const auto text = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    const auto key = Key::parse(text, kBytesMax);
    RC_ASSERT((key ? key->text() == text : !key.error().detail.empty()));
  }));
}

}  // namespace
}  // namespace kvs
