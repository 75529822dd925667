#include "wire/lookahead.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kvs {
namespace {

std::string get(std::string_view key) {
  return std::string("GET /kv/").append(key).append(" HTTP/1.1\r\nHost: x\r\n\r\n");
}

std::vector<std::string> ahead(std::string_view bytes, std::size_t max = kLookaheadMax) {
  std::array<std::string_view, kLookaheadMax> keys;
  const std::size_t count = keys_ahead(bytes, std::span(keys).first(max));
  return {keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(count)};
}

using Keys = std::vector<std::string>;

TEST(Lookahead, TellsTheKeysOfPipelinedReads) {
  EXPECT_EQ(ahead(get("a") + get("b/c") + get("d%20e")), (Keys{"a", "b/c", "d%20e"}));
}

TEST(Lookahead, OneRequestAloneIsNotWorthIt) {
  EXPECT_EQ(ahead(""), Keys{});
  EXPECT_EQ(ahead(get("a")), Keys{});
  EXPECT_EQ(ahead(get("a") + "GET /kv/b"), Keys{}) << "the key may go on";
}

TEST(Lookahead, TheLastMayBeUnfinishedAfterItsTarget) {
  EXPECT_EQ(ahead(get("a") + "GET /kv/b HTTP"), (Keys{"a", "b"}));
}

TEST(Lookahead, EndsAtTheFirstThatIsNoRead) {
  const std::string put = "PUT /kv/c HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
  EXPECT_EQ(ahead(get("a") + get("b") + put + get("d")), (Keys{"a", "b"}));
  EXPECT_EQ(ahead(put + get("a") + get("b")), Keys{});
  EXPECT_EQ(ahead(get("a") + get("b") + "GET /health HTTP/1.1\r\n\r\n" + get("d")),
            (Keys{"a", "b"}));
}

TEST(Lookahead, TellsNoMoreThanThereIsRoomFor) {
  EXPECT_EQ(ahead(get("a") + get("b") + get("c"), 2), (Keys{"a", "b"}));
}

TEST(Lookahead, EveryCutTellsABeginningOfTheSameKeys) {
  const std::string bytes = get("a") + get("bb") + get("") + get("c/d");
  const Keys whole = ahead(bytes);
  ASSERT_EQ(whole, (Keys{"a", "bb", "", "c/d"}));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const Keys some = ahead(std::string_view(bytes).substr(0, cut));
    ASSERT_LE(some.size(), whole.size());
    EXPECT_TRUE(std::equal(some.begin(), some.end(), whole.begin())) << "cut at " << cut;
  }
}

}  // namespace
}  // namespace kvs
