// Times and figures as the tables of measurements show them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/time.h"

namespace kvs {

/// The least value that `percent` of all do not exceed; 0 if there is none.
[[nodiscard]] inline Duration percentile(std::vector<Duration> spans, std::size_t percent) {
  if (spans.empty()) {
    return {};
  }
  std::ranges::sort(spans);
  const std::size_t rank = (spans.size() * percent + 99) / 100;
  return spans[std::max<std::size_t>(rank, 1) - 1];
}

[[nodiscard]] inline std::string in_ms(Duration span) {
  return fmt::format("{:.1f} ms", static_cast<double>(span.ns) / 1e6);
}

[[nodiscard]] inline std::string in_seconds(Duration span) {
  return fmt::format("{:.2f} s", static_cast<double>(span.ns) / 1e9);
}

}  // namespace kvs
