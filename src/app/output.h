// Standard output of the client commands: buffered, and every failure to write is an error.
//
// A pipe whose reader has gone ends the process by SIGPIPE, as it does other programs; where that
// signal is ignored it is an error like a full disk. One thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "io/interrupt.h"

namespace kvs {

class Output {
 public:
  /// `interrupt` may be null; otherwise waiting for a slow reader ends with it once: what is left
  /// of the text is still written.
  explicit Output(int descriptor, Interrupt* interrupt = nullptr);

  [[nodiscard]] bool is_terminal() const { return is_terminal_; }

  /// Errors: io_error, with what to do.
  Result<void> put(std::string_view text);
  Result<void> flush();

 private:
  [[nodiscard]] Result<void> write(std::string_view text) const;

  int descriptor_;
  bool is_terminal_;
  bool may_block_;  // a terminal or a pipe
  Interrupt* interrupt_;
  std::string buffer_;
};

}  // namespace kvs
