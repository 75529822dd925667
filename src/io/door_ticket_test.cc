#include "io/door_ticket.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(DoorTicket, KeepsItsParts) {
  for (const DoorTicket& parts :
       {DoorTicket{}, DoorTicket{.thread = 1}, DoorTicket{.slot = kDoorSlotsMax - 1},
        DoorTicket{.generation = UINT32_MAX},
        DoorTicket{.thread = kDoorThreadsMax - 1, .slot = 0x123456, .generation = 0x789abcde}}) {
    EXPECT_EQ(from_ticket(to_ticket(parts)), parts);
  }
}

}  // namespace
}  // namespace kvs
