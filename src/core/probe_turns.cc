#include "core/probe_turns.h"

#include <numeric>

#include "base/prng.h"

namespace kvs {

namespace {

/// Nobody's choice, and the same at all members.
std::int64_t phase_ms(Instance probed, Duration interval) {
  Prng of_member(static_cast<std::uint64_t>(probed));
  return of_member.between(0, interval.ms() - 1);
}

}  // namespace

std::uint64_t turn_shift(std::int64_t epoch, std::uint64_t members) {
  const std::uint64_t turns = members - 1;
  const auto number = static_cast<std::uint64_t>(epoch);
  // Each block of epochs goes through all shifts, in an order of its own: whoever takes only every
  // other turn meets everybody all the same.
  Prng of_block(number / turns);
  const std::uint64_t first = of_block.below(turns);
  std::uint64_t stride = 1 + of_block.below(turns);
  while (std::gcd(stride, turns) != 1) {
    stride = 1 + of_block.below(turns);
  }
  return 1 + (first + number % turns * stride) % turns;
}

WallTime turn_time(std::int64_t epoch, Instance probed, Duration interval) {
  return {epoch * interval.ms() + phase_ms(probed, interval)};
}

std::int64_t turn_epoch(WallTime now, Instance probed, Duration interval) {
  return (now.ms - phase_ms(probed, interval) + interval.ms() / 2) / interval.ms();
}

}  // namespace kvs
