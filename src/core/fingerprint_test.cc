#include "core/fingerprint.h"

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kvs {
namespace {

RecordHeader header(std::uint64_t seq) {
  return {.version = {.stamp = {seq},
                      .verdict = {},
                      .uuid = {.high = seq, .low = seq},
                      .dot = {.origin = Origin{1}, .seq = seq}},
          .kind = RecordKind::value};
}

Fingerprint of(const std::string& path, std::uint64_t seq) {
  return fingerprint_of(path, header(seq));
}

TEST(Fingerprint, OfNothingIsZero) {
  EXPECT_EQ(Fingerprint{}, (Fingerprint{.high = 0, .low = 0, .count = 0}));
}

TEST(Fingerprint, OfOneRecordCountsOneAndIsRepeatable) {
  EXPECT_EQ(of("a", 1).count, 1U);
  EXPECT_EQ(of("a", 1), of("a", 1));
  EXPECT_NE(of("a", 1).low, 0U);
  EXPECT_NE(of("a", 1).high, 0U);
}

TEST(Fingerprint, IsTheSameOnAllMachines) {
  // Nodes of different builds compare these: a change here is a change of the protocol.
  const Fingerprint known = fingerprint_of("users/john", header(7));
  EXPECT_EQ(known,
            (Fingerprint{.high = 0xFB4348716B94D6C5, .low = 0xFA4874E6A4293CC8, .count = 1}));
}

TEST(Fingerprint, EachPartOfARecordMatters) {
  std::vector<RecordHeader> headers(10, header(1));
  headers[1].version.stamp.bits = 2;
  headers[2].version.verdict.votes = 1;
  headers[3].version.verdict.oldest_join_ms = 1;
  headers[4].version.verdict.voters_hash = 1;
  headers[5].version.uuid.high = 2;
  headers[6].version.uuid.low = 2;
  headers[7].version.dot.origin = Origin{2};
  headers[8].version.dot.seq = 2;
  headers[9].kind = RecordKind::tombstone;
  std::set<std::uint64_t> lows;
  std::set<std::uint64_t> highs;
  for (const RecordHeader& each : headers) {
    for (const char* path : {"a", "b", "a/b"}) {
      lows.insert(fingerprint_of(path, each).low);
      highs.insert(fingerprint_of(path, each).high);
    }
  }
  EXPECT_EQ(lows.size(), 30U);
  EXPECT_EQ(highs.size(), 30U);
}

TEST(Fingerprint, WhatWasAddedCanBeTakenOutInAnyOrder) {
  Fingerprint sum;
  for (const char* path : {"a", "b", "c"}) {
    sum.add(of(path, 1));
  }
  EXPECT_EQ(sum.count, 3U);
  for (const char* path : {"b", "a"}) {
    sum.remove(of(path, 1));
  }
  EXPECT_EQ(sum, of("c", 1));
  sum.remove(of("c", 1));
  EXPECT_EQ(sum, Fingerprint{});
}

TEST(Fingerprint, TheOrderOfAddingDoesNotMatter) {
  Fingerprint forward;
  Fingerprint backward;
  for (std::uint64_t seq = 1; seq <= 100; ++seq) {
    forward.add(of("a", seq));
    backward.add(of("a", 101 - seq));
  }
  EXPECT_EQ(forward, backward);
}

TEST(Fingerprint, TwiceTheSameIsNotNothing) {
  Fingerprint twice = of("a", 1);
  twice.add(of("a", 1));
  EXPECT_NE(twice, Fingerprint{});
  EXPECT_NE(twice, of("a", 1));
}

TEST(Fingerprint, CarriesAndBorrowsBetweenTheHalves) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  Fingerprint sum{.high = 1, .low = kMax, .count = 1};
  const Fingerprint other{.high = 2, .low = 3, .count = 2};
  sum.add(other);
  EXPECT_EQ(sum, (Fingerprint{.high = 4, .low = 2, .count = 3}));
  sum.remove(other);
  EXPECT_EQ(sum, (Fingerprint{.high = 1, .low = kMax, .count = 1}));
}

TEST(Fingerprint, WrapsAtTheTop) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  Fingerprint sum{.high = kMax, .low = kMax, .count = 1};
  sum.add({.high = 0, .low = 1, .count = 1});
  EXPECT_EQ(sum, (Fingerprint{.high = 0, .low = 0, .count = 2}));
}

}  // namespace
}  // namespace kvs
