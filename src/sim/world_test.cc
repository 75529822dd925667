#include "sim/world.h"

#include <gtest/gtest.h>

namespace kvs {

namespace {

Wake for_process(std::uint64_t subject) {
  return {.target = Target::process, .input = Input::request_arrives, .subject = subject};
}

Wake for_client(std::uint64_t subject) {
  return {.target = Target::client, .input = Input::client_acts, .subject = subject};
}

/// The subjects of all events, in order.
std::vector<std::uint64_t> rest_of(World& world) {
  std::vector<std::uint64_t> subjects;
  while (const auto event = world.take()) {
    subjects.push_back(event->wake.subject);
  }
  return subjects;
}

TEST(World, EventsComeInTheOrderOfTimeAndThenOfScheduling) {
  World world;
  world.schedule({30}, for_client(3));
  world.schedule({10}, for_client(1));
  world.schedule({30}, for_client(4));
  world.schedule({20}, for_process(2));
  EXPECT_EQ(rest_of(world), (std::vector<std::uint64_t>{1, 2, 3, 4}));
  EXPECT_EQ(world.now(), Instant{30});
}

TEST(World, TimeNeverGoesBack) {
  World world;
  world.schedule({10}, for_client(1));
  ASSERT_TRUE(world.take());
  world.schedule({-5}, for_client(2));
  ASSERT_TRUE(world.take());
  EXPECT_EQ(world.now(), Instant{10});
}

TEST(World, APausedProcessGetsItsEventsWhenItResumes) {
  World world;
  world.pause_process();
  world.schedule({1}, for_process(1));
  world.schedule({2}, for_process(2));
  world.schedule({3}, for_client(3));
  ASSERT_EQ(world.take()->wake.subject, 3U);
  world.schedule({0}, for_client(4));
  world.resume_process();
  EXPECT_EQ(rest_of(world), (std::vector<std::uint64_t>{4, 1, 2}));
}

TEST(World, APauseHoldsBackOneMachineOnly) {
  World world;
  world.pause_process(1);
  world.pause_process(2);
  for (std::uint32_t machine : {0U, 1U, 2U}) {
    Wake wake = for_process(machine);
    wake.machine = machine;
    world.schedule({1}, wake);
  }
  EXPECT_EQ(rest_of(world), std::vector<std::uint64_t>{0});
  world.resume_process(2);
  EXPECT_EQ(rest_of(world), std::vector<std::uint64_t>{2});
  EXPECT_TRUE(world.process_paused(1));
  world.resume_process(1);
  EXPECT_EQ(rest_of(world), std::vector<std::uint64_t>{1});
}

TEST(World, TheDigestTellsRunsApart) {
  const auto digest_of = [](std::uint64_t subject, std::int64_t ns) {
    World world;
    world.schedule({ns}, for_client(subject));
    static_cast<void>(rest_of(world));
    return world.digest().value();
  };
  EXPECT_EQ(digest_of(1, 1), digest_of(1, 1));
  EXPECT_NE(digest_of(1, 1), digest_of(2, 1));
  EXPECT_NE(digest_of(1, 1), digest_of(1, 2));
}

}  // namespace

}  // namespace kvs
