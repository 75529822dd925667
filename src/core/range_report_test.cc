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
  ReportSize detailed;
  std::size_t listed = 0;
  ASSERT_EQ(answer->ranges.size(), asked.ranges.size()) << "earlier nodes want to hear of all";
  for (std::size_t i = 0; i < answer->ranges.size(); ++i) {
    const PathRange& range = answer->ranges[i];
    EXPECT_EQ(range.end, asked.ranges[i].end);
    if (range.kind == Kind::items) {
      EXPECT_EQ(i, listed++) << "once full, it lists no more";
      detailed.add(range);
    } else {
      EXPECT_EQ(range.kind, Kind::fingerprint);
      EXPECT_EQ(range.fingerprint.count, range.end.empty() ? 21U : 20U);
    }
  }
  EXPECT_TRUE(detailed.exceeds(kReportBytesMax));
  EXPECT_LT(detailed.wire_bytes(), kReportBytesMax + 2000);
  EXPECT_LT(listed, asked.ranges.size());
}

TEST(RangeReport, AFullAnswerEndsBeforeWhatIsAskedByHashes) {
  Side mine(200'000);
  const RangeSource source = mine.source();
  Compare asked{.begin = "", .ranges = {}};
  for (std::uint64_t i = 20; i < 200'000; i += 20) {
    asked.ranges.push_back({.end = Side::path(i), .kind = Kind::fingerprint});
  }
  asked.ranges.push_back({.end = "", .kind = Kind::hashes});
  const auto answer = answer_compare(source, asked);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->ranges.size() + 1, asked.ranges.size());
  EXPECT_EQ(answer->ranges.back().end, asked.ranges[asked.ranges.size() - 2].end);
}

TEST(RangeReport, ALongQuestionAndItsAnswerFitIntoAFrame) {
  // Earlier nodes ask until they have 2 MiB, by a rule that counts 20 bytes and the path a range.
  Side mine(80'000);
  const RangeSource source = mine.source();
  Compare asked{.begin = "", .ranges = {}};
  std::size_t bytes = 0;
  for (std::uint64_t i = 1; bytes < (std::size_t{2} << 20U) && i < 80'000; ++i) {
    asked.ranges.push_back({.end = Side::path(i), .kind = Kind::fingerprint});
    bytes += 20 + asked.ranges.back().end.size();
  }
  asked.ranges.push_back({.end = "", .kind = Kind::fingerprint});
  const auto answer = answer_compare(source, asked);
  ASSERT_TRUE(answer);
  ReportSize question;
  std::ranges::for_each(asked.ranges, [&](const PathRange& range) { question.add(range); });
  EXPECT_GT(question.wire_bytes(), kQuestionBytesMax);
  ReportSize size;
  std::ranges::for_each(answer->ranges, [&](const PathRange& range) { size.add(range); });
  EXPECT_EQ(answer->ranges.back().end, "");
  EXPECT_LT(size.wire_bytes(), kQuestionBytesMax + kReportBytesMax + 10'000);
}

TEST(RangeReport, PathsThatUnfoldToMuchFillAnAnswerToo) {
  ReportSize size;
  const std::string shared(4000, 'p');
  int ranges = 0;
  for (; !size.exceeds(kReportBytesMax); ++ranges) {
    size.add({.end = shared + std::to_string(10'000 + ranges), .kind = Kind::skip});
  }
  EXPECT_NEAR(ranges, 8.0 * kReportBytesMax / 4000, 200);
  EXPECT_LT(size.wire_bytes(), kReportBytesMax / 10);
}

TEST(RangeReport, EqualNeighboursAreSkippedTogether) {
  Side mine(100);
  Side theirs(100);
  const Compare asked{.begin = "", .ranges = report(theirs.source())};
  ASSERT_GT(asked.ranges.size(), 2U);
  const auto answer = answer_compare(mine.source(), asked);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->ranges.size(), 1U);
  EXPECT_EQ(answer->ranges[0], (PathRange{.end = "", .kind = Kind::skip}));
}

// --- by hashes

ShortHash hash_of(const Side& side, const std::string& path) {
  return short_hash(fingerprint_of(path, **side.store.find(Key::from_store(path))));
}

PathRange named(const Side& side) {
  PathRange range{.end = "", .kind = Kind::hashes};
  for (const auto& [path, slot] : side.store.slots()) {
    range.hashes.push_back(hash_of(side, path));
  }
  return range;
}

PathRange answer_to(Side& side, const PathRange& asked) {
  const auto answer = answer_compare(side.source(), {.begin = "", .ranges = {asked}});
  EXPECT_TRUE(answer && answer->ranges.size() == 1);
  return answer ? answer->ranges.front() : PathRange{};
}

TEST(RangeReport, OnlyWhatHashesDoNotNameIsTold) {
  Side asker(50);
  Side side(50);
  asker.store.put("only/there", 100);
  asker.store.put(Side::path(7), 101);
  side.store.put_tombstone("only/here", 102);
  const PathRange answer = answer_to(side, named(asker));
  EXPECT_EQ(answer.kind, Kind::difference);
  EXPECT_EQ(answer.fingerprint, side.tree.root());
  ASSERT_EQ(answer.items.size(), 2U);
  EXPECT_EQ(answer.items[0].path, Side::path(7)) << "another version";
  EXPECT_EQ(answer.items[1].path, "only/here");
  std::vector<ShortHash> absent{hash_of(asker, "only/there"), hash_of(asker, Side::path(7))};
  std::ranges::sort(absent);
  EXPECT_EQ(answer.hashes, absent);
}

TEST(RangeReport, WhoeverHoldsNothingNamesNothing) {
  Side nobody;
  Side side(50);
  EXPECT_EQ(answer_to(side, named(nobody)).items.size(), 50U);
  EXPECT_EQ(answer_to(nobody, named(side)).hashes.size(), 50U);
  EXPECT_EQ(answer_to(nobody, named(side)).fingerprint, Fingerprint{});
}

TEST(RangeReport, ManyItemsAreSummedInPartsAlthoughHashesWereAskedFor) {
  Side nobody;
  Side most(kHashedItemsMax + kListedItemsMax);
  EXPECT_EQ(answer_to(most, named(nobody)).kind, Kind::difference);
  Side more(kHashedItemsMax + kListedItemsMax + 1);
  const auto answer = answer_compare(more.source(), {.begin = "", .ranges = {named(nobody)}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->ranges.size(), kRangeParts);
  EXPECT_EQ(answer->ranges[0].kind, Kind::fingerprint);
}

TEST(RangeReport, WithoutSumsHashesAreNotAnsweredEither) {
  Side side(3);
  const auto answer =
      answer_compare({.tree = side.tree, .store = side.store, .damaged = side.damaged},
                     {.begin = "", .ranges = {named(side)}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::syncing);
}

}  // namespace
}  // namespace kvs
