#include "sim/clients.h"

#include <utility>

#include "base/probe.h"

namespace kvs {

Clients::Clients(const Scenario& scenario, const Surroundings& surroundings, Shell& shell)
    : scenario_(scenario), around_(surroundings), shell_(shell) {
  const Wishes wishes{
      .mix = scenario.mix, .keys = scenario.keys, .value_bytes_max = scenario.value_bytes_max};
  for (std::uint64_t i = 0; i < scenario.clients; ++i) {
    clients_.push_back(
        {.asker = Asker(wishes, stream_seed(scenario.seed, Stream::clients, i)), .waits_for = {}});
  }
}

void Clients::start() {
  for (std::uint64_t i = 0; i < clients_.size(); ++i) {
    rest(i, {});
  }
}

/// The client acts again when it has thought, and waited this long before.
void Clients::rest(std::uint64_t number, Duration wait) {
  around_.world.schedule(
      wait + draw_around(clients_.at(number).asker.prng(), scenario_.think),
      {.target = Target::client, .input = Input::client_acts, .subject = number});
}

void Clients::handle(const Wake& wake) {
  if (wake.input == Input::client_acts) {
    return act(wake.subject);
  }
  const Ticket ticket{wake.subject};
  const std::uint64_t number = around_.operations.of(ticket).client;
  if (clients_.at(number).waits_for == ticket) {
    KVS_PROBE("clients: a client lost patience");
    clients_.at(number).waits_for.reset();
    rest(number, {});
  }
}

void Clients::act(std::uint64_t number) {
  if (stopped_ || around_.operations.size() >= scenario_.steps) {
    return;
  }
  if (!shell_.serving()) {
    return rest(number, Duration::from_ms(1));
  }
  Client& client = clients_.at(number);
  Operation wanted = client.asker.draw(around_.operations.size() + 1);
  wanted.client = number;
  wanted.asked = around_.world.now();
  const Operation& operation = around_.operations.add(std::move(wanted));
  client.waits_for = operation.ticket;
  around_.observers.tell(&Observer::asked, operation);
  shell_.send(operation.ticket);
  if (scenario_.faults.contains(Fault::impatience)) {
    around_.world.schedule(draw_around(client.asker.prng(), Duration::from_ms(3)),
                           {.target = Target::client,
                            .input = Input::client_gives_up,
                            .subject = static_cast<std::uint64_t>(operation.ticket)});
  }
}

void Clients::answered(Ticket ticket) {
  const std::uint64_t number = around_.operations.of(ticket).client;
  if (clients_.at(number).waits_for == ticket) {
    clients_.at(number).waits_for.reset();
    rest(number, {});
  }
}

void Clients::connections_lost() {
  for (std::uint64_t i = 0; i < clients_.size(); ++i) {
    if (clients_.at(i).waits_for) {
      clients_.at(i).waits_for.reset();
      rest(i, {});
    }
  }
}

void Clients::answered(const Operation& operation, const WriteOutcome& outcome) {
  if (succeeded(outcome.status)) {
    clients_.at(operation.client).asker.saw(operation.key, outcome.uuid);
  }
}

void Clients::got(const Reading& reading) {
  if (!reading.record) {
    return;
  }
  if (const std::optional<Record>& record = *reading.record) {
    clients_.at(reading.operation.client)
        .asker.saw(reading.operation.key, record->header.version.uuid);
  }
}

}  // namespace kvs
