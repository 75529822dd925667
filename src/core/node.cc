#include "core/node.h"

#include <algorithm>

#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

Node::Node(const NodeOptions& options, const Recovered& recovered, const StoreView& store,
           std::uint64_t seed)
    : options_(options),
      prng_(seed),
      replica_(recovered, store, prng_),
      identity_(recovered.identity) {}

void Node::start(const Now& now, Effects& effects) {
  if (!identity_ || KVS_MUTATED(identity_made_anew)) {
    identity_ = Identity{.instance = prng_.next() | 1U, .joined_ms = now.wall.ms};
    effects.identity = identity_;
  }
  Member self;
  self.instance = Instance{identity_->instance};
  self.joined_ms = identity_->joined_ms;
  self.mode = options_.mode;
  view_ = std::make_shared<const View>(View{.members = {self}, .self = self.instance});
}

void Node::step(const Now& now, const WriteCommand& command, Effects& effects) {
  if (const auto refusal = write_refusal(options_.mode)) {
    effects.replies.push_back({.ticket = command.ticket, .outcome = {.status = *refusal}});
    return;
  }
  replica_.write(now.wall, command, effects);
}

void Node::step(const Now& /*now*/, const PeerCall& call, Effects& effects) {
  effects.answers.push_back(
      {.ticket = call.ticket,
       .envelope = {},
       .answer = Refused{.code = Errc::not_implemented, .detail = "this node takes no calls"}});
}

void Node::step(const Now& /*now*/, const PeerReturn& /*returned*/, Effects& /*effects*/) {}

void Node::tick(const Now& /*now*/, Effects& /*effects*/) {}

Instant Node::next_deadline() const {
  return Instant::never();
}

void Node::close_batch(const Now& now, Effects& effects) {
  watch_clock(now, effects);
  replica_.close_batch(effects);
}

void Node::watch_clock(const Now& now, Effects& effects) {
  clock_ahead_ms_ = std::max<std::int64_t>(0, replica_.last_stamp().ms() - now.wall.ms);
  const bool behind = clock_ahead_ms_ > options_.clock_skew_ms_max;
  if (behind && !clock_warned_) {
    KVS_PROBE("node: stamps run far ahead of the wall clock");
    effects.trace.push_back(
        {.kind = Trace::Kind::clock_behind, .number = static_cast<std::uint64_t>(clock_ahead_ms_)});
  }
  clock_warned_ = behind;
}

void Node::committed(const Now& /*now*/, Effects& /*effects*/) {
  static_cast<void>(replica_.committed());
}

void Node::commit_failed() {
  replica_.commit_failed();
}

NodeStatus Node::status() const {
  return {.mode = options_.mode,
          .identity = identity_.value_or(Identity{}),
          .clock_ahead_ms = clock_ahead_ms_,
          .replica = replica_.stats()};
}

void refuse(std::span<Reply> replies, WriteStatus why) {
  for (Reply& reply : replies) {
    const WriteStatus status = reply.outcome.status;
    const bool refusal_stands = KVS_MUTATED(refusal_rests_on_failure) && !succeeded(status);
    const bool stands = !rests_on_state(status) || KVS_MUTATED(failure_acknowledged);
    if (!stands && !refusal_stands) {
      reply.outcome = {.status = why};
    }
  }
}

void refuse(std::span<PeerReply> replies, Errc why) {
  for (PeerReply& reply : replies) {
    reply.answer = Refused{.code = why, .detail = "the batch of this call could not be stored"};
  }
}

}  // namespace kvs
