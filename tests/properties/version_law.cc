// The order of versions is strict and total (docs/consistency.md).
#include <compare>

#include <gtest/gtest.h>

#include "core/record.h"
#include "properties/generators.h"

namespace kvs {
namespace {

TEST(law_version, Trichotomy) {
  EXPECT_TRUE(rc::check([] {
    const Version a = *versions();
    const Version b = *versions();
    RC_ASSERT((a < b) + (b < a) + (a == b) == 1);
    RC_ASSERT(((a <=> b) == std::strong_ordering::equal) == (a == b));
  }));
}

TEST(law_version, Transitivity) {
  EXPECT_TRUE(rc::check([] {
    const Version a = *versions();
    const Version b = *versions();
    const Version c = *versions();
    RC_ASSERT((!(a < b && b < c) || a < c));
    RC_ASSERT((!(a <= b && b <= c) || a <= c));
  }));
}

TEST(law_version, ALaterStampBeatsEverything) {
  EXPECT_TRUE(rc::check([] {
    const Version a = *versions();
    Version b = *versions();
    b.stamp.bits = a.stamp.bits + 1 + *below(3);
    RC_ASSERT(a < b);
  }));
}

TEST(law_version, AnyVerdictBeatsNone) {
  EXPECT_TRUE(rc::check([] {
    Version a = *versions();
    Version b = *versions();
    a.verdict = {};
    b.verdict.votes += 1;
    b.stamp = a.stamp;
    RC_ASSERT(a < b);
  }));
}

}  // namespace
}  // namespace kvs
