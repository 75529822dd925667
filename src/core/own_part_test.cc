#include "core/own_part.h"

#include <vector>

#include <gtest/gtest.h>

namespace kvs {
namespace {

std::uint64_t count(const std::vector<DotRange>& ranges) {
  std::uint64_t dots = 0;
  for (const DotRange& range : ranges) {
    dots += range.last - range.first + 1;
  }
  return dots;
}

Knowledge all_of(const std::vector<DotRange>& ranges) {
  Knowledge all;
  for (const DotRange& range : ranges) {
    all.add(range);
  }
  return all;
}

std::vector<DotRange> own_part(const std::vector<DotRange>& missing, const Share& share) {
  return all_of(missing).minus(beyond_own_part(missing, share));
}

TEST(OwnPart, WhatIsFewIsNotCut) {
  const std::vector<DotRange> missing{{.origin = Origin{1}, .first = 3, .last = 2 + kPartDotsMin}};
  EXPECT_TRUE(beyond_own_part(missing, {.place = 1, .of = 5}).empty());
  EXPECT_TRUE(beyond_own_part({}, {.place = 0, .of = 1}).empty());
}

TEST(OwnPart, ThePartsOfAllMembersAreAll) {
  const std::vector<DotRange> missing{{.origin = Origin{1}, .first = 11, .last = 30'010},
                                      {.origin = Origin{1}, .first = 40'001, .last = 40'001},
                                      {.origin = Origin{2}, .first = 1, .last = 20'003}};
  Knowledge parts;
  std::uint64_t dots = 0;
  for (std::uint64_t place = 0; place < 5; ++place) {
    const std::vector<DotRange> part = own_part(missing, {.place = place, .of = 5});
    dots += count(part);
    parts.join(all_of(part));
  }
  // Of 50,004 dots each takes a fifth; the last one begins at four fifths and ends with the last.
  EXPECT_EQ(dots, 5U * 10'000);
  EXPECT_LE(count(all_of(missing).minus(parts)), 4U);
  EXPECT_TRUE(all_of(missing).covers(parts));
}

TEST(OwnPart, APartIsNeitherVerySmallNorVeryLarge) {
  const std::vector<DotRange> some{{.origin = Origin{1}, .first = 1, .last = 10'000}};
  for (std::uint64_t place = 0; place < 100; ++place) {
    EXPECT_EQ(count(own_part(some, {.place = place, .of = 100})), kPartDotsMin) << place;
  }
  const std::vector<DotRange> many{{.origin = Origin{1}, .first = 1, .last = 1'000'000}};
  EXPECT_EQ(count(own_part(many, {.place = 1, .of = 2})), kPartDotsMax);
  EXPECT_EQ(own_part(many, {.place = 1, .of = 2}).front().first, 500'001U);
}

/// A peer may tell anything.
TEST(OwnPart, WhatNobodyCanHaveWrittenIsNotCut) {
  const std::vector<DotRange> absurd{{.origin = Origin{1}, .first = 1, .last = ~std::uint64_t{}},
                                     {.origin = Origin{2}, .first = 1, .last = ~std::uint64_t{}}};
  EXPECT_TRUE(beyond_own_part(absurd, {.place = 1, .of = 3}).empty());
  EXPECT_TRUE(beyond_own_part(std::span(absurd).first(1), {.place = 1, .of = 3}).empty());
}

TEST(OwnPart, AMembersShareIsItsPlaceAmongThoseThatMayAnswer) {
  View view{.members = {{.instance = Instance{1}, .state = MemberState::failed},
                        {.instance = Instance{2}},
                        {.instance = Instance{3}},
                        {.instance = Instance{4}, .state = MemberState::suspect}},
            .self = Instance{3}};
  EXPECT_EQ(own_share(view).place, 1U);
  EXPECT_EQ(own_share(view).of, 3U);
  view.self = Instance{2};
  EXPECT_EQ(own_share(view).place, 0U);
}

}  // namespace
}  // namespace kvs
