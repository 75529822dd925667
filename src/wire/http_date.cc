#include "wire/http_date.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace kvs {

namespace {

struct Date {
  unsigned year;
  unsigned month;  // 1-12
  unsigned day;    // 1-31
};

/// The proleptic Gregorian date `days` after 1970-01-01. Years are counted from March, so that the
/// leap day is the last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013).
Date date_of(std::uint64_t days) {
  constexpr std::uint64_t kDaysFrom0000March = 719'468;
  constexpr std::uint64_t kDaysIn400Years = 146'097;
  const std::uint64_t shifted = days + kDaysFrom0000March;
  const std::uint64_t era = shifted / kDaysIn400Years;
  const std::uint64_t day_of_era = shifted % kDaysIn400Years;
  const std::uint64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint64_t march_month = (5 * day_of_year + 2) / 153;
  const std::uint64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  const std::uint64_t year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);
  return {.year = static_cast<unsigned>(year),
          .month = static_cast<unsigned>(month),
          .day = static_cast<unsigned>(day_of_year - (153 * march_month + 2) / 5 + 1)};
}

void put_two(char* at, std::uint64_t number) {
  at[0] = static_cast<char>('0' + number / 10);
  at[1] = static_cast<char>('0' + number % 10);
}

}  // namespace

void format_http_date(std::int64_t unix_ms, char (&text)[kHttpDateSize]) {
  constexpr std::string_view kDays = "ThuFriSatSunMonTueWed";  // 1970-01-01 was a Thursday
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999
  const auto seconds =
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(unix_ms / 1000, 0, kLastSecond));
  const std::uint64_t days = seconds / 86'400;
  const std::uint64_t second_of_day = seconds % 86'400;
  const Date date = date_of(days);
  std::memcpy(text, "Thu, 01 Jan 1970 00:00:00 GMT", kHttpDateSize);
  std::memcpy(text, &kDays[3 * (days % 7)], 3);
  put_two(text + 5, date.day);
  std::memcpy(text + 8, &kMonths[3 * (std::size_t{date.month} - 1)], 3);
  put_two(text + 12, date.year / 100);
  put_two(text + 14, date.year % 100);
  put_two(text + 17, second_of_day / 3600);
  put_two(text + 20, second_of_day / 60 % 60);
  put_two(text + 23, second_of_day % 60);
}

}  // namespace kvs
