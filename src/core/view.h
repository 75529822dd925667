// Who is in the cluster, as one node sees it at one moment: an immutable list that others share.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/member.h"

namespace kvs {

struct View {
  std::vector<Member> members;  // by instance; this node and failed ones too, never those that left
  Instance self{};

  [[nodiscard]] const Member* find(Instance instance) const;
  [[nodiscard]] const Member* find_id(std::string_view node_id) const;

  /// This node's own row; it is always there.
  [[nodiscard]] const Member& own() const { return *find(self); }

  /// Members that may answer (alive or suspect), without this node.
  [[nodiscard]] std::vector<const Member*> peers() const;

  /// How many are alive or suspect, this node included.
  [[nodiscard]] std::size_t live_count() const;
};

/// True for a member that may answer.
[[nodiscard]] constexpr bool is_live(MemberState state) {
  return state == MemberState::alive || state == MemberState::suspect;
}

}  // namespace kvs
