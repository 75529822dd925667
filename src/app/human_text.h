// Figures, times and foreign text as people read them on a terminal. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace kvs {

/// 1,234,567
[[nodiscard]] std::string grouped(std::uint64_t number);

/// 512 B, 1.5 KiB, 20 MiB
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

/// 350 us, 1.2 ms, 5.0 s, 3 min 20 s, 2 h 5 min, 3 d 4 h; negative spans count as none.
[[nodiscard]] std::string span_text(Duration span);

/// 2023-01-01T00:00:00.000Z, of milliseconds since 1970.
[[nodiscard]] std::string time_text(std::int64_t unix_ms);

/// `text` without what a terminal takes for commands: control characters, C1 ones too, and those
/// that turn the direction of writing become U+FFFD. Line breaks and tabs stay.
[[nodiscard]] std::string harmless(std::string_view text);

/// `text` on one line: line breaks and tabs become blanks. JSON keeps its meaning, since they stand
/// only between its tokens.
[[nodiscard]] std::string on_one_line(std::string_view text);

/// Characters of UTF-8 `text`, which is about how many columns it takes.
[[nodiscard]] std::size_t columns_of(std::string_view text);

}  // namespace kvs
