#include "core/view.h"

#include <algorithm>

namespace kvs {

const Member* View::find(Instance instance) const {
  const auto it = std::ranges::lower_bound(members, instance, {}, &Member::instance);
  return it != members.end() && it->instance == instance ? &*it : nullptr;
}

const Member* View::find_id(std::string_view node_id) const {
  const auto it = std::ranges::find(members, node_id, &Member::node_id);
  return it != members.end() ? &*it : nullptr;
}

std::vector<const Member*> View::peers() const {
  std::vector<const Member*> peers;
  for (const Member& member : members) {
    if (member.instance != self && is_live(member.state)) {
      peers.push_back(&member);
    }
  }
  return peers;
}

std::size_t View::live_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(members, [](const Member& member) { return is_live(member.state); }));
}

}  // namespace kvs
