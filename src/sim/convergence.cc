#include "sim/convergence.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace kvs {

namespace {

using Live = std::map<std::string, Record>;
using Keys = std::set<std::string>;

/// The keys under which somebody holds a write that others put off.
Keys put_off_keys(const std::vector<FinalState>& states) {
  Keys keys;
  for (const FinalState& state : states) {
    for (const auto& [key, record] : state.image.records) {
      if (record && state.puts_off(record->header.version.stamp)) {
        keys.insert(key);
      }
    }
  }
  return keys;
}

/// What expires by the right clock is left out a little before its time: nobody has to drop it at
/// the very same moment.
Live live_records(const Image& image, const Keys& without, WallTime now) {
  constexpr std::int64_t kMarginMs = 1000;
  Live live;
  for (const auto& [key, record] : image.records) {
    if (record && record->header.shows({now.ms + kMarginMs}) && !without.contains(key)) {
      live.emplace(key, *record);
    }
  }
  return live;
}

std::string first_difference(const Live& mine, const Live& theirs) {
  for (const auto& [key, record] : mine) {
    const auto it = theirs.find(key);
    if (it == theirs.end()) {
      return fmt::format("only one holds `{}`", key);
    }
    if (it->second != record) {
      return fmt::format("two versions of `{}`", key);
    }
  }
  for (const auto& [key, record] : theirs) {
    if (!mine.contains(key)) {
      return fmt::format("only the other one holds `{}`", key);
    }
  }
  return "";
}

/// What keeps this machine from being a member like any other.
std::string own_flaw(const Machine& machine, std::size_t members) {
  if (!machine.serving()) {
    return "does not run";
  }
  if (!machine.settled()) {
    return "has something to write";
  }
  const View& view = *machine.node().view();
  if (view.own().mode != Mode::normal) {
    return fmt::format("is {}", to_string(view.own().mode));
  }
  std::size_t alive = 0;
  for (const Member& member : view.members) {
    alive += member.state == MemberState::alive ? 1 : 0;
  }
  return alive == members ? "" : fmt::format("sees {} of {} alive", alive, members);
}

/// Of two views, and of what is known.
std::string difference(const FinalState& mine, const FinalState& theirs, const Keys& put_off) {
  for (const Member& member : mine.view->members) {
    const Member* other = theirs.view->find(member.instance);
    const bool gone = member.state == MemberState::failed && other == nullptr;
    if (!gone && (other == nullptr || other->state != member.state)) {
      return fmt::format("two opinions of member `{}`", member.node_id);
    }
  }
  return *mine.knowledge == *theirs.knowledge || !put_off.empty()
             ? ""
             : "one knows of writes of which another does not";
}

}  // namespace

std::vector<FinalState> final_states(const Machines& machines, WallTime now) {
  std::vector<FinalState> states;
  for (const auto& machine : machines) {
    if (machine->abandoned()) {
      continue;
    }
    states.push_back({.machine = machine->number(),
                      .image = machine->disk().image(),
                      .knowledge = &machine->node().replica().durable_knowledge(),
                      .view = machine->node().view(),
                      .wall = now});
  }
  return states;
}

bool anything_put_off(const std::vector<FinalState>& states) {
  return !put_off_keys(states).empty();
}

std::string what_is_missing(const Machines& machines, WallTime now) {
  const auto present = static_cast<std::size_t>(
      std::ranges::count_if(machines, [](const auto& machine) { return !machine->abandoned(); }));
  for (const auto& machine : machines) {
    if (machine->abandoned()) {
      continue;
    }
    if (const std::string flaw = own_flaw(*machine, present); !flaw.empty()) {
      return fmt::format("machine {} {}", machine->number(), flaw);
    }
  }
  const std::vector<FinalState> states = final_states(machines, now);
  const Keys put_off = put_off_keys(states);
  const Live live = live_records(states.front().image, put_off, now);
  for (const FinalState& state : states) {
    std::string text = first_difference(live, live_records(state.image, put_off, now));
    if (text.empty()) {
      text = difference(states.front(), state, put_off);
    }
    if (!text.empty()) {
      return fmt::format("machines {} and {}: {}", states.front().machine, state.machine, text);
    }
  }
  return "";
}

}  // namespace kvs
