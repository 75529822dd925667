// A member's row as tests of the members' rooms begin with: named and reached by its number.
#pragma once

#include <cstdint>
#include <string>

#include "core/member.h"

namespace kvs {

inline Member member_row(std::uint64_t instance, std::uint64_t incarnation = 1,
                         MemberState state = MemberState::alive) {
  Member member;
  member.instance = Instance{instance};
  member.node_id = "n" + std::to_string(instance);
  member.address = "10.0.0.1:" + std::to_string(instance);
  member.run = 5;
  member.incarnation = incarnation;
  member.state = state;
  return member;
}

}  // namespace kvs
