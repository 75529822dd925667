#include "sim/cluster_scenario.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/cluster_bounds.h"

namespace kvs {

namespace {

constexpr std::array<std::string_view, kClusterFaultCount> kFaultNames{
    "kill",       "power_loss",  "down",       "pause",         "long_pause",
    "wipe",       "restore",     "clock_jump", "clock_drift",   "clock_far_future",
    "disk_full",  "slow_disk",   "loss",       "duplication",   "replay",
    "corruption", "reset",       "stragglers", "partition",     "one_way",
    "bridge",     "isolation",   "clogging",   "leave",         "removal",
    "gone",       "copied",      "rot",        "coarse_clocks", "expiry",
    "clocks_off", "read_errors", "strangers",  "narrow",        "elsewhere",
    "own_seed",   "told_early",  "told_late",
};

constexpr std::uint32_t kLarge = 32;  // machines
constexpr Duration kLargeActOne = Duration::from_seconds(600);
constexpr std::size_t kFirstFaults = static_cast<std::size_t>(ClusterFault::leave);
constexpr std::size_t kNextFaults = static_cast<std::size_t>(ClusterFault::expiry);

/// A number of this order of magnitude and below: small ones are as likely as large ones.
std::uint64_t draw_scale(Prng& prng, unsigned bits_max) {
  return 1 + prng.below(std::uint64_t{1} << prng.below(bits_max + 1));
}

Duration micros(std::uint64_t us) {
  return {static_cast<std::int64_t>(us) * 1000};
}

ClusterFaultSet draw_faults(Prng& prng) {
  ClusterFaultSet faults;
  const std::uint64_t density = prng.below(4);  // of 6: none, few, some, half
  for (std::size_t i = 0; i < kFirstFaults; ++i) {
    if (prng.chance(density, 6)) {
      faults.insert(static_cast<ClusterFault>(i));
    }
  }
  return faults;
}

/// What was added later draws from a stream of its own, so that what the first one gives stays.
void draw_the_rest(ClusterScenario& scenario) {
  Prng prng(stream_seed(scenario.seed, Stream::scenario, 2));
  const std::uint64_t density = prng.below(3);  // of 6: none, few, some
  for (std::size_t i = kFirstFaults; i < kNextFaults; ++i) {
    if (prng.chance(density, 6)) {
      scenario.faults.insert(static_cast<ClusterFault>(i));
    }
  }
  const OutboxOptions usual;
  scenario.encoded = prng.chance(1, 16);
  scenario.outbox_queue_bytes =
      prng.chance(1, 8) ? 64 * draw_scale(prng, 6) : usual.queue_bytes_max;
  scenario.outbox_direct_members = prng.chance(1, 4) ? prng.below(3) : usual.direct_members_max;
  scenario.failed_kept =
      Duration::from_ms(prng.chance(1, 8) ? prng.between(2000, 20'000) : 600'000);
  scenario.mixed = prng.chance(1, 4);
}

/// A quarter of the runs have a few who watch, which takes time. They change nothing of what else
/// happens.
std::uint64_t draw_watchers(std::uint64_t seed, std::uint32_t machines) {
  Prng prng(stream_seed(seed, Stream::watchers, 0));
  return machines > kLarge || !prng.chance(1, 4) ? 0 : 1 + prng.below(4);
}

/// What expires, from another stream for the same reason.
void draw_expiry(ClusterScenario& scenario) {
  Prng prng(stream_seed(scenario.seed, Stream::scenario, 3));
  if (prng.chance(1, 6)) {
    scenario.faults.insert(ClusterFault::expiry);
    if (prng.chance(1, 2)) {
      scenario.faults.insert(ClusterFault::clocks_off);
    }
  }
  scenario.ttl_max = Duration::from_ms(prng.between(1000, 40'000));
  // Longer than clocks differ, or so short that values are gone where others still show them.
  scenario.expired_kept_for =
      Duration::from_ms(prng.chance(1, 2) ? 300'000 : prng.between(500, 20'000));
}

/// What was added later still, so that four of five runs stay what they were.
void draw_the_latest(ClusterScenario& scenario) {
  Prng prng(stream_seed(scenario.seed, Stream::bounds, 1000));
  scenario.commit.told = micros(draw_scale(prng, 18));
  if (!prng.chance(1, 5)) {
    return;
  }
  const auto draw = [&](ClusterFault fault, std::uint64_t of_eight) {
    if (prng.chance(of_eight, 8)) {
      scenario.faults.insert(fault);
    }
  };
  draw(ClusterFault::narrow, 6);
  draw(ClusterFault::read_errors, 2);
  draw(ClusterFault::strangers, 2);
  draw(ClusterFault::elsewhere, 4);
  draw(ClusterFault::own_seed, 1);
  if (scenario.faults.contains(ClusterFault::copied)) {
    // A copy that names no seed but itself has no way to find whom it is a copy of.
    scenario.faults.erase(ClusterFault::own_seed);
  }
  draw(ClusterFault::told_early, 2);
  draw(ClusterFault::told_late, 2);
}

/// What suits a few machines for a minute, for many of them and for longer.
void fit_to_size(ClusterScenario& scenario) {
  if (scenario.machines <= kLarge) {
    return;
  }
  scenario.act_one = kLargeActOne;
  scenario.strikes = 1 + scenario.machines / 50;
  // Lists of members are long: a log that is never written into the table grows without end.
  scenario.commit.checkpoint_per_mille =
      std::max<std::uint64_t>(scenario.commit.checkpoint_per_mille, 100);
}

Wishes draw_wishes(Prng& prng) {
  const auto part = [&] {
    return static_cast<std::uint32_t>(prng.below(6));
  };
  return {.mix = {.put = 1 + part(),
                  .put_if = part(),
                  .del = part(),
                  .del_if = part(),
                  .get = 1 + part(),
                  .list = 0},
          .keys = 1 + prng.below(prng.chance(1, 2) ? 3 : 20),
          .value_bytes_max = prng.chance(1, 8) ? 4000 : draw_scale(prng, 7)};
}

}  // namespace

std::string_view to_string(ClusterFault fault) {
  return kFaultNames.at(static_cast<std::size_t>(fault));
}

std::string to_string(const ClusterFaultSet& faults) {
  return join_faults<ClusterFault>(faults, kFaultNames);
}

Result<ClusterFaultSet> parse_cluster_faults(std::string_view text) {
  return split_faults<ClusterFault>(text, kFaultNames);
}

ClusterScenario draw_cluster_scenario(std::uint64_t seed, const ClusterOverrides& overrides) {
  Prng prng(stream_seed(seed, Stream::scenario, 1));
  ClusterScenario scenario{.seed = seed};
  scenario.faults = draw_faults(prng);
  scenario.machines = static_cast<std::uint32_t>(3 + prng.below(prng.chance(1, 2) ? 2 : 7));
  scenario.clients = 1 + prng.below(8);
  scenario.steps = 20 + draw_scale(prng, 10);
  scenario.wishes = draw_wishes(prng);
  scenario.batches_in_flight = 1 + prng.below(2);
  scenario.commit = {.write = micros(draw_scale(prng, 10)),
                     .sync = micros(draw_scale(prng, 13)),
                     .checkpoint_per_mille = prng.chance(1, 2) ? prng.below(300) : 0};
  const Duration least = micros(draw_scale(prng, 14));
  scenario.latency = {.least = least, .most = {least.ns * prng.between(1, 4)}};
  scenario.cold_start = prng.chance(1, 5);
  scenario.act_one = Duration::from_ms(prng.between(2000, 60'000));
  scenario.bound = Duration::from_seconds(120);
  scenario.think = micros(draw_scale(prng, 19));
  scenario.gossip_interval = Duration::from_ms(prng.between(1000, 10'000));
  scenario.sync_interval = Duration::from_ms(prng.between(500, 20'000));
  scenario.catchup_interval = Duration::from_ms(prng.between(300, 10'000));
  scenario.throttle_delay = Duration::from_ms(prng.chance(1, 2) ? 0 : prng.between(1, 100));
  scenario.tombstone_min_age = Duration::from_ms(prng.between(0, 10'000));
  scenario.gather = micros(draw_scale(prng, 9) - 1);
  scenario.reply = micros(draw_scale(prng, 9));
  scenario.recovery = micros(draw_scale(prng, 20));
  draw_the_rest(scenario);
  draw_expiry(scenario);
  draw_the_latest(scenario);

  scenario.faults = overrides.faults.value_or(scenario.faults);
  scenario.machines = static_cast<std::uint32_t>(overrides.machines.value_or(scenario.machines));
  scenario.clients = overrides.clients.value_or(scenario.clients);
  scenario.wishes.keys = overrides.keys.value_or(scenario.wishes.keys);
  scenario.watchers = overrides.watchers.value_or(draw_watchers(seed, scenario.machines));
  scenario.mixed = scenario.mixed || scenario.faults.contains(ClusterFault::told_early);
  scenario.steps = overrides.steps.value_or(scenario.steps);
  fit_to_size(scenario);
  if (overrides.minutes) {
    scenario.act_one = Duration::from_seconds(60 * static_cast<std::int64_t>(*overrides.minutes));
  }
  if (overrides.minutes || scenario.machines > kLarge) {
    // Clients ask all through the act.
    const std::uint64_t each = std::max<std::uint64_t>(scenario.steps / scenario.clients, 1);
    scenario.think = {scenario.act_one.ns / static_cast<std::int64_t>(each)};
  }
  return scenario;
}

WatchFeed::Start watch_start(const ClusterScenario& scenario, MachineLife life,
                             const Recovered& recovered) {
  Prng prng(stream_seed(scenario.seed, Stream::watchers, 1 + life.machine));
  WatchFeed::Start start{.run = ((life.machine + 1ULL) << 48U) + (life.life << 24U),
                         .known = recovered.knowledge,
                         .expired = recovered.expiry_reserve,
                         .options = {},
                         .bounds = {}};
  start.options.patience = Duration::from_ms(prng.between(100, 20'000));
  start.options.bookmark_interval = Duration::from_ms(prng.between(100, 15'000));
  const std::int64_t age = scenario.tombstone_min_age.ns;
  start.options.cursor_age_max = {age - age / 8};
  start.options.moment_age_max = Duration::from_ms(prng.between(1, 2000));
  start.bounds.news_max = 4 + draw_scale(prng, 10);
  start.bounds.dropped_max = draw_scale(prng, 3);
  start.bounds.checkpoint_news = draw_scale(prng, 6);
  if (scenario.faults.contains(ClusterFault::narrow)) {
    start.bounds.dropped_max = prng.below(2);
  }
  return start;
}

bool is_earlier(const ClusterScenario& scenario, std::uint32_t machine) {
  return scenario.mixed && machine % 2 == 0;
}

NodeOptions node_options(const ClusterScenario& scenario, std::uint32_t machine) {
  NodeOptions options;
  options.members.node_id = fmt::format("node-{}", machine);
  options.members.address = Network::address_of(machine);
  options.members.cluster_name = "simulated";
  options.members.features = is_earlier(scenario, machine) ? 0 : scenario.features;
  const bool alone = machine == 0 && scenario.faults.contains(ClusterFault::own_seed);
  for (std::uint32_t seed = 0; seed < (alone ? 1U : std::min(scenario.machines, 3U)); ++seed) {
    options.members.seeds.push_back(Network::address_of(seed));
  }
  options.members.gossip_interval_min = scenario.gossip_interval;
  options.members.gossip_interval_max = {scenario.gossip_interval.ns * 2};
  options.members.failed_kept = scenario.failed_kept;
  options.sync.sync_interval = scenario.sync_interval;
  options.sync.catchup_interval = scenario.catchup_interval;
  options.sync.throttle_delay = scenario.throttle_delay;
  options.sync.fetch_delay = scenario.throttle_delay;
  options.outbox.queue_bytes_max = scenario.outbox_queue_bytes;
  options.outbox.direct_members_max = scenario.outbox_direct_members;
  options.tombstone_min_age = scenario.tombstone_min_age;
  options.expired_kept_for = scenario.expired_kept_for;
  if (scenario.faults.contains(ClusterFault::narrow)) {
    narrow_bounds(scenario, machine, options);
  }
  return options;
}

}  // namespace kvs
