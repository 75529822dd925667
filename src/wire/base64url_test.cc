#include "wire/base64url.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace kvs {
namespace {

std::string encoded(std::string_view bytes) {
  std::string out;
  encode_base64url(bytes, out);
  return out;
}

// RFC 4648, 10, without padding.
TEST(Base64Url, KnownAnswers) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg");
  EXPECT_EQ(encoded("fo"), "Zm8");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg");
  EXPECT_EQ(encoded("fooba"), "Zm9vYmE");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encoded("\xfb\xff\xfe"), "-__-");
}

TEST(Base64Url, AnyBytesComeBack) {
  Prng prng(1);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) {
      bytes.push_back(static_cast<char>(prng.next()));
    }
    std::string out = "before";
    ASSERT_TRUE(decode_base64url(encoded(bytes), out));
    EXPECT_EQ(out, "before" + bytes);
  }
}

TEST(Base64Url, OnlyWhatEncodingGivesIsAccepted) {
  for (const char* text : {"Z", "Zh", "Zm9", "Zg==", "Zm9v ", "Zm+v", "Zm/v", "\xc3\xa4", "Zm9vY",
                           "Zm8=", "Zm9vYmF"}) {
    std::string out;
    EXPECT_FALSE(decode_base64url(text, out)) << text;
  }
}

TEST(Base64Url, OneTextForEachBytes) {
  constexpr std::string_view kAlphabet = "AQgwBZ_-";
  for (const char a : kAlphabet) {
    for (const char b : kAlphabet) {
      const std::string text{a, b};
      std::string out;
      if (decode_base64url(text, out)) {
        EXPECT_EQ(encoded(out), text);
      }
    }
  }
}

}  // namespace
}  // namespace kvs
