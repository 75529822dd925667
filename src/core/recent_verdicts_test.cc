#include "core/recent_verdicts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvs {
namespace {

constexpr Now kNow{.instant = {}, .wall = WallTime{.ms = 5000}};

Uuid uuid_of(std::uint64_t number) {
  return {.high = 1, .low = number};
}

Ruling ruling_about(std::string path, std::size_t candidates = 2) {
  Ruling ruling;
  ruling.kind = Ruling::Kind::majority;
  ruling.winner.path = std::move(path);
  ruling.winner.record.header.version.uuid = uuid_of(0);
  ruling.winner.record.header.version.stamp = Stamp::from_ms(4000);
  for (std::size_t i = 0; i < candidates; ++i) {
    Ruling::Candidate& candidate = ruling.candidates.emplace_back();
    candidate.header.version.uuid = uuid_of(i);
    candidate.votes = static_cast<std::uint32_t>(candidates - i);
  }
  return ruling;
}

TEST(RecentVerdicts, NothingAtFirst) {
  EXPECT_TRUE(RecentVerdicts().all()->empty());
}

TEST(RecentVerdicts, TellWhatWasRuled) {
  RecentVerdicts verdicts;
  verdicts.note(kNow, {ruling_about("a")});
  ASSERT_EQ(verdicts.all()->size(), 1U);
  const SettledConflict& settled = verdicts.all()->front();
  EXPECT_EQ(settled.path, "a");
  EXPECT_EQ(settled.settled.ms, 5000);
  EXPECT_EQ(settled.stamp.ms(), 4000);
  EXPECT_EQ(settled.rule, Ruling::Kind::majority);
  EXPECT_EQ(settled.winner, uuid_of(0));
  ASSERT_EQ(settled.candidates.size(), 2U);
  EXPECT_EQ(settled.candidates[1].uuid, uuid_of(1));
  EXPECT_EQ(settled.candidates[1].votes, 1U);
}

TEST(RecentVerdicts, TheNewestComeFirstAndTheOldestGo) {
  RecentVerdicts verdicts;
  for (int i = 0; i < 130; i += 2) {
    verdicts.note(kNow,
                  {ruling_about(fmt::format("{}", i)), ruling_about(fmt::format("{}", i + 1))});
  }
  ASSERT_EQ(verdicts.all()->size(), RecentVerdicts::kKept);
  EXPECT_EQ(verdicts.all()->front().path, "129");
  EXPECT_EQ(verdicts.all()->back().path, "30");
}

TEST(RecentVerdicts, OfVeryManyAtOnceTheLastStay) {
  std::vector<Ruling> rulings;
  for (int i = 0; i < 250; ++i) {
    rulings.push_back(ruling_about(fmt::format("{}", i)));
  }
  RecentVerdicts verdicts;
  verdicts.note(kNow, rulings);
  ASSERT_EQ(verdicts.all()->size(), RecentVerdicts::kKept);
  EXPECT_EQ(verdicts.all()->front().path, "249");
  EXPECT_EQ(verdicts.all()->back().path, "150");
}

TEST(RecentVerdicts, WhatWasHandedOutStays) {
  RecentVerdicts verdicts;
  verdicts.note(kNow, {ruling_about("a")});
  const auto before = verdicts.all();
  verdicts.note(kNow, {});
  EXPECT_EQ(verdicts.all(), before);
  verdicts.note(kNow, {ruling_about("b")});
  EXPECT_EQ(before->size(), 1U);
  EXPECT_EQ(verdicts.all()->size(), 2U);
}

TEST(RecentVerdicts, VersionsAreBounded) {
  RecentVerdicts verdicts;
  verdicts.note(kNow, {ruling_about("a", 1000)});
  EXPECT_EQ(verdicts.all()->front().candidates.size(), RecentVerdicts::kVersionsKept);
}

}  // namespace
}  // namespace kvs
