// Two clocks that no one can mix up: Instant (monotonic; deadlines) and WallTime (Unix time;
// stamps).
//
// Only io/os reads the machine's clocks. Everywhere else time is an argument.
#pragma once

#include <compare>
#include <cstdint>

namespace kvs {

/// A span of time in nanoseconds; may be negative.
struct Duration {
  std::int64_t ns = 0;

  static constexpr Duration from_ms(std::int64_t ms) { return {ms * 1'000'000}; }

  static constexpr Duration from_seconds(std::int64_t s) { return {s * 1'000'000'000}; }

  [[nodiscard]] constexpr std::int64_t ms() const { return ns / 1'000'000; }

  constexpr auto operator<=>(const Duration&) const = default;

  friend constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }

  friend constexpr Duration operator-(Duration a, Duration b) { return {a.ns - b.ns}; }
};

/// A point on this process's monotonic clock. Meaningless outside the process.
struct Instant {
  std::int64_t ns = 0;

  /// Later than every real instant: "no deadline".
  static constexpr Instant never() { return {INT64_MAX}; }

  constexpr auto operator<=>(const Instant&) const = default;

  friend constexpr Instant operator+(Instant t, Duration d) { return {t.ns + d.ns}; }

  friend constexpr Instant operator-(Instant t, Duration d) { return {t.ns - d.ns}; }

  friend constexpr Duration operator-(Instant a, Instant b) { return {a.ns - b.ns}; }
};

/// Unix time in milliseconds, as this machine believes it. May jump both ways.
struct WallTime {
  std::int64_t ms = 0;

  constexpr auto operator<=>(const WallTime&) const = default;
};

/// What time it is, on both clocks. The shell reads them once a batch.
struct Now {
  Instant instant;
  WallTime wall;
};

}  // namespace kvs
