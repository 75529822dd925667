// What people want of the node beyond writes, on its way from a door to the node's thread.
//
// Each errand with a ticket gets one PeerReply with that ticket, which only its door reads.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "core/command.h"

namespace kvs {

/// This node leaves the cluster. Done: others have what it owed and know that it left. Refused:
/// time ran out. Either way the process ends then.
struct LeaveErrand {
  Ticket ticket{};
};

/// Takes a failed member off the list, at all members. Done, or Refused: not_found, or id_in_use if
/// it is alive.
struct RemoveErrand {
  Ticket ticket{};
  std::string node_id;
};

/// A reader met a damaged record. No reply.
struct DamageErrand {
  std::string path;
};

/// A client wants a record that is absent here and may exist: what another member holds. Fetched,
/// with the record if there is one, or Refused: syncing or overloaded.
struct ReadErrand {
  Ticket ticket{};
  std::string path;
};

/// Runs `answer` in the node's turn: a sign that it takes turns. No reply.
struct PulseErrand {
  std::function<void()> answer;
};

using Errand = std::variant<LeaveErrand, RemoveErrand, DamageErrand, ReadErrand, PulseErrand>;

}  // namespace kvs
