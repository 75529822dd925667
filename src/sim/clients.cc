#include "sim/clients.h"

#include <array>

#include <fmt/format.h>

#include "base/probe.h"

namespace kvs {

std::string key_name(std::uint64_t number) {
  constexpr std::array<std::string_view, 8> kNames{"a",   "a/b", "a/b/c",    "a0",
                                                   "b/c", "b",   "\xc3\xa4", "a/c"};
  return number < kNames.size() ? std::string(kNames.at(number)) : fmt::format("k/{}", number);
}

Clients::Clients(const Scenario& scenario, const Surroundings& surroundings, Shell& shell)
    : scenario_(scenario), around_(surroundings), shell_(shell) {
  for (std::uint64_t i = 0; i < scenario.clients; ++i) {
    clients_.push_back({.prng = Prng(stream_seed(scenario.seed, Stream::clients, i)),
                        .waits_for = {},
                        .seen = {}});
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
      wait + draw_around(clients_.at(number).prng, scenario_.think),
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
  const Operation& operation = around_.operations.add(draw(number));
  client.waits_for = operation.ticket;
  around_.observers.tell(&Observer::asked, operation);
  shell_.send(operation.ticket);
  if (scenario_.faults.contains(Fault::impatience)) {
    around_.world.schedule(draw_around(client.prng, Duration::from_ms(3)),
                           {.target = Target::client,
                            .input = Input::client_gives_up,
                            .subject = static_cast<std::uint64_t>(operation.ticket)});
  }
}

Operation Clients::draw(std::uint64_t number) {
  Client& client = clients_.at(number);
  const Mix& mix = scenario_.mix;
  Operation operation{.client = number,
                      .key = key_name(client.prng.below(scenario_.keys)),
                      .asked = around_.world.now()};
  std::uint64_t dice =
      client.prng.below(mix.put + mix.put_if + mix.del + mix.del_if + mix.get + mix.list);
  const auto falls_on = [&](std::uint32_t part) {
    const bool hit = dice < part;
    dice -= hit ? 0 : part;
    return hit;
  };
  if (falls_on(mix.get)) {
    return operation;
  }
  if (falls_on(mix.list)) {
    operation.kind = Operation::Kind::list;
    operation.key.clear();
    return operation;
  }
  const bool conditional = falls_on(mix.put_if);
  if (conditional || falls_on(mix.put)) {
    operation.kind = Operation::Kind::put;
    operation.value =
        fmt::format("{{\"op\":{},\"pad\":\"{:x<{}}\"}}", around_.operations.size() + 1, "",
                    client.prng.below(scenario_.value_bytes_max));
    operation.condition = conditional ? draw_condition(client, operation) : Condition{};
    return operation;
  }
  operation.kind = Operation::Kind::del;
  operation.condition = falls_on(mix.del_if) ? draw_condition(client, operation) : Condition{};
  return operation;
}

Condition Clients::draw_condition(Client& client, const Operation& operation) const {
  const auto seen = client.seen.find(operation.key);
  if (seen != client.seen.end() && client.prng.chance(1, 2)) {
    return {.kind = Condition::Kind::if_match, .uuid = seen->second};
  }
  return {
      .kind = client.prng.chance(1, 2) ? Condition::Kind::if_absent : Condition::Kind::if_exists,
      .uuid = {}};
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
    clients_.at(operation.client).seen[operation.key] = outcome.uuid;
  }
}

void Clients::got(const Reading& reading) {
  if (!reading.record) {
    return;
  }
  if (const std::optional<Record>& record = *reading.record) {
    clients_.at(reading.operation.client).seen[reading.operation.key] = record->header.version.uuid;
  }
}

}  // namespace kvs
