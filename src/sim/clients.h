// The clients of the first act: closed loops of PUT, DELETE, GET and listings on few keys.
//
// A client asks, waits for the answer or loses patience, thinks, and asks again; sim/asker decides
// what.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/asker.h"
#include "sim/observers.h"
#include "sim/scenario.h"
#include "sim/shell.h"

namespace kvs {

class Clients final : public Callers, public Observer {
 public:
  Clients(const Scenario& scenario, const Surroundings& surroundings, Shell& shell);

  void start();

  void handle(const Wake& wake);

  /// No client asks anything from now on.
  void stop() { stopped_ = true; }

  void answered(Ticket ticket) override;
  void connections_lost() override;

  // What clients learn from answers.
  void answered(const Operation& operation, const WriteOutcome& outcome) override;
  void got(const Reading& reading) override;

 private:
  struct Client {
    Asker asker;
    std::optional<Ticket> waits_for;
  };

  void act(std::uint64_t number);
  void rest(std::uint64_t number, Duration wait);

  const Scenario& scenario_;
  Surroundings around_;
  Shell& shell_;
  std::vector<Client> clients_;
  bool stopped_ = false;
};

}  // namespace kvs
