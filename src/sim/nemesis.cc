#include "sim/nemesis.h"

#include "base/probe.h"

namespace kvs {

namespace {

constexpr std::int64_t kDayMs = 86'400'000;

/// A rate of a thousand: rare, frequent, or always.
std::uint32_t rate_of(std::uint64_t dice) {
  constexpr std::uint32_t kRates[] = {20, 100, 400, 1000};
  return kRates[dice % 4];
}

/// A step of the clock: milliseconds, seconds, hours or years, either way.
std::int64_t jump_of(std::uint64_t dice) {
  constexpr std::int64_t kUnits[] = {1, 1000, 3'600'000, 400 * kDayMs};
  const auto amount = static_cast<std::int64_t>((dice >> 8U) % 64);
  return (dice & 4U) != 0 ? amount * kUnits[dice % 4] : -amount * kUnits[dice % 4];
}

}  // namespace

Nemesis::Nemesis(const Scenario& scenario, const Surroundings& surroundings, Shell& shell)
    : scenario_(scenario),
      around_(surroundings),
      shell_(shell),
      prng_(stream_seed(scenario.seed, Stream::nemesis, kFaultCount)) {
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    if (scenario.faults.contains(static_cast<Fault>(i))) {
      plan(static_cast<Fault>(i));
    }
  }
}

void Nemesis::plan(Fault fault) {
  Prng prng(stream_seed(scenario_.seed, Stream::nemesis, static_cast<std::uint64_t>(fault)));
  for (std::uint64_t i = 1 + prng.below(4); i > 0; --i) {
    strikes_.push_back({.fault = fault,
                        .at = Instant{} + Duration{prng.between(0, scenario_.act_one.ns)},
                        .length = {prng.between(0, scenario_.act_one.ns) >> prng.below(6)},
                        .dice = prng.next()});
  }
}

void Nemesis::start() {
  for (std::size_t i = 0; i < strikes_.size(); ++i) {
    around_.world.schedule(
        strikes_[i].at - Instant{},
        {.target = Target::nemesis, .input = Input::strike_begins, .subject = i});
  }
}

void Nemesis::handle(const Wake& wake) {
  if (healed_) {
    return;
  }
  const Strike& strike = strikes_.at(wake.subject);
  if (wake.input == Input::strike_ends) {
    return end(strike);
  }
  around_.world.schedule(
      strike.length,
      {.target = Target::nemesis, .input = Input::strike_ends, .subject = wake.subject});
  begin(strike);
}

void Nemesis::crash(Crash crash) {
  shell_.crash(crash, draw_around(prng_, scenario_.recovery));
}

Crash Nemesis::any_crash() {
  const bool power = scenario_.faults.contains(Fault::power_loss) && prng_.chance(1, 2);
  return power ? Crash::power_loss : Crash::kill;
}

void Nemesis::reconfigure(Mode mode) {
  shell_.configure(mode);
  crash(Crash::kill);
}

void Nemesis::begin(const Strike& strike) {
  switch (strike.fault) {
    case Fault::kill:
      return crash(Crash::kill);
    case Fault::power_loss:
      return crash(Crash::power_loss);
    case Fault::pause:
      return around_.world.pause_process();
    case Fault::crash_loop:
      crashes_left_ = 1 + strike.dice % 5;
      return crash(any_crash());
    case Fault::kill_at_commit:
      kill_at_commit_rate_ = rate_of(strike.dice) / 4;
      return;
    case Fault::kill_in_recovery:
      kill_in_recovery_ = true;
      return crash(any_crash());
    case Fault::read_only:
      return reconfigure(Mode::read_only);
    case Fault::clock_jump:
    case Fault::clock_drift:
    case Fault::clock_freeze:
    case Fault::clock_far_future:
      return begin_on_clock(strike);
    default:
      return begin_on_disk(strike);
  }
}

void Nemesis::begin_on_clock(const Strike& strike) {
  const Instant now = around_.world.now();
  switch (strike.fault) {
    case Fault::clock_jump:
      return around_.wall_clock.jump(now, jump_of(strike.dice));
    case Fault::clock_drift:
      return around_.wall_clock.set_rate(now, static_cast<std::int64_t>(strike.dice % 3000));
    case Fault::clock_freeze:
      return around_.wall_clock.set_rate(now, 0);
    default:
      return around_.wall_clock.jump(now, 300 * 365 * kDayMs);
  }
}

void Nemesis::begin_on_disk(const Strike& strike) {
  DiskFaults& faults = around_.disk.faults();
  switch (strike.fault) {
    case Fault::disk_full:
      faults.full = true;
      return around_.observers.tell(&Observer::space_gone);
    case Fault::disk_overloaded:
      faults.overload_rate = rate_of(strike.dice);
      return;
    case Fault::write_error:
      faults.write_error_rate = rate_of(strike.dice);
      return;
    case Fault::sync_error:
      faults.sync_error_rate = rate_of(strike.dice);
      return;
    case Fault::read_error:
      faults.read_error_rate = rate_of(strike.dice);
      return;
    case Fault::read_flip:
      faults.read_flip_rate = rate_of(strike.dice);
      return;
    case Fault::slow_disk:
      return shell_.slow_down(static_cast<std::int64_t>(2 + strike.dice % 50));
    case Fault::stalled_disk:
      return shell_.slow_down(3000);
    default:
      return rot(strike);
  }
}

void Nemesis::rot(const Strike& strike) {
  if (strike.fault == Fault::rot_record) {
    if (const auto key = around_.disk.rot_record()) {
      KVS_PROBE("nemesis: a record rotted");
      around_.observers.tell(&Observer::rotted, std::string_view(*key));
    }
  } else if (strike.fault == Fault::rot_log && around_.disk.rot_log()) {
    KVS_PROBE("nemesis: the log rotted");
  } else if (strike.fault == Fault::rot_state && around_.disk.rot_state()) {
    KVS_PROBE("nemesis: the node's state rotted");
  }
}

void Nemesis::end(const Strike& strike) {
  switch (strike.fault) {
    case Fault::pause:
      return around_.world.resume_process();
    case Fault::kill_at_commit:
      kill_at_commit_rate_ = 0;
      return;
    case Fault::kill_in_recovery:
      kill_in_recovery_ = false;
      return;
    case Fault::read_only:
      return reconfigure(Mode::normal);
    case Fault::clock_drift:
    case Fault::clock_freeze:
      return around_.wall_clock.set_rate(around_.world.now(), 1000);
    case Fault::clock_far_future:
      return around_.wall_clock.heal();
    default:
      return end_on_disk(strike.fault);
  }
}

void Nemesis::end_on_disk(Fault fault) {
  DiskFaults& faults = around_.disk.faults();
  switch (fault) {
    case Fault::disk_full:
      faults.full = false;
      return around_.observers.tell(&Observer::space_back);
    case Fault::disk_overloaded:
      faults.overload_rate = 0;
      return;
    case Fault::write_error:
      faults.write_error_rate = 0;
      return;
    case Fault::sync_error:
      faults.sync_error_rate = 0;
      // Who went on after a failed sync has now lost what it called safe.
      return scenario_.faults.contains(Fault::power_loss) ? crash(Crash::power_loss) : void();
    case Fault::read_error:
      faults.read_error_rate = 0;
      return;
    case Fault::read_flip:
      faults.read_flip_rate = 0;
      return;
    case Fault::slow_disk:
    case Fault::stalled_disk:
      return shell_.slow_down(1);
    default:
      return;
  }
}

void Nemesis::process_did(Input input) {
  if (healed_) {
    return;
  }
  const bool starting = input == Input::process_starts;
  const bool committing = input == Input::batch_closes || input == Input::log_written ||
                          input == Input::log_synced || input == Input::replies_leave;
  if (starting && kill_in_recovery_ && prng_.chance(1, 2)) {
    KVS_PROBE("nemesis: the process died in recovery");
    return crash(any_crash());
  }
  if ((starting || input == Input::recovery_ends) && crashes_left_ > 0) {
    --crashes_left_;
    return crash(any_crash());
  }
  if (committing && prng_.chance(kill_at_commit_rate_, 1000)) {
    crash(any_crash());
  }
}

void Nemesis::heal() {
  healed_ = true;
  around_.disk.faults() = {};
  around_.disk.repair();
  around_.wall_clock.heal();
  shell_.slow_down(1);
  around_.world.resume_process();
  around_.observers.tell(&Observer::space_back);
  around_.observers.tell(&Observer::healed);
  if (shell_.mode() != Mode::normal) {
    reconfigure(Mode::normal);
  }
}

}  // namespace kvs
