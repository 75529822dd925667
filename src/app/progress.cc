#include "app/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "app/human_text.h"

namespace kvs {

namespace {

constexpr Duration kInterval = Duration::from_ms(200);
constexpr Duration kSample = Duration::from_seconds(1);
constexpr double kWeight = 0.3;  // of the newest second in the rate

constexpr double kLongest = 1e9;  // seconds that are told

double seconds(Duration span) {
  return static_cast<double>(span.ns) / 1e9;
}

/// In whole seconds, since it is a guess.
std::string left_text(double left) {
  constexpr double kMinute = 60;
  return left < kMinute
             ? fmt::format("{:.0f} s", std::ceil(left))
             : span_text(Duration::from_seconds(static_cast<std::int64_t>(std::ceil(left))));
}

}  // namespace

double Progress::mean_rate(const DoneSoFar& done, Instant now) const {
  const double elapsed = seconds(now - begun_);
  return elapsed > 0 ? static_cast<double>(done.records) / elapsed : 0;
}

void Progress::sample(const DoneSoFar& done, Instant now) {
  const Duration span = now - sampled_;
  if (span < kSample) {
    return;
  }
  const double rate = static_cast<double>(done.records - records_then_) / seconds(span);
  rate_ = has_rate_ ? (1 - kWeight) * rate_ + kWeight * rate : rate;
  has_rate_ = true;
  sampled_ = now;
  records_then_ = done.records;
}

std::string Progress::line(const DoneSoFar& done, Instant now) {
  sample(done, now);
  const double rate = has_rate_ ? rate_ : mean_rate(done, now);
  std::string text = fmt::format("{} {}", grouped(done.records), noun_);
  if (done.bytes > 0) {
    text += ", " + bytes_text(done.bytes);
  }
  text += fmt::format(", {}/s", grouped(static_cast<std::uint64_t>(rate)));
  const double share = std::clamp(done.share.value_or(0), 0.0, 1.0);
  if (share > 0) {
    // What is left takes as long, at the rate of now, as what is done took at the mean one.
    const double mean = mean_rate(done, now);
    const double pace = rate > 0 && mean > 0 ? mean / rate : 1;
    const double left = seconds(now - begun_) * (1 - share) / share * pace;
    text += fmt::format(", {:.0f} %, {} left", share * 100, left_text(std::min(left, kLongest)));
  }
  return text;
}

ProgressLine::ProgressLine(std::string_view noun, Instant begun, Shown shown)
    : progress_(noun, begun),
      active_(shown == Shown::on_terminal && ::isatty(STDERR_FILENO) == 1),
      next_(begun + kInterval) {}

void ProgressLine::tell(const DoneSoFar& done, Instant now) {
  if (!active_ || now < next_) {
    return;
  }
  next_ = now + kInterval;
  fmt::print(stderr, "\r{}\033[K", progress_.line(done, now));
  std::fflush(stderr);
  on_screen_ = true;
}

void ProgressLine::clear() {
  if (on_screen_) {
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    on_screen_ = false;
  }
}

}  // namespace kvs
