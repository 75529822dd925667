// Writes that the core has decided and the disk has not yet made durable.
//
// The core reads through them, so that commands see the outcome of those before them while a commit
// is under way. Batches commit in order; if one fails, every later one was decided on sand and
// fails with it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/key.h"
#include "core/record.h"

namespace kvs {

class Pending {
 public:
  /// What a key will hold: a record, or nothing any more.
  using Held = std::optional<RecordHeader>;

  /// Remembers what a write of the open batch makes of `key`.
  void add(Key key, const Held& held);

  /// What `key` will hold; nullptr if no pending write concerns it. Valid until the next change.
  [[nodiscard]] const Held* find(Key key) const;

  /// Closes the open batch; what is added from now on belongs to the next.
  void close_batch();

  /// The oldest closed batch is durable: the store shows its writes now.
  void commit_oldest();

  /// Forgets everything: the oldest closed batch failed, and what followed with it.
  void clear();

  /// Closed batches that are neither durable nor failed.
  [[nodiscard]] std::size_t batches() const { return closed_.size(); }

 private:
  struct Entry {
    Held held;
    std::uint64_t batch = 0;  // the last one that wrote this key
  };

  /// Looks up by view, without making a string.
  struct TextHash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> entries_;
  std::vector<std::string> open_;                // keys the open batch wrote
  std::deque<std::vector<std::string>> closed_;  // the same of each closed batch, oldest first
  std::uint64_t open_batch_ = 0;
};

}  // namespace kvs
