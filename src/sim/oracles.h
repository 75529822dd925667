// All oracles of a run.
#pragma once

#include "sim/history.h"
#include "sim/observers.h"
#include "sim/oracle_commands.h"
#include "sim/oracle_durability.h"
#include "sim/oracle_order.h"
#include "sim/oracle_reads.h"
#include "sim/oracle_state.h"
#include "sim/scenario.h"

namespace kvs {

class Oracles {
 public:
  explicit Oracles(const Scenario& scenario)
      : survives_power_loss_(scenario.durability, history_, findings_),
        monotonic_reads_(scenario.durability, history_, findings_),
        knowledge_(scenario.durability, scenario.faults, history_, findings_),
        one_outcome_(stream_seed(scenario.seed, Stream::oracles, 0), history_, findings_) {}

  void join(Observers& observers) {
    observers.add(history_);
    for (Observer* oracle : std::initializer_list<Observer*>{
             &survives_kill_, &survives_power_loss_, &monotonic_reads_, &read_your_writes_,
             &nothing_damaged_, &reads_show_model_, &stamps_, &dots_, &replies_, &conditions_,
             &disk_full_, &recovers_, &knowledge_, &one_outcome_, &identity_, &end_}) {
      observers.add(*oracle);
    }
  }

  Findings& findings() { return findings_; }

 private:
  Findings findings_;
  History history_;
  SurvivesKill survives_kill_{history_, findings_};
  SurvivesPowerLoss survives_power_loss_;
  MonotonicReads monotonic_reads_;
  ReadYourWrites read_your_writes_{history_, findings_};
  NothingDamagedServed nothing_damaged_{history_, findings_};
  ReadsShowTheModel reads_show_model_{history_, findings_};
  StampsIncrease stamps_{history_, findings_};
  DotsAreUnique dots_{history_, findings_};
  RepliesWait replies_{history_, findings_};
  ConditionsHold conditions_{history_, findings_};
  DiskFullRefuses disk_full_{history_, findings_};
  RecoversByItself recovers_{history_, findings_};
  KnowledgeIsExact knowledge_;
  OneOutcome one_outcome_;
  IdentityStays identity_{history_, findings_};
  EndsAsTheModel end_{history_, findings_};
};

}  // namespace kvs
