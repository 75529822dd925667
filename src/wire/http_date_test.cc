#include "wire/http_date.h"

#include <ctime>
#include <string>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace kvs {
namespace {

std::string date_of(std::int64_t unix_ms) {
  char text[kHttpDateSize];
  format_http_date(unix_ms, text);
  return {text, sizeof text};
}

TEST(HttpDate, KnownAnswers) {
  EXPECT_EQ(date_of(784'111'777'000), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date_of(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date_of(951'782'399'999), "Mon, 28 Feb 2000 23:59:59 GMT");
  EXPECT_EQ(date_of(951'782'400'000), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(date_of(4'107'542'399'000), "Sun, 28 Feb 2100 23:59:59 GMT");
  EXPECT_EQ(date_of(4'107'542'400'000), "Mon, 01 Mar 2100 00:00:00 GMT") << "no leap year";
}

TEST(HttpDate, DatesOutsideMoveToTheEnds) {
  EXPECT_EQ(date_of(-1), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date_of(INT64_MIN), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date_of(253'402'300'799'999), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(date_of(253'402'300'800'000), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(date_of(INT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(HttpDate, AgreesWithTheCLibrary) {
  Prng prng(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto seconds = static_cast<std::time_t>(prng.below(253'402'300'800));
    std::tm fields{};
    ASSERT_NE(::gmtime_r(&seconds, &fields), nullptr);
    char text[64];
    const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &fields);
    ASSERT_EQ(date_of(std::int64_t{seconds} * 1000 + 999), std::string(text, size));
  }
}

}  // namespace
}  // namespace kvs
