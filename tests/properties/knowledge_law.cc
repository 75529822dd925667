// K is a set of dots: it covers exactly what was added, and joining is union.
#include <algorithm>
#include <iterator>

#include <gtest/gtest.h>

#include "properties/generators.h"

namespace kvs {
namespace {

Knowledge joined(Knowledge a, const Knowledge& b) {
  a.join(b);
  return a;
}

TEST(law_knowledge, CoversExactlyWhatWasAdded) {
  EXPECT_TRUE(rc::check([] {
    const auto added = *dot_sets();
    const Dot asked = *dots();
    RC_ASSERT(knowledge_of(added).covers(asked) == added.contains(asked));
  }));
}

TEST(law_knowledge, TheOrderOfAddingDoesNotMatter) {
  EXPECT_TRUE(rc::check([] {
    const auto added = *rc::gen::container<std::vector<Dot>>(dots());
    Knowledge forward;
    Knowledge backward;
    std::ranges::for_each(added, [&](const Dot& dot) { forward.add(dot); });
    std::for_each(added.rbegin(), added.rend(), [&](const Dot& dot) { backward.add(dot); });
    RC_ASSERT(forward == backward);
  }));
}

TEST(law_knowledge, JoinIsUnion) {
  EXPECT_TRUE(rc::check([] {
    const auto a = *dot_sets();
    const auto b = *dot_sets();
    std::set<Dot> both = a;
    both.insert(b.begin(), b.end());
    RC_ASSERT(joined(knowledge_of(a), knowledge_of(b)) == knowledge_of(both));
  }));
}

TEST(law_knowledge, JoinIsASemilattice) {
  EXPECT_TRUE(rc::check([] {
    const Knowledge a = knowledge_of(*dot_sets());
    const Knowledge b = knowledge_of(*dot_sets());
    const Knowledge c = knowledge_of(*dot_sets());
    RC_ASSERT(joined(a, a) == a);
    RC_ASSERT(joined(a, b) == joined(b, a));
    RC_ASSERT(joined(joined(a, b), c) == joined(a, joined(b, c)));
  }));
}

TEST(law_knowledge, WhatComesFromDiskIsTheSame) {
  EXPECT_TRUE(rc::check([] {
    const Knowledge written = knowledge_of(*dot_sets());
    Knowledge read;
    for (const auto& [origin, known] : written.origins()) {
      read.set(origin, known);
    }
    RC_ASSERT(read == written);
  }));
}

TEST(law_knowledge, MinusIsDifference) {
  EXPECT_TRUE(rc::check([] {
    const auto a = *dot_sets();
    const auto b = *dot_sets();
    std::set<Dot> only_a;
    std::ranges::set_difference(a, b, std::inserter(only_a, only_a.end()));
    Knowledge rest;
    for (const DotRange& range : knowledge_of(a).minus(knowledge_of(b))) {
      RC_ASSERT(range.first <= range.last);
      rest.add(range);
    }
    RC_ASSERT(rest == knowledge_of(only_a));
    RC_ASSERT(knowledge_of(b).covers(knowledge_of(a)) == only_a.empty());
  }));
}

TEST(law_knowledge, MeetIsIntersection) {
  EXPECT_TRUE(rc::check([] {
    const auto a = *dot_sets();
    const auto b = *dot_sets();
    std::set<Dot> both;
    std::ranges::set_intersection(a, b, std::inserter(both, both.end()));
    RC_ASSERT(knowledge_of(a).meet(knowledge_of(b)) == knowledge_of(both));
  }));
}

TEST(law_knowledge, CuttingTakesTheRestOfAnOriginAway) {
  EXPECT_TRUE(rc::check([] {
    auto added = *dot_sets();
    const Dot cut = *dots();
    Knowledge knowledge = knowledge_of(added);
    knowledge.cut_from(cut);
    std::erase_if(added,
                  [&](const Dot& dot) { return dot.origin == cut.origin && dot.seq >= cut.seq; });
    RC_ASSERT(knowledge == knowledge_of(added));
  }));
}

TEST(law_knowledge, EqualSetsHashEqual) {
  EXPECT_TRUE(rc::check([] {
    const auto a = *dot_sets();
    const auto b = *dot_sets();
    RC_ASSERT((knowledge_of(a).hash() == knowledge_of(b).hash()) == (a == b));
  }));
}

TEST(law_knowledge, ExceptionsBeginBehindAGap) {
  EXPECT_TRUE(rc::check([] {
    const Knowledge knowledge = joined(knowledge_of(*dot_sets()), knowledge_of(*dot_sets()));
    for (const auto& [origin, known] : knowledge.origins()) {
      RC_ASSERT((known.beyond.empty() || known.beyond.begin()->first > known.upto + 1));
    }
  }));
}

}  // namespace
}  // namespace kvs
