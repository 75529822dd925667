// Which seeds the long runs of the laws go through: KVS_LAW_SEEDS=A..B, as docs/testing.md says.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <system_error>

namespace kvs {

/// Both ends included.
struct LawSeeds {
  std::uint64_t first = 1;
  std::uint64_t last = 20'000;

  [[nodiscard]] std::uint64_t count() const { return last - first + 1; }
};

inline std::optional<std::uint64_t> parse_law_seed(std::string_view digits) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, value);
  return error == std::errc{} && at == end ? std::optional(value) : std::nullopt;
}

/// All of them where the variable is not set; nothing if it is no range.
inline std::optional<LawSeeds> law_seeds_from_outside() {
  const char* const range = std::getenv("KVS_LAW_SEEDS");  // NOLINT(concurrency-mt-unsafe)
  if (range == nullptr) {
    return LawSeeds{};
  }
  const std::string_view text = range;
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    return std::nullopt;
  }
  const auto first = parse_law_seed(text.substr(0, dots));
  const auto last = parse_law_seed(text.substr(dots + 2));
  return first && last && *first <= *last ? std::optional(LawSeeds{*first, *last}) : std::nullopt;
}

}  // namespace kvs
