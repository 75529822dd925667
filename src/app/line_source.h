// Lines of a file or of standard input, read only when bytes are there, so that whoever reads can
// do something else while a pipe is silent. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <poll.h>

#include "base/result.h"
#include "io/descriptor.h"

namespace kvs {

class LineSource {
 public:
  /// `name` `-` or nothing is standard input. A longer line than `line_bytes_max` is refused.
  static Result<LineSource> open(const std::string& name, std::size_t line_bytes_max);

  /// The next line without its line break, valid until the next call; nothing if it is not here
  /// yet, or at the end. Reads if bytes are there. The last line may lack its line break.
  /// Errors: io_error; value_too_large.
  Result<std::optional<std::string_view>> next();

  /// True once next() has given the last line.
  [[nodiscard]] bool at_end() const { return ended_ && begin_ == buffer_.size(); }

  /// To wait for more with.
  [[nodiscard]] pollfd wanted() const;

  /// Bytes of the lines that next() has given.
  [[nodiscard]] std::uint64_t bytes_given() const { return bytes_given_; }

  /// Of the whole input, if it is a file.
  [[nodiscard]] std::optional<std::uint64_t> size() const { return size_; }

 private:
  LineSource(Descriptor file, std::string name, std::size_t line_bytes_max);

  [[nodiscard]] int number() const;
  Result<bool> read_some();
  std::string_view give(std::size_t bytes, std::size_t with_break);

  Descriptor file_;  // not open: standard input
  std::string name_;
  std::size_t line_bytes_max_;
  std::optional<std::uint64_t> size_;
  std::string buffer_;
  std::size_t begin_ = 0;     // of the next line in buffer_
  std::size_t searched_ = 0;  // up to here there is no line break
  bool ended_ = false;
  std::uint64_t bytes_given_ = 0;
};

}  // namespace kvs
