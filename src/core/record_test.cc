#include "core/record.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(Stamp, IsMillisecondsAndACounter) {
  const Stamp stamp = Stamp::from_ms(1'672'531'200'000);
  EXPECT_EQ(stamp.ms(), 1'672'531'200'000);
  EXPECT_EQ(Stamp{stamp.bits + 0xffff}.ms(), 1'672'531'200'000);
  EXPECT_EQ(Stamp{stamp.bits + 0x10000}.ms(), 1'672'531'200'001);
  EXPECT_EQ(Stamp::from_ms(-5), Stamp{}) << "before 1970 there are no stamps";
}

TEST(Stamp, OrderIsThatOfTheNumber) {
  EXPECT_LT(Stamp::from_ms(1), Stamp::from_ms(2));
  EXPECT_LT(Stamp::from_ms(1), Stamp{Stamp::from_ms(1).bits + 1});
  EXPECT_LT(Stamp{Stamp::from_ms(1).bits + 0xffff}, Stamp::from_ms(2));
}

Version version() {
  return {.stamp = {5},
          .verdict = {.votes = 3, .oldest_join_ms = 100, .voters_hash = 7},
          .uuid = {.high = 1, .low = 2},
          .dot = {.origin = Origin{9}, .seq = 4}};
}

// Each step raises one field and lowers those that come after it in the order.
TEST(Version, FieldsDecideInTheDocumentedOrder) {
  Version larger = version();
  larger.dot.seq = 5;
  EXPECT_GT(larger, version());
  larger = version();
  larger.dot = {.origin = Origin{10}, .seq = 0};
  EXPECT_GT(larger, version());
  larger.uuid.low = 3;
  larger.dot = {};
  EXPECT_GT(larger, version());
  larger.uuid = {.high = 2, .low = 0};
  EXPECT_GT(larger, version());
  larger.verdict.voters_hash = 8;
  larger.uuid = {};
  EXPECT_GT(larger, version());
  larger.verdict.oldest_join_ms = 99;
  larger.verdict.voters_hash = 0;
  EXPECT_GT(larger, version()) << "the verdict of the older voter";
  larger.verdict = {.votes = 4, .oldest_join_ms = 101, .voters_hash = 0};
  EXPECT_GT(larger, version());
  larger.stamp = {6};
  larger.verdict = {};
  EXPECT_GT(larger, version());
  EXPECT_EQ(version() <=> version(), std::strong_ordering::equal);
}

TEST(Version, AVerdictBeatsNone) {
  Version undecided = version();
  undecided.verdict = {};
  EXPECT_GT(version(), undecided);
  EXPECT_FALSE(undecided.verdict.given());
  EXPECT_TRUE(version().verdict.given());
}

TEST(Record, ATombstoneIsNotLive) {
  Record record{.header = {.version = version(), .kind = RecordKind::value}, .value = "1"};
  EXPECT_TRUE(record.header.live());
  EXPECT_EQ(record.view().value, "1");
  EXPECT_EQ(record.view().header, record.header);
  record.header.kind = RecordKind::tombstone;
  EXPECT_FALSE(record.header.live());
}

}  // namespace
}  // namespace kvs
