#include "io/record_cache.h"

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace kvs {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;

Record record_of(std::uint64_t seq, std::string value = "{}") {
  return {.header = {.version = {.stamp = {seq},
                                 .verdict = {},
                                 .uuid = {.high = seq, .low = ~seq},
                                 .dot = {.origin = Origin{3}, .seq = seq}},
                     .kind = RecordKind::value},
          .value = std::move(value)};
}

/// What the committing thread does, in one.
void write(RecordCache& cache, const std::string& key, const Record& record) {
  const RecordWrite writes[] = {{.key = Key::from_store(key), .record = record.view()}};
  cache.begin_writes(writes);
  cache.end_writes(writes, RecordCache::Outcome::written);
}

SharedRecord cached(RecordCache& cache, const std::string& key) {
  return cache.lookup(Key::from_store(key)).record;
}

/// What a reader does on a miss, when the database gives `record`.
void fill(RecordCache& cache, const std::string& key, const Record& record) {
  const auto lookup = cache.lookup(Key::from_store(key));
  ASSERT_FALSE(lookup.record);
  cache.fill(lookup.miss, SharedRecord(Key::from_store(key), record.view()));
}

TEST(RecordCache, GivesBackWhatWasWrittenOrFilled) {
  RecordCache cache(kMiB);
  EXPECT_FALSE(cached(cache, "a"));
  write(cache, "a", record_of(1, "[1]"));
  fill(cache, "b", record_of(2, "[2]"));
  ASSERT_TRUE(cached(cache, "a"));
  EXPECT_EQ(cached(cache, "a").value(), "[1]");
  EXPECT_EQ(cached(cache, "a").header(), record_of(1).header);
  EXPECT_EQ(cached(cache, "a").key().text(), "a");
  EXPECT_EQ(cached(cache, "b").value(), "[2]");
  EXPECT_EQ(cache.peek(Key::from_store("b")), record_of(2).header);
  EXPECT_FALSE(cache.peek(Key::from_store("c")));
  EXPECT_EQ(cache.stats().records, 2U);
}

TEST(RecordCache, FetchingAheadChangesNothing) {
  RecordCache cache(kMiB);
  write(cache, "a", record_of(1, "[1]"));
  const RecordCache::Stats before = cache.stats();
  std::vector<std::string_view> keys(100, "a");  // more than are fetched at a time
  keys.push_back("absent");
  keys.push_back("no // key");
  cache.prefetch(keys);
  cache.prefetch({});
  const RecordCache::Stats after = cache.stats();
  EXPECT_EQ(after.hits, before.hits);
  EXPECT_EQ(after.misses, before.misses);
  EXPECT_EQ(after.records, 1U);
  EXPECT_EQ(cached(cache, "a").value(), "[1]");
}

TEST(RecordCache, KeepsEveryFieldOfARecord) {
  RecordCache cache(kMiB);
  Record record = record_of(1, std::string("\0\xff{}", 4));
  record.header.version.verdict = {.votes = 3, .oldest_join_ms = -1, .voters_hash = ~0ULL};
  write(cache, "decided", record);
  Record tombstone = record_of(2, "");
  tombstone.header.kind = RecordKind::tombstone;
  write(cache, "gone", tombstone);
  EXPECT_EQ(cached(cache, "decided").header(), record.header);
  EXPECT_EQ(cached(cache, "decided").value(), record.value);
  EXPECT_EQ(cached(cache, "gone").header(), tombstone.header);
  EXPECT_EQ(cached(cache, "gone").value(), "");
}

TEST(RecordCache, ReplacesAndCountsOnce) {
  RecordCache cache(kMiB);
  for (std::uint64_t seq = 1; seq <= 10; ++seq) {
    write(cache, "k", record_of(seq, std::to_string(seq)));
  }
  EXPECT_EQ(cached(cache, "k").value(), "10");
  EXPECT_EQ(cache.stats().records, 1U);
}

TEST(RecordCache, OfTwoWritesInABatchTheLastShows) {
  RecordCache cache(kMiB);
  const Record first = record_of(1, "1");
  const Record second = record_of(2, "2");
  const RecordWrite writes[] = {{.key = Key::from_store("k"), .record = first.view()},
                                {.key = Key::from_store("k"), .record = second.view()}};
  cache.begin_writes(writes);
  cache.end_writes(writes, RecordCache::Outcome::written);
  EXPECT_EQ(cached(cache, "k").value(), "2");
  EXPECT_EQ(cache.stats().records, 1U);
}

TEST(RecordCache, AKeyBeingWrittenIsNotServedAndNotFilled) {
  RecordCache cache(kMiB);
  write(cache, "k", record_of(1, "1"));
  const Record next = record_of(2, "2");
  const RecordWrite writes[] = {{.key = Key::from_store("k"), .record = next.view()}};
  cache.begin_writes(writes);
  EXPECT_FALSE(cached(cache, "k"));
  fill(cache, "k", record_of(1, "1"));
  EXPECT_FALSE(cached(cache, "k"));
  cache.end_writes(writes, RecordCache::Outcome::written);
  EXPECT_EQ(cached(cache, "k").value(), "2");
}

// The race: a reader finds the old version in the database, then a commit runs whole, then the
// reader comes back with what it found.
TEST(RecordCache, AFillThatACommitOvertookIsDropped) {
  RecordCache cache(kMiB);
  const auto lookup = cache.lookup(Key::from_store("k"));
  ASSERT_FALSE(lookup.record);
  write(cache, "k", record_of(2, "new"));
  cache.fill(lookup.miss, SharedRecord(Key::from_store("k"), record_of(1, "old").view()));
  EXPECT_EQ(cached(cache, "k").value(), "new");
}

// The same, and the new version has been evicted again in between.
TEST(RecordCache, AFillThatACommitOvertookIsDroppedEvenAfterAnEviction) {
  RecordCache cache(1);  // too small for anything
  const auto lookup = cache.lookup(Key::from_store("k"));
  write(cache, "k", record_of(2, "new"));
  ASSERT_FALSE(cached(cache, "k"));
  cache.fill(lookup.miss, SharedRecord(Key::from_store("k"), record_of(1, "old").view()));
  EXPECT_FALSE(cached(cache, "k"));

  RecordCache large(64 * kMiB);
  const auto late = large.lookup(Key::from_store("k"));
  const Record failed = record_of(2, "new");
  const RecordWrite writes[] = {{.key = Key::from_store("k"), .record = failed.view()}};
  large.begin_writes(writes);
  large.end_writes(writes, RecordCache::Outcome::failed);
  large.fill(late.miss, SharedRecord(Key::from_store("k"), record_of(1, "old").view()));
  EXPECT_FALSE(cached(large, "k"));
}

TEST(RecordCache, AFailedWriteLeavesNothing) {
  RecordCache cache(kMiB);
  write(cache, "k", record_of(1, "1"));
  const Record next = record_of(2, "2");
  const RecordWrite writes[] = {{.key = Key::from_store("k"), .record = next.view()}};
  cache.begin_writes(writes);
  cache.end_writes(writes, RecordCache::Outcome::failed);
  EXPECT_FALSE(cached(cache, "k"));
  fill(cache, "k", record_of(1, "1"));
  EXPECT_EQ(cached(cache, "k").value(), "1");
}

TEST(RecordCache, StaysWithinItsBytes) {
  RecordCache cache(4 * kMiB);
  for (std::uint64_t seq = 0; seq < 50'000; ++seq) {
    write(cache, "key/" + std::to_string(seq), record_of(seq, std::string(seq % 400, 'v')));
    if (seq % 1000 == 0) {
      ASSERT_LE(cache.stats().bytes, 4 * kMiB);
    }
  }
  const auto stats = cache.stats();
  EXPECT_LE(stats.bytes, 4 * kMiB);
  EXPECT_GT(stats.bytes, 3 * kMiB);
  EXPECT_GT(stats.evictions, 10'000U);
  EXPECT_EQ(stats.records + stats.evictions, 50'000U);
}

TEST(RecordCache, KeepsWhatIsRead) {
  RecordCache cache(4 * kMiB);
  write(cache, "hot", record_of(1));
  for (std::uint64_t seq = 0; seq < 50'000; ++seq) {
    write(cache, "key/" + std::to_string(seq), record_of(seq, std::string(200, 'v')));
    if (seq % 100 == 0) {
      ASSERT_TRUE(cached(cache, "hot")) << seq;
    }
  }
}

TEST(RecordCache, DoesNotTakeWhatWouldPushOutTooMuch) {
  RecordCache cache(kMiB);
  write(cache, "large", record_of(1, std::string(kMiB / 2, 'v')));
  EXPECT_FALSE(cached(cache, "large"));
}

TEST(RecordCache, ARecordOutlivesItsEviction) {
  SharedRecord held;
  {
    RecordCache cache(kMiB);
    write(cache, "k", record_of(1, "still here"));
    held = cached(cache, "k");
    write(cache, "k", record_of(2, "newer"));
  }
  EXPECT_EQ(held.value(), "still here");
}

TEST(RecordCache, AMillionRecordsOfAHundredBytesFitInto224MiB) {
  RecordCache cache(224 * kMiB);
  const std::string value(100, 'v');
  for (std::uint64_t seq = 0; seq < 1'000'000; ++seq) {
    write(cache, "users/000000/" + std::to_string(100'000'000 + seq), record_of(seq, value));
  }
  EXPECT_EQ(cache.stats().records, 1'000'000U);
}

// A database of one number a key; readers must never see a number go back.
TEST(RecordCache, ReadersNeverSeeAnOlderVersionThanBefore) {
  constexpr std::size_t kKeys = 4;
  constexpr std::uint64_t kWrites = 20'000;
  RecordCache cache(kMiB);
  std::array<std::atomic<std::uint64_t>, kKeys> database{};
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> went_back = 0;
  const auto read = [&](std::size_t key) {
    const std::string name = std::to_string(key);
    auto lookup = cache.lookup(Key::from_store(name));
    if (lookup.record) {
      return lookup.record.header().version.dot.seq;
    }
    const std::uint64_t seq = database[key];
    cache.fill(lookup.miss, SharedRecord(Key::from_store(name), record_of(seq).view()));
    return seq;
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::array<std::uint64_t, kKeys> last{};
      for (std::size_t key = 0; !stop; key = (key + 1) % kKeys) {
        const std::string next = std::to_string((key + 1) % kKeys);
        const std::string_view ahead[] = {next};
        cache.prefetch(ahead);
        const std::uint64_t seq = read(key);
        went_back += seq < last[key] ? 1 : 0;
        last[key] = seq;
      }
    });
  }
  Prng prng(1);
  for (std::uint64_t seq = 1; seq <= kWrites; ++seq) {
    const std::size_t key = prng.below(kKeys);
    const std::string name = std::to_string(key);
    const Record record = record_of(seq);
    const RecordWrite writes[] = {{.key = Key::from_store(name), .record = record.view()}};
    cache.begin_writes(writes);
    database[key] = seq;
    cache.end_writes(writes, RecordCache::Outcome::written);
    if (prng.chance(1, 4)) {  // push it out again: now readers fill
      cache.begin_writes(writes);
      cache.end_writes(writes, RecordCache::Outcome::failed);
    }
  }
  stop = true;
  for (std::thread& reader : readers) {
    reader.join();
  }
  EXPECT_EQ(went_back, 0U);
}

}  // namespace
}  // namespace kvs
