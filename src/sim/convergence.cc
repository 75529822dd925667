#include "sim/convergence.h"

#include <map>

#include <fmt/format.h>

namespace kvs {

namespace {

using Live = std::map<std::string, Record>;

Live live_records(const Image& image) {
  Live live;
  for (const auto& [key, record] : image.records) {
    if (record && record->header.live()) {
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
  return mine.size() == theirs.size() ? "" : "only one holds some record";
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

std::string difference(const FinalState& mine, const FinalState& theirs) {
  if (const std::string text =
          first_difference(live_records(mine.image), live_records(theirs.image));
      !text.empty()) {
    return text;
  }
  for (const Member& member : mine.view->members) {
    const Member* other = theirs.view->find(member.instance);
    const bool gone = member.state == MemberState::failed && other == nullptr;
    if (!gone && (other == nullptr || other->state != member.state)) {
      return fmt::format("two opinions of member `{}`", member.node_id);
    }
  }
  return *mine.knowledge == *theirs.knowledge ? ""
                                              : "one knows of writes of which another does not";
}

}  // namespace

std::vector<FinalState> final_states(const Machines& machines) {
  std::vector<FinalState> states;
  for (const auto& machine : machines) {
    states.push_back({.machine = machine->number(),
                      .image = machine->disk().image(),
                      .knowledge = &machine->node().replica().durable_knowledge(),
                      .view = machine->node().view()});
  }
  return states;
}

std::string what_is_missing(const Machines& machines) {
  for (const auto& machine : machines) {
    if (const std::string flaw = own_flaw(*machine, machines.size()); !flaw.empty()) {
      return fmt::format("machine {} {}", machine->number(), flaw);
    }
  }
  const std::vector<FinalState> states = final_states(machines);
  for (const FinalState& state : states) {
    if (const std::string text = difference(states.front(), state); !text.empty()) {
      return fmt::format("machines {} and {}: {}", states.front().machine, state.machine, text);
    }
  }
  return "";
}

}  // namespace kvs
