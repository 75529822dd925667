// Everything that goes wrong in a cluster's first act, planned from the seed before it begins.
//
// As sim/nemesis: each fault of the scenario strikes a few times, for a while; whom, and how hard,
// is drawn from the fault's own stream. At the end of the act everything is healed at once.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "base/prng.h"
#include "sim/cluster_clients.h"

namespace kvs {

class ClusterNemesis {
 public:
  ClusterNemesis(const ClusterScenario& scenario, const Premises& premises, Machines& machines);

  /// Schedules all strikes.
  void start();

  void handle(const Wake& wake);

  /// Ends all faults, starts what is down, and strikes no more.
  void heal();

 private:
  struct Strike {
    ClusterFault fault{};
    Instant at;
    Duration length;
    std::uint64_t dice = 0;
    std::uint32_t machine = 0;
  };

  void plan(ClusterFault fault);
  void begin(const Strike& strike);
  void begin_on_machine(const Strike& strike);
  void begin_on_clock(const Strike& strike);
  void put_clocks_off(const Strike& strike);
  void begin_on_network(const Strike& strike);
  void begin_on_membership(const Strike& strike);
  void begin_on_strangers(const Strike& strike);
  void end(const Strike& strike);
  void end_on_membership(const Strike& strike);
  void end_pause(std::uint32_t machine);
  void end_on_network(const Strike& strike);
  void separate(const Strike& strike);
  void restart(std::uint32_t machine, Crash crash);
  void swap(const Strike& strike);
  void copy_folder(const Strike& strike);
  void remove(std::uint32_t machine);

  const ClusterScenario& scenario_;
  Premises premises_;
  Machines& machines_;
  Prng prng_;
  std::vector<Strike> strikes_;
  std::vector<std::uint64_t> held_down_;  // by how many strikes
  std::vector<Disk::Folder> backups_;     // of each machine, some time ago
  std::vector<std::uint64_t> paused_;     // by how many strikes
  std::set<std::uint32_t> leaving_;       // until they start again
  bool healed_ = false;
};

}  // namespace kvs
