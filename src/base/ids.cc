#include "base/ids.h"

#include "base/hex.h"

namespace kvs {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

constexpr bool is_dash(std::size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

}  // namespace

Uuid make_uuid(Prng& prng) {
  constexpr std::uint64_t kVersion4 = 0x4000U;
  constexpr std::uint64_t kVariant = 0x8000000000000000U;
  return {.high = (prng.next() & ~std::uint64_t{0xf000}) | kVersion4,
          .low = (prng.next() & ~std::uint64_t{0xc000000000000000U}) | kVariant};
}

void format_uuid(const Uuid& uuid, char (&text)[Uuid::kTextSize]) {
  unsigned digit = 0;
  for (std::size_t i = 0; i < Uuid::kTextSize; ++i) {
    if (is_dash(i)) {
      text[i] = '-';
      continue;
    }
    const std::uint64_t word = digit < 16 ? uuid.high : uuid.low;
    text[i] = kHexDigits[(word >> (60U - (4U * (digit % 16U)))) & 0xfU];
    ++digit;
  }
}

std::string to_string(const Uuid& uuid) {
  char text[Uuid::kTextSize];
  format_uuid(uuid, text);
  return {text, Uuid::kTextSize};
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != Uuid::kTextSize) {
    return std::nullopt;
  }
  Uuid uuid;
  unsigned digit = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash(i)) {
      if (text[i] != '-') {
        return std::nullopt;
      }
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) {
      return std::nullopt;
    }
    std::uint64_t& word = digit++ < 16 ? uuid.high : uuid.low;
    word = (word << 4U) | static_cast<std::uint64_t>(value);
  }
  return uuid;
}

}  // namespace kvs
