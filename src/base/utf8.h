// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace kvs {

/// The length in bytes (1-4) of the well-formed character that `text` begins with, or 0 if it does
/// not begin with one. `text` must not be empty.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

/// The offset of the first byte that does not begin or continue a well-formed character;
/// text.size() if all is well.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text);

[[nodiscard]] inline bool is_utf8(std::string_view text) {
  return find_invalid_utf8(text) == text.size();
}

}  // namespace kvs
