#include "core/member_news.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace kvs {

std::vector<Member> MemberNews::for_ping(Instance receiver) {
  const MemberEntry* held = table_.find(receiver);
  const bool accused =
      held != nullptr && receiver != table_.self() && held->member.state != MemberState::alive;
  return compose(receiver, accused ? &held->member : nullptr, {});
}

std::vector<Member> MemberNews::for_answer(std::span<const Member> told, Instance receiver) {
  const MemberEntry* held = table_.find(receiver);
  const auto own_words = std::ranges::find(told, receiver, &Member::instance);
  const bool newer = held != nullptr && receiver != table_.self() && own_words != told.end() &&
                     overrides(held->member, *own_words);
  std::vector<Instance> knows;
  for (const Member& row : told) {
    const MemberEntry* here = table_.find(row.instance);
    if (here != nullptr && !overrides(here->member, row) && here->member.accuser == row.accuser) {
      knows.push_back(row.instance);
    }
  }
  return compose(receiver, newer ? &held->member : nullptr, std::move(knows));
}

std::vector<Member> MemberNews::compose(Instance receiver, const Member* about_receiver,
                                        std::vector<Instance> knows) {
  const std::size_t limit = retransmissions(table_.live_count());
  std::vector<Member> rows;
  rows.reserve(std::min(2 + rumors_.size(), kNewsRowsMax));
  rows.push_back(table_.own());
  knows.push_back(table_.self());
  rumors_.told(table_.self(), limit);
  if (about_receiver != nullptr) {
    rows.push_back(*about_receiver);
  }
  std::vector<Member> rumors =
      rumors_.take(kNewsRowsMax - rows.size(), limit, {.instance = receiver, .knows = knows});
  rows.insert(rows.end(), std::make_move_iterator(rumors.begin()),
              std::make_move_iterator(rumors.end()));
  return rows;
}

}  // namespace kvs
