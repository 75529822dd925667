// The clients of a cluster's first act: each asks a machine of its own most of the time, and now
// and then another.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sim/asker.h"
#include "sim/machine.h"

namespace kvs {

using Machines = std::vector<std::unique_ptr<Machine>>;

class ClusterClients final : public ClusterCallers, public ClusterObserver {
 public:
  ClusterClients(const ClusterScenario& scenario, const Premises& premises, Machines& machines);

  void start();

  void handle(const Wake& wake);

  /// A request reaches its machine.
  void arrive(const Wake& wake);

  /// No client asks anything from now on.
  void stop() { stopped_ = true; }

  [[nodiscard]] bool stopped() const { return stopped_; }

  // Where answers go.
  void answered(Ticket ticket) override;
  void connections_lost(std::uint32_t machine) override;

  // What clients learn from answers.
  void answered(std::uint32_t machine, const Operation& operation,
                const WriteOutcome& outcome) override;
  void got(std::uint32_t machine, const Reading& reading) override;

 private:
  struct Client {
    Asker asker;
    std::uint32_t home = 0;
    std::uint32_t machine = 0;  // of the operation that it waits for
    std::optional<Ticket> waits_for;
  };

  void act(std::uint64_t number);
  void rest(std::uint64_t number);
  void give_up(Ticket ticket);

  const ClusterScenario& scenario_;
  Premises premises_;
  Machines& machines_;
  std::vector<Client> clients_;
  bool stopped_ = false;
};

}  // namespace kvs
