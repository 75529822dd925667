// The second act: no fault any more, and the node has to do everything that it promises.
//
// One client overwrites every key, reads it, deletes some, reads again, and lists. It repeats what
// a restart cut off, and is content when all was answered; oracles judge the answers.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/scenario.h"
#include "sim/shell.h"

namespace kvs {

class Demands final : public Callers {
 public:
  Demands(const Scenario& scenario, const Surroundings& surroundings, Shell& shell);

  /// Begins, or begins again with what was not answered.
  void start() { wait(); }

  void handle(const Wake& wake);

  [[nodiscard]] bool content() const { return next_ == script_.size(); }

  void answered(Ticket ticket) override;
  void connections_lost() override;

 private:
  void wait();

  const Scenario& scenario_;
  Surroundings around_;
  Shell& shell_;
  std::vector<Operation> script_;
  std::size_t next_ = 0;
  Ticket waits_for_{};
};

}  // namespace kvs
