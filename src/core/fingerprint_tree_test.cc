#include "core/fingerprint_tree.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/prng.h"
#include "support/tree_driver.h"

namespace kvs {
namespace {

const KeyRange kEverything{.begin = {}, .end = {}};

/// A few records a block.
constexpr BlockLimits kSmall{.fill = 2, .max = 4, .chunk_max = 4};

std::string path_of(std::uint64_t number) {
  return fmt::format("users/{:06}/profile", number);
}

class FingerprintTreeTest : public ::testing::Test {
 protected:
  explicit FingerprintTreeTest(const BlockLimits& limits = {}) : driver_(limits) {}

  /// Records 0, step, 2 * step, ... below `end`, in batches of 100.
  void put_all(std::uint64_t end, std::uint64_t step = 1) {
    for (std::uint64_t number = 0; number < end; number += step) {
      driver_.put(path_of(number));
      if (number / step % 100 == 99) {
        driver_.commit_and_apply();
      }
    }
    driver_.commit_and_apply();
  }

  FingerprintTree& tree() { return driver_.tree(); }

  Fingerprint expected(const KeyRange& range = kEverything) { return driver_.expected(range); }

  void expect_exact(const KeyRange& range) {
    const auto sum = tree().of_range(range);
    ASSERT_TRUE(sum.has_value());
    EXPECT_EQ(*sum, expected(range)) << "[" << range.begin << ", " << range.end << ")";
  }

  /// The parts of a range, each checked against its records.
  std::vector<RangePart> split(const KeyRange& range, std::size_t parts = 16) {
    auto cut = tree().split(range, parts);
    EXPECT_TRUE(cut.has_value());
    std::string begin = range.begin;
    for (const RangePart& part : *cut) {
      EXPECT_EQ(part.fingerprint, expected({.begin = begin, .end = part.end}));
      EXPECT_TRUE(part.end == range.end || begin < part.end);
      begin = part.end;
    }
    EXPECT_EQ(cut->back().end, range.end);
    EXPECT_LE(cut->size(), parts);
    return *cut;
  }

  static std::uint64_t largest(const std::vector<RangePart>& parts) {
    std::uint64_t count = 0;
    for (const RangePart& part : parts) {
      count = std::max(count, part.fingerprint.count);
    }
    return count;
  }

  TreeDriver driver_;
};

class SmallFingerprintTreeTest : public FingerprintTreeTest {
 protected:
  SmallFingerprintTreeTest() : FingerprintTreeTest(kSmall) {}
};

// --- building

TEST_F(FingerprintTreeTest, AnEmptyStoreIsBuiltAtOnce) {
  EXPECT_FALSE(tree().built());
  ASSERT_TRUE(tree().build_some(1));
  EXPECT_TRUE(tree().built());
  EXPECT_EQ(tree().root(), Fingerprint{});
  EXPECT_EQ(tree().blocks(), 1U);
  expect_exact(kEverything);
}

TEST_F(FingerprintTreeTest, NothingIsAnsweredUntilBuilt) {
  put_all(10);
  ASSERT_TRUE(tree().build_some(5));
  ASSERT_FALSE(tree().built());
  EXPECT_EQ(tree().of_range(kEverything).error().code, Errc::syncing);
  EXPECT_EQ(tree().split(kEverything, 16).error().code, Errc::syncing);
}

TEST_F(FingerprintTreeTest, BuildsInSlicesOfTheSizeAskedFor) {
  put_all(1000);
  driver_.store().take_reads();
  for (int slice = 0; slice < 10; ++slice) {
    EXPECT_FALSE(tree().built());
    ASSERT_TRUE(tree().build_some(100));
    EXPECT_EQ(driver_.store().take_reads(), 100U);
    EXPECT_EQ(tree().root().count, 100U * static_cast<unsigned>(slice + 1));
  }
  EXPECT_TRUE(tree().built());
  EXPECT_EQ(tree().root(), expected());
}

TEST_F(FingerprintTreeTest, BlocksAreFilledInBuilding) {
  put_all(1280);
  driver_.build(77);
  EXPECT_EQ(tree().blocks(), 10U);
}

TEST_F(FingerprintTreeTest, WritesDuringBuildingAreCountedOnce) {
  put_all(1000, 2);
  for (std::uint64_t number = 0; !tree().built(); number += 13) {
    driver_.put(path_of(number * 17 % 1000));  // behind and ahead of the position
    driver_.drop(path_of(number * 29 % 1000));
    driver_.commit_and_apply();
    ASSERT_TRUE(tree().build_some(7));
  }
  EXPECT_EQ(tree().root(), expected());
  expect_exact({.begin = path_of(300), .end = path_of(700)});
}

TEST_F(SmallFingerprintTreeTest, BlocksAreSplitAndJoinedDuringBuilding) {
  put_all(100, 10);
  ASSERT_TRUE(tree().build_some(5));
  put_all(100);
  ASSERT_FALSE(tree().built());
  EXPECT_EQ(tree().root(), expected({.begin = "", .end = path_of(41)}));
  for (std::uint64_t number = 0; number < 60; ++number) {
    driver_.drop(path_of(number));
  }
  driver_.commit_and_apply();
  EXPECT_EQ(tree().root(), Fingerprint{});
  driver_.build(3);
  EXPECT_EQ(tree().root(), expected());
  EXPECT_EQ(tree().stats().splits_failed, 0U);
  split(kEverything, 50);
}

TEST_F(FingerprintTreeTest, ADamagedRecordIsLeftOutAndCounted) {
  put_all(300);
  driver_.store().memory.damage(path_of(100), Errc::corrupt_data);
  driver_.store().memory.damage(path_of(299), Errc::corrupt_data);
  driver_.build(50);
  EXPECT_TRUE(tree().built());
  EXPECT_EQ(tree().stats().damaged, 2U);
  EXPECT_EQ(tree().root().count, 298U);
  EXPECT_EQ(tree().root(), expected());
}

TEST_F(FingerprintTreeTest, BuildingGoesOnAfterAnErrorOfTheDisk) {
  put_all(300);
  driver_.store().memory.damage(path_of(100), Errc::io_error);
  const auto failed = tree().build_some(1000);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Errc::io_error);
  EXPECT_FALSE(tree().built());
  driver_.put(path_of(100));
  driver_.put(path_of(50));
  driver_.commit_and_apply();
  driver_.build();
  EXPECT_TRUE(tree().built());
  EXPECT_EQ(tree().root(), expected());
}

TEST_F(FingerprintTreeTest, RebuildBeginsAnew) {
  put_all(300);
  driver_.build();
  tree().rebuild();
  EXPECT_FALSE(tree().built());
  EXPECT_EQ(tree().root(), Fingerprint{});
  driver_.build(100);
  EXPECT_EQ(tree().root(), expected());
}

// --- following writes

TEST_F(FingerprintTreeTest, FollowsEachKindOfChange) {
  driver_.build();
  driver_.put("a");
  driver_.commit_and_apply();
  const Fingerprint first = tree().root();
  EXPECT_EQ(first.count, 1U);
  driver_.put("a");
  driver_.commit_and_apply();
  EXPECT_EQ(tree().root().count, 1U);
  EXPECT_NE(tree().root(), first) << "overwritten";
  driver_.bury("a");
  driver_.commit_and_apply();
  EXPECT_EQ(tree().root().count, 1U) << "a tombstone is a record";
  EXPECT_EQ(tree().root(), expected());
  driver_.drop("a");
  driver_.commit_and_apply();
  EXPECT_EQ(tree().root(), Fingerprint{});
}

TEST_F(FingerprintTreeTest, OneBatchMayChangeAPathManyTimes) {
  driver_.build();
  for (int n = 0; n < 10; ++n) {
    driver_.put("a");
    driver_.drop("b");
    driver_.put("b");
  }
  driver_.commit_and_apply();
  EXPECT_EQ(tree().root().count, 2U);
  EXPECT_EQ(tree().root(), expected());
}

TEST_F(FingerprintTreeTest, BlocksAreSplitAsTheyGrow) {
  driver_.build();
  put_all(10'000);
  EXPECT_GE(tree().blocks(), 10'000U / 256);
  EXPECT_LE(tree().blocks(), 10'000U / 100);
  EXPECT_EQ(tree().root(), expected());
  expect_exact({.begin = path_of(1234), .end = path_of(8765)});
  EXPECT_EQ(tree().stats().splits_failed, 0U);
}

TEST_F(FingerprintTreeTest, AGreatBatchIntoOneBlockGivesEvenBlocks) {
  driver_.build();
  for (std::uint64_t number = 0; number < 4000; ++number) {
    driver_.put(path_of(number));
  }
  driver_.commit_and_apply();
  EXPECT_EQ(tree().blocks(), 4000U / 128);
  driver_.store().take_reads();
  expect_exact({.begin = path_of(5), .end = path_of(3995)});
  EXPECT_LE(driver_.store().take_reads(), 2U * 130) << "no block is much larger than 128";
}

TEST_F(FingerprintTreeTest, SplittingReadsEachRecordAFewTimesAtMost) {
  driver_.build();
  driver_.store().take_reads();
  put_all(10'000);
  EXPECT_LE(driver_.store().take_reads(), 3U * 10'000);
}

TEST_F(FingerprintTreeTest, BlocksAreJoinedAsTheyShrink) {
  put_all(20'000);
  driver_.build();
  const std::size_t full = tree().memory_bytes();
  Prng prng{7};
  for (std::uint64_t number = 0; number < 20'000; ++number) {
    if (prng.below(20) != 0) {
      driver_.drop(path_of(number));
    }
    if (number % 50 == 0) {
      driver_.commit_and_apply();
    }
  }
  driver_.commit_and_apply();
  EXPECT_EQ(tree().root(), expected());
  EXPECT_LE(tree().blocks(), tree().root().count / 40);
  EXPECT_LE(tree().memory_bytes(), full);
  expect_exact({.begin = path_of(1234), .end = path_of(8765)});
}

TEST_F(FingerprintTreeTest, AnEmptiedTreeIsSmallAgain) {
  put_all(5000);
  driver_.build();
  for (std::uint64_t number = 0; number < 5000; ++number) {
    driver_.drop(path_of(number * 7 % 5000));
    if (number % 50 == 49) {
      driver_.commit_and_apply();
    }
  }
  EXPECT_EQ(tree().root(), Fingerprint{});
  EXPECT_LE(tree().blocks(), 2U);
}

// --- damage

TEST_F(SmallFingerprintTreeTest, ASplitLeavesOutWhatWasDamagedMeanwhile) {
  driver_.build();
  put_all(4);
  driver_.store().memory.damage(path_of(2), Errc::corrupt_data);
  EXPECT_EQ(tree().root().count, 4U);
  driver_.put(path_of(9));
  driver_.commit_and_apply();
  EXPECT_EQ(tree().blocks(), 2U);
  EXPECT_EQ(tree().root(), expected());
  EXPECT_EQ(tree().stats().corrected, 1U);
  EXPECT_EQ(tree().stats().damaged, 1U);
  split(kEverything);
}

TEST_F(SmallFingerprintTreeTest, DamageThatIsKnownIsNotToldAgain) {
  put_all(4);
  driver_.store().memory.damage(path_of(2), Errc::corrupt_data);
  driver_.build();
  for (std::uint64_t number = 0; number < 10; ++number) {
    driver_.put(path_of(2) + fmt::format("/{}", number));
    driver_.commit_and_apply();
  }
  EXPECT_EQ(tree().stats().damaged, 1U);
  EXPECT_EQ(tree().stats().corrected, 0U);
  EXPECT_GE(tree().blocks(), 3U);
  EXPECT_EQ(tree().root(), expected());
}

TEST_F(SmallFingerprintTreeTest, ABlockThatCannotBeReadStaysLargeAndRight) {
  driver_.build();
  put_all(4);
  const Record unreadable = driver_.store().memory.slots().at(path_of(2)).record;
  driver_.store().memory.damage(path_of(2), Errc::io_error);
  driver_.put(path_of(10));
  driver_.commit_and_apply();
  EXPECT_EQ(tree().stats().splits_failed, 1U);
  driver_.store().take_reads();
  for (std::uint64_t number = 11; number < 16; ++number) {
    driver_.put(path_of(number));
    driver_.commit_and_apply();
  }
  EXPECT_EQ(driver_.store().take_reads(), 0U) << "not tried again with each write";
  EXPECT_EQ(tree().blocks(), 1U);
  driver_.store().memory.set(path_of(2), unreadable);
  EXPECT_EQ(tree().root(), expected());
  driver_.put(path_of(16));
  driver_.commit_and_apply();
  EXPECT_EQ(tree().blocks(), 4U);
  EXPECT_EQ(tree().root(), expected());
  EXPECT_EQ(tree().stats().splits_failed, 1U);
  EXPECT_EQ(tree().stats().corrected, 0U);
}

TEST_F(SmallFingerprintTreeTest, RecountSplitsABlockThatStayedLarge) {
  driver_.build();
  put_all(4);
  driver_.store().memory.damage(path_of(2), Errc::io_error);
  driver_.put(path_of(10));
  driver_.commit_and_apply();
  ASSERT_EQ(tree().blocks(), 1U);
  driver_.put(path_of(2));
  driver_.commit_and_apply();
  ASSERT_TRUE(tree().recount(path_of(2)));
  EXPECT_GE(tree().blocks(), 2U);
  EXPECT_EQ(tree().root(), expected());
}

TEST_F(SmallFingerprintTreeTest, RecountTakesWhatTheStoreHolds) {
  put_all(100);
  driver_.build();
  driver_.store().memory.damage(path_of(50), Errc::corrupt_data);
  ASSERT_TRUE(tree().recount(path_of(50)));
  EXPECT_EQ(tree().root(), expected());
  EXPECT_EQ(tree().stats().damaged, 1U);
  driver_.put(path_of(50));  // replaced: what it was nobody can tell
  driver_.commit_and_apply();
  EXPECT_EQ(tree().root(), expected());
  split(kEverything, 50);
}

TEST_F(SmallFingerprintTreeTest, RecountAfterADamagedRecordWasReplaced) {
  put_all(100);
  driver_.build();
  driver_.store().memory.damage(path_of(50), Errc::corrupt_data);
  driver_.put(path_of(50));
  driver_.commit_and_apply();
  EXPECT_NE(tree().root(), expected()) << "the old fingerprint is still in it";
  ASSERT_TRUE(tree().recount(path_of(50)));
  EXPECT_EQ(tree().root(), expected());
  EXPECT_EQ(tree().stats().damaged, 0U);
}

TEST_F(SmallFingerprintTreeTest, RecountThatCannotReadChangesNothing) {
  put_all(100);
  driver_.build();
  const Fingerprint root = tree().root();
  driver_.store().memory.damage(path_of(50), Errc::io_error);
  EXPECT_EQ(tree().recount(path_of(50)).error().code, Errc::io_error);
  EXPECT_EQ(tree().root(), root);
}

TEST_F(SmallFingerprintTreeTest, RecountLeavesToBuildingWhatIsNotBuilt) {
  put_all(10);
  ASSERT_TRUE(tree().recount(path_of(1)));
  EXPECT_EQ(tree().root(), Fingerprint{});
  ASSERT_TRUE(tree().build_some(3));
  ASSERT_TRUE(tree().recount(path_of(2)));
  ASSERT_TRUE(tree().recount(path_of(3)));
  EXPECT_EQ(tree().root().count, 3U);
  driver_.build();
  EXPECT_EQ(tree().root(), expected());
}

TEST_F(FingerprintTreeTest, AChangeAwayFromWhatWasNotCountedCannotGoBelowNothing) {
  put_all(1);
  driver_.store().memory.damage(path_of(0), Errc::corrupt_data);
  driver_.build();
  const Change change{.path = path_of(0),
                      .before = driver_.store().memory.slots().at(path_of(0)).record.header,
                      .after = std::nullopt};
  tree().apply({&change, 1});
  EXPECT_EQ(tree().root(), Fingerprint{});
  EXPECT_EQ(tree().stats().unknown, 1U);
}

TEST_F(FingerprintTreeTest, ADamagedRecordCountsAsAbsentWhereARangeEnds) {
  put_all(300);
  driver_.build();
  driver_.store().memory.damage(path_of(20), Errc::corrupt_data);
  expect_exact({.begin = path_of(10), .end = path_of(30)});
  split({.begin = path_of(10), .end = path_of(30)});
}

TEST_F(FingerprintTreeTest, AnErrorOfTheDiskIsToldToWhoeverAsks) {
  put_all(300);
  driver_.build();
  driver_.store().memory.damage(path_of(20), Errc::io_error);
  EXPECT_EQ(tree().of_range({.begin = path_of(10), .end = path_of(30)}).error().code,
            Errc::io_error);
  EXPECT_EQ(tree().split({.begin = path_of(10), .end = ""}, 16).error().code, Errc::io_error);
}

// --- ranges

TEST_F(SmallFingerprintTreeTest, EveryRangeIsExact) {
  put_all(60);
  driver_.build();
  for (std::uint64_t begin = 0; begin <= 60; ++begin) {
    expect_exact({.begin = path_of(begin), .end = ""});
    expect_exact({.begin = "", .end = path_of(begin)});
    for (std::uint64_t end = 0; end <= 60; ++end) {
      expect_exact({.begin = path_of(begin), .end = path_of(end)});
    }
  }
}

TEST_F(FingerprintTreeTest, ARangeReadsTwoBlocksAtMost) {
  put_all(10'000);
  driver_.build();
  driver_.store().take_reads();
  for (std::uint64_t number = 0; number < 5000; number += 100) {
    ASSERT_TRUE(tree().of_range({.begin = path_of(number), .end = path_of(9999 - number)}));
    EXPECT_LE(driver_.store().take_reads(), 256U);
  }
  ASSERT_TRUE(tree().of_range(kEverything));
  EXPECT_EQ(driver_.store().take_reads(), 0U);
}

TEST_F(FingerprintTreeTest, ARangeBackwardsIsEmpty) {
  put_all(10);
  driver_.build();
  expect_exact({.begin = path_of(5), .end = path_of(5)});
  expect_exact({.begin = path_of(6), .end = path_of(5)});
  EXPECT_EQ(split({.begin = path_of(5), .end = path_of(5)}).size(), 1U);
}

TEST_F(FingerprintTreeTest, BetweenCommitAndApplyTheSumsAreThoseBefore) {
  put_all(300);
  driver_.build();
  const Fingerprint before = tree().root();
  driver_.put(path_of(1));
  driver_.commit();
  EXPECT_EQ(tree().root(), before);
  EXPECT_EQ(*tree().of_range(kEverything), before);
  driver_.apply();
  EXPECT_EQ(tree().root(), expected());
}

// --- splitting

TEST_F(FingerprintTreeTest, NothingAndOneRecordAreOnePart) {
  driver_.build();
  EXPECT_EQ(split(kEverything).size(), 1U);
  driver_.put("a");
  driver_.commit_and_apply();
  EXPECT_EQ(split(kEverything).size(), 1U);
  driver_.put("b");
  driver_.commit_and_apply();
  EXPECT_EQ(split(kEverything).size(), 2U);
  EXPECT_EQ(split(kEverything, 1).size(), 1U);
}

TEST_F(FingerprintTreeTest, ANarrowRangeIsCutToTheRecordWithShortTexts) {
  put_all(20);
  driver_.build();
  const auto parts = split(kEverything);
  EXPECT_EQ(parts.size(), 16U);
  EXPECT_LE(largest(parts), 2U);
  EXPECT_EQ(parts.front().end, "users/000002") << "nothing shorter parts 1 from 2";
}

TEST_F(FingerprintTreeTest, AWideRangeIsCutBetweenBlocksWithoutReading) {
  put_all(20'000);
  driver_.build();
  driver_.store().take_reads();
  const auto parts = split(kEverything);
  EXPECT_EQ(driver_.store().take_reads(), 0U);
  EXPECT_EQ(parts.size(), 16U);
  EXPECT_LE(largest(parts), 20'000U / 16 + 256);
}

TEST_F(FingerprintTreeTest, AWideRangeWithinBlocksReadsItsEndsOnly) {
  put_all(20'000);
  driver_.build();
  driver_.store().take_reads();
  const auto parts = split({.begin = path_of(777), .end = path_of(18'888)});
  EXPECT_LE(driver_.store().take_reads(), 2U * 256);
  EXPECT_EQ(parts.size(), 16U);
  EXPECT_LE(largest(parts), 20'000U / 16 + 256);
}

TEST_F(FingerprintTreeTest, RangesOfAllWidthsAreCutEvenly) {
  put_all(20'000);
  driver_.build();
  for (std::uint64_t width = 2; width < 20'000; width = width * 3 / 2) {
    const auto parts = split({.begin = path_of(50), .end = path_of(50 + width)});
    EXPECT_GE(parts.size(), std::min<std::size_t>(width, 3));
    EXPECT_LE(largest(parts), width / 16 + 256);
    EXPECT_LT(largest(parts), width);
  }
}

TEST_F(SmallFingerprintTreeTest, ARangeWhoseRecordsSitInOneBlockIsStillCut) {
  for (const char* path : {"a1", "a2", "b1", "b2", "c1", "c2", "d1", "d2", "e1", "e2"}) {
    driver_.put(path);
  }
  driver_.commit_and_apply();
  driver_.build();
  ASSERT_EQ(tree().blocks(), 5U);
  // Two blocks lose their records, and can join none of their neighbours, which are full.
  for (const char* path : {"a3", "a4", "c3", "c4", "e3", "e4"}) {
    driver_.put(path);
  }
  driver_.commit_and_apply();
  for (const char* path : {"b1", "b2", "d1", "d2"}) {
    driver_.drop(path);
  }
  driver_.commit_and_apply();
  ASSERT_EQ(tree().blocks(), 5U);
  EXPECT_EQ(split({.begin = "a9", .end = "e0"}).size(), 4U);
  EXPECT_EQ(split({.begin = "a9", .end = "e0"}, 2).size(), 2U);
}

TEST_F(FingerprintTreeTest, CuttingAgainAndAgainEndsAtSingleRecords) {
  put_all(3000);
  driver_.build();
  std::vector<KeyRange> ranges{kEverything};
  std::size_t singles = 0;
  for (std::size_t round = 0; !ranges.empty(); ++round) {
    ASSERT_LT(round, 6U);
    std::vector<KeyRange> next;
    for (const KeyRange& range : ranges) {
      std::string begin = range.begin;
      for (const RangePart& part : split(range)) {
        if (part.fingerprint.count > 1) {
          next.push_back({.begin = begin, .end = part.end});
        } else {
          singles += part.fingerprint.count;
        }
        begin = part.end;
      }
    }
    ranges = std::move(next);
  }
  EXPECT_EQ(singles, 3000U);
}

// --- memory

TEST_F(FingerprintTreeTest, ARecordCostsAboutAByte) {
  put_all(50'000);
  driver_.build();
  EXPECT_LE(tree().memory_bytes(), 50'000U * 2);
}

}  // namespace
}  // namespace kvs
