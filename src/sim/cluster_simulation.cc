#include "sim/cluster_simulation.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/probe.h"
#include "sim/cluster_clients.h"
#include "sim/cluster_nemesis.h"
#include "sim/cluster_oracle.h"
#include "sim/cluster_oracle_expiry.h"
#include "sim/cluster_oracle_order.h"
#include "sim/cluster_oracle_watch.h"
#include "sim/cluster_watchers.h"
#include "sim/convergence.h"

namespace kvs {

namespace {

constexpr Duration kPoll = Duration::from_ms(500);

class ClusterSimulation {
 public:
  ClusterSimulation(const ClusterScenario& scenario, ClusterObserver* watcher)
      : scenario_(scenario),
        watcher_(watcher),
        network_(world_, stream_seed(scenario.seed, Stream::network, 0), scenario.machines),
        ledger_(scenario.machines) {
    if (watcher != nullptr) {
      observers_.add(*watcher);
    }
    observers_.add(ledger_);
    observers_.add(never_goes_back_);
    observers_.add(reads_);
    observers_.add(exact_);
    observers_.add(knowledge_);
    observers_.add(newest_wins_);
    observers_.add(clocks_learn_);
    observers_.add(covered_);
    observers_.add(far_stamps_);
    observers_.add(times_);
    observers_.add(calls_);
    observers_.add(clients_);
    if (scenario.watchers > 0) {
      observers_.add(watches_);
      observers_.add(watchers_);
    }
    network_.set_latency(scenario.latency);
    if (scenario.encoded) {
      network_.carrier().encode_messages();
    }
    for (const auto& machine : machines_) {
      machine->set_callers(clients_);
    }
  }

  ClusterRun run() {
    for (const auto& machine : machines_) {
      machine->start_after(Duration::from_ms(machine->number()));
    }
    if (scenario_.cold_start) {
      begin_act_one();
    } else {
      wake_director(kPoll, Input::act_one_begins);
    }
    while (!over_ && findings_.empty()) {
      const auto event = world_.take();
      if (!event) {
        findings_.report("the world goes on", "nothing will ever happen again");
        break;
      }
      ++result_.events;
      if (watcher_ != nullptr) {
        watcher_->time_is(event->at);
      }
      far_stamps_.clocks_are_right(right_time());
      times_.clocks_are_right(right_time());
      watches_.clocks_are_right(right_time());
      handle(event->wake);
      if (!network_.carrier().fault().empty()) {
        findings_.report("messages cross unchanged", network_.carrier().fault());
      }
    }
    return summary();
  }

 private:
  ClusterRun summary() {
    result_.violations = findings_.all();
    result_.hash = world_.digest().value();
    result_.operations = operations_.size();
    result_.writes = ledger_.writes().size();
    result_.time = world_.now() - Instant{};
    result_.node_ns = static_cast<std::uint64_t>(result_.time.ns) * scenario_.machines;
    for (const Channel channel : {Channel::gossip, Channel::push, Channel::bulk}) {
      result_.messages += network_.traffic(channel).messages;
      result_.bytes += network_.traffic(channel).bytes;
    }
    return result_;
  }

  [[nodiscard]] WallTime right_time() const {
    return {WallClock{}.read(world_.now()).ms + ages_ms_};
  }

  void wake_director(Duration delay, Input input) {
    world_.schedule(delay, {.target = Target::director, .input = input});
  }

  void handle(const Wake& wake) {
    switch (wake.target) {
      case Target::client:
        return wake.input == Input::watcher_acts ? watchers_.handle(wake) : clients_.handle(wake);
      case Target::nemesis:
        return nemesis_.handle(wake);
      case Target::process:
        return handle_for_process(wake);
      case Target::director:
        return direct(wake);
    }
  }

  void handle_for_process(const Wake& wake) {
    switch (wake.input) {
      case Input::request_arrives:
        return clients_.arrive(wake);
      case Input::call_arrives:
      case Input::return_arrives:
      case Input::call_times_out:
        return network_.handle(wake);
      default:
        return machines_.at(wake.machine)->handle(wake);
    }
  }

  void begin_act_one() {
    nemesis_.start();
    clients_.start();
    watchers_.start();
    wake_director(scenario_.act_one, Input::act_two_begins);
  }

  /// A new cluster has to come together by itself before anything happens to it.
  void wait_for_cluster() {
    const std::string missing = what_is_missing(machines_, right_time());
    if (missing.empty()) {
      begin_act_one();
    } else if (world_.now() - Instant{} > scenario_.bound) {
      findings_.report("a new cluster comes together", missing);
    } else {
      wake_director(kPoll, Input::act_one_begins);
    }
  }

  void direct(const Wake& wake) {
    if (wake.input == Input::act_one_begins) {
      return wait_for_cluster();
    }
    if (wake.input == Input::act_two_begins) {
      clients_.stop();
      nemesis_.heal();
      healed_at_ = world_.now();
    } else {
      judge();
    }
    if (!over_) {
      wake_director(kPoll, Input::client_acts);
    }
  }

  void judge() {
    const std::string missing = what_is_missing(machines_, right_time());
    const Duration since = world_.now() - healed_at_;
    if (missing.empty()) {
      result_.converged = std::max(result_.converged, since);
      const auto states = final_states(machines_, right_time());
      if (anything_put_off(states)) {
        return let_ages_pass();
      }
      over_ = true;
      observers_.tell(&ClusterObserver::ended, states);
    } else if (since > scenario_.bound) {
      findings_.report("all nodes end equal", missing);
    }
  }

  /// What was stamped far ahead was put off only: once time has come there, all hold it.
  void let_ages_pass() {
    KVS_PROBE("cluster: what was put off came due");
    constexpr std::int64_t kAgesMs = 400LL * 365 * 86'400'000;
    watches_.ages_pass();
    ages_ms_ += kAgesMs;
    healed_at_ = world_.now();
    for (const auto& machine : machines_) {
      machine->wall_clock().jump(world_.now(), kAgesMs);
    }
  }

  Machines make_machines() {
    Machines machines;
    for (std::uint32_t i = 0; i < scenario_.machines; ++i) {
      machines.push_back(std::make_unique<Machine>(scenario_, i, premises_));
    }
    return machines;
  }

  const ClusterScenario& scenario_;
  ClusterObserver* watcher_;
  World world_;
  Network network_;
  Operations operations_;
  ClusterObservers observers_;
  Findings findings_;
  Premises premises_{.world = world_,
                     .network = network_,
                     .operations = operations_,
                     .observers = observers_,
                     .findings = findings_};
  Machines machines_ = make_machines();
  ClusterLedger ledger_;
  NeverGoesBack never_goes_back_{ledger_, findings_};
  ReadsShowWrites reads_{ledger_, findings_};
  RecordsAreExact exact_{ledger_, findings_};
  KnowledgeIsTrue knowledge_{ledger_, findings_};
  NewestWins newest_wins_{ledger_, findings_};
  ClocksLearn clocks_learn_{ledger_, findings_};
  CoveredStaysOut covered_{ledger_, findings_};
  FarStampsStayOut far_stamps_{scenario_.machines, ledger_, findings_};
  TimesAreKept times_{scenario_.machines, ledger_, findings_};
  CallsAreBounded calls_{scenario_.machines, ledger_, findings_};
  WatchesAreTrue watches_{scenario_, ledger_, findings_};
  ClusterWatchers watchers_{scenario_, premises_, machines_};
  ClusterClients clients_{scenario_, premises_, machines_};
  ClusterNemesis nemesis_{scenario_, premises_, machines_};
  Instant healed_at_;
  std::int64_t ages_ms_ = 0;  // by which all clocks were set forward in the end
  ClusterRun result_;
  bool over_ = false;
};

}  // namespace

ClusterRun simulate_cluster(const ClusterScenario& scenario, ClusterObserver* watcher) {
  return ClusterSimulation(scenario, watcher).run();
}

}  // namespace kvs
