#include "core/member_news.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "support/member_row.h"

namespace kvs {
namespace {

class MemberNewsTest : public testing::Test {
 protected:
  MemberNewsTest() {
    for (std::uint64_t i = 2; i <= 5; ++i) {
      static_cast<void>(table.merge(member_row(i), Instant{}));
    }
  }

  void hear(const Member& news_row) {
    static_cast<void>(table.merge(news_row, Instant{}));
    news.rumors().add(news_row, Instance{});
  }

  /// How often the row of 3 is told in answers to 2, which tells `told` each time.
  int answers_that_tell_of_3(const std::vector<Member>& told) {
    int count = 0;
    for (int i = 0; i < 20; ++i) {
      const std::vector<Member> rows = news.for_answer(told, Instance{2});
      count += std::ranges::count(rows, Instance{3}, &Member::instance) > 0 ? 1 : 0;
    }
    return count;
  }

  MemberTable table{member_row(1), Instant{}};
  MemberNews news{table};
};

TEST_F(MemberNewsTest, WhatAPingToldIsNotToldBack) {
  const Member suspect = member_row(3, 1, MemberState::suspect);
  hear(suspect);
  EXPECT_EQ(answers_that_tell_of_3({member_row(2), suspect}), 0);
  EXPECT_EQ(answers_that_tell_of_3({member_row(2)}), static_cast<int>(retransmissions(5)))
      << "none of the tellings was lost";
}

TEST_F(MemberNewsTest, WhatIsNewerThanThePingToldIsTold) {
  hear(member_row(3, 1, MemberState::suspect));
  EXPECT_GT(answers_that_tell_of_3({member_row(2), member_row(3)}), 0);
}

TEST_F(MemberNewsTest, AnotherAccuserIsTold) {
  Member suspect = member_row(3, 1, MemberState::suspect);
  suspect.accuser = Instance{4};
  hear(suspect);
  suspect.accuser = Instance{5};
  EXPECT_GT(answers_that_tell_of_3({member_row(2), suspect}), 0);
}

}  // namespace
}  // namespace kvs
