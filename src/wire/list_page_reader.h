// The body of a listing's page, read while it arrives: entry by entry, in memory for one entry,
// however large the page is.
//
// The reader splits, it does not judge: what is between the entries is checked as JSON at the end,
// an entry is as good as what parse_listed_entry finds in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kvs {

/// One name of a page. Views are of the entry's text.
struct ListedEntry {
  std::string name;               // relative to the path; ends in '/' for a folder
  std::string uuid;               // empty for a folder
  std::int64_t timestamp_ms = 0;  // of a key
  std::int64_t expires_ms = 0;    // likewise; 0: never
  std::string_view data;          // with `values`, of a key: the stored bytes

  [[nodiscard]] bool is_key() const { return !uuid.empty(); }
};

/// Nothing if `text` is no entry.
[[nodiscard]] std::optional<ListedEntry> parse_listed_entry(std::string_view text);

class ListPageReader {
 public:
  /// Takes the text of an entry. May refuse it, which ends the reading.
  using TakeEntry = std::function<Result<void>(std::string_view text)>;

  /// An entry of more than `entry_bytes_max` is refused.
  explicit ListPageReader(std::size_t entry_bytes_max) : entry_bytes_max_(entry_bytes_max) {}

  /// Takes the next bytes of the body. Errors: bad_request if this is no page; those of
  /// `take_entry`.
  Result<void> take(std::string_view bytes, const TakeEntry& take_entry);

  /// After the last byte: the cursor of the next page; empty if this was the last one.
  [[nodiscard]] Result<std::string> finish() const;

 private:
  void step(char c);
  /// One byte outside of entries.
  Result<void> take_outer(char c);
  /// Takes bytes up to the end of the entry, if it is in them: how many.
  Result<std::size_t> take_inner(std::string_view bytes, const TakeEntry& take_entry);

  [[nodiscard]] bool within_entry() const { return in_entries_ && depth_ > kEntriesDepth; }

  static constexpr std::size_t kEntriesDepth = 2;  // the object, and in it the array

  std::size_t entry_bytes_max_;
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;     // the byte before was a backslash
  bool in_entries_ = false;  // in the array of that name
  std::string entry_;
  std::string envelope_;  // the page without its entries
};

}  // namespace kvs
