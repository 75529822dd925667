#include "sim/demands.h"

#include "sim/asker.h"

namespace kvs {

Demands::Demands(const Scenario& scenario, const Surroundings& surroundings, Shell& shell)
    : scenario_(scenario), around_(surroundings), shell_(shell) {
  for (std::uint64_t i = 0; i < scenario.keys; ++i) {
    const std::string key = key_name(i);
    script_.push_back({.kind = Operation::Kind::put, .key = key, .value = "\"healed\""});
    script_.push_back({.kind = Operation::Kind::get, .key = key});
    if (i % 3 == 1) {
      script_.push_back({.kind = Operation::Kind::del, .key = key});
      script_.push_back({.kind = Operation::Kind::get, .key = key});
    }
  }
  script_.push_back({.kind = Operation::Kind::list});
}

void Demands::wait() {
  around_.world.schedule(scenario_.think,
                         {.target = Target::director, .input = Input::client_acts});
}

void Demands::handle(const Wake&) {
  const bool waits = waits_for_ != Ticket{};
  if (waits) {
    return;
  }
  if (!shell_.serving()) {
    return wait();
  }
  Operation operation = script_.at(next_);
  operation.asked = around_.world.now();
  const Operation& asked = around_.operations.add(std::move(operation));
  waits_for_ = asked.ticket;
  around_.observers.tell(&Observer::asked, asked);
  shell_.send(asked.ticket);
}

void Demands::answered(Ticket ticket) {
  if (ticket == waits_for_) {
    waits_for_ = {};
    ++next_;
    wait();
  }
}

void Demands::connections_lost() {
  waits_for_ = {};
  wait();
}

}  // namespace kvs
