#include "core/block_index.h"

#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace kvs {
namespace {

using Spot = BlockIndex::Spot;

constexpr BlockLimits kSmall{.fill = 2, .max = 4, .chunk_max = 4};

Fingerprint records(std::uint64_t count) {
  return {.high = count, .low = 10 * count, .count = count};
}

/// Blocks that begin at "", b01, b02, ... with 1, 2, 3, ... records.
BlockIndex make_index(std::size_t blocks, const BlockLimits& limits = kSmall) {
  BlockIndex index(limits);
  index.add(index.last(), records(1));
  for (std::size_t i = 1; i < blocks; ++i) {
    index.append(fmt::format("b{:02}", i));
    index.add(index.last(), records(i + 1));
  }
  return index;
}

std::vector<std::string> begins(const BlockIndex& index) {
  std::vector<std::string> all;
  Spot spot{};
  for (std::size_t i = 0; i < index.size(); ++i, spot = index.next(spot)) {
    all.push_back(index.at(spot).begin);
  }
  return all;
}

TEST(Separator, IsTheShortestTextBetween) {
  EXPECT_EQ(separator("", "abc"), "a");
  EXPECT_EQ(separator("abc", "abd"), "abd");
  EXPECT_EQ(separator("abc", "b/c/d"), "b");
  EXPECT_EQ(separator("users/1", "users/2/profile"), "users/2");
  EXPECT_EQ(separator("users", "users/2/profile"), "users/");
  EXPECT_EQ(separator("a\xC3\xA4", "a\xC3\xBC"), "a\xC3\xBC");
  EXPECT_EQ(separator("a\xC3\xA4", "a\xC4\xA4"), "a\xC4") << "bytes, not characters";
}

TEST(BlockIndex, BeginsWithOneEmptyBlock) {
  const BlockIndex index(kSmall);
  EXPECT_EQ(index.size(), 1U);
  EXPECT_EQ(index.total(), Fingerprint{});
  EXPECT_EQ(index.find(""), Spot{});
  EXPECT_EQ(index.find("z"), Spot{});
  EXPECT_EQ(index.find_before("z"), Spot{});
  EXPECT_EQ(index.end_of(Spot{}), "");
}

TEST(BlockIndex, FindsTheBlockWhoseRangeContainsAText) {
  const BlockIndex index = make_index(10);
  const auto found = [&](const char* text) {
    return index.at(index.find(text)).begin;
  };
  EXPECT_EQ(found(""), "");
  EXPECT_EQ(found("b00"), "");
  EXPECT_EQ(found("b01"), "b01");
  EXPECT_EQ(found("b03zzz"), "b03");
  EXPECT_EQ(found("b04"), "b04") << "the first of a chunk";
  EXPECT_EQ(found("z"), "b09");
}

TEST(BlockIndex, FindsTheBlockBeforeAnEnd) {
  const BlockIndex index = make_index(10);
  const auto found = [&](const char* end) {
    return index.at(index.find_before(end)).begin;
  };
  EXPECT_EQ(found(""), "b09") << "empty: above all";
  EXPECT_EQ(found("z"), "b09");
  EXPECT_EQ(found("b04"), "b03") << "into the chunk before";
  EXPECT_EQ(found("b04a"), "b04");
  EXPECT_EQ(found("b01"), "");
  EXPECT_EQ(found("a"), "");
}

TEST(BlockIndex, ABlockEndsWhereTheNextBegins) {
  const BlockIndex index = make_index(6);
  EXPECT_EQ(index.end_of(index.find("b03")), "b04");
  EXPECT_EQ(index.end_of(index.find("b04")), "b05");
  EXPECT_EQ(index.end_of(index.last()), "");
}

TEST(BlockIndex, TakesBlocksUpToAPlace) {
  const BlockIndex index = make_index(20);
  for (std::size_t first = 0; first < 20; ++first) {
    for (std::size_t last = first; last < 20; ++last) {
      const auto stretch = index.take(index.find(fmt::format("b{:02}", first)),
                                      index.find(fmt::format("b{:02}", last)), BlockIndex::kAll);
      // Block i holds i + 1 records.
      EXPECT_EQ(stretch.sum, records((last * (last + 1) - first * (first + 1)) / 2));
      EXPECT_EQ(stretch.next, index.find(fmt::format("b{:02}", last)));
    }
  }
}

TEST(BlockIndex, TakesNoMoreBlocksThanNeeded) {
  const BlockIndex index = make_index(20);
  for (std::uint64_t wanted = 0; wanted <= 190; ++wanted) {
    const auto stretch = index.take(Spot{}, index.last(), wanted);
    std::uint64_t blocks = 0;
    while (blocks * (blocks + 1) / 2 < wanted) {
      ++blocks;
    }
    EXPECT_EQ(stretch.sum, records(blocks * (blocks + 1) / 2)) << wanted;
    EXPECT_EQ(index.at(stretch.next).begin, blocks == 0 ? "" : fmt::format("b{:02}", blocks));
  }
}

TEST(BlockIndex, TakesAllThereIsUpToPastTheLast) {
  const BlockIndex index = make_index(9);
  const auto stretch = index.take(Spot{}, index.next(index.last()), BlockIndex::kAll);
  EXPECT_EQ(stretch.sum, records(45));
  EXPECT_EQ(stretch.sum, index.total());
}

TEST(BlockIndex, DifferencesMayBeNegative) {
  BlockIndex index = make_index(3);
  Fingerprint difference;
  difference.remove(records(2));
  index.add(index.find("b01"), difference);
  EXPECT_EQ(index.at(index.find("b01")).sum, Fingerprint{});
  EXPECT_EQ(index.total(), records(4));
}

TEST(BlockIndex, ReplacesABlockByPieces) {
  BlockIndex index = make_index(6);
  std::vector<Block> pieces;
  for (const char* begin : {"", "b04b", "b04c", "b04d", "b04e", "b04f"}) {
    pieces.push_back({.begin = begin, .sum = records(pieces.empty() ? 0 : 1), .split_above = 4});
  }
  index.replace(index.find("b04"), pieces);
  EXPECT_EQ(begins(index), (std::vector<std::string>{"", "b01", "b02", "b03", "b04", "b04b", "b04c",
                                                     "b04d", "b04e", "b04f", "b05"}));
  EXPECT_EQ(index.total(), records(21));
  EXPECT_EQ(index.take(index.find("b04"), index.find("b05"), BlockIndex::kAll).sum, records(5));
  EXPECT_EQ(index.at(index.find("b04cc")).begin, "b04c");
}

TEST(BlockIndex, ReplacesABlockByVeryMany) {
  BlockIndex index = make_index(1);
  std::vector<Block> pieces(1, Block{.begin = "", .sum = records(1), .split_above = 4});
  for (int i = 1; i < 1000; ++i) {
    pieces.push_back({.begin = fmt::format("{:04}", i), .sum = {}, .split_above = 4});
  }
  index.replace(Spot{}, pieces);
  EXPECT_EQ(index.size(), 1000U);
  for (int i = 1; i < 1000; ++i) {
    EXPECT_EQ(index.at(index.find(fmt::format("{:04}x", i))).begin, fmt::format("{:04}", i));
  }
  EXPECT_EQ(index.take(Spot{}, index.next(index.last()), BlockIndex::kAll).sum, records(1));
}

TEST(BlockIndex, ASmallBlockJoinsANeighbourWithRoom) {
  BlockIndex index({.fill = 4, .max = 8, .chunk_max = 4});
  index.add(Spot{}, records(4));
  index.append("b");
  index.add(index.last(), records(1));
  index.append("c");
  index.add(index.last(), records(6));
  index.join_small("b");
  EXPECT_EQ(begins(index), (std::vector<std::string>{"", "c"})) << "c has no room for it";
  EXPECT_EQ(index.at(Spot{}).sum, records(5));
  EXPECT_EQ(index.total(), records(11));
}

TEST(BlockIndex, ABlockThatIsNotSmallStays) {
  BlockIndex index({.fill = 4, .max = 8, .chunk_max = 4});
  index.add(Spot{}, records(2));
  index.append("b");
  index.add(index.last(), records(2));
  index.join_small("b");
  EXPECT_EQ(index.size(), 2U);
}

TEST(BlockIndex, ASmallBlockBetweenFullOnesStays) {
  BlockIndex index({.fill = 4, .max = 8, .chunk_max = 4});
  index.add(Spot{}, records(6));
  index.append("b");
  index.add(index.last(), records(1));
  index.append("c");
  index.add(index.last(), records(6));
  index.join_small("b");
  EXPECT_EQ(index.size(), 3U);
}

TEST(BlockIndex, BlocksJoinAcrossChunks) {
  BlockIndex index(kSmall);
  for (int i = 1; i < 40; ++i) {
    index.append(fmt::format("b{:02}", i));
  }
  for (int i = 0; i < 40; ++i) {
    index.join_small(fmt::format("b{:02}", i));
  }
  EXPECT_LE(index.size(), 3U) << "all are empty";
  EXPECT_EQ(index.total(), Fingerprint{});
}

TEST(BlockIndex, APostponedSplitIsDueAfterMoreRecords) {
  BlockIndex index = make_index(1);
  EXPECT_EQ(index.at(Spot{}).split_above, 4U);
  index.add(Spot{}, records(4));
  index.postpone_split(Spot{});
  EXPECT_EQ(index.at(Spot{}).split_above, 10U);
}

TEST(BlockIndex, MemoryGrowsWithBlocksAndTheirTexts) {
  BlockIndex index(kSmall);
  const std::size_t empty = index.memory_bytes();
  index.append(std::string(1000, 'a'));
  const std::size_t one = index.memory_bytes();
  EXPECT_GE(one, empty + 1000);
  index.join_small("");
  EXPECT_LT(index.memory_bytes(), one - 1000) << "the text went with its block";
  index.clear();
  EXPECT_LE(index.memory_bytes(), empty);
}

}  // namespace
}  // namespace kvs
