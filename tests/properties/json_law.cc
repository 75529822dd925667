// JSON: what is well made is accepted, a key that stands twice never is, and nothing that is cut
// off.
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/prng.h"
#include "wire/json.h"

namespace kvs {
namespace {

bool accepts(std::string_view text) {
  JsonChecker checker;
  return checker.check(text).has_value();
}

/// Makes texts. RapidCheck chooses the seed and the keys; spelling and nesting follow the seed,
/// which is faster than a choice of its own for each character.
class TextMaker {
 public:
  explicit TextMaker(std::uint64_t seed) : prng_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return prng_.below(bound); }

  /// `text` as a JSON string in which any character may be written as an escape.
  std::string spelt(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
      const bool must_escape = c == '"' || c == '\\' || c == '\n';
      out += must_escape || prng_.chance(1, 3) ? fmt::format("\\u{:04x}", static_cast<unsigned>(c))
                                               : std::string(1, c);
    }
    return out + "\"";
  }

  // NOLINTBEGIN(misc-no-recursion): as deep as `depth`.
  std::string object(const std::vector<std::string>& keys, int depth) {
    std::string out = "{";
    for (const std::string& key : keys) {
      out += (out.size() == 1 ? "" : ",") + blanks() + spelt(key) + blanks() + ":" + value(depth);
    }
    return out + "}";
  }

  /// Any value; no object has a key twice.
  std::string value(int depth) {
    const std::uint64_t kind = depth == 0 ? 0 : prng_.below(3);
    if (kind == 1) {
      return blanks() + object({"", "a", "aa", "a\"", "\n"}, depth - 1) + blanks();
    }
    if (kind == 2) {
      return blanks() + "[" + value(depth - 1) + "," + value(depth - 1) + "]" + blanks();
    }
    return blanks() + scalar() + blanks();
  }

  // NOLINTEND(misc-no-recursion)

 private:
  std::string blanks() {
    constexpr std::array<std::string_view, 5> kBlanks = {"", "", " ", "\n\t", "\r "};
    return std::string(kBlanks[prng_.below(kBlanks.size())]);
  }

  std::string scalar() {
    constexpr std::array<std::string_view, 8> kScalars = {
        "0", "-1.5e+3", "12345678901234567890", "true", "null", "[]", "{}", "\"\\u00e9 \u00e9\""};
    return std::string(kScalars[prng_.below(kScalars.size())]);
  }

  Prng prng_;
};

/// Different words of few letters, so that one is often the front of another.
rc::Gen<std::set<std::string>> key_sets() {
  constexpr int kSize = 15;
  return rc::gen::resize(kSize,
                         rc::gen::container<std::set<std::string>>(rc::gen::container<std::string>(
                             rc::gen::element('a', 'b', '/', '"', '\\', '\n'))));
}

TEST(law_json, WhatIsWellMadeIsAccepted) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) { RC_ASSERT(accepts(TextMaker(seed).value(3))); }));
}

TEST(law_json, AKeyThatStandsTwiceIsRefusedWhereverAndHoweverSpelt) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    const std::set<std::string> set = *key_sets();
    RC_PRE(!set.empty());
    TextMaker maker(seed);
    std::vector<std::string> keys(set.begin(), set.end());
    RC_ASSERT(accepts(maker.object(keys, 1)));

    const std::string twice = keys[maker.below(keys.size())];
    keys.insert(keys.begin() + static_cast<std::ptrdiff_t>(maker.below(keys.size() + 1)), twice);
    const std::string object = maker.object(keys, 1);
    RC_ASSERT(!accepts(object));
    RC_ASSERT(!accepts("[" + maker.value(1) + "," + object + "]"));
    RC_ASSERT(!accepts("{\"outer\":" + object + ",\"other\":" + maker.value(1) + "}"));
  }));
}

TEST(law_json, NoFrontOfAContainerIsWhole) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    TextMaker maker(seed);
    const std::string text = "[" + maker.value(2) + "]";
    RC_ASSERT(!accepts(std::string_view(text).substr(0, maker.below(text.size()))));
  }));
}

TEST(law_json, TheFaultIsWhereItSays) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    TextMaker maker(seed);
    std::string text = "[" + maker.value(2) + "]";
    const std::uint64_t at = maker.below(text.size());
    text[at] = '\x01';  // stands nowhere in a valid text
    JsonChecker checker;
    const Result<void> result = checker.check(text);
    RC_ASSERT(!result.has_value());
    RC_ASSERT(result.error().detail.starts_with(fmt::format("byte {}: ", at)));
  }));
}

TEST(law_json, AnyBytesCanBeWrittenAsAString) {
  EXPECT_TRUE(rc::check([](const std::string& bytes) {
    std::string out;
    append_json_string(out, bytes);
    RC_ASSERT(accepts(out));
  }));
}

}  // namespace
}  // namespace kvs
