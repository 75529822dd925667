#include "wire/peer_bytes.h"

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace kvs {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

std::string number(std::uint64_t value) {
  std::string bytes;
  PeerWriter(bytes).put_number(value);
  return bytes;
}

std::string_view fault_of_number(std::string_view bytes) {
  PeerReader reader(bytes, 0);
  EXPECT_EQ(reader.take_number(), 0U);
  return reader.fault();
}

TEST(PeerBytes, NumbersTakeSevenBitsAByte) {
  EXPECT_EQ(number(0), std::string(1, '\0'));
  EXPECT_EQ(number(127), "\x7f");
  EXPECT_EQ(number(128), "\x80\x01");
  EXPECT_EQ(number(300), "\xac\x02");
  EXPECT_EQ(number(kMax), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(PeerBytes, NumbersComeBack) {
  for (unsigned bits = 0; bits < 64; ++bits) {
    const std::uint64_t power = std::uint64_t{1} << bits;
    for (const std::uint64_t value : {power - 1, power, kMax >> bits}) {
      const std::string bytes = number(value);
      PeerReader reader(bytes, 0);
      EXPECT_EQ(reader.take_number(), value);
      EXPECT_TRUE(reader.ok() && reader.rest().empty());
    }
  }
}

TEST(PeerBytes, NumbersHaveOneForm) {
  EXPECT_FALSE(fault_of_number(std::string_view("\x80\x00", 2)).empty());
  EXPECT_FALSE(fault_of_number(std::string_view("\xff\x80\x00", 3)).empty());
  EXPECT_FALSE(fault_of_number("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02").empty());
  EXPECT_FALSE(fault_of_number("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").empty());
  EXPECT_FALSE(fault_of_number("\x80").empty());
  EXPECT_FALSE(fault_of_number("").empty());
}

TEST(PeerBytes, NumbersHaveALimit) {
  const std::string bytes = number(300);
  EXPECT_EQ(PeerReader(bytes, 0).take_number(300), 300U);
  EXPECT_EQ(PeerReader(bytes, 0).take_number(299), 0U);
}

TEST(PeerBytes, SignedNumbersComeBack) {
  constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, std::int64_t{-64}, kLowest, kHighest}) {
    std::string bytes;
    PeerWriter(bytes).put_signed(value);
    EXPECT_EQ(bytes.size(), value >= -64 && value < 64 ? 1U : 10U) << value;
    EXPECT_EQ(PeerReader(bytes, 0).take_signed(), value);
  }
}

TEST(PeerBytes, AFlagIsZeroOrOne) {
  PeerReader reader(std::string_view("\x00\x01\x02", 3), 0);
  EXPECT_FALSE(reader.take_flag());
  EXPECT_TRUE(reader.take_flag());
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.take_flag());
  EXPECT_FALSE(reader.ok());
}

TEST(PeerBytes, ATextIsAViewWithinItsLimit) {
  const std::string_view bytes =
      "\x03"
      "abcd";
  PeerReader reader(bytes, 0);
  EXPECT_EQ(reader.take_text(3).data(), bytes.data() + 1);
  EXPECT_EQ(reader.rest(), "d");
  EXPECT_TRUE(PeerReader(bytes, 0).take_text(2).empty());
  EXPECT_TRUE(PeerReader("\x05xyz", 0).take_text(10).empty());
}

TEST(PeerBytes, PathsAreToldByTheirDifference) {
  std::string bytes;
  PeerWriter writer(bytes);
  for (const std::string_view path : {"users/john", "users/jane", "users/jane", "u"}) {
    writer.put_path(path);
  }
  EXPECT_EQ(bytes, std::string_view("\x00\x0ausers/john\x07\x03"
                                    "ane\x0a\x00\x01\x00",
                                    21));
  PeerReader reader(bytes, 31);
  EXPECT_EQ(reader.take_key(), "users/john");
  EXPECT_EQ(reader.take_boundary(), "users/jane");
  EXPECT_EQ(reader.take_key(), "users/jane");
  EXPECT_EQ(reader.take_key(), "u");
  EXPECT_TRUE(reader.ok() && reader.rest().empty());
}

TEST(PeerBytes, PathsAreChargedWhole) {
  const std::string_view bytes(
      "\x00\x04"
      "abcd\x04\x00\x04\x00",
      10);
  PeerReader reader(bytes, 8);
  EXPECT_EQ(reader.take_key(), "abcd");
  EXPECT_EQ(reader.take_key(), "abcd");
  EXPECT_TRUE(reader.take_key().empty());
  EXPECT_EQ(reader.fault(), "it would unfold into too much");
}

TEST(PeerBytes, APathSharesNoMoreThanThereWas) {
  PeerReader reader(std::string_view("\x00\x01\x61\x02\x01\x62", 6), 100);
  EXPECT_EQ(reader.take_key(), "a");
  EXPECT_TRUE(reader.take_key().empty());
  EXPECT_FALSE(reader.ok());
}

bool is_taken_as_key(std::string_view path) {
  std::string bytes;
  PeerWriter(bytes).put_path(path);
  PeerReader reader(bytes, 10'000);
  return reader.take_key() == path && reader.ok();
}

TEST(PeerBytes, KeysAreSound) {
  EXPECT_TRUE(is_taken_as_key("a/b"));
  EXPECT_TRUE(is_taken_as_key(std::string(4096, 'a')));
  EXPECT_FALSE(is_taken_as_key(std::string(4097, 'a')));
  for (const std::string_view path : {"", "/a", "a//b", "a/..", "\x01", "\xff"}) {
    EXPECT_FALSE(is_taken_as_key(path)) << path;
  }
}

TEST(PeerBytes, BoundariesAreAnyBytes) {
  for (const std::string& path :
       {std::string(), std::string("\0\xff", 2), std::string(4097, '\xff')}) {
    std::string bytes;
    PeerWriter(bytes).put_path(path);
    PeerReader reader(bytes, 10'000);
    EXPECT_EQ(reader.take_boundary(), path);
    EXPECT_TRUE(reader.ok());
  }
  std::string bytes;
  PeerWriter(bytes).put_path(std::string(4098, 'a'));
  PeerReader reader(bytes, 10'000);
  EXPECT_TRUE(reader.take_boundary().empty());
  EXPECT_FALSE(reader.ok());
}

TEST(PeerBytes, WriterAndReaderRememberTheOrigin) {
  std::string bytes;
  PeerWriter writer(bytes);
  EXPECT_TRUE(writer.repeats(Origin{0}));
  EXPECT_FALSE(writer.repeats(Origin{7}));
  EXPECT_TRUE(writer.repeats(Origin{7}));
  EXPECT_FALSE(writer.repeats(Origin{8}));
  writer.put_word(Origin{7});
  PeerReader reader(bytes, 0);
  EXPECT_EQ(reader.origin_before(), Origin{0});
  EXPECT_EQ(reader.take_origin(), Origin{7});
  EXPECT_EQ(reader.origin_before(), Origin{7});
}

TEST(PeerBytes, CountsAreHeldAgainstWhatIsLeft) {
  EXPECT_EQ(PeerReader("\x03xxxxxx", 100).take_count(2, 1), 3U);
  EXPECT_EQ(PeerReader("\x03xxxxx", 100).take_count(2, 1), 0U);
  EXPECT_EQ(PeerReader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01xx", 100).take_count(1, 1), 0U);
}

TEST(PeerBytes, CountsAreCharged) {
  EXPECT_EQ(PeerReader("\x03xxx", 30).take_count(1, 10), 3U);
  EXPECT_EQ(PeerReader("\x03xxx", 29).take_count(1, 10), 0U);
  PeerReader reader("\x02xx\x01x", 29);
  EXPECT_EQ(reader.take_count(1, 10), 2U);
  EXPECT_EQ(reader.take_text(10), std::string(0, 'x'));  // 'x' is a size beyond the limit
  EXPECT_FALSE(reader.ok());
}

TEST(PeerBytes, ListsEndWithTheFirstFault) {
  std::size_t calls = 0;
  PeerReader reader(std::string_view("\x03\x01\x02\x01", 4), 100);
  const std::vector<char> list = reader.take_list(1, [&](PeerReader& from) {
    ++calls;
    return from.take_flag() ? 'y' : 'n';
  });
  EXPECT_EQ(calls, 2U);
  EXPECT_FALSE(reader.ok());
  EXPECT_LE(list.size(), 2U);
}

TEST(PeerBytes, TheFirstFaultStays) {
  PeerReader reader("\x01", 0);
  reader.refuse("first");
  reader.refuse("second");
  EXPECT_EQ(reader.fault(), "first");
  EXPECT_TRUE(reader.rest().empty());
  EXPECT_EQ(reader.take_word(), 0U);
  EXPECT_EQ(reader.take_byte(), 0U);
  EXPECT_EQ(reader.take_signed(), 0);
  EXPECT_TRUE(reader.take_text(9).empty());
  EXPECT_EQ(reader.fault(), "first");
}

}  // namespace
}  // namespace kvs
