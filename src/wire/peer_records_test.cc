#include "wire/peer_records.h"

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/peer_samples.h"

namespace kvs {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kMemory = 1'000'000;

constexpr std::uint8_t kTombstone = 1;
constexpr std::uint8_t kVerdict = 2;
constexpr std::uint8_t kOriginAsBefore = 4;
constexpr std::uint8_t kReplaced = 8;

PeerItem some_item() {
  return {.path = "a",
          .header = {.version = {.stamp = {1},
                                 .verdict = {},
                                 .uuid = {.high = 2, .low = 3},
                                 .dot = {.origin = Origin{4}, .seq = 5}},
                     .kind = RecordKind::value}};
}

PeerRecord some_record() {
  return {.path = "a", .record = {.header = some_item().header, .value = "7"}, .replaced = {}};
}

std::string bytes_of(const std::vector<PeerItem>& items) {
  std::string bytes;
  PeerWriter writer(bytes);
  put_items(writer, items);
  return bytes;
}

std::string bytes_of(const PeerRecord& record) {
  std::string bytes;
  PeerWriter writer(bytes);
  put_record(writer, record);
  return bytes;
}

std::string bytes_of(const Knowledge& knowledge) {
  std::string bytes;
  PeerWriter writer(bytes);
  put_knowledge(writer, knowledge);
  return bytes;
}

/// An item by its parts, which need not be sound.
struct RawItem {
  std::uint8_t flags = 0;
  std::uint64_t origin = 4;
  std::uint64_t seq = 5;
  std::uint64_t votes = 1;
};

std::string bytes_of(const RawItem& item) {
  std::string bytes;
  PeerWriter writer(bytes);
  writer.put_number(1);
  writer.put_path("a");
  writer.put_byte(item.flags);
  for (const std::uint64_t word : {1U, 2U, 3U}) {
    writer.put_word(word);
  }
  if ((item.flags & kOriginAsBefore) == 0) {
    writer.put_word(item.origin);
  }
  writer.put_number(item.seq);
  if ((item.flags & kVerdict) != 0) {
    writer.put_number(item.votes);
    writer.put_signed(-1);
    writer.put_word(9);
  }
  return bytes;
}

/// An item that says when it expires.
std::string expiring(std::uint8_t flags, std::uint64_t expires_ms) {
  std::string bytes = bytes_of(RawItem{.flags = flags});
  PeerWriter(bytes).put_number(expires_ms);
  return bytes;
}

std::vector<PeerItem> items_of(std::string_view bytes) {
  PeerReader reader(bytes, kMemory);
  std::vector<PeerItem> items = take_items(reader);
  EXPECT_TRUE(reader.ok() && reader.rest().empty()) << reader.fault();
  return items;
}

std::string_view fault_of_items(std::string_view bytes) {
  PeerReader reader(bytes, kMemory);
  static_cast<void>(take_items(reader));
  return reader.fault();
}

TEST(PeerRecords, AnItemIsSmall) {
  std::vector<PeerItem> items{some_item()};
  EXPECT_EQ(bytes_of(items).size(), 38U);  // its path has one byte
  items.push_back(some_item());
  items.back().path = "ab";
  EXPECT_EQ(bytes_of(items).size(), 38U + 29U);  // the same origin, one byte more of path
  EXPECT_EQ(items_of(bytes_of(items)), items);
}

TEST(PeerRecords, WhatExpiresSaysWhen) {
  constexpr std::uint8_t kExpires = 16;
  constexpr std::uint8_t kExpired = 32;
  const auto items = items_of(expiring(kExpires, 1'700'000'000'000));
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].header.expires_ms, 1'700'000'000'000);
  EXPECT_EQ(items[0].header.kind, RecordKind::value);
  EXPECT_EQ(items_of(expiring(kExpires | kExpired, 1))[0].header.kind, RecordKind::expired);
  EXPECT_FALSE(fault_of_items(expiring(kExpires, 0)).empty());
  EXPECT_FALSE(fault_of_items(expiring(kExpires, kExpiresMsMax + 1)).empty());
  EXPECT_FALSE(fault_of_items(expiring(kExpires | kTombstone, 1)).empty());
  EXPECT_FALSE(fault_of_items(bytes_of(RawItem{.flags = kExpired})).empty());
}

TEST(PeerRecords, ItemsAreSound) {
  EXPECT_EQ(items_of(bytes_of(RawItem{})), std::vector{some_item()});
  EXPECT_FALSE(fault_of_items(bytes_of(RawItem{.origin = 0})).empty());
  EXPECT_FALSE(fault_of_items(bytes_of(RawItem{.seq = 0})).empty());
  EXPECT_FALSE(fault_of_items(bytes_of(RawItem{.flags = kOriginAsBefore})).empty());
  EXPECT_FALSE(fault_of_items(bytes_of(RawItem{.flags = kReplaced})).empty());
  EXPECT_FALSE(fault_of_items(bytes_of(RawItem{.flags = 0x40})).empty());
  EXPECT_FALSE(fault_of_items(bytes_of(RawItem{.flags = 0x80})).empty());
}

TEST(PeerRecords, AVerdictHasVotes) {
  const auto items = items_of(bytes_of(RawItem{.flags = kVerdict | kTombstone, .votes = 3}));
  ASSERT_EQ(items.size(), 1U);
  EXPECT_FALSE(items[0].header.live());
  EXPECT_EQ(items[0].header.version.verdict,
            (Verdict{.votes = 3, .oldest_join_ms = -1, .voters_hash = 9}));
  EXPECT_FALSE(fault_of_items(bytes_of(RawItem{.flags = kVerdict, .votes = 0})).empty());
  EXPECT_FALSE(fault_of_items(bytes_of(RawItem{.flags = kVerdict, .votes = 1ULL << 32U})).empty());
}

TEST(PeerRecords, RecordsComeBack) {
  PeerSamples samples(1);
  for (int i = 0; i < 300; ++i) {
    const PeerRecord record = samples.record();
    const std::string bytes = bytes_of(record);
    PeerReader reader(bytes, kMemory);
    EXPECT_EQ(take_record(reader), record);
    EXPECT_TRUE(reader.ok() && reader.rest().empty());
  }
}

TEST(PeerRecords, ATombstoneCarriesNoValue) {
  PeerRecord record = some_record();
  const std::size_t size = bytes_of(record).size();
  record.record.header.kind = RecordKind::tombstone;
  const std::string bytes = bytes_of(record);
  EXPECT_EQ(bytes.size(), size - 2);
  PeerReader reader(bytes, kMemory);
  EXPECT_TRUE(take_record(reader).record.value.empty());
  EXPECT_TRUE(reader.ok() && reader.rest().empty());
}

TEST(PeerRecords, ReplacedDotsInARowTakeAByteEach) {
  PeerRecord record = some_record();
  const std::size_t size = bytes_of(record).size();
  for (std::uint64_t seq = 1; seq <= 100; ++seq) {
    record.replaced.push_back({.origin = Origin{4}, .seq = seq});
  }
  EXPECT_EQ(bytes_of(record).size(), size + 110);
}

TEST(PeerRecords, ReplacedDotsKeepTheirOrder) {
  PeerRecord record = some_record();
  for (const auto& [origin, seq] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {4, 9}, {4, 3}, {5, 3}, {4, kMax}, {4, 1}, {4, 1ULL << 63U}}) {
    record.replaced.push_back({.origin = Origin{origin}, .seq = seq});
  }
  const std::string bytes = bytes_of(record);
  PeerReader reader(bytes, kMemory);
  EXPECT_EQ(take_record(reader), record);
}

TEST(PeerRecords, ReplacedDotsAreWrites) {
  for (const Dot dot : {Dot{.origin = Origin{4}, .seq = 0}, Dot{.origin = Origin{0}, .seq = 4}}) {
    PeerRecord record = some_record();
    record.replaced = {dot};
    const std::string bytes = bytes_of(record);
    PeerReader reader(bytes, kMemory);
    static_cast<void>(take_record(reader));
    EXPECT_FALSE(reader.ok());
  }
}

TEST(PeerRecords, ReplacedDotsAreCharged) {
  PeerRecord record = some_record();
  record.replaced.assign(100, Dot{.origin = Origin{4}, .seq = 1});
  const std::string bytes = bytes_of(record);
  PeerReader enough(bytes, 1 + 100 * sizeof(Dot));
  static_cast<void>(take_record(enough));
  EXPECT_TRUE(enough.ok());
  PeerReader less(bytes, 100 * sizeof(Dot));
  static_cast<void>(take_record(less));
  EXPECT_FALSE(less.ok());
}

TEST(PeerRecords, KnowledgeComesBack) {
  PeerSamples samples(2);
  for (int i = 0; i < 300; ++i) {
    const Knowledge knowledge = samples.knowledge();
    const std::string bytes = bytes_of(knowledge);
    PeerReader reader(bytes, kMemory);
    EXPECT_EQ(take_knowledge(reader), knowledge);
    EXPECT_TRUE(reader.ok() && reader.rest().empty()) << reader.fault();
  }
}

TEST(PeerRecords, KnowledgeOfARunIsSmall) {
  Knowledge knowledge;
  knowledge.add({.origin = Origin{4}, .first = 1, .last = 1'000'000});
  EXPECT_EQ(bytes_of(knowledge).size(), 1U + 8U + 3U + 1U);
  knowledge.add({.origin = Origin{4}, .first = 1'000'003, .last = 1'000'010});
  EXPECT_EQ(bytes_of(knowledge).size(), 1U + 8U + 3U + 1U + 2U);
}

TEST(PeerRecords, KnowledgeReachesToTheLastNumber) {
  for (const std::uint64_t first : {kMax, kMax - 1, std::uint64_t{3}, std::uint64_t{1}}) {
    Knowledge knowledge;
    knowledge.add({.origin = Origin{4}, .first = first, .last = kMax});
    const std::string bytes = bytes_of(knowledge);
    PeerReader reader(bytes, kMemory);
    EXPECT_EQ(take_knowledge(reader), knowledge) << first;
    EXPECT_TRUE(reader.ok());
  }
}

/// K of the origins, each with `upto` and as many numbers for ranges as are given.
std::string raw_knowledge(const std::vector<std::uint64_t>& origins, std::uint64_t upto,
                          const std::vector<std::uint64_t>& numbers) {
  std::string bytes;
  PeerWriter writer(bytes);
  writer.put_number(origins.size());
  for (const std::uint64_t origin : origins) {
    writer.put_word(origin);
    writer.put_number(upto);
    writer.put_number(numbers.size() / 2);
    for (const std::uint64_t number : numbers) {
      writer.put_number(number);
    }
  }
  return bytes;
}

bool is_knowledge(std::string_view bytes) {
  PeerReader reader(bytes, kMemory);
  const Knowledge knowledge = take_knowledge(reader);
  return reader.ok() && bytes_of(knowledge) == bytes;
}

TEST(PeerRecords, KnowledgeIsCanonical) {
  EXPECT_TRUE(is_knowledge(raw_knowledge({1, 2}, 5, {0, 0, 7, 7})));
  EXPECT_FALSE(is_knowledge(raw_knowledge({2, 1}, 5, {})));
  EXPECT_FALSE(is_knowledge(raw_knowledge({1, 1}, 5, {})));
  EXPECT_FALSE(is_knowledge(raw_knowledge({0}, 5, {})));
  EXPECT_FALSE(is_knowledge(raw_knowledge({1}, 0, {})));
  EXPECT_TRUE(is_knowledge(raw_knowledge({1}, 0, {0, 0})));
}

TEST(PeerRecords, KnowledgeDoesNotWrapAround) {
  EXPECT_FALSE(is_knowledge(raw_knowledge({1}, kMax, {0, 0})));
  EXPECT_FALSE(is_knowledge(raw_knowledge({1}, kMax - 1, {0, 0})));
  EXPECT_TRUE(is_knowledge(raw_knowledge({1}, kMax - 2, {0, 0})));
  EXPECT_FALSE(is_knowledge(raw_knowledge({1}, kMax - 2, {0, 1})));
  EXPECT_FALSE(is_knowledge(raw_knowledge({1}, 1, {kMax - 2, 0})));
  EXPECT_FALSE(is_knowledge(raw_knowledge({1}, 1, {0, kMax - 2})));
}

TEST(PeerRecords, RangesComeBack) {
  const Fingerprint fingerprint{.high = 1, .low = 2, .count = 300};
  PathRange skip{.end = "b", .kind = PathRange::Kind::skip};
  PathRange sum{.end = "c", .kind = PathRange::Kind::fingerprint, .fingerprint = fingerprint};
  PathRange items{.end = "d", .kind = PathRange::Kind::items, .items = {some_item()}};
  PathRange hashes{.end = "e", .kind = PathRange::Kind::hashes, .hashes = {1, 0xffff'ffff, 1}};
  PathRange difference{.end = "",
                       .kind = PathRange::Kind::difference,
                       .fingerprint = fingerprint,
                       .items = {some_item()},
                       .hashes = {0x0403'0201}};
  const std::vector<PathRange> ranges{skip, sum, items, hashes, difference};
  std::string bytes;
  PeerWriter writer(bytes);
  put_ranges(writer, ranges);
  const std::size_t sums = 4U + 18U;
  EXPECT_EQ(bytes.size(), 1U + 4U + sums + 4U + 38U + 4U + 13U + (3U + 18U + 5U + 30U));
  EXPECT_TRUE(bytes.contains(std::string_view("\x01\x01\x02\x03\x04\x01", 6)))
      << "one hash, lowest byte first; one item";
  PeerReader reader(bytes, kMemory);
  EXPECT_EQ(take_ranges(reader), ranges);
  EXPECT_TRUE(reader.ok() && reader.rest().empty());
  bytes[1] = 5;
  PeerReader unknown(bytes, kMemory);
  static_cast<void>(take_ranges(unknown));
  EXPECT_FALSE(unknown.ok());
}

TEST(PeerRecords, VotesComeBack) {
  std::string bytes;
  PeerWriter writer(bytes);
  put_vote(writer, {});
  put_vote(writer, some_item().header);
  put_vote(writer, ShortHash{0x04030201});
  EXPECT_TRUE(bytes.ends_with("\2\1\2\3\4")) << "the kind; lowest byte first";
  PeerReader reader(bytes, kMemory);
  EXPECT_EQ(take_vote(reader), CastVote());
  EXPECT_EQ(take_vote(reader), CastVote(some_item().header));
  EXPECT_EQ(take_vote(reader), CastVote(ShortHash{0x04030201}));
  EXPECT_TRUE(reader.ok() && reader.rest().empty());
  PeerReader unknown("\3\1\2\3\4", kMemory);
  static_cast<void>(take_vote(unknown));
  EXPECT_FALSE(unknown.ok());
}

}  // namespace
}  // namespace kvs
