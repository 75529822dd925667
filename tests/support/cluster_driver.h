// Several nodes in one test: memory for disks, virtual time, a network that takes a millisecond and
// loses nothing but what a test cuts. Every batch is committed at once.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/node.h"
#include "support/memory_store.h"

namespace kvs {

class ClusterDriver {
 public:
  static constexpr Duration kHop = Duration::from_ms(1);

  /// Nodes n0, n1, ... of which all but the first have the first as their seed. Drivers whose
  /// nodes are to have origins of their own have seeds that lie further apart than their starts.
  explicit ClusterDriver(std::size_t count, std::uint64_t seed = 0) : seed_(seed) {
    for (std::size_t i = 0; i < count; ++i) {
      add();
    }
  }

  /// A further node, started now; its number.
  std::size_t add() {
    machines_.push_back(std::make_unique<Machine>());
    start(machines_.size() - 1);
    return machines_.size() - 1;
  }

  NodeOptions& options(std::size_t i) { return machines_[i]->options; }

  /// Starts a node on what its disk holds.
  void start(std::size_t i) {
    Machine& machine = *machines_[i];
    NodeOptions& options = machine.options;
    options.members.node_id = fmt::format("n{}", i);
    options.members.address = address(i);
    options.members.cluster_name = "test";
    options.members.seeds = i == 0 ? std::vector<std::string>{} : std::vector{address(0)};
    options.sync.throttle_delay = {};
    options.sync.fetch_delay = {};
    machine.node = std::make_unique<Node>(options, machine.recovered, machine.store, ++seed_);
    machine.node->start(now(), machine.open);
    settle(i);
  }

  void stop(std::size_t i) {
    machines_[i]->node.reset();
    machines_[i]->open = {};
  }

  [[nodiscard]] bool running(std::size_t i) const { return machines_[i]->node != nullptr; }

  WriteOutcome put(std::size_t i, std::string_view key, std::string_view value, Duration ttl = {}) {
    return write(i, {.kind = WriteCommand::Kind::put,
                     .key = Key::from_store(key),
                     .value = value,
                     .condition = {},
                     .ttl = ttl});
  }

  WriteOutcome del(std::size_t i, std::string_view key) {
    return write(i, {.kind = WriteCommand::Kind::del, .key = Key::from_store(key)});
  }

  /// A push of `records` from nobody who is a member, to all members.
  void import(std::size_t i, std::vector<PeerRecord> records) {
    const PeerCall call{
        .ticket = Ticket{++tickets_},
        .envelope = {.cluster = cluster_hash("test"), .sender = Instance{1}, .receiver = {}},
        .request = Push{.records = std::move(records),
                        .stretch = RingStretch{.first = 0, .last = UINT64_MAX}}};
    machines_[i]->node->step(now(), call, machines_[i]->open);
    settle(i);
  }

  /// The value at a node; nothing if there is no live one.
  [[nodiscard]] std::optional<std::string> get(std::size_t i, std::string_view key) const {
    const auto record = machines_[i]->store.get_record(Key::from_store(key));
    const bool shows = record && *record && (*record)->header.shows(expiry_clock(i));
    return shows ? std::optional((*record)->value) : std::nullopt;
  }

  /// Lets time pass.
  void run(Duration span) {
    const Instant end = time_ + span;
    while (step_until(end)) {
    }
    time_ = end;
  }

  /// Nothing passes between the two groups any more, in either direction.
  void cut(const std::set<std::size_t>& a, const std::set<std::size_t>& b) {
    for (const std::size_t i : a) {
      for (const std::size_t j : b) {
        cut_.insert({i, j});
        cut_.insert({j, i});
      }
    }
  }

  void heal() { cut_.clear(); }

  [[nodiscard]] Now now() const {
    return {.instant = time_, .wall = {1'700'000'000'000 + time_.ns / 1'000'000}};
  }

  Node& node(std::size_t i) { return *machines_[i]->node; }

  MemoryStore& store(std::size_t i) { return machines_[i]->store; }

  Recovered& recovered(std::size_t i) { return machines_[i]->recovered; }

  /// Of a node that runs; else nothing has expired.
  [[nodiscard]] WallTime expiry_clock(std::size_t i) const {
    return running(i) ? machines_[i]->node->expiry_clock() : WallTime{};
  }

  /// Live paths and values of a node.
  [[nodiscard]] std::map<std::string, std::string> contents(std::size_t i) const {
    std::map<std::string, std::string> live;
    for (const auto& [path, slot] : machines_[i]->store.slots()) {
      if (slot.record.header.shows(expiry_clock(i))) {
        live.emplace(path, slot.record.value);
      }
    }
    return live;
  }

  std::vector<Trace>& traces() { return traces_; }

  [[nodiscard]] std::size_t calls() const { return calls_; }

 private:
  struct Machine {
    NodeOptions options;
    MemoryStore store;
    Recovered recovered;
    std::unique_ptr<Node> node;
    Effects open;
  };

  struct Delivery {
    std::size_t target = 0;
    std::shared_ptr<PeerCall> call;  // or
    std::shared_ptr<PeerReturn> returned;
  };

  struct Asked {
    std::size_t caller = 0;
    std::size_t callee = 0;
    CallId id{};
  };

  static std::string address(std::size_t i) { return fmt::format("10.0.0.{}:8080", i + 1); }

  WriteOutcome write(std::size_t i, WriteCommand command) {
    machines_[i]->node->step(now(), command, machines_[i]->open);
    return settle(i);
  }

  /// Commits what is open and sends what is to be sent.
  WriteOutcome settle(std::size_t i) {
    Machine& machine = *machines_[i];
    Effects effects = std::exchange(machine.open, {});
    machine.node->close_batch(now(), effects);
    machine.store.commit(effects);
    for (const KnowledgeWrite& write : effects.knowledge) {
      machine.recovered.knowledge.set(write.origin, write.known);
    }
    machine.recovered.clock_reserve =
        effects.clock_reserve.value_or(machine.recovered.clock_reserve);
    machine.recovered.identity = effects.identity ? effects.identity : machine.recovered.identity;
    machine.recovered.root = effects.root ? effects.root : machine.recovered.root;
    machine.recovered.roster = effects.roster.value_or(machine.recovered.roster);
    machine.node->committed(now(), effects);
    const WriteOutcome outcome =
        effects.replies.empty() ? WriteOutcome{} : effects.replies.back().outcome;
    deliver(i, effects);
    return outcome;
  }

  void deliver(std::size_t i, Effects& effects) {
    traces_.insert(traces_.end(), effects.trace.begin(), effects.trace.end());
    for (PeerSend& send : effects.sends) {
      post(i, send);
    }
    for (auto* const replies : {&effects.answers, &effects.peer_replies}) {
      for (PeerReply& reply : *replies) {
        answer(reply);
      }
    }
  }

  void post(std::size_t from, PeerSend& send) {
    ++calls_;
    const std::size_t to = number_of(send.address);
    if (to >= machines_.size() || cut_.contains({from, to}) || !running(to)) {
      const bool dead = to >= machines_.size() || !running(to);
      const auto failure = dead && !cut_.contains({from, to})
                               ? PeerReturn::Failure::refused_connection
                               : PeerReturn::Failure::timed_out;
      const Duration wait = failure == PeerReturn::Failure::timed_out ? send.timeout : kHop;
      return later(wait, {.target = from,
                          .call = nullptr,
                          .returned = std::make_shared<PeerReturn>(
                              PeerReturn{.id = send.id, .failure = failure})});
    }
    const Ticket ticket{++tickets_};
    asked_[ticket] = {.caller = from, .callee = to, .id = send.id};
    later(kHop, {.target = to,
                 .call = std::make_shared<PeerCall>(PeerCall{
                     .ticket = ticket, .envelope = send.envelope, .request = *send.request}),
                 .returned = nullptr});
  }

  void answer(PeerReply& reply) {
    const auto it = asked_.find(reply.ticket);
    if (it == asked_.end()) {
      return;
    }
    const Asked asked = it->second;
    asked_.erase(it);
    later(kHop, {.target = asked.caller,
                 .call = nullptr,
                 .returned = std::make_shared<PeerReturn>(
                     PeerReturn{.id = asked.id,
                                .failure = cut_.contains({asked.callee, asked.caller})
                                               ? PeerReturn::Failure::timed_out
                                               : PeerReturn::Failure::none,
                                .envelope = reply.envelope,
                                .answer = reply.answer})});
  }

  void later(Duration wait, Delivery delivery) { due_.emplace(time_ + wait, std::move(delivery)); }

  bool step_until(Instant end) {
    Instant next = due_.empty() ? Instant::never() : due_.begin()->first;
    std::size_t ticking = machines_.size();
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      if (running(i) && machines_[i]->node->next_deadline() < next) {
        next = machines_[i]->node->next_deadline();
        ticking = i;
      }
    }
    if (next > end) {
      return false;
    }
    time_ = std::max(time_, next);
    if (ticking < machines_.size()) {
      machines_[ticking]->node->tick(now(), machines_[ticking]->open);
      settle(ticking);
      return true;
    }
    const Delivery delivery = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    if (running(delivery.target)) {
      Machine& machine = *machines_[delivery.target];
      if (delivery.call) {
        machine.node->step(now(), *delivery.call, machine.open);
      } else {
        machine.node->step(now(), *delivery.returned, machine.open);
      }
      settle(delivery.target);
    }
    return true;
  }

  [[nodiscard]] std::size_t number_of(std::string_view text) const {
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      if (address(i) == text) {
        return i;
      }
    }
    return machines_.size();
  }

  std::vector<std::unique_ptr<Machine>> machines_;
  Instant time_{1'000'000'000};
  std::uint64_t seed_;
  std::uint64_t tickets_ = 0;
  std::size_t calls_ = 0;
  std::multimap<Instant, Delivery> due_;
  std::map<Ticket, Asked> asked_;
  std::set<std::pair<std::size_t, std::size_t>> cut_;
  std::vector<Trace> traces_;
};

}  // namespace kvs
