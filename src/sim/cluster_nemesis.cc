#include "sim/cluster_nemesis.h"

#include <algorithm>

#include "base/probe.h"
#include "core/members.h"

namespace kvs {

namespace {

constexpr std::int64_t kDayMs = 86'400'000;

/// A rate of a thousand: now and then, or often.
std::uint32_t rate_of(std::uint64_t dice) {
  constexpr std::uint32_t kRates[] = {10, 50, 200, 500};
  return kRates[dice % 4];
}

/// How long a strike of this fault lasts at most.
Duration longest(ClusterFault fault, Duration act) {
  if (fault == ClusterFault::pause) {
    return Duration::from_ms(3000);
  }
  return act;
}

/// False for a fault of the network, or of all machines at once.
bool strikes_one_machine(ClusterFault fault) {
  const bool of_network = fault >= ClusterFault::loss && fault <= ClusterFault::clogging;
  const bool of_disk = fault == ClusterFault::read_errors;
  return of_disk || (!of_network && fault < ClusterFault::coarse_clocks);
}

/// In which of two halves a machine is.
bool half_of(std::uint64_t dice, std::uint32_t machine) {
  constexpr std::uint32_t kBits = 56;  // of the dice, behind the eight that say other things
  return machine < kBits ? (dice >> (8 + machine) & 1U) != 0 : Prng(dice + machine).chance(1, 2);
}

Member draw_member(Prng& dice) {
  return {.instance = Instance{dice.next() | 1U},
          .node_id = "stranger",
          .address = "elsewhere:80",
          .joined_ms = 1,
          .started_ms = 1,
          .run = dice.next() | 1U,
          .incarnation = 1};
}

/// One that no node tells of.
Member draw_impossible_member(Prng& dice) {
  Member member = draw_member(dice);
  switch (dice.below(4)) {
    case 0:
      member.node_id.clear();
      break;
    case 1:
      member.address = "nowhere";
      break;
    case 2:
      member.incarnation = dice.chance(1, 2) ? 0 : kIncarnationMax + 1;
      break;
    default:
      member.instance = Instance{};
      break;
  }
  return member;
}

/// What a node of another cluster sends to an address that it takes for its own cluster's.
PeerRequest draw_foreign_request(Prng& dice, const Member& sender) {
  switch (dice.below(4)) {
    case 0:
      return Ping{.news = {sender}};
    case 1:
      return Join{.joiner = sender};
    case 2:
      return MemberRows{.rows = {sender, draw_member(dice)}};
    default:
      return Hello{.digest = {.knowledge_hash = dice.next(), .run = dice.next()}, .latest = {}};
  }
}

}  // namespace

ClusterNemesis::ClusterNemesis(const ClusterScenario& scenario, const Premises& premises,
                               Machines& machines)
    : scenario_(scenario),
      premises_(premises),
      machines_(machines),
      prng_(stream_seed(scenario.seed, Stream::nemesis, 1000)),
      held_down_(scenario.machines),
      backups_(scenario.machines),
      paused_(scenario.machines) {
  for (std::size_t i = 0; i < kClusterFaultCount; ++i) {
    if (scenario.faults.contains(static_cast<ClusterFault>(i))) {
      plan(static_cast<ClusterFault>(i));
    }
  }
}

void ClusterNemesis::plan(ClusterFault fault) {
  Prng prng(stream_seed(scenario_.seed, Stream::nemesis, 100 + static_cast<unsigned>(fault)));
  const std::int64_t most = std::min(longest(fault, scenario_.act_one), scenario_.act_one).ns;
  const std::uint64_t times = strikes_one_machine(fault) ? scenario_.strikes : 1;
  for (std::uint64_t i = (1 + prng.below(3)) * times; i > 0; --i) {
    strikes_.push_back({.fault = fault,
                        .at = Instant{} + Duration{prng.between(0, scenario_.act_one.ns)},
                        .length = {prng.between(0, most) >> prng.below(4)},
                        .dice = prng.next(),
                        .machine = static_cast<std::uint32_t>(prng.below(scenario_.machines))});
  }
}

void ClusterNemesis::start() {
  for (std::size_t i = 0; i < strikes_.size(); ++i) {
    premises_.world.schedule(
        strikes_[i].at - Instant{},
        {.target = Target::nemesis, .input = Input::strike_begins, .subject = i});
  }
}

void ClusterNemesis::handle(const Wake& wake) {
  if (healed_) {
    return;
  }
  const Strike& strike = strikes_.at(wake.subject);
  if (wake.input == Input::strike_ends) {
    return end(strike);
  }
  premises_.world.schedule(
      strike.length,
      {.target = Target::nemesis, .input = Input::strike_ends, .subject = wake.subject});
  begin(strike);
}

// --- machines

void ClusterNemesis::restart(std::uint32_t machine, Crash crash) {
  machines_[machine]->crash(crash);
  paused_[machine] = 0;
  leaving_.erase(machine);
  if (held_down_[machine] == 0) {
    machines_[machine]->start_after(draw_around(prng_, scenario_.recovery));
  }
}

/// One machine runs on a copy of the folder of another one, as if that one had moved.
void ClusterNemesis::copy_folder(const Strike& strike) {
  const std::uint32_t other =
      (strike.machine + 1 +
       static_cast<std::uint32_t>(strike.dice >> 8U) % (scenario_.machines - 1)) %
      scenario_.machines;
  if (machines_[other]->abandoned()) {
    return;
  }
  KVS_PROBE("cluster nemesis: a folder was started twice");
  machines_[strike.machine]->crash(Crash::kill);
  machines_[strike.machine]->swap_folder(machines_[other]->disk().copy(), Swap::copied);
  restart(strike.machine, Crash::kill);
}

/// Somebody asks a node that runs to forget a dead one.
void ClusterNemesis::remove(std::uint32_t machine) {
  for (const auto& other : machines_) {
    const bool asked = other->number() != machine && other->serving() &&
                       !premises_.world.process_paused(other->number());
    if (asked && other->remove(machine) == RemoveOutcome::removed) {
      KVS_PROBE("cluster nemesis: a member was removed by force");
      return;
    }
  }
}

/// Kills the process, and puts another folder in the place of its own.
void ClusterNemesis::swap(const Strike& strike) {
  Machine& machine = *machines_[strike.machine];
  if (strike.fault == ClusterFault::wipe) {
    KVS_PROBE("cluster nemesis: a folder was wiped");
    machine.crash(Crash::kill);
    machine.swap_folder({}, Swap::wiped);
  } else {
    KVS_PROBE("cluster nemesis: a backup was restored");
    machine.crash(Crash::kill);
    machine.swap_folder(backups_[strike.machine], Swap::restored);
  }
  restart(strike.machine, Crash::kill);
}

void ClusterNemesis::begin(const Strike& strike) {
  if (machines_[strike.machine]->abandoned()) {
    return;
  }
  switch (strike.fault) {
    case ClusterFault::leave:
    case ClusterFault::removal:
    case ClusterFault::gone:
    case ClusterFault::copied:
      return begin_on_membership(strike);
    case ClusterFault::rot:
      return machines_[strike.machine]->rot();
    case ClusterFault::coarse_clocks:
      for (const auto& machine : machines_) {
        machine->wall_clock().set_grain(std::int64_t{10} << (strike.dice % 8));
      }
      return;
    case ClusterFault::clock_jump:
    case ClusterFault::clock_drift:
    case ClusterFault::clock_far_future:
      return begin_on_clock(strike);
    case ClusterFault::strangers:
      return begin_on_strangers(strike);
    case ClusterFault::read_errors:
      machines_[strike.machine]->disk().faults().read_error_rate = rate_of(strike.dice);
      return;
    case ClusterFault::narrow:
    case ClusterFault::elsewhere:
    case ClusterFault::own_seed:
    case ClusterFault::told_early:
    case ClusterFault::expiry:
      return;  // all the time: clients write what expires, for one
    case ClusterFault::clocks_off:
      return put_clocks_off(strike);
    case ClusterFault::disk_full:
      machines_[strike.machine]->disk().faults().full = true;
      return;
    case ClusterFault::slow_disk:
      return machines_[strike.machine]->slow_down(static_cast<std::int64_t>(2 + strike.dice % 8));
    default:
      return strike.fault < ClusterFault::clock_jump ? begin_on_machine(strike)
                                                     : begin_on_network(strike);
  }
}

void ClusterNemesis::begin_on_machine(const Strike& strike) {
  switch (strike.fault) {
    case ClusterFault::kill:
      return restart(strike.machine, Crash::kill);
    case ClusterFault::power_loss:
      return restart(strike.machine, Crash::power_loss);
    case ClusterFault::down:
      ++held_down_[strike.machine];
      return restart(strike.machine, Crash::kill);
    case ClusterFault::restore:
      backups_[strike.machine] = machines_[strike.machine]->disk().copy();
      return;  // restored when the strike ends
    case ClusterFault::wipe:
      return swap(strike);
    default:
      ++paused_[strike.machine];
      return premises_.world.pause_process(strike.machine);
  }
}

void ClusterNemesis::begin_on_membership(const Strike& strike) {
  Machine& machine = *machines_[strike.machine];
  switch (strike.fault) {
    case ClusterFault::leave:
      if (machine.serving() && paused_[strike.machine] == 0) {
        machine.leave();
        leaving_.insert(strike.machine);
      }
      return;
    case ClusterFault::removal:
      ++held_down_[strike.machine];
      return restart(strike.machine, Crash::kill);
    case ClusterFault::gone: {
      const bool another =
          std::ranges::any_of(machines_, [](const auto& m) { return m->abandoned(); });
      if (!another && scenario_.machines > 2) {  // a cluster of one proves nothing
        KVS_PROBE("cluster nemesis: a machine is gone for ever");
        paused_[strike.machine] = 0;
        machine.abandon();
      }
      return;
    }
    default:
      return copy_folder(strike);
  }
}

void ClusterNemesis::begin_on_clock(const Strike& strike) {
  const Instant now = premises_.world.now();
  WallClock& clock = machines_[strike.machine]->wall_clock();
  const auto amount = static_cast<std::int64_t>(strike.dice >> 8U) % 4000;
  const auto struck = [&](std::int64_t ahead_ms) {
    premises_.observers.tell(&ClusterObserver::clock_struck, strike.machine, ahead_ms);
    return ahead_ms;
  };
  switch (strike.fault) {
    case ClusterFault::clock_jump:
      return clock.jump(now, struck((strike.dice & 1U) != 0 ? amount : -amount * 20));
    case ClusterFault::clock_drift:
      struck(scenario_.act_one.ms() / 10);
      return clock.set_rate(now, 900 + amount % 200);
    default:
      clock.jump(now, struck(300 * 365 * kDayMs));
      // Only a process that has not heard of the others' clocks yet believes its own.
      return (strike.dice & 1U) != 0 ? restart(strike.machine, Crash::kill) : void();
  }
}

/// Until all is healed, or some other fault sets them anew.
void ClusterNemesis::put_clocks_off(const Strike& strike) {
  constexpr std::int64_t kOffMsMax = 30'000;
  Prng dice(strike.dice);
  for (const auto& machine : machines_) {
    if (!machine->abandoned()) {
      const std::int64_t off_ms = dice.between(-kOffMsMax, kOffMsMax);
      premises_.observers.tell(&ClusterObserver::clock_struck, machine->number(), off_ms);
      machine->wall_clock().jump(premises_.world.now(), off_ms);
    }
  }
}

// --- the network

void ClusterNemesis::begin_on_network(const Strike& strike) {
  NetworkFaults& faults = premises_.network.faults();
  const std::uint32_t rate = rate_of(strike.dice);
  switch (strike.fault) {
    case ClusterFault::loss:
      faults.loss_rate = rate;
      return;
    case ClusterFault::duplication:
      faults.duplicate_rate = rate;
      return;
    case ClusterFault::replay:
      faults.replay_rate = rate;
      return;
    case ClusterFault::corruption:
      faults.corrupt_rate = rate;
      return;
    case ClusterFault::reset:
      faults.reset_rate = rate;
      return;
    case ClusterFault::stragglers:
      faults.straggler_rate = rate;
      return;
    default:
      return separate(strike);
  }
}

/// Cuts or clogs links. Each machine is in one half or the other, by the bits of the dice.
void ClusterNemesis::separate(const Strike& strike) {
  std::vector<bool> half;
  half.reserve(scenario_.machines);
  for (std::uint32_t machine = 0; machine < scenario_.machines; ++machine) {
    half.push_back(half_of(strike.dice, machine));
  }
  const std::uint32_t odd = strike.machine;
  for (std::uint32_t from = 0; from < scenario_.machines; ++from) {
    for (std::uint32_t to = 0; to < scenario_.machines; ++to) {
      const bool touches = from == odd || to == odd;
      const bool across = half[from] != half[to];
      const bool one_way = (strike.dice & 1U) != 0 ? from == odd : to == odd;
      const bool cut = (strike.fault == ClusterFault::partition && across) ||
                       (strike.fault == ClusterFault::bridge && across && !touches) ||
                       (strike.fault == ClusterFault::isolation && touches) ||
                       (strike.fault == ClusterFault::one_way && one_way);
      if (from != to && cut) {
        premises_.network.cut(from, to);
      } else if (strike.fault == ClusterFault::clogging && touches) {
        premises_.network.clog(from, to, static_cast<std::int64_t>(10 + strike.dice % 200));
      }
    }
  }
}

/// Calls of nodes that belong to another cluster, and news of members that cannot be, told by
/// somebody of whom nobody has heard.
void ClusterNemesis::begin_on_strangers(const Strike& strike) {
  Prng dice(strike.dice);
  for (std::uint64_t i = 1 + dice.below(8); i > 0; --i) {
    const auto to = static_cast<std::uint32_t>(dice.below(scenario_.machines));
    const bool foreign = dice.chance(1, 2);
    const Member sender = draw_member(dice);
    const PeerEnvelope envelope{
        .cluster =
            cluster_hash(foreign ? "another" : node_options(scenario_, to).members.cluster_name),
        .sender = sender.instance,
        .sender_run = sender.run,
        .receiver = {},
        .wall_ms = static_cast<std::int64_t>(dice.below(4'000'000'000'000))};
    premises_.network.call_from_outside(
        to, envelope,
        foreign ? draw_foreign_request(dice, sender)
                : PeerRequest(Ping{.news = {draw_impossible_member(dice)}}));
  }
}

void ClusterNemesis::end_on_membership(const Strike& strike) {
  const Machine& machine = *machines_[strike.machine];
  if (strike.fault == ClusterFault::leave) {
    if (machine.serving() && machine.node().may_stop()) {
      KVS_PROBE("cluster nemesis: a node has left");
    }
    held_down_[strike.machine] += (strike.dice & 1U) != 0 ? 1 : 0;  // until all is healed
    restart(strike.machine, Crash::kill);
  } else if (strike.fault == ClusterFault::removal) {
    remove(strike.machine);
    held_down_[strike.machine] -= (strike.dice & 1U) != 0 ? 1 : 0;
    restart(strike.machine, Crash::kill);
  }
}

void ClusterNemesis::end_pause(std::uint32_t machine) {
  if (paused_[machine] == 0) {
    return;
  }
  --paused_[machine];
  if (paused_[machine] == 0) {
    machines_[machine]->disturb();
    premises_.world.resume_process(machine);
  }
}

void ClusterNemesis::end(const Strike& strike) {
  Machine& machine = *machines_[strike.machine];
  if (machine.abandoned()) {
    return;
  }
  switch (strike.fault) {
    case ClusterFault::leave:
    case ClusterFault::removal:
    case ClusterFault::gone:
    case ClusterFault::copied:
      return end_on_membership(strike);
    case ClusterFault::expiry:
    case ClusterFault::clocks_off:
    case ClusterFault::strangers:
    case ClusterFault::narrow:
    case ClusterFault::elsewhere:
    case ClusterFault::own_seed:
    case ClusterFault::told_early:
      return;
    case ClusterFault::read_errors:
      machine.disk().faults().read_error_rate = 0;
      return;
    case ClusterFault::coarse_clocks:
      for (const auto& other : machines_) {
        other->wall_clock().set_grain(1);
      }
      return;
    case ClusterFault::down:
      --held_down_[strike.machine];
      return restart(strike.machine, Crash::kill);
    case ClusterFault::restore:
      return swap(strike);
    case ClusterFault::pause:
    case ClusterFault::long_pause:
      return end_pause(strike.machine);
    case ClusterFault::clock_drift:
      return machine.wall_clock().set_rate(premises_.world.now(), 1000);
    case ClusterFault::clock_far_future:
      return machine.wall_clock().heal();
    case ClusterFault::disk_full:
      machine.disk().faults().full = false;
      return;
    case ClusterFault::slow_disk:
      return machine.slow_down(1);
    default:
      return strike.fault < ClusterFault::loss ? void() : end_on_network(strike);
  }
}

void ClusterNemesis::end_on_network(const Strike& strike) {
  NetworkFaults& faults = premises_.network.faults();
  switch (strike.fault) {
    case ClusterFault::loss:
      faults.loss_rate = 0;
      return;
    case ClusterFault::duplication:
      faults.duplicate_rate = 0;
      return;
    case ClusterFault::replay:
      faults.replay_rate = 0;
      return;
    case ClusterFault::corruption:
      faults.corrupt_rate = 0;
      return;
    case ClusterFault::reset:
      faults.reset_rate = 0;
      return;
    case ClusterFault::stragglers:
      faults.straggler_rate = 0;
      return;
    default:
      break;
  }
  // Links that another strike has cut are mended with them: which, is drawn all the same.
  for (std::uint32_t from = 0; from < scenario_.machines; ++from) {
    for (std::uint32_t to = 0; to < scenario_.machines; ++to) {
      premises_.network.mend(from, to);
    }
  }
}

void ClusterNemesis::heal() {
  healed_ = true;
  premises_.network.heal();
  for (std::uint32_t i = 0; i < scenario_.machines; ++i) {
    Machine& machine = *machines_[i];
    if (machine.abandoned()) {
      continue;
    }
    machine.disk().faults() = {};
    machine.wall_clock().heal();
    machine.slow_down(1);
    machine.disturb();
    premises_.world.resume_process(i);
    if (held_down_[i] > 0) {
      machine.start_after(scenario_.recovery);
    } else if (leaving_.contains(i)) {
      restart(i, Crash::kill);
    } else if (machine.serving()) {
      machine.read_all();
    }
  }
  premises_.observers.tell(&ClusterObserver::healed);
}

}  // namespace kvs
