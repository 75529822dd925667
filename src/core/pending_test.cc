#include "core/pending.h"

#include <map>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/prng.h"

namespace kvs {
namespace {

using testing::Optional;
using testing::Pointee;

Key key(std::string_view text) {
  return Key::from_store(text);
}

RecordHeader header(std::uint64_t stamp) {
  return {.version = {.stamp = {stamp}, .verdict = {}, .uuid = {}, .dot = {}},
          .kind = RecordKind::value};
}

TEST(Pending, FindsTheNewestWrite) {
  Pending pending;
  EXPECT_EQ(pending.find(key("a")), nullptr);
  pending.add(key("a"), header(1));
  EXPECT_THAT(pending.find(key("a")), Pointee(Optional(header(1))));
  pending.add(key("a"), header(2));
  EXPECT_THAT(pending.find(key("a")), Pointee(Optional(header(2))));
  pending.close_batch();
  EXPECT_THAT(pending.find(key("a")), Pointee(Optional(header(2)))) << "not durable yet";
  pending.commit_oldest();
  EXPECT_EQ(pending.find(key("a")), nullptr) << "the store has it now";
}

TEST(Pending, ALaterBatchsWriteOutlivesTheCommitOfAnEarlierOne) {
  Pending pending;
  pending.add(key("a"), header(1));
  pending.add(key("b"), header(1));
  pending.close_batch();
  pending.add(key("a"), header(2));
  pending.close_batch();
  pending.add(key("c"), header(3));
  EXPECT_EQ(pending.batches(), 2U);
  pending.commit_oldest();
  EXPECT_THAT(pending.find(key("a")), Pointee(Optional(header(2))));
  EXPECT_EQ(pending.find(key("b")), nullptr);
  pending.commit_oldest();
  EXPECT_EQ(pending.find(key("a")), nullptr);
  EXPECT_THAT(pending.find(key("c")), Pointee(Optional(header(3))));
  EXPECT_EQ(pending.batches(), 0U);
}

TEST(Pending, KeepsItsOwnCopyOfTheKey) {
  Pending pending;
  std::string text = "abc";
  pending.add(key(text), header(1));
  text = "xyz";
  EXPECT_THAT(pending.find(key("abc")), Pointee(Optional(header(1))));
}

TEST(Pending, AnEmptyBatchCountsToo) {
  Pending pending;
  pending.close_batch();
  pending.add(key("a"), header(1));
  pending.close_batch();
  pending.commit_oldest();
  EXPECT_THAT(pending.find(key("a")), Pointee(Optional(header(1))));
  pending.commit_oldest();
  EXPECT_EQ(pending.find(key("a")), nullptr);
}

TEST(Pending, ClearForgetsEverything) {
  Pending pending;
  pending.add(key("a"), header(1));
  pending.close_batch();
  pending.add(key("b"), header(2));
  pending.clear();
  EXPECT_EQ(pending.find(key("a")), nullptr);
  EXPECT_EQ(pending.find(key("b")), nullptr);
  EXPECT_EQ(pending.batches(), 0U);
  pending.add(key("a"), header(3));
  pending.close_batch();
  pending.commit_oldest();
  EXPECT_EQ(pending.find(key("a")), nullptr);
}

TEST(PendingDeathTest, ACommitNeedsABatch) {
  Pending pending;
  EXPECT_DEATH(pending.commit_oldest(), "never closed");
}

// Against the plainest thing that could work: the list of batches itself.
TEST(Pending, AgreesWithAListOfBatches) {
  using Batch = std::map<std::string, RecordHeader>;
  Prng prng(1);
  Pending pending;
  std::vector<Batch> batches(1);  // the open one is the last
  for (std::uint64_t i = 1; i < 50'000; ++i) {
    const std::string text(1, static_cast<char>('a' + prng.below(6)));
    switch (prng.below(8)) {
      case 0:
        pending.close_batch();
        batches.emplace_back();
        break;
      case 1:
        if (batches.size() > 1) {
          pending.commit_oldest();
          batches.erase(batches.begin());
        }
        break;
      case 2:
        if (prng.chance(1, 20)) {
          pending.clear();
          batches.assign(1, {});
        }
        break;
      default:
        pending.add(key(text), header(i));
        batches.back()[text] = header(i);
    }
    std::optional<RecordHeader> newest;
    for (const Batch& batch : batches) {
      const auto it = batch.find(text);
      newest = it == batch.end() ? newest : std::optional(it->second);
    }
    const Pending::Held* const found = pending.find(key(text));
    ASSERT_EQ(found != nullptr ? *found : std::nullopt, newest) << "step " << i;
    ASSERT_EQ(pending.batches(), batches.size() - 1);
  }
}

}  // namespace
}  // namespace kvs
