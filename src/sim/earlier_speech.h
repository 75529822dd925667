// How nodes of the first versions spoke, for machines that stand for them
// (ClusterFault::told_early).
//
// They told their peer of live records that are dead with a message of its own, before the end of
// an exchange; the present ones tell of all that is dead with the end. So a Finish becomes two
// calls, one after the other.
#pragma once

#include <map>
#include <optional>

#include "core/effects.h"
#include "core/peer_message.h"

namespace kvs {

class EarlierSpeech {
 public:
  /// What is said in the place of this.
  [[nodiscard]] PeerSend said(const PeerSend& send);

  /// What is said next, if this is the answer to the first half of what was meant. The node is not
  /// told of it then.
  [[nodiscard]] std::optional<PeerSend> next(const PeerReturn& returned);

 private:
  std::map<CallId, PeerSend> ends_;  // each to come after what was told before it
};

}  // namespace kvs
