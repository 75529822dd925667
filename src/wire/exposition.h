// Writes samples in Prometheus' text format, family by family.
//
// A family begins with its HELP and TYPE lines; its samples follow. Labels are given as text,
// already escaped (see label()).
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/histogram.h"

namespace kvs {

/// How a Histogram is shown: its bucket i holds whole numbers below 2^i.
struct Scale {
  double units_in_one;      // 1e6 for microseconds shown as seconds
  double largest_below;     // the largest value below a power of two is so much smaller
  std::size_t last_bucket;  // all above goes into +Inf
};

// Times were cut to whole microseconds, so they reach up to the power of two; counts are exact.
inline constexpr Scale kMicros{
    .units_in_one = 1e6, .largest_below = 0, .last_bucket = 25};  // to 34 s
inline constexpr Scale kCount{
    .units_in_one = 1, .largest_below = 1, .last_bucket = 16};  // to 65535

/// Writes families of samples in the exposition format.
class Exposition {
 public:
  explicit Exposition(std::string& out) : out_(out) {}

  Exposition& counter(std::string_view name, std::string_view help) {
    return family(name, help, "counter");
  }

  Exposition& gauge(std::string_view name, std::string_view help) {
    return family(name, help, "gauge");
  }

  Exposition& histogram(std::string_view name, std::string_view help) {
    return family(name, help, "histogram");
  }

  /// One sample; `labels` as `name="value",…`, already escaped, or nothing.
  template <class Number>
  Exposition& value(Number number, std::string_view labels = {}) {
    return sample("", labels, number);
  }

  Exposition& value(const Histogram& values, const Scale& scale, std::string_view labels = {}) {
    const std::string_view comma = labels.empty() ? "" : ",";
    std::uint64_t below = 0;
    for (std::size_t i = 0; i <= scale.last_bucket; ++i) {
      below += values.counts[i];
      const double power = static_cast<double>(std::uint64_t{1} << i);
      const double bound = (power - scale.largest_below) / scale.units_in_one;
      sample("_bucket", fmt::format("{}{}le=\"{}\"", labels, comma, bound), below);
    }
    sample("_bucket", fmt::format("{}{}le=\"+Inf\"", labels, comma), values.total);
    sample("_sum", labels, static_cast<double>(values.sum) / scale.units_in_one);
    return sample("_count", labels, values.total);
  }

 private:
  Exposition& family(std::string_view name, std::string_view help, std::string_view type) {
    name_ = name;
    fmt::format_to(std::back_inserter(out_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
    return *this;
  }

  template <class Number>
  Exposition& sample(std::string_view suffix, std::string_view labels, Number number) {
    out_.append(name_).append(suffix);
    if (!labels.empty()) {
      fmt::format_to(std::back_inserter(out_), "{{{}}}", labels);
    }
    fmt::format_to(std::back_inserter(out_), " {}\n", number);
    return *this;
  }

  std::string& out_;
  std::string_view name_;
};

/// `name="value"`, the value escaped.
[[nodiscard]] inline std::string label(std::string_view name, std::string_view value) {
  std::string text = fmt::format("{}=\"", name);
  for (const char c : value) {
    if (c == '\\' || c == '"') {
      text.push_back('\\');
    }
    text.append(c == '\n' ? "\\n" : std::string_view(&c, 1));
  }
  text.push_back('"');
  return text;
}

}  // namespace kvs
