#include "base/hex.h"

#include <string_view>

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(HexValue, IsThePlaceAmongTheDigitsOfEitherCase) {
  constexpr std::string_view kLower = "0123456789abcdef";
  constexpr std::string_view kUpper = "0123456789ABCDEF";
  for (int byte = -128; byte < 128; ++byte) {
    const char c = static_cast<char>(byte);
    const std::size_t place = kLower.contains(c) ? kLower.find(c) : kUpper.find(c);
    EXPECT_EQ(hex_value(c), place == std::string_view::npos ? -1 : static_cast<int>(place)) << byte;
  }
}

}  // namespace
}  // namespace kvs
