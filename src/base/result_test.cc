#include "base/result.h"

#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/check.h"
#include "base/time.h"

namespace kvs {
namespace {

Result<int> positive(int number) {
  if (number <= 0) {
    return fail(Errc::bad_request, "not positive");
  }
  return number;
}

Result<std::string> doubled(int number) {
  const int value = KVS_TRY(positive(number));
  return std::to_string(2 * value);
}

Result<void> check_both(int a, int b) {
  static_cast<void>(KVS_TRY(positive(a)));
  static_cast<void>(KVS_TRY(positive(b)));
  return {};
}

TEST(Result, TryGivesTheValueOrReturnsTheError) {
  EXPECT_EQ(doubled(4), "8");
  const auto failed = doubled(-1);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), (Error{.code = Errc::bad_request, .detail = "not positive"}));
  EXPECT_TRUE(check_both(1, 2));
  EXPECT_FALSE(check_both(1, 0));
  EXPECT_FALSE(check_both(0, 1));
}

Result<std::unique_ptr<int>> owned() {
  return std::make_unique<int>(5);
}

Result<int> moved_out() {
  const std::unique_ptr<int> number = KVS_TRY(owned());
  return *number;
}

TEST(Result, TryMovesWhatCannotBeCopied) {
  EXPECT_EQ(moved_out(), 5);
}

TEST(Errc, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Errc::address_unusable); ++code) {
    const std::string_view name = to_string(static_cast<Errc>(code));
    EXPECT_NE(name, "unknown") << code;
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos)
        << name;
  }
}

TEST(CheckDeathTest, AFailedCheckSaysWhereAndWhatAndEnds) {
  KVS_CHECK(true, "fine");
  EXPECT_DEATH(KVS_CHECK(1 == 2, "numbers"), "result_test.cc:.*1 == 2.*numbers");
}

TEST(Time, InstantsAndDurationsAdd) {
  const Instant start{1'000'000};
  EXPECT_EQ(start + Duration::from_ms(2), Instant{3'000'000});
  EXPECT_EQ(start - Duration::from_ms(1), Instant{0});
  EXPECT_EQ((Instant{5'500'000} - start).ms(), 4);
  EXPECT_EQ(Duration::from_seconds(2), Duration::from_ms(2000));
  EXPECT_EQ(Duration::from_ms(3) - Duration::from_ms(5), Duration::from_ms(-2));
  EXPECT_LT(start, Instant::never());
}

}  // namespace
}  // namespace kvs
