// The calls of the members' rooms: what each was for, until its return comes.
//
// Every call returns exactly once, so what is kept is bounded by the calls under way.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/call.h"
#include "core/effects.h"
#include "core/peer_message.h"

namespace kvs {

/// A call under way.
struct MemberCall {
  enum class Kind : std::uint8_t {
    probe,         // ping of the failure detector
    helped_probe,  // a third member was asked to ping `target`
    helping,       // ping for another member, which waits on `ticket`
    spread,        // ping that only carries news
    doorstep,      // does the present holder of a joiner's id live?
    twin,          // does another process hold this node's instance?
    join,
    compare,
    rows,
    farewell,
  };

  Kind kind = Kind::probe;
  Instance target{};  // 0: whoever listens at the address
  std::string address;
  Ticket ticket{};  // helping
  Instant sent;
};

class MemberCalls {
 public:
  /// Makes a call; the time sent is filled in. Its return comes within `timeout`.
  CallId send(Instant now, MemberCall call, Duration timeout, PeerRequest request,
              Effects& effects);

  /// The call that returned. Nothing if there is none of that id.
  [[nodiscard]] std::optional<MemberCall> take(CallId id);

  [[nodiscard]] std::size_t count(MemberCall::Kind kind) const;

 private:
  std::map<CallId, MemberCall> calls_;
  std::uint64_t next_ = 1;
};

}  // namespace kvs
