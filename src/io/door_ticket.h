// What the tickets of a door's connections say: thread, slot in the thread's table, and which of
// the connections that used the slot.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/command.h"

namespace kvs {

inline constexpr std::size_t kDoorThreadsMax = 256;
inline constexpr std::size_t kDoorSlotsMax = std::size_t{1} << 24U;

struct DoorTicket {
  std::size_t thread = 0;  // less than kDoorThreadsMax
  std::uint32_t slot = 0;  // less than kDoorSlotsMax
  std::uint32_t generation = 0;

  bool operator==(const DoorTicket&) const = default;
};

[[nodiscard]] constexpr Ticket to_ticket(const DoorTicket& parts) {
  return Ticket{(std::uint64_t{parts.thread} << 56U) | (std::uint64_t{parts.slot} << 32U) |
                parts.generation};
}

[[nodiscard]] constexpr DoorTicket from_ticket(Ticket ticket) {
  const auto bits = static_cast<std::uint64_t>(ticket);
  return {.thread = static_cast<std::size_t>(bits >> 56U),
          .slot = static_cast<std::uint32_t>((bits >> 32U) & (kDoorSlotsMax - 1)),
          .generation = static_cast<std::uint32_t>(bits)};
}

}  // namespace kvs
