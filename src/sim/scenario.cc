#include "sim/scenario.h"

namespace kvs {

namespace {

constexpr std::array<std::string_view, kFaultCount> kFaultNames{
    "kill",
    "power_loss",
    "pause",
    "crash_loop",
    "kill_at_commit",
    "kill_in_recovery",
    "read_only",
    "clock_jump",
    "clock_drift",
    "clock_freeze",
    "clock_far_future",
    "disk_full",
    "disk_overloaded",
    "write_error",
    "sync_error",
    "read_error",
    "read_flip",
    "rot_record",
    "rot_log",
    "rot_state",
    "slow_disk",
    "stalled_disk",
    "impatience",
};

Duration micros(std::uint64_t us) {
  return {static_cast<std::int64_t>(us) * 1000};
}

/// A number of this order of magnitude and below: small ones are as likely as large ones.
std::uint64_t draw_scale(Prng& prng, unsigned bits_max) {
  return 1 + prng.below(std::uint64_t{1} << prng.below(bits_max + 1));
}

FaultSet draw_faults(Prng& prng) {
  FaultSet faults;
  const std::uint64_t density = prng.below(4);  // of 4: none, some, half, most
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    if (prng.chance(density, 4)) {
      faults.insert(static_cast<Fault>(i));
    }
  }
  return faults;
}

Mix draw_mix(Prng& prng) {
  const auto part = [&] {
    return static_cast<std::uint32_t>(prng.below(6));
  };
  return {.put = 1 + part(),
          .put_if = part(),
          .del = part(),
          .del_if = part(),
          .get = 1 + part(),
          .list = part() / 2};
}

void draw_speeds(Prng& prng, Scenario& scenario) {
  scenario.act_one = Duration::from_ms(prng.between(200, 3000));
  scenario.think = micros(draw_scale(prng, 13));
  scenario.gather = micros(draw_scale(prng, 9) - 1);
  scenario.network = micros(draw_scale(prng, 8));
  scenario.write = micros(draw_scale(prng, 10));
  scenario.sync = micros(draw_scale(prng, 12));
  scenario.reply = micros(draw_scale(prng, 9));
  scenario.recovery = micros(draw_scale(prng, 14));
}

}  // namespace

std::string_view to_string(Fault fault) {
  return kFaultNames.at(static_cast<std::size_t>(fault));
}

std::string to_string(const FaultSet& faults) {
  return join_faults<Fault>(faults, kFaultNames);
}

Result<FaultSet> parse_faults(std::string_view text) {
  return split_faults<Fault>(text, kFaultNames);
}

Scenario draw_scenario(std::uint64_t seed, const Overrides& overrides) {
  Prng prng(stream_seed(seed, Stream::scenario, 0));
  Scenario scenario{.seed = seed};
  scenario.faults = draw_faults(prng);
  scenario.clients = 1 + prng.below(8);
  scenario.keys = draw_scale(prng, 3);
  scenario.steps = 20 + prng.below(180) + draw_scale(prng, 11);
  scenario.durability = prng.chance(2, 3) ? Durability::sync : Durability::os;
  scenario.batches_in_flight = 1 + prng.below(2);
  scenario.batch_max = draw_scale(prng, 5);
  scenario.checkpoint_per_mille = prng.chance(1, 2) ? prng.below(300) : 0;
  scenario.value_bytes_max = prng.chance(1, 8) ? 4000 : draw_scale(prng, 7);
  scenario.mix = draw_mix(prng);
  draw_speeds(prng, scenario);

  scenario.faults = overrides.faults.value_or(scenario.faults);
  scenario.clients = overrides.clients.value_or(scenario.clients);
  scenario.keys = overrides.keys.value_or(scenario.keys);
  scenario.steps = overrides.steps.value_or(scenario.steps);
  return scenario;
}

std::uint64_t stream_seed(std::uint64_t seed, Stream stream, std::uint64_t number) {
  Prng mixer(seed ^ (static_cast<std::uint64_t>(stream) << 56U) ^ (number << 40U));
  return mixer.next();
}

Duration draw_around(Prng& prng, Duration mean) {
  const std::int64_t most = prng.chance(1, 50) ? mean.ns * 20 : mean.ns * 2;
  return {prng.between(most / 10, most)};
}

}  // namespace kvs
