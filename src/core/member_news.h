// What a node says to another one about members: composes the rows of each ping and pong.
//
// At most kNewsRowsMax rows: its own first (so its digest is fresh wherever it speaks), then what
// the receiver should know of itself, then rumors.
#pragma once

#include <vector>

#include "core/member_table.h"
#include "core/rumors.h"

namespace kvs {

inline constexpr std::size_t kNewsRowsMax = 16;

class MemberNews {
 public:
  /// `table` outlives it.
  explicit MemberNews(const MemberTable& table) : table_(table) {}

  /// For a ping: the receiver's row goes along if it is not held to be alive, so that it can
  /// refute.
  [[nodiscard]] std::vector<Member> for_ping(Instance receiver);

  /// For an answer: the receiver's row goes along if it is newer than what it told of itself.
  [[nodiscard]] std::vector<Member> for_answer(std::span<const Member> told, Instance receiver);

  /// Whether a ping would tell this member more than that its sender lives.
  [[nodiscard]] bool has_for(Instance receiver) const { return rumors_.has_for(receiver); }

  Rumors& rumors() { return rumors_; }

  [[nodiscard]] const Rumors& rumors() const { return rumors_; }

 private:
  /// This node's own row, that of the receiver, if it has to hear it, and rumors; none of those
  /// that the receiver `knows`: each is told so many times only.
  [[nodiscard]] std::vector<Member> compose(Instance receiver, const Member* about_receiver,
                                            std::vector<Instance> knows);

  const MemberTable& table_;
  Rumors rumors_;
};

}  // namespace kvs
