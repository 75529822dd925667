#include "base/bytes.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(Bytes, TheLeastSignificantByteComesFirst) {
  std::string out;
  put_le<std::uint8_t>(out, 0xfe);
  put_le<std::uint16_t>(out, 0x0102);
  put_le<std::uint32_t>(out, 0x03040506);
  put_le<std::uint64_t>(out, 0x0708090a0b0c0dff);
  EXPECT_EQ(out, std::string("\xfe\x02\x01\x06\x05\x04\x03\xff\x0d\x0c\x0b\x0a\x09\x08\x07"));
  EXPECT_EQ(get_le<std::uint16_t>(out.data() + 1), 0x0102);
  EXPECT_EQ(get_le<std::uint64_t>(out.data() + 7), 0x0708090a0b0c0dffU);
}

TEST(ByteReader, TakesWhatWasPut) {
  std::string out;
  put_le<std::uint32_t>(out, 7);
  out += "abc";
  put_le<std::uint8_t>(out, 9);
  ByteReader reader(out);
  EXPECT_EQ(reader.take<std::uint32_t>(), 7U);
  EXPECT_EQ(reader.rest().size(), 4U);
  EXPECT_EQ(reader.take_bytes(3), "abc");
  EXPECT_FALSE(reader.finished());
  EXPECT_EQ(reader.take<std::uint8_t>(), 9);
  EXPECT_TRUE(reader.finished());
}

TEST(ByteReader, AReadBeyondTheEndSpoilsAllThatFollow) {
  ByteReader reader("abcd");
  EXPECT_EQ(reader.take<std::uint64_t>(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.take<std::uint8_t>(), 0) << "although a byte was there";
  EXPECT_EQ(reader.take_bytes(0), "");
  EXPECT_EQ(reader.rest(), "");
  EXPECT_FALSE(reader.finished());
}

TEST(ByteReader, NothingIsWhole) {
  ByteReader reader("");
  EXPECT_TRUE(reader.finished());
  EXPECT_EQ(reader.take_bytes(0), "");
  EXPECT_TRUE(reader.finished());
  reader.take_bytes(1);
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace kvs
