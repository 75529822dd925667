// Dates as HTTP writes them. Computed: no locale, no time zone, no C time functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kvs {

inline constexpr std::size_t kHttpDateSize = 29;

/// Unix milliseconds as an IMF-fixdate (RFC 9110, 5.6.7), e.g. "Sun, 06 Nov 1994 08:49:37 GMT".
/// Dates outside the years 1970-9999 are moved to the nearest end.
void format_http_date(std::int64_t unix_ms, char (&text)[kHttpDateSize]);

}  // namespace kvs
