#include "wire/ttl.h"

#include <charconv>

namespace kvs {

std::optional<Duration> parse_ttl(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || seconds < 1 ||
      seconds > kTtlSecondsMax) {
    return std::nullopt;
  }
  return Duration::from_seconds(seconds);
}

}  // namespace kvs
