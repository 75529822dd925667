// Keys: hierarchical paths such as `users/john/profile`. One normaliser serves every door.
//
// A Key is proof that a text passed check: one or more non-empty segments joined by `/`, valid
// UTF-8, no control characters, no `.` or `..` segment, within the size limit. Keys are ordered by
// their bytes; the keys below a path are one contiguous range.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kvs {

/// A checked key: a view, so whoever made it keeps the text alive.
class Key {
 public:
  /// Checks a decoded path (not percent-encoded, no leading or trailing slash).
  /// Errors: key_too_large above `bytes_max`; invalid_key for everything else, saying what and
  /// where.
  static Result<Key> parse(std::string_view text, std::size_t bytes_max);

  /// A key that was checked before it was stored.
  static Key from_store(std::string_view text) { return Key(text); }

  [[nodiscard]] std::string_view text() const { return text_; }

  auto operator<=>(const Key&) const = default;

 private:
  explicit Key(std::string_view text) : text_(text) {}

  std::string_view text_;
};

/// The half-open range of keys below a path.
struct KeyRange {
  std::string begin;
  std::string end;  // empty: to the end of all keys
};

/// The keys strictly below `path`; the empty path is the root, below which every key lies.
[[nodiscard]] KeyRange keys_below(std::string_view path);

/// Where the next sibling of the subtree `path` may begin: the smallest text above every key below
/// it.
[[nodiscard]] std::string past_subtree(std::string_view path);

}  // namespace kvs
