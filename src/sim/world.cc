#include "sim/world.h"

#include <algorithm>
#include <utility>

#include "base/probe.h"

namespace kvs {

namespace {

/// For a heap whose top is the earliest. An object, not a function: the heap's loops inline it.
constexpr auto kLater = [](const Event& a, const Event& b) {
  return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
};

}  // namespace

void World::push(Instant at, const Wake& wake) {
  heap_.push_back({.at = at, .sequence = ++sequence_, .wake = wake});
  std::ranges::push_heap(heap_, kLater);
}

void World::schedule(Duration delay, const Wake& wake) {
  push(now_ + std::max(delay, Duration{}), wake);
}

std::optional<Event> World::take() {
  while (!heap_.empty()) {
    std::ranges::pop_heap(heap_, kLater);
    const Event event = heap_.back();
    heap_.pop_back();
    now_ = event.at;
    if (!paused_.empty() && event.wake.target == Target::process &&
        paused_.contains(event.wake.machine)) {
      KVS_PROBE("world: an event waited for a paused process");
      held_back_.push_back(event.wake);
      continue;
    }
    digest_.mix(static_cast<std::uint64_t>(event.at.ns));
    digest_.mix((static_cast<std::uint64_t>(event.wake.input) << 56U) ^
                (static_cast<std::uint64_t>(event.wake.machine) << 40U) ^ event.wake.subject);
    return event;
  }
  return std::nullopt;
}

void World::resume_process(std::uint32_t machine) {
  paused_.erase(machine);
  for (const Wake& wake : std::exchange(held_back_, {})) {
    if (wake.machine == machine) {
      push(now_, wake);
    } else {
      held_back_.push_back(wake);
    }
  }
}

}  // namespace kvs
