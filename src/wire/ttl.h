// Times to live, as clients write them: whole seconds. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace kvs {

/// The longest one, in seconds: ten years.
inline constexpr std::int64_t kTtlSecondsMax = 3650LL * 24 * 3600;

/// What to tell whoever wrote something else.
inline constexpr std::string_view kTtlRule =
    "ttl is a whole number of seconds from 1 to 315360000 (ten years)";

/// Nothing if `text` is no number from 1 to kTtlSecondsMax.
[[nodiscard]] std::optional<Duration> parse_ttl(std::string_view text);

}  // namespace kvs
