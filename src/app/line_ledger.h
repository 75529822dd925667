// Which lines of an input are done, where they end in any order: below first_open() all are. Pure.
#pragma once

#include <cstdint>
#include <deque>

namespace kvs {

class LineLedger {
 public:
  explicit LineLedger(std::uint64_t first_line) : first_open_(first_line) {}

  /// The next line, in the order of the input, is begun.
  void begin() { ended_.push_back(false); }

  /// A line that was begun has ended.
  void end(std::uint64_t line);

  /// The first line that has not ended, or was not begun yet.
  [[nodiscard]] std::uint64_t first_open() const { return first_open_; }

 private:
  std::uint64_t first_open_;
  std::deque<bool> ended_;  // of the lines from first_open_ on
};

}  // namespace kvs
