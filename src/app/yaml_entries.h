// Reads a YAML text that is a flat list of keys, each with one value or a list of values.
//
// That is all a configuration needs, so nothing else of YAML is let through: no nesting, aliases,
// tags or further documents. The parser's events are taken as they come and no tree is built; any
// text, however hostile, costs time and memory in proportion to kYamlBytesMax and ends in entries
// and problems.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kvs {

/// A longer text is refused unread.
inline constexpr std::size_t kYamlBytesMax = 1 << 20;

/// `plain` and `quoted` have a text; `none` is an empty value, `~` or null; a `list` has items.
/// `other` is what a configuration has no use for; its text says what it is.
enum class YamlKind : std::uint8_t { none, plain, quoted, list, other };

/// A value, or an item of a list.
struct YamlValue {
  YamlKind kind = YamlKind::none;
  std::string text;
  int line = 0;
};

struct YamlEntry {
  std::string key;
  /// Lines count from 1.
  int line = 0;
  YamlValue value;
  /// Of a list, in order; none of them is itself a list.
  std::vector<YamlValue> items;
};

/// Something wrong with the text itself; line 0 means the text as a whole.
struct YamlProblem {
  int line = 0;
  std::string text;
};

struct YamlEntries {
  /// In the order of the text; a key that stands twice has two.
  std::vector<YamlEntry> entries;
  /// If not empty, the entries are those before the first problem, and perhaps some after it.
  std::vector<YamlProblem> problems;
};

/// Reads `text`. An empty text, or one of comments only, has no entries and no problems.
[[nodiscard]] YamlEntries read_yaml_entries(std::string_view text);

}  // namespace kvs
