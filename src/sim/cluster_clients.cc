#include "sim/cluster_clients.h"

#include <utility>

#include <fmt/format.h>

#include "base/probe.h"

namespace kvs {

namespace {

constexpr Duration kPatience = Duration::from_seconds(10);

/// Where clocks are coarse and bounds narrow, some write under a key on several machines at once:
/// their stamps tie, and there is much to settle.
std::uint64_t draw_rivals(const ClusterScenario& scenario, const Operation& wanted, Prng& prng) {
  const bool drawn = scenario.faults.contains(ClusterFault::narrow) &&
                     scenario.faults.contains(ClusterFault::coarse_clocks);
  const bool rivals = drawn && wanted.kind == Operation::Kind::put && prng.chance(1, 2);
  return rivals ? 1 + prng.below(2) : 0;
}

}  // namespace

ClusterClients::ClusterClients(const ClusterScenario& scenario, const Premises& premises,
                               Machines& machines)
    : scenario_(scenario), premises_(premises), machines_(machines) {
  for (std::uint64_t i = 0; i < scenario.clients; ++i) {
    Asker asker(scenario.wishes, stream_seed(scenario.seed, Stream::clients, i + 1));
    const auto home = static_cast<std::uint32_t>(asker.prng().below(scenario.machines));
    clients_.push_back({.asker = std::move(asker), .home = home, .waits_for = {}});
  }
}

void ClusterClients::start() {
  for (std::uint64_t i = 0; i < clients_.size(); ++i) {
    rest(i);
  }
}

void ClusterClients::rest(std::uint64_t number) {
  premises_.world.schedule(
      draw_around(clients_.at(number).asker.prng(), scenario_.think),
      {.target = Target::client, .input = Input::client_acts, .subject = number});
}

void ClusterClients::handle(const Wake& wake) {
  if (wake.input == Input::client_acts) {
    return act(wake.subject);
  }
  give_up(Ticket{wake.subject});
}

void ClusterClients::act(std::uint64_t number) {
  if (stopped_ || premises_.operations.size() >= scenario_.steps) {
    return;
  }
  Client& client = clients_.at(number);
  Prng& prng = client.asker.prng();
  client.machine =
      prng.chance(1, 4) ? static_cast<std::uint32_t>(prng.below(scenario_.machines)) : client.home;
  Operation wanted = client.asker.draw(premises_.operations.size() + 1);
  if (scenario_.faults.contains(ClusterFault::expiry) && wanted.kind == Operation::Kind::put &&
      prng.chance(1, 2)) {
    // Some are over before all others hold them.
    const std::int64_t longest_ms = prng.chance(1, 4) ? 20 : scenario_.ttl_max.ms();
    wanted.ttl = Duration::from_ms(prng.between(1, longest_ms));
  }
  wanted.client = number;
  wanted.asked = premises_.world.now();
  const auto ask = [&](Operation asked, std::uint32_t machine) {
    const Operation& operation = premises_.operations.add(std::move(asked));
    premises_.observers.tell(&ClusterObserver::asked, machine, operation);
    premises_.world.schedule(Duration::from_ms(1),
                             {.target = Target::process,
                              .input = Input::request_arrives,
                              .subject = static_cast<std::uint64_t>(operation.ticket),
                              .machine = machine});
    return operation.ticket;
  };
  const std::uint64_t rivals = draw_rivals(scenario_, wanted, prng);
  client.waits_for = ask(wanted, client.machine);
  premises_.world.schedule(kPatience, {.target = Target::client,
                                       .input = Input::client_gives_up,
                                       .subject = static_cast<std::uint64_t>(*client.waits_for)});
  for (std::uint64_t i = 1; i <= rivals; ++i) {
    Operation rival = wanted;
    rival.condition = {};
    rival.value = fmt::format("{{\"rival\":{}}}", premises_.operations.size());
    ask(std::move(rival), static_cast<std::uint32_t>((client.machine + i) % scenario_.machines));
  }
}

void ClusterClients::arrive(const Wake& wake) {
  if (!machines_.at(wake.machine)->ask(Ticket{wake.subject})) {
    KVS_PROBE("cluster clients: nobody listened");
    answered(Ticket{wake.subject});
  }
}

void ClusterClients::give_up(Ticket ticket) {
  Client& client = clients_.at(premises_.operations.of(ticket).client);
  if (client.waits_for != ticket) {
    return;
  }
  if (machines_.at(client.machine)->at_work_for(kPatience)) {
    premises_.findings.report(
        "a node answers its clients",
        fmt::format("machine {} ran all the time and did not answer", client.machine));
  }
  client.waits_for.reset();
  rest(premises_.operations.of(ticket).client);
}

void ClusterClients::answered(Ticket ticket) {
  const std::uint64_t number = premises_.operations.of(ticket).client;
  if (clients_.at(number).waits_for == ticket) {
    clients_.at(number).waits_for.reset();
    rest(number);
  }
}

void ClusterClients::connections_lost(std::uint32_t machine) {
  for (std::uint64_t i = 0; i < clients_.size(); ++i) {
    if (clients_[i].waits_for && clients_[i].machine == machine) {
      clients_[i].waits_for.reset();
      rest(i);
    }
  }
}

void ClusterClients::answered(std::uint32_t /*machine*/, const Operation& operation,
                              const WriteOutcome& outcome) {
  if (succeeded(outcome.status)) {
    clients_.at(operation.client).asker.saw(operation.key, outcome.uuid);
  }
}

void ClusterClients::got(std::uint32_t /*machine*/, const Reading& reading) {
  if (!reading.record) {
    return;
  }
  if (const std::optional<Record>& record = *reading.record) {
    clients_.at(reading.operation.client)
        .asker.saw(reading.operation.key, record->header.version.uuid);
  }
}

}  // namespace kvs
