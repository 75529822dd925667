#include "sim/scenario.h"

#include <gtest/gtest.h>

namespace kvs {

namespace {

TEST(FaultSet, EveryFaultGoesToTextAndBack) {
  FaultSet all;
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    const auto fault = static_cast<Fault>(i);
    EXPECT_FALSE(all.contains(fault));
    all.insert(fault);
    const auto parsed = parse_faults(to_string(fault));
    ASSERT_TRUE(parsed) << to_string(fault);
    EXPECT_TRUE(parsed->contains(fault));
  }
  EXPECT_EQ(*parse_faults(to_string(all)), all);
  EXPECT_EQ(to_string(FaultSet{}), "none");
  EXPECT_EQ(*parse_faults("none"), FaultSet{});
}

TEST(FaultSet, UnknownWordsAreErrors) {
  for (const std::string_view text : {"", "kil", "kill,", "kill,,pause", "kill, pause"}) {
    EXPECT_FALSE(parse_faults(text)) << text;
  }
}

TEST(Scenario, ASeedIsAlwaysTheSameScenario) {
  const Scenario one = draw_scenario(17, {});
  const Scenario again = draw_scenario(17, {});
  EXPECT_EQ(one.faults, again.faults);
  EXPECT_EQ(one.steps, again.steps);
  EXPECT_EQ(one.think, again.think);
}

TEST(Scenario, AnOverrideChangesNothingElse) {
  const Scenario drawn = draw_scenario(17, {});
  const Scenario changed =
      draw_scenario(17, {.faults = FaultSet{}, .clients = 3, .keys = 2, .steps = 5});
  EXPECT_EQ(changed.faults, FaultSet{});
  EXPECT_EQ(changed.clients, 3U);
  EXPECT_EQ(changed.keys, 2U);
  EXPECT_EQ(changed.steps, 5U);
  EXPECT_EQ(changed.batch_max, drawn.batch_max);
  EXPECT_EQ(changed.sync, drawn.sync);
}

TEST(Scenario, SeedsCoverTheSwarm) {
  std::size_t quiet = 0;
  FaultSet seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Scenario scenario = draw_scenario(seed, {});
    quiet += scenario.faults == FaultSet{} ? 1 : 0;
    EXPECT_GE(scenario.clients, 1U);
    EXPECT_GE(scenario.keys, 1U);
    for (std::size_t i = 0; i < kFaultCount; ++i) {
      if (scenario.faults.contains(static_cast<Fault>(i))) {
        seen.insert(static_cast<Fault>(i));
      }
    }
  }
  EXPECT_GT(quiet, 20U);
  EXPECT_LT(quiet, 100U);
  for (std::size_t i = 0; i < kFaultCount; ++i) {
    EXPECT_TRUE(seen.contains(static_cast<Fault>(i)));
  }
}

}  // namespace

}  // namespace kvs
