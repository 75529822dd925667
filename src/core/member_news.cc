#include "core/member_news.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace kvs {

namespace {

/// This node's own row, that of the receiver, if it has to hear it, and rumors; none of those that
/// the receiver `knows`: each is told so many times only.
std::vector<Member> message(const MemberTable& table, Rumors& rumors, const Member* about_receiver,
                            std::vector<Instance> knows) {
  const std::size_t limit = retransmissions(table.live_count());
  std::vector<Member> rows;
  rows.reserve(std::min(2 + rumors.size(), kNewsRowsMax));
  rows.push_back(table.own());
  knows.push_back(table.self());
  rumors.told(table.self(), limit);
  if (about_receiver != nullptr) {
    rows.push_back(*about_receiver);
    knows.push_back(about_receiver->instance);
  }
  std::vector<Member> more = rumors.take(kNewsRowsMax - rows.size(), limit, knows);
  rows.insert(rows.end(), std::make_move_iterator(more.begin()),
              std::make_move_iterator(more.end()));
  return rows;
}

}  // namespace

std::vector<Member> MemberNews::for_ping(Instance receiver) {
  const MemberEntry* held = table_.find(receiver);
  const bool accused =
      held != nullptr && receiver != table_.self() && held->member.state != MemberState::alive;
  return compose(accused ? &held->member : nullptr);
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
  return message(table_, rumors_, newer ? &held->member : nullptr, std::move(knows));
}

std::vector<Member> MemberNews::compose(const Member* about_receiver) {
  return message(table_, rumors_, about_receiver, {});
}

}  // namespace kvs
