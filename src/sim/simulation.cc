#include "sim/simulation.h"

#include <fmt/format.h>

#include "sim/clients.h"
#include "sim/demands.h"
#include "sim/nemesis.h"
#include "sim/oracles.h"
#include "sim/shell.h"

namespace kvs {

namespace {

/// The second act must be over by then.
constexpr Duration kActTwoMax = Duration::from_seconds(60);

class Simulation {
 public:
  Simulation(const Scenario& scenario, Observer* watcher)
      : scenario_(scenario),
        disk_(stream_seed(scenario.seed, Stream::disk, 0)),
        oracles_(scenario) {
    if (watcher != nullptr) {
      observers_.add(*watcher);
    }
    oracles_.join(observers_);
    observers_.add(clients_);
  }

  RunResult run() {
    shell_.set_callers(clients_);
    nemesis_.start();
    clients_.start();
    shell_.start_after({});
    wake_director(scenario_.act_one, Input::act_two_begins);
    while (!over_ && oracles_.findings().empty()) {
      const auto event = world_.take();
      if (!event) {
        oracles_.findings().report("the world goes on", "nothing will ever happen again");
        break;
      }
      ++events_;
      handle(event->wake);
    }
    return {.violations = oracles_.findings().all(),
            .hash = world_.digest().value(),
            .events = events_,
            .operations = operations_.size(),
            .time = world_.now() - Instant{}};
  }

 private:
  void wake_director(Duration delay, Input input) {
    world_.schedule(delay, {.target = Target::director, .input = input});
  }

  void handle(const Wake& wake) {
    switch (wake.target) {
      case Target::client:
        return clients_.handle(wake);
      case Target::nemesis:
        return nemesis_.handle(wake);
      case Target::process:
        shell_.handle(wake);
        return nemesis_.process_did(wake.input);
      case Target::director:
        return direct(wake);
    }
  }

  void direct(const Wake& wake) {
    if (wake.input == Input::act_two_begins) {
      clients_.stop();
      shell_.set_callers(demands_);
      nemesis_.heal();
      demands_.start();
      wake_director(kActTwoMax, Input::time_is_up);
    } else if (wake.input == Input::time_is_up) {
      oracles_.findings().report("the healed node serves", "it did not answer everything in time");
    } else if (!demands_.content()) {
      demands_.handle(wake);
    } else if (!shell_.idle()) {
      wake_director(Duration::from_ms(1), Input::client_acts);
    } else {
      over_ = true;
      end();
    }
  }

  /// Starts once more on what the folder holds.
  void end() {
    disk_.kill();
    if (const auto recovered = disk_.open(); !recovered) {
      oracles_.findings().report("the healed node serves", recovered.error().detail);
      return;
    }
    const Image image = disk_.image();
    observers_.tell(&Observer::recovered, image);
    observers_.tell(&Observer::ended, image);
  }

  const Scenario& scenario_;
  World world_;
  Disk disk_;
  WallClock wall_clock_;
  Operations operations_;
  Observers observers_;
  Oracles oracles_;
  Surroundings surroundings_{.world = world_,
                             .disk = disk_,
                             .wall_clock = wall_clock_,
                             .operations = operations_,
                             .observers = observers_};
  Shell shell_{scenario_, surroundings_};
  Clients clients_{scenario_, surroundings_, shell_};
  Demands demands_{scenario_, surroundings_, shell_};
  Nemesis nemesis_{scenario_, surroundings_, shell_};
  std::uint64_t events_ = 0;
  bool over_ = false;
};

}  // namespace

RunResult simulate(const Scenario& scenario, Observer* watcher) {
  return Simulation(scenario, watcher).run();
}

}  // namespace kvs
