#include "core/failure_detector.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/probe.h"
#include "core/probe_turns.h"
#include "core/view.h"

namespace kvs {

namespace {

bool may_be_probed(const MemberEntry* entry) {
  return entry != nullptr && entry->listed && is_live(entry->member.state);
}

}  // namespace

FailureDetector::FailureDetector(const DetectorOptions& options, MemberTable& table,
                                 MemberNews& news, MemberCalls& calls, Prng& prng)
    : options_(options), table_(table), news_(news), calls_(calls), prng_(prng) {}

void FailureDetector::start(const Now& now) {
  plan_turn(now, turn_epoch(now.wall, table_.self(), options_.probe_interval) + 1);
}

/// How long a probe may take.
Duration FailureDetector::probe_span() const {
  return {options_.probe_interval.ns * (awareness_ + 1)};
}

void FailureDetector::tick(const Now& now, Effects& effects) {
  for (Probe& probe : probes_) {
    if (!probe.helpers_asked && probe.helpers_at <= now.instant) {
      ask_helpers(now.instant, probe, effects);
    }
  }
  conclude(now.instant);
  if (next_turn_ <= now.instant) {
    take_turn(now, effects);
  }
}

void FailureDetector::plan_turn(const Now& now, std::int64_t epoch) {
  next_epoch_ = epoch;
  next_target_ = due_in(epoch);
  const WallTime at = turn_time(epoch, next_target_, options_.probe_interval);
  next_turn_ = now.instant + Duration::from_ms(std::max<std::int64_t>(1, at.ms - now.wall.ms));
}

void FailureDetector::take_turn(const Now& now, Effects& effects) {
  const std::int64_t epoch = turn_epoch(now.wall, next_target_, options_.probe_interval);
  const MemberEntry* target = turn_target(epoch);
  plan_turn(now, epoch + 1);
  if (target == nullptr) {
    return;
  }
  const Instance instance = target->member.instance;
  // In doubt it is not worth a probe to accuse again who is suspect already.
  const bool suspect = target->member.state == MemberState::suspect;
  const bool passes = awareness_ > 0 && (turns_passed_ < awareness_ || suspect) &&
                      !KVS_MUTATED(doubtful_node_probes_on);
  if (!passes && has_room_for(instance)) {
    turns_passed_ = 0;
    begin(now.instant, *target, effects);
    return;
  }
  ++turns_passed_;
  // Whether they hear one another again shows without a probe, that is, without an accusation.
  calls_.send(
      now.instant,
      {.kind = MemberCall::Kind::spread, .target = instance, .address = target->member.address},
      options_.probe_interval, Ping{.news = news_.for_ping(instance)}, effects);
}

void FailureDetector::conclude(Instant now) {
  const auto over = [now](const Probe& probe) {
    return probe.deadline <= now || probe.hopeless();
  };
  for (const Probe& probe : probes_) {
    if (over(probe)) {
      missed(probe);
    }
  }
  std::erase_if(probes_, over);
}

Instant FailureDetector::next_deadline() const {
  Instant next = next_turn_;
  for (const Probe& probe : probes_) {
    next = std::min(next, probe.deadline);
    next = probe.helpers_asked ? next : std::min(next, probe.helpers_at);
  }
  return next;
}

/// Whom this node probes in an epoch; itself if there is nobody else.
Instance FailureDetector::due_in(std::int64_t epoch) const {
  const std::vector<const MemberEntry*> order = living();
  if (order.size() < 2) {
    return table_.self();
  }
  const auto own =
      std::ranges::find_if(order, [&](const MemberEntry* entry) { return is_self(*entry); });
  const auto own_place = static_cast<std::size_t>(own == order.end() ? 0 : own - order.begin());
  const std::size_t place = (own_place + turn_shift(epoch, order.size())) % order.size();
  return order[place]->member.instance;
}

const MemberEntry* FailureDetector::turn_target(std::int64_t epoch) {
  const MemberEntry* due = std::as_const(table_).find(next_target_);
  const bool in_step = epoch == next_epoch_ && !KVS_MUTATED(probes_by_chance);
  if (in_step && next_target_ != table_.self() && may_be_probed(due)) {
    return due;
  }
  // The clock was set, or stands still, or whose turn it is has gone: no turn is skipped for that.
  return anybody();
}

/// All that may be probed, this node among them, in the order of instances.
std::vector<const MemberEntry*> FailureDetector::living() const {
  std::vector<const MemberEntry*> found;
  found.reserve(table_.live_count());
  for (const MemberEntry& entry : table_.entries()) {
    if (may_be_probed(&entry)) {
      found.push_back(&entry);
    }
  }
  return found;
}

bool FailureDetector::is_self(const MemberEntry& entry) const {
  return entry.member.instance == table_.self();
}

const MemberEntry* FailureDetector::anybody() {
  std::vector<const MemberEntry*> others = living();
  std::erase_if(others, [&](const MemberEntry* entry) { return is_self(*entry); });
  return others.empty() ? nullptr : others[static_cast<std::size_t>(prng_.below(others.size()))];
}

void FailureDetector::begin(Instant now, const MemberEntry& entry, Effects& effects) {
  const Instance target = entry.member.instance;
  ++stats_.probes;
  probes_.push_back({.target = target,
                     .begun = now,
                     .helpers_at = now + options_.probe_timeout,
                     .deadline = now + probe_span()});
  calls_.send(now,
              {.kind = MemberCall::Kind::probe, .target = target, .address = entry.member.address},
              probe_span(), Ping{.news = news_.for_ping(target)}, effects);
}

void FailureDetector::probe_at_once(Instant now, Instance instance, Effects& effects) {
  const MemberEntry* entry = std::as_const(table_).find(instance);
  if (instance != table_.self() && may_be_probed(entry) && has_room_for(instance)) {
    begin(now, *entry, effects);
  }
}

/// Probes under way are bounded, and there is one of a target at most.
bool FailureDetector::has_room_for(Instance target) {
  return find(target) == nullptr && probes_.size() < kProbesMax;
}

FailureDetector::Probe* FailureDetector::find(Instance target) {
  const auto it = std::ranges::find(probes_, target, &Probe::target);
  return it == probes_.end() ? nullptr : &*it;
}

/// A return that comes too late belongs to no probe, least of all to the next one of that target.
FailureDetector::Probe* FailureDetector::find(const MemberCall& call) {
  Probe* probe = find(call.target);
  return probe != nullptr && call.sent >= probe->begun ? probe : nullptr;
}

void FailureDetector::probe_returned(Instant now, const MemberCall& call, Pinged pinged,
                                     Effects& effects) {
  if (pinged == Pinged::answered) {
    answered(call.target);
    return;
  }
  Probe* probe = find(call);
  if (probe == nullptr) {
    return;
  }
  probe->direct_open = false;
  if (!probe->helpers_asked) {
    ask_helpers(now, *probe, effects);
  }
  conclude(now);
}

std::vector<const Member*> FailureDetector::helpers(Instance target) {
  std::vector<const Member*> others;
  for (const MemberEntry& entry : table_.entries()) {
    const Instance instance = entry.member.instance;
    if (instance != target && instance != table_.self() && entry.listed &&
        entry.member.state == MemberState::alive) {
      others.push_back(&entry.member);
    }
  }
  for (std::size_t i = 0; i < std::min(kHelpers, others.size()); ++i) {
    std::swap(others[i], others[i + static_cast<std::size_t>(prng_.below(others.size() - i))]);
  }
  others.resize(std::min(kHelpers, others.size()));
  return others;
}

void FailureDetector::ask_helpers(Instant now, Probe& probe, Effects& effects) {
  probe.helpers_asked = true;
  const MemberEntry* entry = std::as_const(table_).find(probe.target);
  if (!may_be_probed(entry)) {
    return;
  }
  ++stats_.probes_helped;
  // Helpers answer after at most a probe timeout of theirs; what is left of the interval allows for
  // the way there and back.
  const Duration left = std::max(probe.deadline - now, options_.probe_timeout);
  for (const Member* helper : helpers(probe.target)) {
    ++probe.asked;
    ++probe.help_open;
    calls_.send(now,
                {.kind = MemberCall::Kind::helped_probe,
                 .target = probe.target,
                 .address = helper->address},
                left,
                PingOther{.target = probe.target,
                          .address = entry->member.address,
                          .news = news_.for_ping(helper->instance)},
                effects);
  }
}

void FailureDetector::help_returned(Instant now, const MemberCall& call, Help help) {
  if (help == Help::answered) {
    answered(call.target);
    return;
  }
  Probe* probe = find(call);
  if (probe != nullptr && probe->help_open > 0) {
    --probe->help_open;
    probe->well += help == Help::not_answered ? 1U : 0U;
    conclude(now);
  }
}

void FailureDetector::answered(Instance target) {
  if (std::erase_if(probes_, [target](const Probe& probe) { return probe.target == target; }) > 0) {
    awareness_ = std::max(0, awareness_ - 1);
    count_round(Outcome::answered);
  }
}

void FailureDetector::missed(const Probe& probe) {
  if (!may_be_probed(std::as_const(table_).find(probe.target))) {
    return;
  }
  ++stats_.probes_unanswered;
  // Helpers that say nothing may be as well as dead: then it is this node that hears nothing.
  adjust(probe.asked > 0 ? probe.asked - probe.well : 1);
  if (isolated() && !KVS_MUTATED(isolated_node_accuses)) {
    KVS_PROBE("failure detector: an isolated node accuses nobody");
    ++stats_.accusations_withheld;
  } else {
    accused_.push_back(probe.target);
  }
  count_round(Outcome::missed);
}

void FailureDetector::count_round(Outcome outcome) {
  round_misses_ += outcome == Outcome::missed ? 1 : 0;
  if (++round_probes_ < kRoundProbes) {
    return;
  }
  bad_rounds_ = round_misses_ * 2 > kRoundProbes ? bad_rounds_ + 1 : 0;
  round_probes_ = 0;
  round_misses_ = 0;
}

void FailureDetector::blame_self() {
  adjust(1);
}

void FailureDetector::adjust(std::size_t blame) {
  awareness_ = std::min(kAwarenessMax, awareness_ + static_cast<int>(blame));
}

std::vector<Instance> FailureDetector::take_accused() {
  return std::exchange(accused_, {});
}

}  // namespace kvs
