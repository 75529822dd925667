#include "sim/disk_log.h"

#include <gtest/gtest.h>

namespace kvs {

namespace {

const std::vector<DiskWrite> kFirst{{"a", "1"}, {std::string("\0state", 6), ""}};
const std::vector<DiskWrite> kSecond{{"b", std::string(300, 'x')}};

std::string two_entries() {
  std::string log;
  append_entry(kFirst, log);
  append_entry(kSecond, log);
  return log;
}

TEST(DiskLog, WhatWasAppendedIsRead) {
  const auto contents = read_log(two_entries());
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->complete_bytes, two_entries().size());
  EXPECT_EQ(contents->writes, (std::vector<DiskWrite>{kFirst[0], kFirst[1], kSecond[0]}));
}

TEST(DiskLog, EndsBeforeATornEntryWhereverItIsTorn) {
  std::string first;
  append_entry(kFirst, first);
  const std::string log = two_entries();
  for (std::size_t size = 0; size < log.size(); ++size) {
    const auto contents = read_log(std::string_view(log).substr(0, size));
    ASSERT_TRUE(contents) << size;
    EXPECT_EQ(contents->complete_bytes, size < first.size() ? 0 : first.size());
  }
}

TEST(DiskLog, NoticesEachFlippedBit) {
  const std::string log = two_entries();
  for (std::size_t bit = 0; bit < log.size() * 8; ++bit) {
    std::string flipped = log;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto contents = read_log(flipped);
    ASSERT_FALSE(contents) << bit;
    EXPECT_EQ(contents.error().code, Errc::corrupt_data);
  }
}

}  // namespace

}  // namespace kvs
