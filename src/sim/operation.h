// What clients ask in a run. Operations live as long as the run, so commands may point to them.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/time.h"
#include "core/command.h"

namespace kvs {

struct Operation {
  enum class Kind : std::uint8_t { put, del, get, list };

  Ticket ticket{};
  std::uint64_t client = 0;
  Kind kind = Kind::get;
  std::string key;    // empty for list
  std::string value;  // of a put
  Condition condition;
  Duration ttl;  // of a put; 0: it stays
  Instant asked;

  [[nodiscard]] bool writes() const { return kind == Kind::put || kind == Kind::del; }

  /// The node's command for a put or del; points into this operation.
  [[nodiscard]] WriteCommand command() const {
    return {.ticket = ticket,
            .kind = kind == Kind::put ? WriteCommand::Kind::put : WriteCommand::Kind::del,
            .key = Key::from_store(key),
            .value = value,
            .condition = condition,
            .ttl = ttl};
  }
};

/// All operations of a run, by ticket; tickets count from 1.
class Operations {
 public:
  /// Adds one; its ticket is given here.
  const Operation& add(Operation operation) {
    operation.ticket = Ticket{operations_.size() + 1};
    return operations_.emplace_back(std::move(operation));
  }

  [[nodiscard]] const Operation& of(Ticket ticket) const {
    return operations_.at(static_cast<std::uint64_t>(ticket) - 1);
  }

  [[nodiscard]] std::size_t size() const { return operations_.size(); }

 private:
  std::deque<Operation> operations_;
};

}  // namespace kvs
