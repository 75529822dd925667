#include "sim/cluster_bounds.h"

#include <set>

#include <gtest/gtest.h>

namespace kvs {

namespace {

NodeOptions narrowed(std::uint64_t seed, std::uint32_t machine) {
  const ClusterScenario scenario{.seed = seed, .machines = 5};
  NodeOptions options;
  narrow_bounds(scenario, machine, options);
  return options;
}

TEST(ClusterBounds, AMachineKeepsItsBounds) {
  const NodeOptions one = narrowed(9, 2);
  const NodeOptions again = narrowed(9, 2);
  EXPECT_EQ(one.holdings.journal.bytes_max, again.holdings.journal.bytes_max);
  EXPECT_EQ(one.ballot.deadline, again.ballot.deadline);
  EXPECT_EQ(one.members.limits.listed_max, again.members.limits.listed_max);
}

TEST(ClusterBounds, BoundsAreNarrowOnSomeMachinesAndUsualOnOthers) {
  const NodeOptions usual;
  std::set<std::size_t> queues;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const NodeOptions options = narrowed(seed, 0);
    queues.insert(options.outbox.queues_max);
    EXPECT_GE(options.members.limits.listed_max, 5U) << "each machine has a place";
    EXPECT_GE(options.holdings.blocks.max, 2 * options.holdings.blocks.fill);
    EXPECT_LE(options.sync_answers.answer_bytes_max, usual.sync_answers.answer_bytes_max);
  }
  EXPECT_EQ(queues, (std::set<std::size_t>{1, 2, usual.outbox.queues_max}));
}

}  // namespace

}  // namespace kvs
