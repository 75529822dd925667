// A client's write on its way from a door to the node's thread, with the bytes it needs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "core/command.h"

namespace kvs {

class WriteRequest {
 public:
  /// Copies key and value out of the connection's buffers.
  WriteRequest(const WriteCommand& command, Instant posted);

  /// A write that the door refuses, but whose answer must keep its place behind those of earlier
  /// writes.
  WriteRequest(Ticket ticket, WriteStatus refusal);

  [[nodiscard]] std::optional<WriteStatus> refusal() const { return refusal_; }

  /// The command, as views into this object: valid until it moves or ends.
  [[nodiscard]] WriteCommand command() const;

  [[nodiscard]] Ticket ticket() const { return ticket_; }

  [[nodiscard]] Instant posted() const { return posted_; }

  /// Bytes held, for the bound on all writes under way.
  [[nodiscard]] std::size_t bytes() const { return sizeof(*this) + text_.capacity(); }

 private:
  Ticket ticket_;
  WriteCommand::Kind kind_ = WriteCommand::Kind::put;
  Condition condition_;
  std::optional<WriteStatus> refusal_;
  Instant posted_;
  std::string text_;  // the key, then the value
  std::size_t key_size_ = 0;
};

}  // namespace kvs
