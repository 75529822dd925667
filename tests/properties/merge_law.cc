// Merging is a join: the order, the grouping and the repetition of what arrives do not matter.
// Ties are excluded: until a ballot decides one, nodes may differ.
#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "core/merge.h"
#include "properties/generators.h"

namespace kvs {
namespace {

bool tied(const Version& a, const Version& b) {
  return merge(a, b) == MergeOutcome::tie;
}

/// What a node that held `mine` holds once `theirs` has arrived.
Version merged(const Version& mine, const Version& theirs) {
  return merge(mine, theirs) == MergeOutcome::take ? theirs : mine;
}

TEST(law_merge, Commutes) {
  EXPECT_TRUE(rc::check([] {
    const Version a = *versions();
    const Version b = *versions();
    RC_PRE(!tied(a, b));
    RC_ASSERT(merged(a, b) == merged(b, a));
  }));
}

TEST(law_merge, Associates) {
  EXPECT_TRUE(rc::check([] {
    const Version a = *versions();
    const Version b = *versions();
    const Version c = *versions();
    RC_PRE(!tied(a, b) && !tied(b, c) && !tied(a, c));
    RC_ASSERT(merged(merged(a, b), c) == merged(a, merged(b, c)));
  }));
}

TEST(law_merge, Repeats) {
  EXPECT_TRUE(rc::check([] {
    const Version a = *versions();
    const Version b = *versions();
    RC_ASSERT(merged(a, a) == a);
    RC_ASSERT(merged(merged(a, b), b) == merged(a, b));
  }));
}

TEST(law_merge, NeverGoesBack) {
  EXPECT_TRUE(rc::check([] {
    const Version a = *versions();
    const Version b = *versions();
    RC_ASSERT(merged(a, b) >= a);
    RC_ASSERT((tied(a, b) || merged(a, b) >= b));
  }));
}

TEST(law_merge, ATieIsOneFromBothSidesAndChangesNothing) {
  EXPECT_TRUE(rc::check([] {
    const Version a = *versions();
    const Version b = *versions();
    RC_ASSERT(tied(a, b) == tied(b, a));
    RC_ASSERT(!tied(a, a));
    RC_ASSERT((!tied(a, b) || merged(a, b) == a));
  }));
}

TEST(law_merge, AnyOrderOfArrivalGivesOneWinner) {
  EXPECT_TRUE(rc::check([] {
    auto arrivals = *rc::gen::resize(5, rc::gen::container<std::vector<Version>>(versions()));
    RC_PRE(!arrivals.empty());
    for (const Version& a : arrivals) {
      RC_PRE(std::ranges::none_of(arrivals, [&a](const Version& b) { return tied(a, b); }));
    }
    std::ranges::sort(arrivals);
    const Version winner = arrivals.back();
    do {
      Version held = arrivals.front();
      for (const Version& version : arrivals) {
        held = merged(held, version);
      }
      RC_ASSERT(held == winner);
    } while (std::ranges::next_permutation(arrivals).found);
  }));
}

}  // namespace
}  // namespace kvs
