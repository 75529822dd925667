#include "sim/cluster_watchers.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/probe.h"
#include "sim/watched_picture.h"
#include "wire/watch_cursor.h"

namespace kvs {

namespace {

/// The root most of the time, a path with keys below it (sim/asker), or one with none.
std::string draw_path(Prng& prng) {
  constexpr std::array<std::string_view, 10> kPaths{"",  "",  "",    "",  "",
                                                    "a", "b", "a/b", "k", "nothing"};
  return std::string(kPaths.at(prng.below(kPaths.size())));
}

/// True if what one K covered may be covered by nobody after this.
bool takes_knowledge(const ClusterFaultSet& faults) {
  return faults.contains(ClusterFault::wipe) || faults.contains(ClusterFault::restore) ||
         faults.contains(ClusterFault::gone) || faults.contains(ClusterFault::copied) ||
         faults.contains(ClusterFault::rot);
}

/// False if a record below this path is damaged to the end: it rotted wherever it was held, or it
/// is a tombstone that rotted after its last read. A stream of the path ends there.
bool is_sound(const FinalState& state, std::string_view path) {
  return std::ranges::all_of(state.image.records, [&](const auto& entry) {
    return entry.second.has_value() || !is_below(entry.first, path);
  });
}

}  // namespace

/// Hears what a guest is told.
class ClusterWatchers::Ear final : public WatchSink {
 public:
  Ear(ClusterWatchers& watchers, Guest& guest, std::uint64_t appetite)
      : watchers_(watchers), guest_(guest), appetite_(appetite) {}

  Appetite take(const WatchEvent& event) override {
    watchers_.told(guest_, event);
    appetite_ -= appetite_ > 0 ? 1 : 0;
    return appetite_ > 0 ? Appetite::more : Appetite::enough_for_now;
  }

 private:
  ClusterWatchers& watchers_;
  Guest& guest_;
  std::uint64_t appetite_;
};

ClusterWatchers::ClusterWatchers(const ClusterScenario& scenario, const Premises& premises,
                                 Machines& machines)
    : scenario_(scenario), premises_(premises), machines_(machines) {
  constexpr std::uint64_t kFirstStream = 1000;  // the machines have those before
  for (std::uint64_t i = 0; i < scenario.watchers; ++i) {
    Guest& guest = guests_.emplace_back(
        Guest{.number = i,
              .prng = Prng(stream_seed(scenario.seed, Stream::watchers, kFirstStream + i)),
              .watcher = nullptr,
              .request = {},
              .cursor = std::nullopt});
    guest.pace = Duration::from_ms(guest.prng.between(60, 1200));
    guest.appetite_max = guest.prng.chance(1, 3) ? 1 : 1 + guest.prng.below(16);
    guest.request.path = draw_path(guest.prng);
    guest.request.values =
        guest.prng.chance(1, 2) ? WatchRequest::Values::include : WatchRequest::Values::omit;
  }
}

void ClusterWatchers::start() {
  for (Guest& guest : guests_) {
    rest(guest);
  }
}

void ClusterWatchers::rest(Guest& guest) {
  const auto turns = static_cast<std::int64_t>(1 + std::exchange(guest.away, 0));
  premises_.world.schedule(
      draw_around(guest.prng, {guest.pace.ns * turns}),
      {.target = Target::client, .input = Input::watcher_acts, .subject = guest.number});
}

void ClusterWatchers::handle(const Wake& wake) {
  Guest& guest = guests_.at(wake.subject);
  if (guest.away == 0) {
    act(guest);
  }
  rest(guest);
}

// --- coming and going

void ClusterWatchers::act(Guest& guest) {
  if (!guest.watcher) {
    come(guest);
  } else if (premises_.world.process_paused(guest.machine)) {
    if (guest.prng.chance(1, 8)) {
      KVS_PROBE("cluster watchers: a client left a silent machine");
      leave(guest);
    }
    return;
  } else if (guest.prng.chance(1, 12)) {
    return leave(guest);
  }
  if (guest.watcher) {
    step(guest,
         {.work = 1 + guest.prng.below(20), .appetite = 1 + guest.prng.below(guest.appetite_max)});
  }
}

/// True if a watch that begins at this machine is answered.
bool ClusterWatchers::answers(std::uint32_t machine) const {
  return machines_[machine]->serving() && !premises_.world.process_paused(machine) &&
         !machines_[machine]->node().may_lack_records();
}

void ClusterWatchers::come(Guest& guest) {
  const auto machine = static_cast<std::uint32_t>(guest.prng.below(machines_.size()));
  if (answers(machine)) {
    begin(guest, machine);
  }
}

/// What a client has read before counts only where K covers it: not after damage.
bool ClusterWatchers::may_begin_now(const Guest& guest, std::uint32_t machine) const {
  const WatchSource::Head head = machines_[machine]->feed().head();
  const auto records = machines_[machine]->feed().store().cursor();
  const std::string below = guest.request.path.empty() ? "" : guest.request.path + '/';
  for (records->seek(below); records->valid(); records->next()) {
    if (!records->key().text().starts_with(below)) {
      break;
    }
    const auto record = records->record();
    if (!record || !head.known->covers(record->header.version.dot)) {
      return false;
    }
  }
  return true;
}

/// The client has it as text.
std::optional<WatchCursor> ClusterWatchers::cursor_read_back(const Guest& guest) {
  if (!guest.cursor) {
    return std::nullopt;
  }
  std::string text;
  append_watch_cursor(*guest.cursor, guest.request.path, text);
  if (text == kWatchCursorNone) {
    return std::nullopt;
  }
  auto cursor = parse_watch_cursor(text, guest.request.path);
  KVS_CHECK(cursor.has_value(), "a cursor is read as it was written");
  return cursor;
}

void ClusterWatchers::begin(Guest& guest, std::uint32_t machine) {
  WatchRequest& request = guest.request;
  request.begin = WatchRequest::Begin::all;
  request.cursor = {};
  if (auto cursor = cursor_read_back(guest)) {
    request.begin = WatchRequest::Begin::cursor;
    request.cursor = *std::move(cursor);
  } else if (guest.prng.chance(1, 3) && may_begin_now(guest, machine)) {
    request.begin = WatchRequest::Begin::now;
  }
  guest.machine = machine;
  guest.caught_up_at = {};
  guest.watcher = std::make_unique<Watcher>(machines_[machine]->feed(), request);
  premises_.observers.tell(&ClusterObserver::watch_began, machine, watching(guest));
}

void ClusterWatchers::leave(Guest& guest) {
  guest.watcher.reset();
  guest.away = guest.prng.below(guest.prng.chance(1, 4) ? 30 : 3);
  premises_.observers.tell(&ClusterObserver::watch_broke_off, guest.machine, watching(guest));
}

void ClusterWatchers::give_up_cursor(Guest& guest) {
  KVS_PROBE("cluster watchers: a client began anew");
  guest.cursor.reset();
}

void ClusterWatchers::crashed(Machine machine, Crash /*crash*/) {
  for (Guest& guest : guests_) {
    if (guest.watcher && guest.machine == machine) {
      KVS_PROBE("cluster watchers: a machine died under a stream");
      leave(guest);
    }
  }
}

// --- reading

/// True if all that the machine has made durable was told, and it has heard of that itself.
bool ClusterWatchers::follows(const Guest& guest) const {
  const WatchCursor& cursor = guest.watcher->cursor();
  const auto& machine = *machines_[guest.machine];
  return !cursor.partial && !machine.untold() && cursor.place == machine.feed().head().place;
}

Watcher::Progress ClusterWatchers::step(Guest& guest, const Meal& meal) {
  Ear ear(*this, guest, meal.appetite);
  machines_[guest.machine]->show_time();
  const auto progress = guest.watcher->step(machines_[guest.machine]->now(), meal.work, ear);
  if (progress == Watcher::Progress::ended) {
    leave(guest);
  } else if (progress == Watcher::Progress::idle && follows(guest) &&
             std::exchange(guest.caught_up_at, guest.watcher->cursor().place) !=
                 guest.watcher->cursor().place) {
    premises_.observers.tell(&ClusterObserver::watch_caught_up, guest.machine, watching(guest));
  }
  return progress;
}

void ClusterWatchers::told(Guest& guest, const WatchEvent& event) {
  if (event.cursor != nullptr) {
    guest.cursor = *event.cursor;
  }
  premises_.world.digest().mix(event.version ? event.version->uuid.low : 0);
  premises_.observers.tell(&ClusterObserver::watch_told, guest.machine, watching(guest), event);
  if (event.why == WatchEnd::behind) {
    KVS_PROBE("cluster watchers: a machine stayed behind a client");
    if (guest.prng.chance(1, 4)) {  // perhaps nobody will ever know what it has seen
      give_up_cursor(guest);
    }
  }
  if (event.why == WatchEnd::slow) {
    KVS_PROBE("cluster watchers: a slow reader was dropped");
  }
}

// --- the end

void ClusterWatchers::ended(const std::vector<FinalState>& states) {
  for (Guest& guest : guests_) {
    std::vector<std::uint32_t> sound;
    for (const FinalState& state : states) {
      if (is_sound(state, guest.request.path)) {
        sound.push_back(state.machine);
      }
    }
    if (!sound.empty()) {
      finish(guest, sound);
    }
  }
}

/// All machines know the same and nothing changes: where a client asks, it gets what there is.
void ClusterWatchers::finish(Guest& guest, const std::vector<std::uint32_t>& sound) {
  constexpr int kStepsMax = 10'000;
  for (int n = 0; n < kStepsMax; ++n) {
    if (!guest.watcher) {
      begin(guest, sound.at(guest.prng.below(sound.size())));
    }
    if (step(guest, {.work = 1000, .appetite = 1000}) != Watcher::Progress::idle) {
      continue;
    }
    if (follows(guest)) {
      return;
    }
    if (!takes_knowledge(scenario_.faults)) {
      premises_.findings.report(
          "watches go on anywhere",
          fmt::format("machine {} never comes to know what a client has seen", guest.machine));
      return;
    }
    leave(guest);
    give_up_cursor(guest);
  }
  premises_.findings.report("watches go on anywhere", "a stream does not come to rest");
}

}  // namespace kvs
