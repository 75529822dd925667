#include "sim/trial.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace kvs {

ClusterScenario trial_scenario(const TrialOptions& options) {
  const NodeOptions usual;
  ClusterScenario scenario{.seed = options.seed};
  scenario.machines = options.machines;
  scenario.batches_in_flight = 1;
  scenario.commit = {.write = Duration{20'000}, .sync = Duration{180'000}};
  // The logs of very many nodes would not fit in memory.
  constexpr std::uint32_t kMany = 200;
  scenario.commit.checkpoint_per_mille = options.machines > kMany ? 100 : 0;
  scenario.latency = {.least = options.link, .most = options.link};
  scenario.outbox_queue_bytes = usual.outbox.queue_bytes_max;
  scenario.outbox_direct_members = usual.outbox.direct_members_max;
  scenario.features = kFeatureZstd | kFeatureShortHashes | kFeatureExpiry;
  scenario.gossip_interval = usual.members.gossip_interval_min;
  scenario.sync_interval = usual.sync.sync_interval;
  scenario.catchup_interval = usual.sync.catchup_interval;
  scenario.throttle_delay = usual.sync.throttle_delay;
  scenario.failed_kept = usual.members.failed_kept;
  scenario.tombstone_min_age = options.tombstone_min_age;
  scenario.expired_kept_for = usual.expired_kept_for;
  scenario.recovery = Duration::from_ms(100);
  return scenario;
}

Trial::Trial(const TrialOptions& options)
    : scenario_(trial_scenario(options)),
      network_(world_, stream_seed(options.seed, Stream::network, 0), options.machines) {
  observers_.add(refusals_);
  network_.set_latency(scenario_.latency);
  for (std::uint32_t i = 0; i < options.machines; ++i) {
    machines_.push_back(std::make_unique<Machine>(scenario_, i, premises_));
    machines_.back()->set_callers(*this);
  }
}

void Trial::Refusals::answered(Machine /*machine*/, const Operation& /*operation*/,
                               const WriteOutcome& outcome) {
  count += succeeded(outcome.status) ? 0U : 1U;
}

std::string Trial::fault() const {
  return findings_.empty() ? "" : findings_.all().front().what;
}

// --- time

void Trial::handle(const Wake& wake) {
  switch (wake.input) {
    case Input::call_arrives:
    case Input::return_arrives:
    case Input::call_times_out:
      return network_.handle(wake);
    default:
      return machines_.at(wake.machine)->handle(wake);
  }
}

void Trial::run_for(Duration span) {
  world_.schedule(span, {.target = Target::director, .input = Input::time_is_up});
  while (const auto event = world_.take()) {
    if (event->wake.target == Target::director) {
      return;
    }
    handle(event->wake);
  }
}

bool Trial::run_until(const std::function<bool()>& done, Duration bound, Duration poll) {
  const Instant end = now() + bound;
  while (!done()) {
    if (now() >= end) {
      return false;
    }
    run_for(poll);
  }
  return true;
}

void Trial::gather() {
  constexpr Duration kApart = Duration::from_ms(1);
  for (const auto& machine : machines_) {
    machine->start_after({kApart.ns * machine->number()});
  }
  const auto all_serve = [this] {
    return std::ranges::all_of(machines_, [](const auto& machine) { return machine->serving(); });
  };
  const bool gathered = run_until([&] { return all_serve() && together() && equal(); },
                                  Duration::from_seconds(1200), Duration::from_ms(500));
  KVS_CHECK(gathered, "a cluster comes together");
}

// --- clients

void Trial::ask(std::uint32_t machine, Operation operation) {
  operation.asked = now();
  const Operation& kept = operations_.add(std::move(operation));
  KVS_CHECK(machines_.at(machine)->ask(kept.ticket), "the machine that is asked runs");
}

void Trial::put(std::uint32_t machine, std::string key, std::string value) {
  ask(machine, {.kind = Operation::Kind::put, .key = std::move(key), .value = std::move(value)});
}

void Trial::del(std::uint32_t machine, std::string key) {
  ask(machine, {.kind = Operation::Kind::del, .key = std::move(key), .value = {}});
}

// --- links

void Trial::split(std::uint32_t first) {
  for (std::uint32_t a = 0; a < first; ++a) {
    for (std::uint32_t b = first; b < size(); ++b) {
      network_.cut(a, b);
      network_.cut(b, a);
    }
  }
}

void Trial::cut_off(std::uint32_t machine) {
  for (std::uint32_t other = 0; other < size(); ++other) {
    network_.cut(machine, other);
    network_.cut(other, machine);
  }
}

// --- how it stands

bool Trial::together() const {
  const auto running = static_cast<std::size_t>(
      std::ranges::count_if(machines_, [](const auto& machine) { return machine->serving(); }));
  return std::ranges::all_of(machines_, [&](const auto& machine) {
    if (!machine->serving()) {
      return true;
    }
    const View& view = *machine->node().view();
    const auto alive = std::ranges::count(view.members, MemberState::alive, &Member::state);
    return machine->settled() && machine->node().mode() == Mode::normal &&
           static_cast<std::size_t>(alive) == running && view.live_count() == running;
  });
}

bool Trial::equal() const {
  const Machine* first = nullptr;
  for (const auto& machine : machines_) {
    if (!machine->serving()) {
      continue;
    }
    first = first == nullptr ? machine.get() : first;
    if (!machine->settled() || machine->node().replica().stats().unsettled > 0 ||
        machine->node().replica().durable_knowledge() !=
            first->node().replica().durable_knowledge()) {
      return false;
    }
  }
  return true;
}

}  // namespace kvs
