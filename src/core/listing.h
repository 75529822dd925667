// Listings: the names below a path, in byte order, page by page.
//
// Children: each direct child once, `john` if it is itself a key, `john/` if keys lie below it
// (both may appear). Below: every key, named relative to the path. Tombstones do not show, nor does
// a folder below which there is nothing else. A child's subtree is jumped over, not walked: after a
// few steps, because a jump takes as long as some ten of them. How many is learnt from the folders
// before it in the page.
//
// Work comes in bounded slices, and memory does not grow with the number of keys. A Listing sees
// the one moment that its cursor sees, until it is given another cursor. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "core/record.h"
#include "core/store_view.h"

namespace kvs {

/// Which page of which listing.
struct ListRequest {
  enum class Depth : std::uint8_t { children, below };

  std::string_view path;  // without a trailing slash; empty: the root
  Depth depth = Depth::children;
  std::size_t limit = 1000;  // entries, at least 1
  std::string_view after;    // only names beyond this one; empty: from the first
  WallTime expiry_clock;     // what has expired by it does not show
};

/// One name. Views are good until the sink returns.
struct ListEntry {
  std::string_view name;                // relative to the path; ends in '/' for a folder
  std::optional<RecordHeader> version;  // nothing for a folder
  std::string_view value;               // JSON text; empty for a folder
};

/// Takes the entries of a listing as they are found.
class ListSink {
 public:
  enum class Appetite : std::uint8_t { more, enough_for_now };

  ListSink() = default;
  ListSink(const ListSink&) = delete;
  ListSink& operator=(const ListSink&) = delete;
  virtual ~ListSink() = default;

  /// Takes one entry. `enough_for_now` ends the slice early.
  virtual Appetite take(const ListEntry& entry) = 0;
};

class Listing {
 public:
  enum class Progress : std::uint8_t { more, done };

  /// Steps in a child's subtree, at most, before it is jumped over.
  static constexpr std::size_t kStepsMax = 8;

  /// `cursor` outlives the listing, or go_on_with(), and is moved by nobody else; what `request`
  /// points to is copied.
  Listing(RecordCursor& cursor, const ListRequest& request);

  /// Looks at up to `records_max` (at least 1) further records, and at kStepsMax more in a folder.
  /// After `done` or an error it must
  /// not be called again. Errors: corrupt_data if a record that has to be read is damaged;
  /// io_error.
  Result<Progress> step(std::size_t records_max, ListSink& sink);

  /// Takes another cursor, which stands where the one before stood, or at what has come to follow
  /// it. What has been taken already stays. Only between two steps.
  void go_on_with(RecordCursor& cursor) { cursor_ = &cursor; }

  /// Once done: the name after which the next page begins; nothing if this was the last.
  [[nodiscard]] const std::optional<std::string>& next_after() const { return next_after_; }

 private:
  void start();
  /// What is left of the key under the cursor below the path; nothing past the last key below it.
  [[nodiscard]] std::optional<std::string_view> name_below() const;
  /// No key is left below the path, or the cursor failed.
  [[nodiscard]] Result<Progress> end_of_keys() const;
  ListSink::Appetite take(std::string_view name, const RecordView& record, ListSink& sink);
  ListSink::Appetite take_key(std::string_view name, const RecordView& record, ListSink& sink);
  ListSink::Appetite take_folder(std::string_view name, ListSink& sink);
  void leave_folder();

  RecordCursor* cursor_;
  std::string prefix_;  // the path with its slash; empty for the root
  ListRequest::Depth depth_;
  WallTime expiry_clock_;
  std::size_t limit_;
  std::string start_;  // where to seek first
  bool started_ = false;
  std::size_t taken_ = 0;
  std::size_t steps_ = kStepsMax;  // in the next folder
  std::string last_name_;
  std::optional<std::string> next_after_;
};

}  // namespace kvs
