#include "wire/url.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace kvs {
namespace {

std::optional<std::string> decoded(std::string_view text, Plus plus = Plus::literal) {
  std::string out;
  return percent_decode(text, out, plus) ? std::optional(out) : std::nullopt;
}

TEST(PercentDecode, PlainAndEscaped) {
  EXPECT_EQ(decoded(""), "");
  EXPECT_EQ(decoded("a/b"), "a/b");
  EXPECT_EQ(decoded("a%2Fb%2fc%25"), "a/b/c%");
  EXPECT_EQ(decoded("%C3%A9%00x"), std::string("\xC3\xA9\0x", 4));
  EXPECT_EQ(decoded("%2525"), "%25") << "once only";
}

TEST(PercentDecode, PlusIsASpaceInQueriesOnly) {
  EXPECT_EQ(decoded("a+b%2B"), "a+b+");
  EXPECT_EQ(decoded("a+b%2B", Plus::space), "a b+");
}

TEST(PercentDecode, MalformedEscapes) {
  for (const std::string_view text : {"%", "a%", "%2", "%2x", "%x2", "%%20", "% 20", "%+2", "%2%20",
                                      "%-1", "%@0", "%G0", "%`0"}) {
    EXPECT_EQ(decoded(text), std::nullopt) << text;
    EXPECT_EQ(decoded(text, Plus::space), std::nullopt) << text;
  }
}

TEST(PercentDecode, AppendsToWhatIsThere) {
  std::string out = "x";
  EXPECT_TRUE(percent_decode("%41", out));
  EXPECT_EQ(out, "xA");
}

TEST(PercentEncode, RoundTripsEveryByte) {
  std::string all;
  for (int c = 0; c < 256; ++c) {
    all.push_back(static_cast<char>(c));
  }
  std::string text;
  percent_encode(all, text);
  EXPECT_EQ(decoded(text), all);
  for (const char c : text) {
    EXPECT_TRUE(c > 0x20 && c < 0x7F && c != '#' && c != '?' && c != '+') << c;
  }
}

TEST(PercentEncode, LeavesPathsReadable) {
  std::string text;
  percent_encode("users/john doe/\xC3\xA9?", text);
  EXPECT_EQ(text, "users/john%20doe/%C3%A9%3F");
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// All pairs, or nothing if the query is malformed.
std::optional<Pairs> pairs_of(std::string_view query) {
  QueryReader reader(query);
  Pairs pairs;
  for (;;) {
    const auto pair = reader.next();
    if (!pair) {
      EXPECT_EQ(pair.error().code, Errc::invalid_query);
      return std::nullopt;
    }
    if (!*pair) {
      return pairs;
    }
    pairs.emplace_back((*pair)->name, (*pair)->value);
  }
}

TEST(QueryReader, Pairs) {
  EXPECT_EQ(pairs_of(""), Pairs());
  EXPECT_EQ(pairs_of("a"), (Pairs{{"a", ""}}));
  EXPECT_EQ(pairs_of("a="), (Pairs{{"a", ""}}));
  EXPECT_EQ(pairs_of("a=1&b=%26&a=x=y?"), (Pairs{{"a", "1"}, {"b", "%26"}, {"a", "x=y?"}}));
}

TEST(QueryReader, EmptyPairsAndNamesAreErrors) {
  for (const std::string_view query : {"&", "a&", "&a", "a&&b", "=", "=1", "a=1&=2", "a=1&"}) {
    EXPECT_EQ(pairs_of(query), std::nullopt) << query;
  }
}

}  // namespace
}  // namespace kvs
