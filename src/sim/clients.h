// The clients of the first act: closed loops of PUT, DELETE, GET and listings on few keys.
//
// A client asks, waits for the answer or loses patience, thinks, and asks again. It conditions
// writes on the version that it saw last. What it asks depends on its own stream of the seed and on
// the answers it got.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "sim/observers.h"
#include "sim/scenario.h"
#include "sim/shell.h"

namespace kvs {

/// The keys of a run, some above and below others.
[[nodiscard]] std::string key_name(std::uint64_t number);

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
    Prng prng;
    std::optional<Ticket> waits_for;
    std::map<std::string, Uuid> seen;
  };

  void act(std::uint64_t number);
  void rest(std::uint64_t number, Duration wait);
  [[nodiscard]] Operation draw(std::uint64_t number);
  [[nodiscard]] Condition draw_condition(Client& client, const Operation& operation) const;

  const Scenario& scenario_;
  Surroundings around_;
  Shell& shell_;
  std::vector<Client> clients_;
  bool stopped_ = false;
};

}  // namespace kvs
