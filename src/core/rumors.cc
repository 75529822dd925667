#include "core/rumors.h"

#include <algorithm>

namespace kvs {

std::size_t retransmissions(std::size_t members) {
  std::size_t digits = 1;  // ceil(log10(members + 1))
  for (std::size_t power = 10; power < members + 1; power *= 10) {
    ++digits;
  }
  return digits == 1 ? 3 : 4 * digits;
}

void Rumors::add(const Member& row, Instance teller) {
  drop(row.instance);
  const Turn turn{0, next_order_--, row.instance};
  rows_.emplace(row.instance, Rumor{.turn = turn, .row = row, .teller = teller});
  turns_.insert(turn);
}

void Rumors::drop(Instance instance) {
  if (const auto it = rows_.find(instance); it != rows_.end()) {
    turns_.erase(it->second.turn);
    rows_.erase(it);
  }
}

void Rumors::keep_only(Instance instance) {
  std::erase_if(rows_, [&](const auto& item) { return item.first != instance; });
  std::erase_if(turns_, [&](const Turn& turn) { return std::get<2>(turn) != instance; });
}

bool Rumors::is_for(const Rumor& rumor, Instance listener) {
  return listener == Instance{} || (listener != rumor.teller && listener != rumor.row.instance);
}

bool Rumors::has_for(Instance listener) const {
  return std::ranges::any_of(rows_,
                             [&](const auto& item) { return is_for(item.second, listener); });
}

void Rumors::told(Instance instance, std::size_t limit) {
  const auto it = rows_.find(instance);
  if (it == rows_.end()) {
    return;
  }
  Turn& turn = it->second.turn;
  turns_.erase(turn);
  if (++std::get<0>(turn) >= limit) {
    rows_.erase(it);
    return;
  }
  turns_.insert(turn);
}

std::vector<Member> Rumors::take(std::size_t most, std::size_t limit, const Listener& listener) {
  std::vector<Member> taken;
  taken.reserve(std::min(most, rows_.size()));
  for (const Turn& turn : turns_) {
    if (taken.size() >= most) {
      break;
    }
    const Instance instance = std::get<2>(turn);
    const Rumor& rumor = rows_.at(instance);
    const bool known = std::ranges::find(listener.knows, instance) != listener.knows.end();
    if (!known && is_for(rumor, listener.instance)) {
      taken.push_back(rumor.row);
    }
  }
  for (const Member& row : taken) {
    told(row.instance, limit);
  }
  return taken;
}

}  // namespace kvs
