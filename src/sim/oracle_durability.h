// P1 and P2: what was acknowledged is found after a restart.
#pragma once

#include "core/config.h"
#include "sim/oracle.h"

namespace kvs {

/// P1: an acknowledged write, or a newer one of its key, survives the death of the process.
class SurvivesKill final : public Oracle {
 public:
  SurvivesKill(const History& history, Findings& findings)
      : Oracle("P1 acknowledged survives kill", history, findings) {}

  void answered(const Operation& operation, const WriteOutcome& outcome) override;
  void crashed(Crash crash) override;
  void recovered(const Image& image) override;

 private:
  Floors acknowledged_;
  bool power_lost_ = false;
};

/// P2: an acknowledged write survives loss of power: always with durability `sync`; with `os` once
/// a later batch was synced.
class SurvivesPowerLoss final : public Oracle {
 public:
  SurvivesPowerLoss(Durability durability, const History& history, Findings& findings)
      : Oracle("P2 synced survives power loss", history, findings), durability_(durability) {}

  void answered(const Operation& operation, const WriteOutcome& outcome) override;
  void crashed(Crash crash) override;
  void recovered(const Image& image) override;

 private:
  Durability durability_;
  std::vector<const Write*> acknowledged_;  // since the last restart
  Floors safe_;
};

}  // namespace kvs
