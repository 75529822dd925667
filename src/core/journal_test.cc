#include "core/journal.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "core/replica.h"
#include "support/memory_store.h"

namespace kvs {
namespace {

using Extent = Delta::Extent;

constexpr Origin kOrigin{1};

Dot dot(std::uint64_t seq) {
  return {.origin = kOrigin, .seq = seq};
}

Knowledge known(std::uint64_t upto) {
  Knowledge knowledge;
  knowledge.add(DotRange{.origin = kOrigin, .first = 1, .last = upto});
  return knowledge;
}

/// A journal with the store that it speaks of.
struct Bench {
  explicit Bench(const JournalOptions& options = {}) : journal(options) {}

  void write(const std::string& path, std::string value = "1") {
    ++seq;
    store.put(path, seq, std::move(value));
    note(path, seq, {});
  }

  void note(const std::string& path, std::uint64_t as, std::vector<Dot> replaced) {
    const Change change{.path = path,
                        .before = {},
                        .after = RecordHeader{.version = MemoryStore::version_of(as), .kind = {}},
                        .replaced = std::move(replaced)};
    journal.add({&change, 1});
  }

  [[nodiscard]] Delta answer(const Knowledge& theirs) const {
    return journal.answer(known(seq), theirs, store);
  }

  MemoryStore store;
  Journal journal;
  std::uint64_t seq = 0;
};

std::vector<std::string> paths_of(const std::vector<PeerRecord>& records) {
  std::vector<std::string> paths;
  for (const PeerRecord& record : records) {
    paths.push_back(record.path);
  }
  return paths;
}

TEST(Journal, SendsExactlyWhatIsMissing) {
  Bench bench;
  for (const char* path : {"a", "b", "c", "d"}) {
    bench.write(path);
  }
  Knowledge theirs = known(2);
  theirs.add(dot(4));
  const Delta delta = bench.answer(theirs);
  EXPECT_EQ(delta.extent, Extent::whole);
  EXPECT_EQ(paths_of(delta.records), std::vector<std::string>{"c"});
}

TEST(Journal, NothingMissingIsWhole) {
  Bench bench;
  EXPECT_EQ(bench.answer({}).extent, Extent::whole) << "nothing was ever written";
  bench.write("a");
  const Delta delta = bench.answer(known(1));
  EXPECT_EQ(delta.extent, Extent::whole);
  EXPECT_TRUE(delta.records.empty());
  EXPECT_EQ(bench.answer(known(100)).extent, Extent::whole) << "they know more";
}

TEST(Journal, SendsTheNewestVersionWithTheWritesThatItReplaced) {
  Bench bench;
  bench.write("a");
  bench.write("a");
  bench.write("b");
  bench.write("a", "newest");
  const Delta delta = bench.answer(known(1));
  EXPECT_EQ(delta.extent, Extent::whole);
  ASSERT_EQ(paths_of(delta.records), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(delta.records[0].record.value, "newest");
  EXPECT_EQ(delta.records[0].replaced, std::vector<Dot>{dot(2)});
}

TEST(Journal, TellsWhatCameAsReplaced) {
  Bench bench;
  bench.seq = 5;
  bench.store.put("a", 5);
  bench.note("a", 5, {dot(1), dot(2), dot(3), dot(4)});
  const Delta delta = bench.answer(known(2));
  EXPECT_EQ(delta.extent, Extent::whole);
  ASSERT_EQ(delta.records.size(), 1U);
  EXPECT_EQ(delta.records[0].replaced, (std::vector<Dot>{dot(3), dot(4)}));
}

TEST(Journal, TellsOnWhatAPushNamedAsReplaced) {
  Bench bench;
  Prng prng(1);
  Replica replica({}, bench.store, prng);
  const PeerRecord pushed{
      .path = "a",
      .record = {.header = {.version = MemoryStore::version_of(2), .kind = {}}, .value = "1"},
      .replaced = {dot(1)}};
  Effects batch;
  ASSERT_EQ(replica.take(pushed, {.cause = Change::Cause::push}, batch), Taken::stored);
  replica.close_batch(batch);
  bench.store.commit(batch);
  bench.journal.add(replica.committed());
  const Delta delta = bench.journal.answer(replica.durable_knowledge(), {}, bench.store);
  EXPECT_EQ(delta.extent, Extent::whole);
  EXPECT_EQ(delta.records, std::vector<PeerRecord>{pushed});
}

TEST(Journal, ANewerVersionThanMineCoversGoesOutEarly) {
  Bench bench;
  bench.write("a");
  bench.store.put("a", 2, "just committed");
  const Delta delta = bench.answer({});
  EXPECT_EQ(delta.extent, Extent::whole);
  ASSERT_EQ(delta.records.size(), 1U);
  EXPECT_EQ(delta.records[0].record.header.version.dot, dot(2));
  EXPECT_EQ(delta.records[0].replaced, std::vector<Dot>{dot(1)});
}

TEST(Journal, WhatItDoesNotHoldIsImpossible) {
  Bench bench;
  bench.write("a");
  Knowledge mine = known(1);
  mine.add(dot(2));  // from an exchange that was complete, say
  EXPECT_EQ(bench.journal.answer(mine, {}, bench.store).extent, Extent::impossible);
  mine.add(Dot{.origin = Origin{7}, .seq = 1});
  EXPECT_EQ(bench.journal.answer(mine, known(2), bench.store).extent, Extent::impossible);
}

TEST(Journal, AHoleInTheMidstIsImpossible) {
  Bench bench;
  bench.write("a");
  ++bench.seq;
  bench.write("c");
  const Delta delta = bench.answer({});
  EXPECT_EQ(delta.extent, Extent::impossible);
  EXPECT_TRUE(delta.records.empty());
  EXPECT_EQ(bench.answer(known(2)).extent, Extent::whole);
}

TEST(Journal, AHugeClaimIsRefusedAtOnce) {
  Bench bench;
  bench.write("a");
  EXPECT_EQ(bench.journal.answer(known(UINT64_MAX), {}, bench.store).extent, Extent::impossible);
}

TEST(Journal, APathThatHoldsNothingIsImpossible) {
  Bench bench;
  bench.write("a");
  const MemoryStore empty;
  EXPECT_EQ(bench.journal.answer(known(1), {}, empty).extent, Extent::impossible);
  bench.store.damage("a", Errc::corrupt_data);
  EXPECT_EQ(bench.answer({}).extent, Extent::impossible);
}

TEST(Journal, AnOlderVersionDoesNotStandForADroppedOne) {
  Bench bench;
  bench.write("a");
  bench.write("a");
  bench.store.put("a", 1);
  EXPECT_EQ(bench.answer({}).extent, Extent::impossible);
}

TEST(Journal, DropsLeaveNoEntry) {
  Journal journal({});
  const Change drop{.path = "a", .before = RecordHeader{}, .after = {}, .replaced = {}};
  journal.add({&drop, 1});
  EXPECT_EQ(journal.dots(), 0U);
  EXPECT_EQ(journal.bytes(), 0U);
}

TEST(Journal, ALargeAnswerComesInParts) {
  Bench bench({.answer_records = 3});
  for (int i = 0; i < 8; ++i) {
    bench.write("path" + std::to_string(i));
  }
  Knowledge theirs;
  std::vector<std::size_t> sizes;
  for (Extent extent = Extent::part; extent == Extent::part && sizes.size() < 10;) {
    const Delta delta = bench.answer(theirs);
    extent = delta.extent;
    sizes.push_back(delta.records.size());
    for (const PeerRecord& record : delta.records) {
      theirs.add(record.record.header.version.dot);
    }
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3, 2}));
  EXPECT_EQ(theirs, known(8));
}

TEST(Journal, AnAnswerEndsWithTheRecordThatFillsIt) {
  Bench bench({.answer_bytes = 10'000});
  for (int i = 0; i < 8; ++i) {
    bench.write("path" + std::to_string(i), std::string(4000, 'x'));
  }
  EXPECT_EQ(bench.answer({}).records.size(), 3U);
  bench.write("big", std::string(1'000'000, 'x'));
  const Delta delta = bench.answer(known(8));
  EXPECT_EQ(delta.extent, Extent::whole);
  EXPECT_EQ(paths_of(delta.records), std::vector<std::string>{"big"});
}

TEST(Journal, TheOldestEntriesGoFirst) {
  Bench bench({.dots_max = 3});
  for (const char* path : {"a", "b", "c", "d"}) {
    bench.write(path);
  }
  EXPECT_EQ(bench.journal.dots(), 3U);
  EXPECT_EQ(bench.answer({}).extent, Extent::impossible);
  EXPECT_EQ(paths_of(bench.answer(known(1)).records), (std::vector<std::string>{"b", "c", "d"}));
}

TEST(Journal, StaysWithinItsBytes) {
  Bench bench({.bytes_max = 100'000});
  for (int i = 0; i < 10'000; ++i) {
    bench.write(std::string(1 + static_cast<std::size_t>(i) % 200, 'p'));
    ASSERT_LE(bench.journal.bytes(), 100'000U);
  }
  EXPECT_GT(bench.journal.bytes(), 90'000U);
  EXPECT_EQ(bench.answer(known(bench.seq - 100)).extent, Extent::whole);
}

TEST(Journal, AnEntryLargerThanTheJournalLeavesItEmpty) {
  Bench bench({.bytes_max = 1000});
  bench.write("a");
  bench.note("b", 9, std::vector<Dot>(100, dot(3)));
  EXPECT_EQ(bench.journal.bytes(), 0U);
  EXPECT_EQ(bench.journal.dots(), 0U);
  bench.note("a", 10, {});
  EXPECT_EQ(bench.journal.dots(), 1U);
}

TEST(Journal, ADotThatWasAppliedTwiceCountsOnce) {
  Bench bench({.dots_max = 2});
  bench.store.put("a", 1);
  bench.seq = 1;
  for (int i = 0; i < 5; ++i) {
    bench.note("a", 1, {});
    EXPECT_EQ(bench.journal.dots(), 1U);
  }
  EXPECT_EQ(bench.answer({}).records.size(), 1U);
  bench.write("b");
  bench.write("c");
  EXPECT_EQ(bench.journal.dots(), 2U);
  EXPECT_EQ(bench.answer(known(1)).records.size(), 2U);
}

TEST(Journal, LatestAreNewestFirst) {
  Bench bench;
  for (const char* path : {"a", "b", "c", "b"}) {
    bench.write(path);
  }
  EXPECT_EQ(paths_of(bench.journal.latest(15, bench.store)),
            (std::vector<std::string>{"b", "c", "a"}));
  const auto two = bench.journal.latest(2, bench.store);
  EXPECT_EQ(paths_of(two), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(two[0].record.header.version.dot, dot(4));
  EXPECT_TRUE(bench.journal.latest(0, bench.store).empty());
}

TEST(Journal, LatestFitAFrame) {
  Bench bench({.latest_bytes = 10'000});
  for (int i = 0; i < 20; ++i) {
    bench.write("path" + std::to_string(i), std::string(3000, 'x'));
  }
  EXPECT_EQ(bench.journal.latest(15, bench.store).size(), 3U);
}

TEST(Journal, LatestLeaveOutWhatIsGone) {
  Bench bench;
  bench.write("a");
  bench.write("b");
  bench.store.damage("b", Errc::io_error);
  EXPECT_EQ(paths_of(bench.journal.latest(15, bench.store)), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace kvs
