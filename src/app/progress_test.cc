#include "app/progress.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

Instant at(double seconds) {
  return {static_cast<std::int64_t>(seconds * 1e9)};
}

TEST(Progress, WithoutAWholeThereIsNoTimeLeft) {
  Progress progress("records", at(0));
  EXPECT_EQ(progress.line({.records = 0}, at(0)), "0 records, 0/s");
  EXPECT_EQ(progress.line({.records = 5000, .bytes = 2048}, at(0.5)),
            "5,000 records, 2.0 KiB, 10,000/s");
}

TEST(Progress, AtAnEvenPaceTheRestTakesItsShare) {
  Progress progress("records", at(0));
  EXPECT_EQ(progress.line({.records = 1000, .share = 0.25}, at(10)),
            "1,000 records, 100/s, 25 %, 30 s left");
  EXPECT_EQ(progress.line({.records = 2000, .share = 0.5}, at(20)),
            "2,000 records, 100/s, 50 %, 20 s left");
  EXPECT_EQ(progress.line({.records = 4000, .share = 1}, at(40)),
            "4,000 records, 100/s, 100 %, 0 s left");
}

TEST(Progress, TheTimeLeftFollowsTheRateOfLate) {
  Progress progress("records", at(0));
  // 100 records a second for 10 s, then 50 for a minute: the rest, half, takes as long as 1000
  // records at the rate of now.
  (void)progress.line({.records = 1000, .share = 0.125}, at(10));
  std::string line;
  for (int second = 1; second <= 60; ++second) {
    const auto records = static_cast<std::uint64_t>(1000 + 50 * second);
    line = progress.line({.records = records, .share = static_cast<double>(records) / 8000},
                         at(10 + second));
  }
  EXPECT_EQ(line, "4,000 records, 50/s, 50 %, 1 min 20 s left");
}

TEST(Progress, ASmoothedRateDoesNotJump) {
  Progress progress("requests", at(0));
  (void)progress.line({.records = 100}, at(1));
  EXPECT_EQ(progress.line({.records = 300}, at(2)), "300 requests, 130/s");
  EXPECT_EQ(progress.line({.records = 300}, at(2.5)), "300 requests, 130/s");
}

TEST(Progress, WhatStandsStillHasNoEnd) {
  Progress progress("records", at(0));
  (void)progress.line({.records = 1, .share = 0.001}, at(1));
  for (int second = 2; second < 200; ++second) {
    (void)progress.line({.records = 1, .share = 0.001}, at(second));
  }
  const std::string line = progress.line({.records = 1, .share = 0.001}, at(200));
  EXPECT_NE(line.find(" d "), std::string::npos) << line;
}

}  // namespace
}  // namespace kvs
