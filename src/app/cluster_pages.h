// What the pages for people say of the cluster, from one snapshot of the node: members, health.
//
// Pure: no clock, no I/O. What is returned points into the snapshot, which has to outlive it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/node_thread.h"
#include "wire/api.h"

namespace kvs {

/// As /members/ names it.
[[nodiscard]] std::string_view state_name(MemberState state);

/// How the member stood when the snapshot was made; null if it was not known then, or is this node.
[[nodiscard]] const PeerStanding* standing_of(const NodeThreadStatus& status, Instance instance);

/// The members of the snapshot, ordered by id; failed ones only if `which` is all. `wall` is now:
/// when this node saw itself last.
[[nodiscard]] std::vector<MemberView> member_views(const NodeThreadStatus& status,
                                                   GetMembers::Which which, WallTime wall);

/// The conflicts of late that this node settled, the newest first.
[[nodiscard]] std::vector<VerdictView> verdict_views(const NodeStatus& node);

/// What an operator should look into although the node works; empty if all is well.
[[nodiscard]] std::vector<std::string> health_warnings(const NodeStatus& node);

}  // namespace kvs
