// Everything that goes wrong in the first act, planned from the seed before the run begins.
//
// Each fault of the scenario strikes a few times, for a while; where and how hard is drawn from the
// fault's own stream. At the end of the act everything is healed at once.
#pragma once

#include <cstdint>
#include <vector>

#include "base/prng.h"
#include "sim/scenario.h"
#include "sim/shell.h"

namespace kvs {

class Nemesis {
 public:
  Nemesis(const Scenario& scenario, const Surroundings& surroundings, Shell& shell);

  /// Schedules all strikes.
  void start();

  void handle(const Wake& wake);

  /// Sees each event of the process after it was handled: some faults strike just then.
  void process_did(Input input);

  /// Ends all faults, restarts what has to be restarted, and strikes no more.
  void heal();

 private:
  struct Strike {
    Fault fault{};
    Instant at;
    Duration length;
    std::uint64_t dice = 0;
  };

  void plan(Fault fault);
  void begin(const Strike& strike);
  void begin_on_disk(const Strike& strike);
  void begin_on_clock(const Strike& strike);
  void end(const Strike& strike);
  void end_on_disk(Fault fault);
  void rot(const Strike& strike);
  void reconfigure(Mode mode);
  void crash(Crash crash);
  [[nodiscard]] Crash any_crash();

  const Scenario& scenario_;
  Surroundings around_;
  Shell& shell_;
  Prng prng_;
  std::vector<Strike> strikes_;
  std::uint64_t crashes_left_ = 0;         // of a crash loop
  std::uint64_t kill_at_commit_rate_ = 0;  // of a thousand
  bool kill_in_recovery_ = false;
  bool healed_ = false;
};

}  // namespace kvs
