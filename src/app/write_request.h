// A client's write on its way from a door to the node's thread, with the bytes it needs.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "core/command.h"

namespace kvs {

class WriteRequest {
 public:
  /// Copies key and value out of the connection's buffers.
  WriteRequest(const WriteCommand& command, Instant posted);

  /// The command, as views into this object: valid until it moves or ends.
  [[nodiscard]] WriteCommand command() const;

  [[nodiscard]] Instant posted() const { return posted_; }

  /// Bytes held, for the bound on all writes under way.
  [[nodiscard]] std::size_t bytes() const { return sizeof(*this) + text_.capacity(); }

 private:
  Ticket ticket_;
  WriteCommand::Kind kind_ = WriteCommand::Kind::put;
  Condition condition_;
  Duration ttl_;
  Instant posted_;
  std::string text_;  // the key, then the value
  std::size_t key_size_ = 0;
};

}  // namespace kvs
