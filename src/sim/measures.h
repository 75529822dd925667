// What the design promises of the cluster in figures, measured on simulated clusters: each measure
// prints lines of what, wanted, measured and met (docs/performance.md holds the last ones).
//
// Time is virtual, so a run of one seed gives the same figures on every machine; load does not
// disturb them. Measured is the production core, with the byte counts of the real codec.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"

namespace kvs {

/// One line of the table.
struct Figure {
  enum class Met : std::uint8_t {
    yes,
    no,
    open,  // no goal was set for it
  };

  std::string what;
  std::string wanted;
  std::string measured;
  Met met = Met::open;
};

/// How much to measure.
struct MeasureSize {
  std::optional<std::uint32_t> nodes;  // nothing: the numbers that the design names
  bool quick = false;                  // few repetitions of what is cheap
};

using TakeFigure = std::function<void(const Figure&)>;

struct Measure {
  std::string_view name;  // on the command line
  std::string_view about;
  void (*run)(const MeasureSize& size, const TakeFigure& take);
};

[[nodiscard]] std::span<const Measure> measures();

/// The measure of that name; nullptr if there is none.
[[nodiscard]] const Measure* find_measure(std::string_view name);

/// One line of a Markdown table.
[[nodiscard]] std::string table_row(const Figure& figure);

// The measures, by the file that holds them.

// measures_spread.cc
void measure_spread(const MeasureSize& size, const TakeFigure& take);
void measure_loss(const MeasureSize& size, const TakeFigure& take);

// measures_copies.cc
void measure_copies(const MeasureSize& size, const TakeFigure& take);

// measures_members.cc
void measure_crash(const MeasureSize& size, const TakeFigure& take);
void measure_quiet(const MeasureSize& size, const TakeFigure& take);
void measure_rest(const MeasureSize& size, const TakeFigure& take);

// measures_halves.cc
void measure_halves(const MeasureSize& size, const TakeFigure& take);
void measure_ties(const MeasureSize& size, const TakeFigure& take);

// measures_exchange.cc
void measure_exchange(const MeasureSize& size, const TakeFigure& take);

// measures_absence.cc
void measure_absence(const MeasureSize& size, const TakeFigure& take);

}  // namespace kvs
