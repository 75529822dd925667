// Members of a cluster in virtual time: a network that delays, loses and cuts, and nothing else.
//
// Calls behave as the shell promises: exactly one return each, at the latest after the timeout.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "core/members.h"

namespace kvs {

class MemberNet {
 public:
  struct Node {
    MembersOptions options;
    SelfIdentity identity;
    std::unique_ptr<Prng> prng;
    std::unique_ptr<Members> members;  // null: the process is dead
    bool host_up = true;               // false: calls to it time out instead of being refused
    std::uint64_t life = 0;            // which process; returns of an earlier one are dropped
    std::vector<MemberEvent> events;
    std::int64_t clock_ahead_ms = 0;
    Instant deadline = Instant::never();  // when it wants to act next
  };

  explicit MemberNet(std::uint64_t seed) : prng_(seed), seed_(seed) {}

  /// Adds a node, not started. Instances are 100, 101, ...
  std::size_t add(std::vector<std::size_t> seeds) {
    const std::size_t index = nodes_.size();
    Node node;
    node.options = {.node_id = fmt::format("n{}", index),
                    .address = address(index),
                    .cluster_name = "kvs",
                    .seeds = {}};
    for (const std::size_t seed : seeds) {
      node.options.seeds.push_back(address(seed));
    }
    node.identity = {.instance = Instance{100 + index},
                     .joined_ms = static_cast<std::int64_t>(1000 + index)};
    nodes_.push_back(std::move(node));
    return index;
  }

  /// `count` nodes, started together; node 0 is the seed of all.
  void start_cluster(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      start(add({0}));
    }
  }

  static std::string address(std::size_t index) { return fmt::format("10.0.0.1:{}", 1000 + index); }

  Node& node(std::size_t index) { return nodes_.at(index); }

  Members& members(std::size_t index) { return *nodes_.at(index).members; }

  /// A new process on the node's data folder.
  void start(std::size_t index) {
    Node& node = nodes_.at(index);
    ++node.life;
    ++starts_;
    node.identity.run = 7000 + starts_;
    node.identity.started_ms = wall_ms();
    node.prng = std::make_unique<Prng>(seed_ * 1000 + starts_);
    node.members = std::make_unique<Members>(node.options, node.identity, *node.prng);
    node.host_up = true;
    step(index,
         [](Members& members, const Now& now, Effects& effects) { members.start(now, effects); });
  }

  /// The process dies: connections are refused.
  void kill(std::size_t index) {
    Node& node = nodes_.at(index);
    node.members.reset();
    node.deadline = Instant::never();
    ++node.life;
  }

  /// The machine dies: connections time out.
  void pull_plug(std::size_t index) {
    kill(index);
    nodes_.at(index).host_up = false;
  }

  using Step = std::function<void(Members&, const Now&, Effects&)>;

  void step(std::size_t index, const Step& what) {
    Node& node = nodes_.at(index);
    if (node.members == nullptr) {
      return;
    }
    Effects effects;
    what(*node.members, now_of(index), effects);
    node.deadline = node.members->next_deadline();
    carry_out(index, effects);
    for (MemberEvent& event : node.members->take_events()) {
      node.events.push_back(std::move(event));
    }
  }

  void run_for(Duration duration) {
    const Instant end = time_ + duration;
    while (next_time() <= end) {
      run_next();
    }
    time_ = end;
  }

  /// Runs until `done` holds, at most for `limit`; looks every 10 ms. Returns how long it took;
  /// more than `limit` if it did not come to be.
  Duration run_until(const std::function<bool()>& done, Duration limit) {
    const Instant begin = time_;
    while (!done()) {
      if (time_ - begin > limit) {
        return time_ - begin;
      }
      run_for(Duration::from_ms(10));
    }
    return time_ - begin;
  }

  /// How `observer` holds `subject`: its state, or nothing if it does not list it.
  std::optional<MemberState> state(std::size_t observer, std::size_t subject) {
    const Member* row = members(observer).find(nodes_.at(subject).identity.instance);
    return row == nullptr ? std::nullopt : std::optional(row->state);
  }

  /// True if all running nodes hold `subject` so.
  bool all_hold(std::size_t subject, std::optional<MemberState> wanted) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (i != subject && nodes_[i].members != nullptr && state(i, subject) != wanted) {
        return false;
      }
    }
    return true;
  }

  /// True if each running node holds each running node alive, and lists nobody else.
  bool converged() {
    std::size_t running = 0;
    for (const Node& node : nodes_) {
      running += node.members != nullptr ? 1U : 0U;
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].members != nullptr && !all_hold(i, MemberState::alive)) {
        return false;
      }
      if (nodes_[i].members != nullptr && members(i).view()->members.size() != running) {
        return false;
      }
    }
    return true;
  }

  std::size_t events(std::size_t index, MemberEvent::Kind kind) {
    std::size_t count = 0;
    for (const MemberEvent& event : nodes_.at(index).events) {
      count += event.kind == kind ? 1U : 0U;
    }
    return count;
  }

  std::size_t events(MemberEvent::Kind kind) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      count += events(i, kind);
    }
    return count;
  }

  Now now_of(std::size_t index) {
    return {.instant = time_, .wall = {wall_ms() + nodes_.at(index).clock_ahead_ms}};
  }

  [[nodiscard]] std::int64_t wall_ms() const { return 1'000'000'000 + time_.ns / 1'000'000; }

  // Faults. `cut(from, to)` is true if nothing gets from one to the other.
  std::uint64_t loss_percent = 0;
  Duration delay_max = Duration::from_ms(2);
  std::function<bool(std::size_t, std::size_t)> cut = [](std::size_t, std::size_t) {
    return false;
  };

  // Counted.
  std::uint64_t calls = 0;
  std::uint64_t rows = 0;

 private:
  struct Waiting {
    std::size_t caller = 0;
    std::uint64_t life = 0;
    PeerSend send;
  };

  struct Served {
    std::size_t server = 0;
    std::uint64_t life = 0;
    std::uint64_t call = 0;
  };

  void carry_out(std::size_t index, Effects& effects) {
    for (const PeerSend& send : effects.sends) {
      this->send(index, send);
    }
    for (PeerReply& reply : effects.answers) {
      answer(index, reply);
    }
    KVS_CHECK(effects.peer_replies.empty() && effects.nothing_to_store(), "members store nothing");
  }

  std::size_t at_address(const std::string& address) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].options.address == address && nodes_[i].members != nullptr) {
        return i;
      }
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].options.address == address) {
        return i;
      }
    }
    return nodes_.size();
  }

  void later(Duration delay, std::function<void()> what) {
    queue_.emplace(std::pair(time_ + delay, next_event_++), std::move(what));
  }

  Duration delay() { return {prng_.between(delay_max.ns / 4, delay_max.ns)}; }

  bool lost(std::size_t from, std::size_t to) {
    return cut(from, to) || (loss_percent > 0 && prng_.chance(loss_percent, 100));
  }

  PeerEnvelope envelope(std::size_t index) {
    const Node& node = nodes_.at(index);
    return {.cluster = cluster_hash(node.options.cluster_name),
            .sender = node.identity.instance,
            .sender_run = node.identity.run,
            .receiver = {},
            .wall_ms = now_of(index).wall.ms};
  }

  void send(std::size_t index, const PeerSend& send) {
    ++calls;
    if (const auto* ping = std::get_if<Ping>(send.request.get())) {
      rows += ping->news.size();
    }
    const std::uint64_t id = next_call_++;
    waiting_.emplace(id, Waiting{.caller = index, .life = nodes_[index].life, .send = send});
    later(send.timeout, [this, id] { finish(id, {.failure = PeerReturn::Failure::timed_out}); });
    const std::size_t target = at_address(send.address);
    if (target == nodes_.size() || lost(index, target)) {
      return;
    }
    const PeerEnvelope from = envelope(index);
    later(delay(), [this, id, target, from] { arrive(id, target, from); });
  }

  void arrive(std::uint64_t id, std::size_t target, const PeerEnvelope& from) {
    const auto it = waiting_.find(id);
    if (it == waiting_.end() || !nodes_[target].host_up) {
      return;
    }
    if (nodes_[target].members == nullptr) {
      finish(id, {.failure = PeerReturn::Failure::refused_connection});
      return;
    }
    const Ticket ticket{next_ticket_++};
    served_.emplace(ticket, Served{.server = target, .life = nodes_[target].life, .call = id});
    const auto request = it->second.send.request;
    step(target, [&](Members& members, const Now& now, Effects& effects) {
      members.called(now, {.ticket = ticket, .envelope = from, .request = *request}, effects);
    });
  }

  void answer(std::size_t index, PeerReply& reply) {
    const auto it = served_.find(reply.ticket);
    KVS_CHECK(it != served_.end() && it->second.server == index, "one reply for each call");
    const Served served = it->second;
    served_.erase(it);
    const auto waiting = waiting_.find(served.call);
    if (waiting == waiting_.end() || lost(index, waiting->second.caller)) {
      return;
    }
    later(delay(), [this, id = served.call, from = envelope(index), reply = std::move(reply)] {
      finish(id, {.envelope = from, .answer = reply.answer});
    });
  }

  void finish(std::uint64_t id, PeerReturn returned) {
    const auto it = waiting_.find(id);
    if (it == waiting_.end()) {
      return;
    }
    const Waiting waiting = std::move(it->second);
    waiting_.erase(it);
    if (waiting.life != nodes_[waiting.caller].life) {
      return;
    }
    returned.id = waiting.send.id;
    step(waiting.caller, [&](Members& members, const Now& now, Effects& effects) {
      members.returned(now, returned, effects);
    });
  }

  Instant next_time() {
    Instant next = queue_.empty() ? Instant::never() : queue_.begin()->first.first;
    for (const Node& node : nodes_) {
      next = std::min(next, node.deadline);
    }
    return std::max(next, time_);
  }

  void run_next() {
    time_ = next_time();
    if (!queue_.empty() && queue_.begin()->first.first <= time_) {
      const auto what = std::move(queue_.begin()->second);
      queue_.erase(queue_.begin());
      what();
      return;
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].deadline <= time_) {
        step(i, [](Members& members, const Now& now, Effects& effects) {
          members.tick(now, effects);
        });
        KVS_CHECK(nodes_[i].deadline > time_, "a tick acts on all deadlines");
      }
    }
  }

  Prng prng_;
  std::uint64_t seed_;
  std::uint64_t starts_ = 0;
  Instant time_ = {Duration::from_seconds(10).ns};
  std::vector<Node> nodes_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> queue_;
  std::uint64_t next_event_ = 0;
  std::uint64_t next_call_ = 1;
  std::uint64_t next_ticket_ = 1;
  std::map<std::uint64_t, Waiting> waiting_;
  std::map<Ticket, Served> served_;
};

}  // namespace kvs
