#include "app/human_text.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "base/utf8.h"

namespace kvs {

namespace {

/// True if the UTF-8 character at the front of `text`, `length` bytes long, is shown as it is.
bool is_harmless(std::string_view text, std::size_t length) {
  const auto byte = [text](std::size_t at) {
    return static_cast<unsigned char>(text[at]);
  };
  if (length == 1) {
    return (byte(0) >= 0x20 && byte(0) != 0x7F) || text[0] == '\n' || text[0] == '\t';
  }
  const bool is_c1 = length == 2 && byte(0) == 0xC2 && byte(1) < 0xA0;
  // U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069
  const bool turns = length == 3 && byte(0) == 0xE2 &&
                     ((byte(1) == 0x80 && (byte(2) == 0x8E || byte(2) == 0x8F ||
                                           (byte(2) >= 0xAA && byte(2) <= 0xAE))) ||
                      (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9));
  return length > 0 && !is_c1 && !turns;
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string text = fmt::format("{}", number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) {
    amount /= 1024;
  }
  return unit == 0 || amount >= 10 ? fmt::format("{:.0f} {}", amount, kUnits[unit])
                                   : fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string span_text(Duration span) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  const std::int64_t us = std::max<std::int64_t>(span.ns / 1000, 0);
  const std::int64_t seconds = us / 1'000'000;
  if (us < 1000) {
    return fmt::format("{} us", us);
  }
  if (seconds < 1) {
    return fmt::format("{:.1f} ms", static_cast<double>(us) / 1e3);
  }
  if (seconds < kMinute) {
    return fmt::format("{:.1f} s", static_cast<double>(us) / 1e6);
  }
  if (seconds < kHour) {
    return fmt::format("{} min {} s", seconds / kMinute, seconds % kMinute);
  }
  if (seconds < kDay) {
    return fmt::format("{} h {} min", seconds / kHour, seconds % kHour / kMinute);
  }
  return fmt::format("{} d {} h", seconds / kDay, seconds % kDay / kHour);
}

std::string time_text(std::int64_t unix_ms) {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(unix_ms)};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string harmless(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (is_harmless(text, length)) {
      out.append(text.substr(0, length));
    } else {
      out.append("\uFFFD");
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string on_one_line(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return out;
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace kvs
