// Calls to peers: who in this node asked, told by the number of the call.
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace kvs {

/// The rooms that make calls.
enum class Caller : std::uint8_t { members, outbox, sync, ballot, reads };

/// The `number`-th call of `caller`; numbers are below 2^56.
[[nodiscard]] constexpr CallId make_call_id(Caller caller, std::uint64_t number) {
  return CallId{static_cast<std::uint64_t>(caller) << 56U | number};
}

[[nodiscard]] constexpr Caller caller_of(CallId id) {
  return static_cast<Caller>(static_cast<std::uint64_t>(id) >> 56U);
}

}  // namespace kvs
