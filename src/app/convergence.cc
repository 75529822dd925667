#include "app/convergence.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/cluster_pages.h"

namespace kvs {

namespace {

/// A member as it stands beside this node.
struct Comparison {
  const Member& member;
  const PeerStanding* standing;  // null: it is so new that none was made yet
  const StateDigest& mine;
};

bool saw_the_same_writes(const Comparison& it) {
  return it.member.digest.knowledge_hash == it.mine.knowledge_hash;
}

bool holds_the_same(const ConvergenceView::Row& row) {
  return row.writes_behind == 0U && row.fingerprints_agree == true;
}

ConvergenceView::Row row_of(const Comparison& it, WallTime wall) {
  ConvergenceView::Row row;
  row.id = it.member.node_id;
  row.state = state_name(it.member.state);
  row.fingerprints_agree = fingerprints_agree(it.member.digest, it.mine);
  if (saw_the_same_writes(it)) {
    row.writes_behind = 0;
  } else if (it.standing != nullptr && it.standing->knowledge_told) {
    row.writes_behind = it.standing->writes_behind;
  }
  if (it.standing != nullptr) {
    row.writes_owed = it.standing->writes_owed;
    if (it.standing->last_seen_ms != 0) {
      row.as_of_ms = std::max<std::int64_t>(0, wall.ms - it.standing->last_seen_ms);
    }
  }
  return row;
}

/// What separates a member from this node, as a sentence; empty if nothing does.
std::string difference(const Comparison& it, const ConvergenceView::Row& row) {
  if (holds_the_same(row)) {
    return {};
  }
  const bool failed = it.member.state == MemberState::failed;
  const std::string name = it.member.node_id + (failed ? " (failed)" : "");
  if (!row.writes_behind) {
    return fmt::format("nothing is known of {} yet", name);
  }
  if (*row.writes_behind > 0) {
    const std::uint64_t writes = *row.writes_behind;
    return fmt::format("{} lacks {} write{}", name, writes, writes == 1 ? "" : "s");
  }
  if (!saw_the_same_writes(it)) {
    return fmt::format("{} has writes that this node lacks", name);
  }
  if (!row.fingerprints_agree) {
    return fmt::format("{} has seen the same writes; fingerprints are still being counted", name);
  }
  return fmt::format("{} has seen the same writes and holds other records: they are compared",
                     name);
}

std::string summary_of(const std::vector<std::string>& differences,
                       const std::vector<ConvergenceView::Row>& rows) {
  if (rows.size() == 1) {
    return "this node is the only member";
  }
  if (differences.empty()) {
    std::int64_t oldest_ms = 0;
    for (const ConvergenceView::Row& row : rows) {
      oldest_ms = std::max(oldest_ms, row.as_of_ms.value_or(0));
    }
    return fmt::format("all {} members hold the same data as of {} ms ago", rows.size(), oldest_ms);
  }
  return fmt::format("{}", fmt::join(differences, "; "));
}

}  // namespace

std::optional<bool> fingerprints_agree(const StateDigest& theirs, const StateDigest& mine) {
  if (!theirs.counted || !mine.counted) {
    return std::nullopt;
  }
  return theirs.root == mine.root;
}

ConvergenceView convergence(const NodeThreadStatus& status, WallTime wall) {
  std::vector<const Member*> members;
  for (const Member& member : status.view->members) {
    members.push_back(&member);
  }
  std::ranges::sort(members, {}, [](const Member* member) { return member->node_id; });
  ConvergenceView view;
  std::vector<std::string> differences;
  for (const Member* const member : members) {
    if (member->instance == status.view->self) {
      view.rows.push_back({.id = member->node_id,
                           .state = state_name(member->state),
                           .writes_behind = 0,
                           .writes_owed = 0,
                           .fingerprints_agree = true,
                           .as_of_ms = 0});
      continue;
    }
    const Comparison it{.member = *member,
                        .standing = standing_of(status, member->instance),
                        .mine = status.node.digest};
    view.rows.push_back(row_of(it, wall));
    if (std::string sentence = difference(it, view.rows.back()); !sentence.empty()) {
      differences.push_back(std::move(sentence));
    }
  }
  const StateDigest& mine = status.node.digest;
  if (mine.counted) {
    view.fingerprint =
        fmt::format("{:016x}{:016x}-{}", mine.root.high, mine.root.low, mine.root.count);
  }
  view.converged = differences.empty();
  view.summary = summary_of(differences, view.rows);
  return view;
}

}  // namespace kvs
