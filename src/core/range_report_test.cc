#include "core/range_report.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/memory_store.h"

namespace kvs {
namespace {

using Kind = PathRange::Kind;

/// A store with `count` records and the sums over it.
struct Side {
  explicit Side(std::uint64_t count = 0) {
    for (std::uint64_t i = 1; i <= count; ++i) {
      store.put(path(i), i);
    }
  }

  static std::string path(std::uint64_t i) { return fmt::format("k{:06}", i); }

  /// Counts what the store holds now.
  RangeSource source() {
    tree.rebuild();
    while (!tree.built()) {
      EXPECT_TRUE(tree.build_some(1000));
    }
    return {.tree = tree, .store = store, .damaged = damaged};
  }

  MemoryStore store;
  FingerprintTree tree{store};
  DamagedPaths damaged;
};

std::vector<PathRange> report(const RangeSource& source, const KeyRange& range = {}) {
  std::vector<PathRange> out;
  EXPECT_TRUE(report_range(source, range, out));
  return out;
}

TEST(RangeReport, ListsWhatIsInARangeTombstonesIncludedInPathOrder) {
  Side side;
  side.store.put("b", 2);
  side.store.put_tombstone("a", 1);
  side.store.put("c", 3);
  const auto items = items_in(side.source(), {.begin = "a", .end = "c"});
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 2U);
  EXPECT_EQ(items->at(0).path, "a");
  EXPECT_FALSE(items->at(0).header.live());
  EXPECT_EQ(items->at(1).header, side.store.find(Key::from_store("b"))->value());
}

TEST(RangeReport, ARecordThatIsDamagedIsNamedUntilItsLossIsKnown) {
  Side side(3);
  const RangeSource source = side.source();
  side.store.damage(Side::path(2), Errc::corrupt_data);
  const auto items = items_in(source, {});
  ASSERT_FALSE(items);
  EXPECT_EQ(items.error().code, Errc::corrupt_data);
  EXPECT_EQ(items.error().detail, Side::path(2));
  side.damaged.emplace(Side::path(2));
  EXPECT_EQ(items_in(source, {})->size(), 2U) << "K was given up: it counts as absent";
}

TEST(RangeReport, ADiskThatFailsIsNoDamage) {
  Side side(3);
  const RangeSource source = side.source();
  side.store.damage(Side::path(2), Errc::io_error);
  EXPECT_EQ(items_in(source, {}).error().code, Errc::io_error);
}

TEST(RangeReport, FewItemsAreListedManyAreSummedInParts) {
  Side few(kListedItemsMax);
  const auto listed = report(few.source());
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].kind, Kind::items);
  EXPECT_EQ(listed[0].items.size(), kListedItemsMax);

  Side many(kListedItemsMax + 1);
  const auto parts = report(many.source());
  EXPECT_GT(parts.size(), 1U);
  EXPECT_LE(parts.size(), kRangeParts);
  Fingerprint sum;
  for (const PathRange& part : parts) {
    EXPECT_EQ(part.kind, Kind::fingerprint);
    sum.add(part.fingerprint);
  }
  EXPECT_EQ(sum, many.tree.root()) << "the parts are the whole";
  EXPECT_EQ(parts.back().end, "");
}

TEST(RangeReport, WithoutSumsNothingIsSaid) {
  Side side(3);
  std::vector<PathRange> out;
  const auto reported =
      report_range({.tree = side.tree, .store = side.store, .damaged = side.damaged}, {}, out);
  ASSERT_FALSE(reported);
  EXPECT_EQ(reported.error().code, Errc::syncing);
}

TEST(RangeReport, EqualRangesAreSkippedAndOthersReported) {
  Side mine(100);
  Side theirs(100);
  theirs.store.put(Side::path(90), 1000);
  const Compare asked{.begin = "", .ranges = report(theirs.source())};
  ASSERT_GT(asked.ranges.size(), 2U);
  const auto answer = answer_compare(mine.source(), asked);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->begin, "");
  std::size_t listed = 0;
  for (const PathRange& range : answer->ranges) {
    ASSERT_TRUE(range.kind == Kind::skip || range.kind == Kind::items);
    for (const PeerItem& item : range.items) {
      listed += item.path == Side::path(90) ? 1 : 0;
    }
  }
  EXPECT_EQ(listed, 1U);
  EXPECT_EQ(std::ranges::count(answer->ranges, Kind::items, &PathRange::kind), 1);
  EXPECT_EQ(answer->ranges.back().end, asked.ranges.back().end) << "it speaks of the same ranges";
}

TEST(RangeReport, WhatTheAskerSkipsIsNotSpokenOf) {
  Side mine(100);
  const Compare asked{
      .begin = "",
      .ranges = {{.end = Side::path(50), .kind = Kind::skip},
                 {.end = "", .kind = Kind::fingerprint, .fingerprint = {}, .items = {}}}};
  const auto answer = answer_compare(mine.source(), asked);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->ranges.front().kind, Kind::skip);
  EXPECT_EQ(answer->ranges.front().end, Side::path(50));
  EXPECT_GT(answer->ranges.size(), 2U) << "50 records, in parts";
}

TEST(RangeReport, AnAnswerIsBoundedHoweverMuchDiffers) {
  Side mine(200'000);
  const RangeSource source = mine.source();
  Compare asked{.begin = "", .ranges = {}};
  for (std::uint64_t i = 20; i <= 200'000; i += 20) {
    asked.ranges.push_back({.end = i == 200'000 ? "" : Side::path(i), .kind = Kind::fingerprint});
  }
  const auto answer = answer_compare(source, asked);
  ASSERT_TRUE(answer);
  std::size_t bytes = 0;
  std::size_t own_sums = 0;
  for (const PathRange& range : answer->ranges) {
    bytes += wire_bytes(range);
    own_sums += range.kind == Kind::fingerprint ? 1 : 0;
  }
  EXPECT_GT(own_sums, 0U) << "the rest is named by its fingerprint, to be asked again";
  EXPECT_LT(bytes, std::size_t{3} << 20U);
  EXPECT_EQ(answer->ranges.size(), asked.ranges.size()) << "every range is answered";
}

}  // namespace
}  // namespace kvs
