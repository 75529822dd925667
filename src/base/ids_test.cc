#include "base/ids.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(Uuid, TextFormRoundTrips) {
  Prng prng(1);
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = make_uuid(prng);
    EXPECT_EQ(parse_uuid(to_string(uuid)), uuid);
  }
}

TEST(Uuid, IsVersion4WithTheRfcVariant) {
  Prng prng(2);
  for (int i = 0; i < 1000; ++i) {
    const std::string text = to_string(make_uuid(prng));
    EXPECT_EQ(text[14], '4');
    EXPECT_NE(std::string_view("89ab").find(text[19]), std::string_view::npos) << text;
  }
}

TEST(Uuid, OrderOfNumbersIsOrderOfText) {
  Prng prng(3);
  for (int i = 0; i < 1000; ++i) {
    const Uuid a = make_uuid(prng);
    const Uuid b = make_uuid(prng);
    EXPECT_EQ(a < b, to_string(a) < to_string(b));
  }
}

TEST(Uuid, RefusesAnythingElse) {
  EXPECT_FALSE(parse_uuid(""));
  EXPECT_FALSE(parse_uuid("a1b2c3d4-e5f6-4890-9234-567890abcde"));
  EXPECT_FALSE(parse_uuid("a1b2c3d4-e5f6-4890-9234-567890abcdefa"));
  EXPECT_FALSE(parse_uuid("a1b2c3d4ae5f6-4890-9234-567890abcdef"));
  EXPECT_FALSE(parse_uuid("g1b2c3d4-e5f6-4890-9234-567890abcdef"));
  EXPECT_TRUE(parse_uuid("A1B2C3D4-E5F6-4890-9234-567890ABCDEF"));
}

}  // namespace
}  // namespace kvs
