#include "app/cluster_pages.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace kvs {

std::string_view state_name(MemberState state) {
  switch (state) {
    case MemberState::alive:
      return "alive";
    case MemberState::suspect:
      return "suspect";
    case MemberState::failed:
      return "failed";
    case MemberState::left:
      return "left";
  }
  return "failed";
}

const PeerStanding* standing_of(const NodeThreadStatus& status, Instance instance) {
  const auto found =
      std::ranges::lower_bound(status.standings, instance, {}, &PeerStanding::instance);
  return found != status.standings.end() && found->instance == instance ? &*found : nullptr;
}

std::vector<MemberView> member_views(const NodeThreadStatus& status, GetMembers::Which which,
                                     WallTime wall) {
  std::vector<MemberView> views;
  for (const Member& member : status.view->members) {
    if (which == GetMembers::Which::live && !is_live(member.state)) {
      continue;
    }
    MemberView& view = views.emplace_back();
    view.id = member.node_id;
    view.address = member.address;
    view.joined_ms = member.joined_ms;
    view.state = state_name(member.state);
    if (member.instance == status.view->self) {
      view.last_seen_ms = wall.ms;
      view.mode = to_string(status.node.mode);
      view.version = KVS_VERSION;
      continue;
    }
    view.mode = to_string(member.mode);
    if (const PeerStanding* const standing = standing_of(status, member.instance)) {
      view.last_seen_ms = standing->last_seen_ms;
    }
  }
  // Two may have one id for a while, until the younger one has learned of it.
  std::ranges::sort(views, {}, [](const MemberView& view) {
    return std::tuple(view.id, view.joined_ms, view.address);
  });
  return views;
}

namespace {

std::string_view rule_name(Ruling::Kind kind) {
  switch (kind) {
    case Ruling::Kind::majority:
      return "majority";
    case Ruling::Kind::oldest:
      return "oldest";
    case Ruling::Kind::found:
      return "found";
  }
  return "found";
}

}  // namespace

std::vector<VerdictView> verdict_views(const NodeStatus& node) {
  std::vector<VerdictView> views;
  if (!node.verdicts) {
    return views;
  }
  for (const SettledConflict& settled : *node.verdicts) {
    VerdictView& view = views.emplace_back();
    view = {.path = settled.path,
            .settled_ms = settled.settled.ms,
            .rule = rule_name(settled.rule),
            .winner = settled.winner,
            .timestamp_ms = settled.stamp.ms(),
            .candidates = {}};
    for (const SettledConflict::Candidate& candidate : settled.candidates) {
      view.candidates.push_back({.uuid = candidate.uuid, .votes = candidate.votes});
    }
  }
  return views;
}

std::vector<std::string> health_warnings(const NodeStatus& node) {
  std::vector<std::string> warnings;
  if (node.stamps_held_back) {
    warnings.push_back(
        fmt::format("this machine's clock is {} ms ahead of the other members': "
                    "stamps follow theirs; check its time service",
                    -node.cluster_ahead_ms));
  }
  if (node.members.isolated) {
    warnings.emplace_back("this node reaches few of the other members: check its network");
  }
  return warnings;
}

}  // namespace kvs
