#include "core/member_table.h"

#include <functional>

#include <gtest/gtest.h>

namespace kvs {
namespace {

using Merged = MemberTable::Merged;
using enum MemberState;

constexpr Instant kStart{1'000};

Member row(std::uint64_t instance, std::uint64_t incarnation, MemberState state = alive) {
  Member member;
  member.instance = Instance{instance};
  member.node_id = "node";
  member.address = "10.0.0.1:8080";
  member.run = 5;
  member.incarnation = incarnation;
  member.state = state;
  return member;
}

Member with_digest(Member member, std::uint64_t seq) {
  member.digest.seq = seq;
  return member;
}

TEST(MemberRow, OfOneIncarnationTheWorseNewsOverride) {
  EXPECT_TRUE(overrides(row(1, 3, suspect), row(1, 3, alive)));
  EXPECT_TRUE(overrides(row(1, 3, failed), row(1, 3, suspect)));
  EXPECT_TRUE(overrides(row(1, 3, left), row(1, 3, failed)));
  EXPECT_FALSE(overrides(row(1, 3, alive), row(1, 3, suspect)));
  EXPECT_FALSE(overrides(row(1, 3, alive), row(1, 3, alive)));
}

TEST(MemberRow, ALaterIncarnationOverridesEverything) {
  EXPECT_TRUE(overrides(row(1, 4, alive), row(1, 3, left)));
  EXPECT_FALSE(overrides(row(1, 3, left), row(1, 4, alive)));
}

TEST(MemberRow, DigestModeAndAccuserDoNotCount) {
  Member other = with_digest(row(1, 3, suspect), 9);
  other.mode = Mode::syncing;
  other.accuser = Instance{7};
  EXPECT_FALSE(overrides(other, row(1, 3, suspect)));
  EXPECT_FALSE(overrides(row(1, 3, suspect), other));
}

TEST(MemberRow, APlausibleRowIsWithinAllBounds) {
  struct Case {
    const char* what;
    std::function<void(Member&)> change;
    bool plausible;
  };

  const std::vector<Case> cases{
      {"as it is", [](Member&) {}, true},
      {"no instance", [](Member& m) { m.instance = {}; }, false},
      {"no id", [](Member& m) { m.node_id = ""; }, false},
      {"longest id", [](Member& m) { m.node_id = std::string(255, 'x'); }, true},
      {"id too long", [](Member& m) { m.node_id = std::string(256, 'x'); }, false},
      {"id is no text", [](Member& m) { m.node_id = "\xff"; }, false},
      {"no address", [](Member& m) { m.address = ""; }, false},
      {"address without port", [](Member& m) { m.address = "10.0.0.1"; }, false},
      {"long address", [](Member& m) { m.address = std::string(400, 'a') + ":1"; }, false},
      {"incarnation 0", [](Member& m) { m.incarnation = 0; }, false},
      {"last incarnation", [](Member& m) { m.incarnation = kIncarnationMax; }, true},
      {"beyond it", [](Member& m) { m.incarnation = kIncarnationMax + 1; }, false},
      {"accusation that can be refuted",
       [](Member& m) {
         m.incarnation = kIncarnationMax - 1;
         m.state = suspect;
       },
       true},
      {"accusation that nothing can refute",
       [](Member& m) {
         m.incarnation = kIncarnationMax;
         m.state = suspect;
       },
       false},
      {"no state", [](Member& m) { m.state = MemberState{4}; }, false},
      {"no mode", [](Member& m) { m.mode = Mode{9}; }, false},
      {"joined before time began", [](Member& m) { m.joined_ms = -1; }, false},
      {"started before time began", [](Member& m) { m.started_ms = -1; }, false},
      {"no protocol", [](Member& m) { m.protocol = 0; }, false},
  };
  for (const Case& c : cases) {
    Member member = row(1, 1);
    c.change(member);
    EXPECT_EQ(is_plausible(member), c.plausible) << c.what;
  }
}

TEST(MemberTable, HoldsItsOwnRowFromTheStart) {
  const MemberTable table(row(1, 1), kStart);
  EXPECT_EQ(table.own(), row(1, 1));
  EXPECT_EQ(table.listed_count(), 1U);
  EXPECT_EQ(table.live_count(), 1U);
  EXPECT_EQ(table.find(Instance{2}), nullptr);
}

TEST(MemberTable, TellsWhatARowChanged) {
  MemberTable table(row(1, 1), kStart);
  EXPECT_EQ(table.merge(row(2, 3), kStart), Merged::added);
  EXPECT_EQ(table.merge(row(2, 3), kStart), Merged::known);
  EXPECT_EQ(table.merge(row(2, 2, failed), kStart), Merged::known);
  EXPECT_EQ(table.merge(row(2, 3, suspect), kStart), Merged::changed);
  EXPECT_EQ(table.live_count(), 2U);
  EXPECT_EQ(table.merge(row(2, 3, failed), kStart), Merged::changed);
  EXPECT_EQ(table.live_count(), 1U);
  EXPECT_EQ(table.listed_count(), 2U);
  EXPECT_EQ(table.merge(row(2, 4), kStart), Merged::changed);
  EXPECT_EQ(table.live_count(), 2U);
}

TEST(MemberTable, WhoLeftIsHiddenButNotForgotten) {
  MemberTable table(row(1, 1), kStart);
  static_cast<void>(table.merge(row(2, 3), kStart));
  EXPECT_EQ(table.merge(row(2, 3, left), kStart), Merged::hidden);
  EXPECT_EQ(table.listed_count(), 1U);
  EXPECT_EQ(table.hidden_count(), 1U);
  EXPECT_EQ(table.live_count(), 1U);
  EXPECT_EQ(table.merge(row(2, 3), kStart), Merged::known);
  EXPECT_EQ(table.merge(row(2, 4), kStart), Merged::added);
  EXPECT_EQ(table.hidden_count(), 0U);
  EXPECT_EQ(table.live_count(), 2U);
}

TEST(MemberTable, NewsOfALeaverThatNobodyKnewAreKeptHidden) {
  MemberTable table(row(1, 1), kStart);
  EXPECT_EQ(table.merge(row(2, 3, left), kStart), Merged::hidden);
  EXPECT_EQ(table.merge(row(2, 3, suspect), kStart), Merged::known);
  EXPECT_EQ(table.listed_count(), 1U);
}

TEST(MemberTable, AHiddenFailedMemberStaysHiddenUntilThereIsNewsOfIt) {
  MemberTable table(row(1, 1), kStart);
  static_cast<void>(table.merge(row(2, 3, failed), kStart));
  table.hide(Instance{2}, kStart);
  EXPECT_EQ(table.merge(row(2, 3, failed), kStart), Merged::known);
  EXPECT_EQ(table.merge(row(2, 3, suspect), kStart), Merged::known);
  EXPECT_EQ(table.merge(row(2, 3, left), kStart), Merged::hidden);
  EXPECT_EQ(table.hidden_count(), 1U);
  EXPECT_EQ(table.merge(row(2, 4, failed), kStart), Merged::added) << "it had lived meanwhile";
  EXPECT_EQ(table.hidden_count(), 0U);
}

TEST(MemberTable, BeyondABoundTheLongestHiddenIsForgotten) {
  MemberTable table(row(1, 1), kStart);
  for (std::uint64_t i = 0; i <= kHiddenMembersMax; ++i) {
    const Instant now = kStart + Duration{static_cast<std::int64_t>(i)};
    static_cast<void>(table.merge(row(5000 - i, 3, left), now));
  }
  EXPECT_EQ(table.hidden_count(), kHiddenMembersMax);
  EXPECT_EQ(table.find(Instance{5000}), nullptr);
  EXPECT_NE(table.find(Instance{4999}), nullptr);
}

TEST(MemberTable, ItTakesNoMoreMembersThanItsBound) {
  MemberTable table(row(1, 1), kStart);
  for (std::uint64_t i = 2; i <= kMembersMax; ++i) {
    ASSERT_EQ(table.merge(row(i, 1), kStart), Merged::added);
  }
  EXPECT_EQ(table.merge(row(20'000, 1), kStart), Merged::refused);
  EXPECT_EQ(table.merge(row(2, 2), kStart), Merged::changed) << "known members go on";
}

TEST(MemberTable, TheFresherDigestOfOneRunStays) {
  MemberTable table(row(1, 1), kStart);
  static_cast<void>(table.merge(with_digest(row(2, 3), 7), kStart));
  EXPECT_EQ(table.merge(with_digest(row(2, 3), 6), kStart), Merged::known);
  EXPECT_EQ(table.merge(with_digest(row(2, 3), 8), kStart), Merged::fresher);
  EXPECT_EQ(table.merge(with_digest(row(2, 3, suspect), 5), kStart), Merged::changed);
  EXPECT_EQ(table.find(Instance{2})->member.digest.seq, 8U);
  Member restarted = with_digest(row(2, 4), 1);
  restarted.run = 6;
  EXPECT_EQ(table.merge(restarted, kStart), Merged::changed);
  EXPECT_EQ(table.find(Instance{2})->member.digest.seq, 1U) << "another run counts anew";
}

TEST(MemberTable, WhatAMemberSaysOfItselfHoldsEvenIfItIsLess) {
  MemberTable table(row(1, 1), kStart);
  static_cast<void>(table.merge(with_digest(row(2, 3), 7), kStart));
  EXPECT_TRUE(table.spoken(with_digest(row(2, 3), 2)));
  EXPECT_FALSE(table.spoken(with_digest(row(2, 3), 2)));
  EXPECT_EQ(table.find(Instance{2})->member.digest.seq, 2U);
  Member other_run = with_digest(row(2, 3), 9);
  other_run.run = 6;
  EXPECT_FALSE(table.spoken(other_run));
  EXPECT_FALSE(table.spoken(row(3, 1)));
}

TEST(MemberTable, TheOwnRowCanBecomeAnotherInstance) {
  MemberTable table(row(1, 1), kStart);
  static_cast<void>(table.merge(row(2, 3, left), kStart));
  table.set_own(row(2, 1), kStart);
  EXPECT_EQ(table.self(), Instance{2});
  EXPECT_EQ(table.find(Instance{1}), nullptr);
  EXPECT_EQ(table.hidden_count(), 0U);
  EXPECT_EQ(table.live_count(), 1U);
  table.set_own(row(2, 1, left), kStart);
  EXPECT_EQ(table.live_count(), 0U);
  EXPECT_EQ(table.listed_count(), 1U);
}

TEST(MemberTable, EqualTablesHashEqualWhateverIsHidden) {
  MemberTable here(row(1, 1), kStart);
  MemberTable there(row(2, 3), kStart);
  static_cast<void>(here.merge(with_digest(row(2, 3), 9), kStart));
  static_cast<void>(there.merge(row(1, 1), kStart));
  static_cast<void>(there.merge(row(3, 1, left), kStart));
  EXPECT_EQ(here.bucket_hashes(), there.bucket_hashes());
  static_cast<void>(here.merge(row(2, 3, suspect), kStart));
  const BucketHashes mine = here.bucket_hashes();
  const BucketHashes theirs = there.bucket_hashes();
  for (std::size_t bucket = 0; bucket < kMemberBuckets; ++bucket) {
    EXPECT_EQ(mine[bucket] != theirs[bucket], bucket == bucket_of(Instance{2}));
  }
}

TEST(MemberTable, ListsItsOwnRowFirst) {
  MemberTable table(row(5, 1), kStart);
  static_cast<void>(table.merge(row(2, 3), kStart));
  static_cast<void>(table.merge(row(3, 3, left), kStart));
  const std::vector<Member> rows = table.listed_rows();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].instance, Instance{5});
  EXPECT_EQ(rows[1].instance, Instance{2});
}

TEST(MemberTable, ContradictsOldNewsOnly) {
  MemberTable table(row(1, 1), kStart);
  static_cast<void>(table.merge(row(2, 3, left), kStart));
  static_cast<void>(table.merge(row(3, 3), kStart));
  const std::vector<Member> told{row(2, 3), row(3, 3), row(3, 4), row(4, 1), row(3, 2)};
  const std::vector<Member> newer = table.contradictions(told);
  ASSERT_EQ(newer.size(), 2U);
  EXPECT_EQ(newer[0].state, left);
  EXPECT_EQ(newer[1], row(3, 3));
}

}  // namespace
}  // namespace kvs
