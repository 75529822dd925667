#include "core/write_ref.h"

#include <gtest/gtest.h>

#include "support/memory_store.h"

namespace kvs {
namespace {

constexpr Origin kOrigin{1};

Dot dot(std::uint64_t seq) {
  return {.origin = kOrigin, .seq = seq};
}

Change change(const std::string& path, std::uint64_t seq, std::vector<Dot> replaced = {}) {
  return {.path = path,
          .before = {},
          .after = RecordHeader{.version = MemoryStore::version_of(seq), .kind = {}},
          .replaced = std::move(replaced)};
}

WriteRef ref(const std::string& path, std::uint64_t seq) {
  return ref_of(change(path, seq));
}

TEST(WriteRef, IsReflectedByItselfAndByNewerVersions) {
  EXPECT_TRUE(reflects(MemoryStore::version_of(5), ref("a", 5)));
  EXPECT_TRUE(reflects(MemoryStore::version_of(6), ref("a", 5)));
  EXPECT_FALSE(reflects(MemoryStore::version_of(4), ref("a", 5)));
}

TEST(WriteRef, OfEqualStampsMoreVotesAreNewer) {
  Version verdict = MemoryStore::version_of(5);
  verdict.dot.seq = 9;
  EXPECT_FALSE(reflects(verdict, ref("a", 5))) << "a tie: neither replaced the other";
  verdict.verdict.votes = 2;
  EXPECT_TRUE(reflects(verdict, ref("a", 5)));
  WriteRef more = ref("a", 5);
  more.votes = 3;
  EXPECT_FALSE(reflects(verdict, more));
  more.votes = 2;
  EXPECT_FALSE(reflects(verdict, more)) << "open";
}

TEST(WriteRef, MemoryCountsPathAndDots) {
  const std::size_t small = memory_of(ref("a", 1));
  EXPECT_GE(small, sizeof(WriteRef));
  EXPECT_GE(memory_of(ref(std::string(500, 'x'), 1)), small + 500);
  EXPECT_GE(memory_of(ref_of(change("a", 9, std::vector<Dot>(100)))), small + 100 * sizeof(Dot));
}

TEST(RecordGatherer, GivesEachPathOnceInItsNewestVersion) {
  MemoryStore store;
  store.put("a", 3, "three");
  store.put_tombstone("b", 2);
  const WriteRef first = ref("a", 1);
  const WriteRef second = ref("b", 2);
  const WriteRef third = ref("a", 3);
  RecordGatherer gatherer(store);
  EXPECT_TRUE(gatherer.add(first, first.dot));
  EXPECT_TRUE(gatherer.add(second, second.dot));
  EXPECT_TRUE(gatherer.add(third, third.dot));
  EXPECT_EQ(gatherer.count(), 2U);
  const std::size_t bytes = gatherer.bytes();
  const auto records = gatherer.take();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].path, "a");
  EXPECT_EQ(records[0].record.value, "three");
  EXPECT_EQ(records[0].replaced, std::vector<Dot>{dot(1)});
  EXPECT_EQ(records[1].path, "b");
  EXPECT_FALSE(records[1].record.header.live());
  EXPECT_TRUE(records[1].replaced.empty());
  EXPECT_EQ(bytes, message_bytes(records[0]) + message_bytes(records[1]));
  EXPECT_EQ(gatherer.count(), 0U);
  EXPECT_EQ(gatherer.bytes(), 0U);
}

TEST(RecordGatherer, CarriesWhatCameReplaced) {
  MemoryStore store;
  store.put("a", 9);
  const WriteRef ref = ref_of(change("a", 9, {dot(4), dot(7)}));
  RecordGatherer gatherer(store);
  EXPECT_TRUE(gatherer.add(ref, dot(4)));
  EXPECT_TRUE(gatherer.add(ref, dot(9)));
  const auto records = gatherer.take();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].replaced, std::vector<Dot>{dot(4)}) << "only what was asked for";
}

TEST(RecordGatherer, LeavesOutWhatTheStoreDoesNotReflect) {
  MemoryStore store;
  store.put("older", 1);
  store.put("damaged", 2);
  store.damage("damaged", Errc::corrupt_data);
  RecordGatherer gatherer(store);
  for (const char* path : {"older", "damaged", "absent"}) {
    const WriteRef lost = ref(path, 2);
    EXPECT_FALSE(gatherer.add(lost, lost.dot)) << path;
  }
  EXPECT_EQ(gatherer.count(), 0U);
  EXPECT_EQ(gatherer.bytes(), 0U);
}

TEST(RecordGatherer, APathThatIsThereMayStillNotReflectAWrite) {
  MemoryStore store;
  store.put("a", 3);
  const WriteRef held = ref("a", 3);
  const WriteRef dropped = ref("a", 5);  // was dropped; then 3 came
  RecordGatherer gatherer(store);
  EXPECT_TRUE(gatherer.add(held, held.dot));
  EXPECT_FALSE(gatherer.add(dropped, dropped.dot));
  EXPECT_TRUE(gatherer.take().front().replaced.empty());
}

}  // namespace
}  // namespace kvs
