// A cluster in which nothing happens but what a measurement does to it.
//
// Settings are the defaults of a node; links take 20 ms, the disk a fifth of a millisecond for a
// commit, now and then twenty times that. No clients, no faults, no oracles.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sim/machine.h"

namespace kvs {

/// How a trial differs from the usual.
struct TrialOptions {
  std::uint32_t machines = 3;
  std::uint64_t seed = 1;
  Duration link = Duration::from_ms(20);
  Duration tombstone_min_age = Duration::from_seconds(24LL * 3600);
};

[[nodiscard]] ClusterScenario trial_scenario(const TrialOptions& options);

class Trial final : public ClusterCallers {
 public:
  explicit Trial(const TrialOptions& options);

  /// Starts all, one after the other, and waits until they are one quiet cluster.
  void gather();

  void run_for(Duration span);

  /// Runs until `done`, which is asked every `poll`. False: `bound` has passed before that.
  bool run_until(const std::function<bool()>& done, Duration bound, Duration poll);

  /// A client's request arrives at a machine.
  void put(std::uint32_t machine, std::string key, std::string value);
  void del(std::uint32_t machine, std::string key);

  /// All links between `machine < first` and the others.
  void split(std::uint32_t first);

  /// No message comes from this machine or gets there.
  void cut_off(std::uint32_t machine);

  /// True if all that run see each other alive and nobody else, and have nothing to write.
  [[nodiscard]] bool together() const;

  /// True if the same writes are known to all that run, and nothing waits for a ballot.
  [[nodiscard]] bool equal() const;

  [[nodiscard]] Instant now() const { return world_.now(); }

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(machines_.size()); }

  [[nodiscard]] Machine& machine(std::uint32_t number) { return *machines_.at(number); }

  [[nodiscard]] Network& network() { return network_; }

  /// The observer outlives the trial.
  void watch(ClusterObserver& observer) { observers_.add(observer); }

  /// Writes that were refused, so far.
  [[nodiscard]] std::uint64_t refused() const { return refusals_.count; }

  /// The first thing that went wrong in the simulation itself; empty: nothing.
  [[nodiscard]] std::string fault() const;

  void answered(Ticket /*ticket*/) override {}

  void connections_lost(std::uint32_t /*machine*/) override {}

 private:
  class Refusals final : public ClusterObserver {
   public:
    void answered(Machine machine, const Operation& operation,
                  const WriteOutcome& outcome) override;

    std::uint64_t count = 0;
  };

  void ask(std::uint32_t machine, Operation operation);
  void handle(const Wake& wake);

  ClusterScenario scenario_;
  World world_;
  Network network_;
  Operations operations_;
  ClusterObservers observers_;
  Findings findings_;
  Refusals refusals_;
  Premises premises_{.world = world_,
                     .network = network_,
                     .operations = operations_,
                     .observers = observers_,
                     .findings = findings_};
  std::vector<std::unique_ptr<Machine>> machines_;
};

}  // namespace kvs
