#include "base/mutant.h"

#include <set>

#include <gtest/gtest.h>

#ifdef KVS_SIM_BUILD

namespace kvs {

namespace {

TEST(Mutant, TheTableNamesEachOnceInOrder) {
  std::set<std::string_view> names;
  std::size_t number = 0;
  for (const MutantInfo& info : mutants()) {
    EXPECT_EQ(static_cast<std::size_t>(info.mutant), ++number);
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.broken.empty());
  }
}

TEST(Mutant, OneRuleIsBrokenAtATime) {
  EXPECT_FALSE(KVS_MUTATED(stamp_repeats));
  set_mutant(Mutant::stamp_repeats);
  EXPECT_TRUE(KVS_MUTATED(stamp_repeats));
  EXPECT_FALSE(KVS_MUTATED(condition_ignored));
  set_mutant(Mutant::none);
  EXPECT_FALSE(KVS_MUTATED(stamp_repeats));
}

}  // namespace

}  // namespace kvs

#endif
