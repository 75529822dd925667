// Where what the node has decided leaves its threads: answers to the doors, calls to peers.
#pragma once

#include <span>
#include <vector>

#include "core/effects.h"

namespace kvs {

/// Takes answers. Called by the node's threads.
class ReplySink {
 public:
  virtual ~ReplySink() = default;

  /// Answers to writes, in the order in which those were posted.
  virtual void deliver(std::span<const Reply> replies) = 0;

  /// Answers to peers' calls, in any order; may be moved from.
  virtual void deliver_to_peers(std::span<PeerReply> replies) = 0;

 protected:
  ReplySink() = default;
  ReplySink(const ReplySink&) = default;
  ReplySink& operator=(const ReplySink&) = default;
};

/// Takes calls to be made. Called by the node's thread.
class CallSink {
 public:
  virtual ~CallSink() = default;

  /// What comes of each call is posted to the node later.
  virtual void send(std::vector<PeerSend>&& sends) = 0;

 protected:
  CallSink() = default;
  CallSink(const CallSink&) = default;
  CallSink& operator=(const CallSink&) = default;
};

}  // namespace kvs
