#include "sim/measures.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace kvs {

namespace {

constexpr std::array kMeasures{
    Measure{.name = "spread", .about = "a write reaches all members", .run = measure_spread},
    Measure{.name = "loss", .about = "the same while messages get lost", .run = measure_loss},
    Measure{.name = "copies", .about = "copies that a member receives", .run = measure_copies},
    Measure{.name = "crash", .about = "a crash is noticed", .run = measure_crash},
    Measure{.name = "quiet", .about = "nothing else is taken for one", .run = measure_quiet},
    Measure{.name = "rest", .about = "traffic while nothing happens", .run = measure_rest},
    Measure{.name = "halves", .about = "halves that were split meet", .run = measure_halves},
    Measure{.name = "ties", .about = "conflicts after a split", .run = measure_ties},
    Measure{.name = "exchange", .about = "two nodes compare much", .run = measure_exchange},
    Measure{.name = "absence", .about = "who was away long returns", .run = measure_absence},
};

std::string_view to_string(Figure::Met met) {
  switch (met) {
    case Figure::Met::yes:
      return "yes";
    case Figure::Met::no:
      return "**no**";
    case Figure::Met::open:
      return "";
  }
  return "";
}

}  // namespace

std::span<const Measure> measures() {
  return kMeasures;
}

const Measure* find_measure(std::string_view name) {
  const auto it = std::ranges::find(kMeasures, name, &Measure::name);
  return it == kMeasures.end() ? nullptr : &*it;
}

std::string table_row(const Figure& figure) {
  return fmt::format("| {} | {} | {} | {} |", figure.what, figure.wanted, figure.measured,
                     to_string(figure.met));
}

}  // namespace kvs
