// The member table is a semilattice: what it holds depends on the rows told, not on their order or
// how often they were told.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/member_table.h"
#include "properties/generators.h"

namespace kvs {
namespace {

Member bare(std::uint64_t instance) {
  Member row;
  row.instance = Instance{instance};
  row.node_id = "n";
  row.address = "10.0.0.1:1";
  row.incarnation = 1;
  return row;
}

/// Rows of a few members other than 100; small numbers, so that equal ones meet.
rc::Gen<Member> member_rows() {
  return rc::gen::map(rc::gen::tuple(below(4), below(3), below(4), below(3), below(3)),
                      [](const auto& parts) {
                        const auto& [instance, incarnation, state, run, seq] = parts;
                        Member row = bare(1 + instance);
                        row.incarnation = 1 + incarnation;
                        row.state = static_cast<MemberState>(state);
                        row.run = run;
                        row.started_ms = static_cast<std::int64_t>(2 - run);
                        row.digest.seq = seq;
                        return row;
                      });
}

rc::Gen<std::vector<Member>> row_lists() {
  return rc::gen::container<std::vector<Member>>(member_rows());
}

/// What a table holds of all others, without what takes no part in the order.
std::vector<Member> held(const MemberTable& table) {
  std::vector<Member> rows;
  for (const MemberEntry& entry : table.entries()) {
    rows.push_back(entry.member);
    rows.back().digest = {};
  }
  return rows;
}

MemberTable table_of(const std::vector<Member>& rows) {
  MemberTable table(bare(100), Instant{});
  for (const Member& row : rows) {
    static_cast<void>(table.merge(row, Instant{}));
  }
  return table;
}

TEST(law_member_table, TheOrderOfNewsDoesNotMatter) {
  EXPECT_TRUE(rc::check([] {
    const auto rows = *row_lists();
    std::vector<Member> shuffled = rows;
    const auto turns = *rc::gen::container<std::vector<std::uint64_t>>(rows.size(), below(1000));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::swap(shuffled[i], shuffled[turns[i] % rows.size()]);
    }
    RC_ASSERT(held(table_of(rows)) == held(table_of(shuffled)));
    RC_ASSERT(table_of(rows).bucket_hashes() == table_of(shuffled).bucket_hashes());
    RC_ASSERT(table_of(rows).live_count() == table_of(shuffled).live_count());
  }));
}

TEST(law_member_table, RepeatedNewsChangeNothing) {
  EXPECT_TRUE(rc::check([] {
    const auto rows = *row_lists();
    MemberTable table = table_of(rows);
    const auto before = held(table);
    for (const Member& row : rows) {
      const MemberTable::Merged merged = table.merge(row, Instant{});
      RC_ASSERT((merged == MemberTable::Merged::known || merged == MemberTable::Merged::fresher));
    }
    RC_ASSERT(held(table) == before);
  }));
}

TEST(law_member_table, TwoTablesThatTellOneAnotherAllBecomeOne) {
  EXPECT_TRUE(rc::check([] {
    MemberTable mine = table_of(*row_lists());
    MemberTable theirs = table_of(*row_lists());
    const auto told_by_me = held(mine);
    for (const Member& row : held(theirs)) {
      static_cast<void>(mine.merge(row, Instant{}));
    }
    for (const Member& row : told_by_me) {
      static_cast<void>(theirs.merge(row, Instant{}));
    }
    RC_ASSERT(held(mine) == held(theirs));
  }));
}

TEST(law_member_table, ARowIsHeldOrOutranked) {
  EXPECT_TRUE(rc::check([] {
    const auto rows = *row_lists();
    const MemberTable table = table_of(rows);
    for (const Member& row : rows) {
      const MemberEntry* entry = table.find(row.instance);
      RC_ASSERT(entry != nullptr);
      RC_ASSERT(!overrides(row, entry->member));
    }
  }));
}

TEST(law_member_table, OfTwoRowsOneOverridesUnlessTheyAreEqual) {
  EXPECT_TRUE(rc::check([] {
    Member a = *member_rows();
    Member b = *member_rows();
    b.instance = a.instance;
    a.digest = b.digest = {};
    RC_ASSERT((overrides(a, b) || overrides(b, a)) == !(a == b));
    RC_ASSERT(!(overrides(a, b) && overrides(b, a)));
  }));
}

TEST(law_member_table, TheCountsAreThoseOfTheRows) {
  EXPECT_TRUE(rc::check([] {
    const MemberTable table = table_of(*row_lists());
    std::size_t listed = 0;
    std::size_t live = 0;
    for (const MemberEntry& entry : table.entries()) {
      listed += entry.listed ? 1U : 0U;
      live += entry.listed && entry.member.state <= MemberState::suspect ? 1U : 0U;
    }
    RC_ASSERT(table.listed_count() == listed);
    RC_ASSERT(table.live_count() == live);
    RC_ASSERT(table.listed_rows().size() == listed);
  }));
}

TEST(law_member_table, TheHashesAreThoseOfTheListedRows) {
  EXPECT_TRUE(rc::check([] {
    const MemberTable table = table_of(*row_lists());
    MemberTable anew(table.own(), Instant{});
    for (const Member& row : table.listed_rows()) {
      static_cast<void>(anew.merge(row, Instant{}));
    }
    RC_ASSERT(table.bucket_hashes() == anew.bucket_hashes());
  }));
}

}  // namespace
}  // namespace kvs
