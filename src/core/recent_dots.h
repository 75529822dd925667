// The last few thousand dots that were put in, in no order: for a question that is asked soon or
// never.
#pragma once

#include <cstddef>
#include <deque>
#include <set>

#include "base/ids.h"

namespace kvs {

class RecentDots {
 public:
  static constexpr std::size_t kMost = 4096;

  /// Forgets the oldest if there are too many.
  void add(Dot dot) {
    if (!dots_.insert(dot).second) {
      return;
    }
    order_.push_back(dot);
    if (order_.size() > kMost) {
      dots_.erase(order_.front());
      order_.pop_front();
    }
  }

  /// True if it was put in, lately and for the first time that this is asked.
  bool take(Dot dot) { return dots_.erase(dot) > 0; }

  [[nodiscard]] std::size_t size() const { return dots_.size(); }

 private:
  std::set<Dot> dots_;
  std::deque<Dot> order_;  // with those that were taken
};

}  // namespace kvs
