// The hall: every input of a node comes in here, goes to its room, and comes out as effects.
//
// The node is a deterministic state machine without I/O: it reads no clock, opens nothing, and is
// driven by one thread. Its shell (app in production, sim in simulation) obeys this contract:
//   - steps append to one Effects, the open batch; close_batch() ends it;
//   - batches are committed in the order in which they were closed, each atomically;
//   - after a commit: committed(), then the batch's replies leave; sends, answers and traces of an
//   Effects leave at any time, whether its batch is committed or fails;
//   - after a failed commit: commit_failed(); the replies of that batch, of every later closed
//   batch and of
//     the open one are sent as refusals (see refuse()), and the open Effects are cleared;
//   - the bytes that commands point to stay alive until their batch has been committed or has
//   failed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/mode.h"
#include "core/replica.h"
#include "core/view.h"

namespace kvs {

struct NodeOptions {
  Mode mode = Mode::normal;
  std::int64_t clock_skew_ms_max = 5000;
};

/// A snapshot of what the node tells about itself. Counters since the start.
struct NodeStatus {
  Mode mode = Mode::normal;
  Identity identity;
  std::int64_t clock_ahead_ms = 0;  // how far stamps run ahead of the wall clock; 0 if they do not
  ReplicaStats replica;
};

class Node {
 public:
  /// `store` outlives the node. `seed` feeds its generator: in production entropy, in simulation
  /// the seed of the run.
  Node(const NodeOptions& options, const Recovered& recovered, const StoreView& store,
       std::uint64_t seed);

  /// The first step of a run: a new data folder gets its identity. If this batch fails, the node
  /// must not be used.
  void start(const Now& now, Effects& effects);

  /// A client's write. Exactly one reply follows, in the order of the calls.
  void step(const Now& now, const WriteCommand& command, Effects& effects);

  /// A call that a peer made. Its one reply is among the answers or the peer_replies of this batch
  /// or of a later one.
  void step(const Now& now, const PeerCall& call, Effects& effects);

  /// What came of a call that was among the sends.
  void step(const Now& now, const PeerReturn& returned, Effects& effects);

  /// Acts on deadlines that have passed. Called when next_deadline() <= now; oftener does no harm.
  void tick(const Now& now, Effects& effects);

  [[nodiscard]] Instant next_deadline() const;

  void close_batch(const Now& now, Effects& effects);

  /// The oldest closed batch is durable. What follows from it (pushes) is appended to the sends of
  /// `effects`; nothing else is.
  void committed(const Now& now, Effects& effects);

  void commit_failed();

  [[nodiscard]] NodeStatus status() const;

  /// Who is in the cluster, as this node sees it now. Never null once start() was called.
  [[nodiscard]] std::shared_ptr<const View> view() const { return view_; }

  [[nodiscard]] const Replica& replica() const { return replica_; }

 private:
  void watch_clock(const Now& now, Effects& effects);

  NodeOptions options_;
  Prng prng_;
  Replica replica_;
  std::optional<Identity> identity_;
  std::shared_ptr<const View> view_;
  std::int64_t clock_ahead_ms_ = 0;
  bool clock_warned_ = false;
};

/// Turns the replies of a batch that failed into refusals: what had succeeded gets `why`, and so
/// does what was refused because of the state, which may have been a write that failed ("not found"
/// after a delete that did not happen). Other refusals stay.
void refuse(std::span<Reply> replies, WriteStatus why);

/// Likewise for peers' calls: every reply that was to follow the commit becomes Refused with `why`.
void refuse(std::span<PeerReply> replies, Errc why);

}  // namespace kvs
