// How far long work has come: a line on standard error while it runs, if that is a terminal.
//
// The line tells what is done, the rate of the last seconds and, where the whole is known, the time
// that is left. Progress is pure: time is an argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace kvs {

/// What has been done at a moment.
struct DoneSoFar {
  std::uint64_t records = 0;    // or what else is counted
  std::uint64_t bytes = 0;      // 0: not shown
  std::optional<double> share;  // of the whole, 0 to 1
};

class Progress {
 public:
  /// `noun` is what is counted: "records".
  Progress(std::string_view noun, Instant begun) : noun_(noun), begun_(begun), sampled_(begun) {}

  /// "12,345 records, 3.4 MiB, 5,000/s, 40 %, 12.0 s left"
  [[nodiscard]] std::string line(const DoneSoFar& done, Instant now);

  /// Records each second since the beginning.
  [[nodiscard]] double mean_rate(const DoneSoFar& done, Instant now) const;

 private:
  void sample(const DoneSoFar& done, Instant now);

  std::string noun_;
  Instant begun_;
  Instant sampled_;
  std::uint64_t records_then_ = 0;
  double rate_ = 0;  // smoothed
  bool has_rate_ = false;
};

/// Shows a Progress.
class ProgressLine {
 public:
  enum class Shown : std::uint8_t { on_terminal, never };

  ProgressLine(std::string_view noun, Instant begun, Shown shown);

  /// Replaces the line, five times a second at most.
  void tell(const DoneSoFar& done, Instant now);

  /// Takes the line away, before something else is printed.
  void clear();

 private:
  Progress progress_;
  bool active_;
  bool on_screen_ = false;
  Instant next_;
};

}  // namespace kvs
