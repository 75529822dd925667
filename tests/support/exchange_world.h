// Random events over a few replicating nodes, with oracles: writes, lost, late and repeated pushes,
// broken-off and interleaved exchanges, removed and returning members, restarts, failed commits,
// restored backups, damaged records, collection of tombstones, ties and their verdicts.
//
// What must hold: all nodes end equal; a deleted key never shows again; no write is lost. Excused
// are writes that only a removed, restored or damaged node held: they may be lost or count as new;
// and what was forgotten with the last K that covered it (docs/consistency.md, "The one
// exception").
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/collector.h"
#include "support/exchange_node.h"
#include "support/watch_crowd.h"

namespace kvs {

class ExchangeWorld {
 public:
  /// Which rare events there are.
  struct Plan {
    bool returns = false;   // members are removed and return
    bool restores = false;  // backups are restored
    bool damage = false;    // records rot
    bool expires = false;   // some of what is written has a time to live
    bool restarts = true;
    Duration tombstone_min_age;
    int events = 600;
    int watchers = 0;
  };

  ExchangeWorld(std::uint64_t seed, const Plan& plan) : prng_(seed), plan_(plan) {
    const std::size_t count = 2 + prng_.below(3);
    paths_ = std::vector<std::string>{"a", "b", "c"};
    paths_.resize(1 + prng_.below(3));
    for (std::size_t i = 0; i < count; ++i) {
      machines_.push_back(std::make_unique<Machine>(prng_.next(), plan.tombstone_min_age));
      machines_.back()->skew_ms = prng_.between(-5, 5);
      members_.insert(i);
    }
    follow_members();
    std::vector<ExchangeNode*> nodes;
    for (const auto& machine : machines_) {
      nodes.push_back(&machine->node);
    }
    const bool exact = !plan.returns && !plan.restores && !plan.damage;
    crowd_ =
        std::make_unique<WatchCrowd>(std::move(nodes), WatchCrowd::Plan{.seed = seed,
                                                                        .watchers = plan.watchers,
                                                                        .exact = exact,
                                                                        .paths = paths_,
                                                                        .excused = [this](Dot dot) {
                                                                          return may_return(dot);
                                                                        }});
  }

  /// Lets everything happen and then come to rest. What is wrong; empty if nothing is.
  std::string run() {
    for (int i = 0; i < plan_.events && wrong_.empty(); ++i) {
      event();
    }
    if (wrong_.empty()) {
      heal();
    }
    if (wrong_.empty()) {
      compare();
    }
    if (wrong_.empty()) {
      let_all_expire();
      compare();
    }
    if (wrong_.empty()) {
      wrong_ = crowd_->finish(watch_now());
    }
    return wrong_;
  }

  [[nodiscard]] std::size_t collected() const { return collected_; }

  [[nodiscard]] std::size_t sessions_completed() const { return completed_; }

  [[nodiscard]] std::size_t ties() const { return ties_; }

  [[nodiscard]] const WatchCrowd& crowd() const { return *crowd_; }

 private:
  struct Backup {
    MemoryStore store;
    Recovered recovered;
    Knowledge reflects;
  };

  struct Machine {
    Machine(std::uint64_t seed, Duration tombstone_min_age)
        : node(seed, {tombstone_min_age.ns - tombstone_min_age.ns / 8}),
          collector(tombstone_min_age) {}

    ExchangeNode node;
    Collector collector;
    std::int64_t skew_ms = 0;
    Knowledge reflects;                    // what its state reflects; K may know less of it
    Knowledge knew;                        // K as last committed
    std::map<std::string, Stamp> deleted;  // the newest delete that was applied here
    std::optional<Backup> backup;
    std::unique_ptr<ExchangeSession> session;  // that this node began
    std::vector<TieMet> ties;
  };

  struct Pushed {
    std::size_t from = 0;
    std::size_t to = 0;
    PeerRecord record;
  };

  // --- small things

  [[nodiscard]] Now watch_now() const {
    return {.instant = Instant{now_ms_ * 1'000'000}, .wall = {1'000'000 + now_ms_}};
  }

  bool chance(std::uint64_t percent) { return prng_.below(100) < percent; }

  std::size_t any() { return prng_.below(machines_.size()); }

  std::size_t any_member() {
    return *std::next(members_.begin(), static_cast<std::ptrdiff_t>(prng_.below(members_.size())));
  }

  [[nodiscard]] WallTime wall(const Machine& machine) const {
    return {1'000'000 + now_ms_ + machine.skew_ms};
  }

  Replica::Terms terms(Change::Cause cause = Change::Cause::exchange) {
    const Stamp bound = Stamp::from_ms(1'000'000 + now_ms_ + 12);
    return {.cause = cause, .newest_allowed = resting_ ? Stamp{UINT64_MAX} : bound};
  }

  static Instance instance_of(std::size_t i) { return Instance{i + 1}; }

  void follow_members() {
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      View view{.members = {}, .self = instance_of(i)};
      for (std::size_t j = 0; j < machines_.size(); ++j) {
        if (j == i || (members_.contains(i) && members_.contains(j))) {
          view.members.push_back({.instance = instance_of(j)});
        }
      }
      machines_[i]->collector.set_view(view);
    }
  }

  /// Of these writes, which `i` is about to lose, those that nobody else has seen may be lost, or
  /// come back as new.
  void excuse(std::size_t i, const Knowledge& lost) {
    Knowledge seen;
    for (std::size_t j = 0; j < machines_.size(); ++j) {
      if (j != i) {
        seen.join(machines_[j]->reflects);
      }
    }
    for (const DotRange& range : lost.minus(seen)) {
      unseen_.add(range);
    }
  }

  /// Writes of absent members that no member's K covers (any more) come back as new.
  void excuse_absent() {
    Knowledge known;
    for (const std::size_t j : members_) {
      if (!is_damaged(*machines_[j])) {
        known.join(machines_[j]->node.known());
      }
    }
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      for (const DotRange& range : machines_[i]->reflects.minus(known)) {
        if (!members_.contains(i)) {
          unseen_.add(range);
        }
      }
    }
  }

  /// A node has forgotten this K. Writes that no member's K covers any more, and that nobody holds,
  /// come back as new; if nobody's K does, that they were deleted is forgotten, too. That excuses
  /// no live write that is the newest of its path: somebody has to hold it.
  void excuse_forgotten(const Knowledge& forgotten) {
    Knowledge by_members;
    Knowledge by_anybody;
    for (std::size_t j = 0; j < machines_.size(); ++j) {
      by_anybody.join(machines_[j]->node.known());
      if (members_.contains(j)) {
        by_members.join(machines_[j]->node.known());
      }
    }
    for (const auto& [path, writes] : writes_) {
      for (const RecordHeader& write : writes) {
        const Dot dot = write.version.dot;
        const bool is_over = !stays(write) || is_replaced(write, writes);
        if (!is_over || !forgotten.covers(dot) || by_members.covers(dot) || is_held(path, dot)) {
          continue;
        }
        forgotten_.add(dot);
        if (!by_anybody.covers(dot)) {
          unseen_.add(dot);
        }
      }
    }
  }

  static bool stays(const RecordHeader& write) { return write.live() && write.expires_ms == 0; }

  static bool is_replaced(const RecordHeader& write, const std::vector<RecordHeader>& writes) {
    return std::ranges::any_of(writes, [&](const RecordHeader& other) {
      return other.version.stamp > write.version.stamp;
    });
  }

  [[nodiscard]] bool is_held(const std::string& path, Dot dot) const {
    return std::ranges::any_of(machines_, [&](const auto& machine) {
      const auto held = machine->node.held(path);
      return held && held->version.dot == dot;
    });
  }

  [[nodiscard]] bool may_return(Dot dot) const {
    return unseen_.covers(dot) || forgotten_.covers(dot);
  }

  [[nodiscard]] std::set<std::size_t> everybody() const {
    std::set<std::size_t> all;
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      all.insert(i);
    }
    return all;
  }

  // --- batches

  void settle(std::size_t i) {
    Machine& machine = *machines_[i];
    const auto ties = machine.node.replica().take_ties();
    machine.ties.insert(machine.ties.end(), ties.begin(), ties.end());
    ties_ += ties.size();
    for (const Change& change : machine.node.settle()) {
      note(i, change);
    }
    if (!is_damaged(machine)) {
      machine.reflects.join(machine.node.known());
    }
    follow_knowledge(i);
  }

  void follow_knowledge(std::size_t i) {
    Machine& machine = *machines_[i];
    if (!machine.node.known().covers(machine.knew)) {
      machine.deleted.clear();  // it has forgotten K, and with it what was deleted
      excuse_forgotten(machine.knew);
    }
    machine.knew = machine.node.known();
  }

  /// While damage is not found, K covers what was lost.
  static bool is_damaged(Machine& machine) {
    return std::ranges::any_of(machine.node.store().slots(),
                               [](const auto& slot) { return slot.second.damage.has_value(); });
  }

  /// True if a write with this uuid is excused: its verdict is then, too.
  [[nodiscard]] bool is_unseen(const std::string& path, Uuid uuid) {
    return std::ranges::any_of(writes_[path], [&](const RecordHeader& write) {
      return write.version.uuid == uuid && unseen_.covers(write.version.dot);
    });
  }

  void note(std::size_t i, const Change& change) {
    if (!change.after) {
      return;
    }
    const RecordHeader& after = *change.after;
    machines_[i]->reflects.add(after.version.dot);
    const bool own =
        change.cause == Change::Cause::client || change.cause == Change::Cause::verdict;
    if (own && (!members_.contains(i) || is_unseen(change.path, after.version.uuid))) {
      unseen_.add(after.version.dot);
    }
    const auto returns = [this](Dot dot) {
      return may_return(dot);
    };
    if (change.cause == Change::Cause::verdict && std::ranges::any_of(change.replaced, returns)) {
      forgotten_.add(after.version.dot);  // one side of the tie had come back
    }
    const Stamp stamp = after.version.stamp;
    Stamp& deleted = machines_[i]->deleted[change.path];
    if (after.live() && stamp < deleted && !may_return(after.version.dot)) {
      wrong_ = fmt::format("{} shows again at node {}", change.path, i);
    }
    if (!stays(after)) {
      deleted = std::max(deleted, stamp);
    }
    if (!own) {
      return;
    }
    writes_[change.path].push_back(after);
    PeerRecord record = machines_[i]->node.record(change.path);
    record.replaced = change.replaced;
    if (change.before && chance(33)) {
      record.replaced.push_back(change.before->version.dot);
    }
    for (std::size_t to = 0; to < machines_.size(); ++to) {
      if (to != i && chance(60)) {
        flight_.push_back({.from = i, .to = to, .record = record});
      }
    }
  }

  /// The open batch of a node is committed, or fails.
  void end_batch(std::size_t i) {
    if (chance(98)) {
      return settle(i);
    }
    machines_[i]->node.fail();
    machines_[i]->session.reset();
    for (const auto& machine : machines_) {
      if (machine->session && machine->session->to() == &machines_[i]->node &&
          machine->session->awaits_commit()) {
        machine->session->refuse();
      }
    }
  }

  // --- events

  void write() {
    const std::string& path = paths_[prng_.below(paths_.size())];
    Machine& machine = *machines_[any()];
    const WallTime at = wall(machine);
    write_at(machine, path, at);
    if (chance(20)) {
      write_at(*machines_[any()], path, at);  // a tie, if it is another one
    }
  }

  void write_at(Machine& machine, const std::string& path, WallTime at) {
    machine.node.look(wall(machine));
    if (chance(45)) {
      machine.node.del(at, path);
    } else if (plan_.expires && chance(60)) {
      machine.node.put(at, path, "1", Duration::from_ms(prng_.between(1, 80)));
    } else {
      machine.node.put(at, path);
    }
  }

  void deliver() {
    if (flight_.empty()) {
      return;
    }
    const auto it = flight_.begin() + static_cast<std::ptrdiff_t>(prng_.below(flight_.size()));
    Replica::Terms pushed = terms(Change::Cause::push);
    pushed.from = machines_[it->from]->node.instance();
    machines_[it->to]->node.take(it->record, pushed);
    if (chance(80)) {  // else it comes again
      flight_.erase(it);
    }
  }

  void lose() {
    if (!flight_.empty()) {
      flight_.erase(flight_.begin() + static_cast<std::ptrdiff_t>(prng_.below(flight_.size())));
    }
  }

  void begin_exchange() {
    const std::size_t from = any_member();
    const std::size_t to = any_member();
    if (from != to && !machines_[from]->session) {
      machines_[from]->session =
          std::make_unique<ExchangeSession>(machines_[from]->node, machines_[to]->node);
    }
  }

  std::size_t number_of(const ExchangeNode* node) const {
    std::size_t i = 0;
    while (&machines_[i]->node != node) {
      ++i;
    }
    return i;
  }

  /// The next exchange that is under way, from `i` on.
  void go_on_with_any_exchange(std::size_t i) {
    for (std::size_t k = 0; k < machines_.size(); ++k) {
      const std::size_t at = (i + k) % machines_.size();
      if (machines_[at]->session) {
        return go_on_with_exchange(at);
      }
    }
  }

  void go_on_with_exchange(std::size_t i) {
    std::unique_ptr<ExchangeSession>& session = machines_[i]->session;
    if (!session) {
      return;
    }
    if (session->awaits_commit()) {
      end_batch(number_of(session->to()));
      if (!session) {
        return;
      }
    }
    session->step(terms());
    if (session->state() != ExchangeSession::State::going) {
      completed_ += session->state() == ExchangeSession::State::complete ? 1 : 0;
      end_batch(i);
      session.reset();
    } else if (chance(30)) {
      end_batch(i);
    }
  }

  void break_off() {
    const std::size_t i = any();
    if (machines_[i]->session) {
      end_batch(i);
      machines_[i]->session.reset();
    }
  }

  /// Every batch is committed first: it may point to the bytes of an answer.
  void end_sessions() {
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      settle(i);
      machines_[i]->session.reset();
    }
  }

  void report() {
    const std::size_t hearer = any_member();
    for (const std::size_t teller : members_) {
      if (hearer != teller && chance(80)) {
        machines_[hearer]->collector.report(
            instance_of(teller), std::make_shared<Knowledge>(machines_[teller]->node.known()));
      }
    }
  }

  void collect() {
    const std::size_t i = any_member();
    Machine& machine = *machines_[i];
    machine.collector.look(std::make_shared<const Knowledge>(machine.node.known()), wall(machine));
    for (const PeerItem& item : machine.collector.next(machine.node.store(), wall(machine), 2)) {
      collected_ += machine.node.replica().collect(item, machine.node.open()) ? 1 : 0;
    }
  }

  void remove_or_return() {
    const std::size_t i = any();
    if (members_.contains(i) && members_.size() == 1) {
      return;
    }
    end_sessions();  // what was written while it was no member is excused as that
    if (members_.erase(i) == 0) {
      members_.insert(i);
    } else {
      excuse_absent();
    }
    follow_members();
  }

  void restart(std::size_t i) {
    Machine& machine = *machines_[i];
    machine.session.reset();
    machine.ties.clear();
    crowd_->node_ends(i);
    machine.node.restart();
    machine.collector = Collector(plan_.tombstone_min_age);
    follow_members();
  }

  void back_up_or_restore() {
    const std::size_t i = any();
    Machine& machine = *machines_[i];
    if (!machine.backup) {
      settle(i);
      machine.backup = Backup{.store = machine.node.store(),
                              .recovered = machine.node.recovered(),
                              .reflects = machine.reflects};
      return;
    }
    excuse(i, machine.reflects);
    machine.reflects = machine.backup->reflects;
    machine.node.store() = machine.backup->store;
    machine.node.recovered() = machine.backup->recovered;
    machine.backup.reset();
    machine.deleted.clear();
    restart(i);
    excuse_absent();
  }

  void lose_path(std::size_t i, const std::string& path) {
    Machine& machine = *machines_[i];
    Knowledge lost;
    for (const RecordHeader& write : writes_[path]) {
      if (machine.reflects.covers(write.version.dot)) {
        lost.add(write.version.dot);
      }
    }
    excuse(i, lost);
    Knowledge rest;
    for (const DotRange& range : machine.reflects.minus(lost)) {
      rest.add(range);
    }
    machine.reflects = rest;
  }

  void rot() {
    const std::size_t i = any();
    Machine& machine = *machines_[i];
    const std::string& path = paths_[prng_.below(paths_.size())];
    settle(i);
    if (!machine.node.held(path)) {
      return;
    }
    lose_path(i, path);
    machine.node.store().damage(path, Errc::corrupt_data);
    machine.deleted.clear();
    excuse_absent();
    if (chance(50)) {
      machine.node.holdings().found_damage(path);
    }
  }

  /// Somebody who met a tie decides it, not always on the same grounds.
  void decide(std::size_t i) {
    Machine& machine = *machines_[i];
    if (machine.ties.empty()) {
      return;
    }
    const TieMet tie = machine.ties.back();
    machine.ties.pop_back();
    const auto mine = machine.node.held(tie.theirs.path);
    if (!mine || *mine != tie.mine) {
      return;  // it is no tie any more
    }
    const bool theirs_is_there = std::ranges::any_of(machines_, [&](const auto& other) {
      return other->node.held(tie.theirs.path) == tie.theirs.record.header;
    });
    const bool theirs_wins = prng_.chance(1, 2) && theirs_is_there;
    PeerRecord winner = theirs_wins ? tie.theirs : machine.node.record(tie.theirs.path);
    winner.record.header.version.verdict = {.votes = static_cast<std::uint32_t>(1 + any()),
                                            .oldest_join_ms = 1,
                                            .voters_hash = prng_.below(2)};
    winner.replaced = {tie.mine.version.dot, tie.theirs.record.header.version.dot};
    machine.node.replica().settle(winner, machine.node.open());
  }

  void event() {
    now_ms_ += prng_.between(0, 3);
    const bool quiet = (++events_ / 100) % 2 == 1;  // so that everybody comes to know everything
    const std::uint64_t dice = prng_.below(1000);
    if (dice < 120 && quiet) {
      report();
    } else if (dice < 120) {
      write();
    } else if (dice < 220) {
      deliver();
    } else if (dice < 250) {
      lose();
    } else if (dice < 330) {
      begin_exchange();
    } else if (dice < 690) {
      go_on_with_any_exchange(any());
    } else if (dice < 700) {
      break_off();
    } else if (dice < 770) {
      report();
    } else if (dice < 840) {
      collect();
    } else if (dice < 870) {
      decide(any());
    } else if (dice < 970) {
      end_batch(any());
    } else {
      rare_event(dice - 970);
    }
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      follow_knowledge(i);
    }
    if (plan_.expires) {
      let_expire(any());
    }
    if (wrong_.empty()) {
      wrong_ = crowd_->turn(watch_now());
    }
  }

  /// A node looks at its clock, and does what follows now or later.
  void let_expire(std::size_t i) {
    machines_[i]->node.look(wall(*machines_[i]));
    if (chance(60)) {
      machines_[i]->node.expire();
    }
  }

  /// All that was to expire does, everywhere, and is told.
  void let_all_expire() {
    for (int round = 0; plan_.expires && round < 20; ++round) {
      now_ms_ += 10;
      for (std::size_t i = 0; i < machines_.size(); ++i) {
        machines_[i]->node.look(wall(*machines_[i]));
        machines_[i]->node.expire();
        settle(i);
      }
    }
  }

  void rare_event(std::uint64_t dice) {
    if (dice < 6 && plan_.returns) {
      remove_or_return();
    } else if (dice >= 6 && dice < 12 && plan_.restores) {
      back_up_or_restore();
    } else if (dice >= 12 && dice < 18 && plan_.damage) {
      rot();
    } else if (dice >= 18 && dice < 22 && plan_.restarts) {
      restart(any());
    } else if (dice >= 22) {
      now_ms_ += prng_.between(0, 1000);  // what was put off comes into its time
    }
  }

  // --- rest

  void heal() {
    resting_ = true;
    flight_.clear();
    end_sessions();
    members_ = everybody();
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      for (const auto& [path, slot] : machines_[i]->node.store().slots()) {
        if (slot.damage) {
          machines_[i]->node.holdings().found_damage(path);
        }
      }
      settle(i);
    }
    for (std::size_t round = 0; round < 3 * machines_.size() + 3; ++round) {
      for (std::size_t from = 0; from < machines_.size(); ++from) {
        for (std::size_t to = 0; to < machines_.size(); ++to) {
          exchange_undisturbed(from, to);
        }
      }
    }
  }

  void exchange_undisturbed(std::size_t from, std::size_t to) {
    if (from == to) {
      return;
    }
    ExchangeSession session(machines_[from]->node, machines_[to]->node);
    for (int step = 0; session.state() == ExchangeSession::State::going; ++step) {
      if (step > 1000) {
        wrong_ = "an exchange does not end";
        return;
      }
      session.step(terms());
      settle(to);
      settle(from);
    }
    for (const std::size_t i : {from, to}) {
      while (!machines_[i]->ties.empty()) {
        decide(i);
      }
      settle(i);
    }
  }

  void compare() {
    for (std::size_t i = 1; i < machines_.size() && wrong_.empty(); ++i) {
      if (machines_[i]->node.headers() != machines_[0]->node.headers()) {
        wrong_ = fmt::format("nodes 0 and {} hold different records", i);
      } else if (machines_[i]->node.known() != machines_[0]->node.known()) {
        wrong_ = fmt::format("nodes 0 and {} hold equal records and different K", i);
      }
    }
    for (const auto& [path, writes] : writes_) {
      if (wrong_.empty() && !newest_is_there(path, writes)) {
        wrong_ = fmt::format("the newest write of {} is lost", path);
      }
    }
  }

  [[nodiscard]] bool newest_is_there(const std::string& path,
                                     const std::vector<RecordHeader>& writes) const {
    const auto held = machines_[0]->node.held(path);
    const bool live = held && held->live();
    Stamp newest;  // of the writes that may not be lost
    for (const RecordHeader& write : writes) {
      if (!unseen_.covers(write.version.dot)) {
        newest = std::max(newest, write.version.stamp);
      }
    }
    return newest == Stamp{} || std::ranges::any_of(writes, [&](const RecordHeader& write) {
             const bool may_be = write.version.stamp == newest || may_return(write.version.dot);
             const bool is_held = held && held->version.uuid == write.version.uuid;
             const bool is = stays(write) ? live && is_held : !live || is_held;
             return may_be && is;
           });
  }

  Prng prng_;
  Plan plan_;
  std::vector<std::string> paths_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::set<std::size_t> members_;
  std::vector<Pushed> flight_;
  std::map<std::string, std::vector<RecordHeader>> writes_;  // acknowledged
  Knowledge unseen_;                                         // may be lost, or come back as new
  Knowledge forgotten_;                                      // may come back as new
  std::int64_t now_ms_ = 0;
  int events_ = 0;
  bool resting_ = false;
  std::size_t collected_ = 0;
  std::size_t completed_ = 0;
  std::size_t ties_ = 0;
  std::string wrong_;
  std::unique_ptr<WatchCrowd> crowd_;
};

}  // namespace kvs
