// How far the clocks of a run may be from one another, by what struck them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>

namespace kvs {

class ClockSkew {
 public:
  /// Of so many machines.
  explicit ClockSkew(std::uint32_t machines) : machines_(machines) {}

  /// The clock of a machine is wrong from now on, by at most so much more.
  void struck(std::uint32_t machine, std::int64_t ahead_ms) {
    const std::int64_t off_ms = std::abs(ahead_ms);
    if (off_ms > kFarMs) {
      off_by_years_.insert(machine);
    } else {
      off_ms_[machine] += off_ms;
      most_ms_ = std::max(most_ms_, kLateMs + 2 * off_ms_[machine]);
    }
  }

  /// Between two clocks that are not off by years, and what timers are late.
  [[nodiscard]] std::int64_t most_ms() const { return most_ms_; }

  [[nodiscard]] bool off_by_years() const { return !off_by_years_.empty(); }

  /// True if that machine's idea of the time may be off by years.
  [[nodiscard]] bool lost_in_time(std::uint32_t machine) const {
    return off_by_years_.contains(machine) || 2 * off_by_years_.size() >= machines_;
  }

 private:
  /// More than any strike but that of a clock that is off by years.
  static constexpr std::int64_t kFarMs = 1'000'000;

  /// A timer that is not served at once, on a machine that is paused or has much to do.
  static constexpr std::int64_t kLateMs = 1000;

  std::uint32_t machines_;
  std::map<std::uint32_t, std::int64_t> off_ms_;  // strikes add up
  std::int64_t most_ms_ = kLateMs;
  std::set<std::uint32_t> off_by_years_;
};

}  // namespace kvs
