// The only randomness outside io/os: a seeded generator, handed to whoever needs it by constructor.
//
// xoshiro256** 1.0 (Blackman, Vigna 2018, prng.di.unimi.it), seeded by SplitMix64. Not for secrets.
#pragma once

#include <array>
#include <cstdint>

namespace kvs {

class Prng {
 public:
  explicit Prng(std::uint64_t seed);

  /// 64 uniform bits.
  std::uint64_t next();

  /// Uniform in [0, bound); bound must not be 0.
  std::uint64_t below(std::uint64_t bound);

  /// Uniform in [low, high], both included.
  std::int64_t between(std::int64_t low, std::int64_t high);

  /// True in `numerator` of `denominator` cases.
  bool chance(std::uint64_t numerator, std::uint64_t denominator);

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace kvs
