#include "sim/command_line.h"

#include <vector>

#include <gtest/gtest.h>

namespace kvs {

namespace {

Result<CommandLine> parse(const std::vector<std::string_view>& arguments) {
  return parse_command_line(arguments);
}

TEST(CommandLine, ReadsWhatItPrints) {
  const Overrides overrides{
      .faults = parse_faults("kill,disk_full").value(), .clients = 3, .keys = 2, .steps = 9};
  const std::string text = arguments_for(5, overrides, Mutant::condition_ignored);
  EXPECT_EQ(text,
            "--seed 5 --faults kill,disk_full --clients 3 --keys 2 --steps 9 "
            "--mutant condition_ignored");
  const auto line = parse({"--seed", "5", "--faults", "kill,disk_full", "--clients", "3", "--keys",
                           "2", "--steps", "9", "--mutant", "condition_ignored"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->overrides, overrides);
  EXPECT_EQ(line->mutant, Mutant::condition_ignored);
  EXPECT_EQ(line->seeds.first, 5U);
  EXPECT_EQ(line->seeds.last, 5U);
  EXPECT_EQ(arguments_for(5, Overrides{}, Mutant::none), "--seed 5");
}

TEST(CommandLine, ReadsWhatItPrintsOfAClusterToo) {
  const ClusterOverrides overrides{.faults = parse_cluster_faults("wipe,one_way").value(),
                                   .machines = 4,
                                   .clients = 3,
                                   .watchers = 0,
                                   .keys = 2,
                                   .steps = 9};
  EXPECT_EQ(arguments_for(5, overrides, Mutant::none),
            "--cluster --seed 5 --faults wipe,one_way --nodes 4 --clients 3 --watchers 0 --keys 2 "
            "--steps 9");
  const auto line = parse({"--seed", "5", "--faults", "wipe,one_way", "--nodes", "4", "--clients",
                           "3", "--watchers", "0", "--keys", "2", "--steps", "9", "--cluster"});
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->cluster);
  EXPECT_EQ(line->cluster_overrides, overrides);
  EXPECT_FALSE(parse({"--faults", "wipe"})) << "one node has other faults";
}

TEST(CommandLine, ReadsRangesFlagsAndNumbersOfMutants) {
  const auto line = parse({"--seeds", "3..40", "--hash", "--probes", "--mutant", "1"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->seeds.first, 3U);
  EXPECT_EQ(line->seeds.size(), 38U);
  EXPECT_TRUE(line->hash && line->probes && !line->trace);
  EXPECT_EQ(line->mutant, mutants().front().mutant);
  EXPECT_EQ(parse({"--mutants"})->task, Task::mutants);
  EXPECT_EQ(parse({"--shrink", "--seed", "1"})->task, Task::shrink);
}

TEST(CommandLine, ReadsMeasures) {
  const auto line = parse({"--measure", "rest,spread", "--nodes", "30", "--quick"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->task, Task::measure);
  ASSERT_EQ(line->measures.size(), 2U);
  EXPECT_EQ(line->measures[0]->name, "rest");
  EXPECT_EQ(line->measure_size.nodes, 30U);
  EXPECT_TRUE(line->measure_size.quick);
  EXPECT_EQ(parse({"--measure", "all"})->measures.size(), measures().size());
  EXPECT_FALSE(parse({"--measure", "rest,luck"}));
}

TEST(CommandLine, RefusesEverythingElse) {
  const std::vector<std::vector<std::string_view>> bad{
      {"--seed"},       {"--seed", "x"},     {"--seed", "-1"},       {"--seed", ""},
      {"--seeds", "5"}, {"--seeds", "5..4"}, {"--seeds", "..4"},     {"--frobnicate", "1"},
      {"seed"},         {"--mutant", "0"},   {"--mutant", "nobody"}, {"--clients", "0"},
      {"--keys", "0"},  {"--faults", "no"},  {"--nodes", "0"},
  };
  for (const auto& arguments : bad) {
    EXPECT_FALSE(parse(arguments)) << arguments.front();
  }
}

}  // namespace

}  // namespace kvs
