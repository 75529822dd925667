// Watchers that look through the store: for all of it, or for what a cursor does not cover.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/watcher.h"
#include "support/watcher_fixture.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;

TEST_F(WatcherTest, GoesOnInAnotherRunWithTheDifference) {
  put("a");
  put("b");
  put("c");
  Watcher first = watch("", WatchRequest::Begin::all);
  told(first);
  put("b");
  del("c");
  put("d");
  restart(2, known_);
  Watcher second = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(second), ElementsAre("put b 4", "del c 5", "put d 6", "bookmark"));
}

TEST_F(WatcherTest, ADeletionThatGoesWhileADifferenceIsToldSlowlyIsNotForgotten) {
  put("a");
  put("z");
  Watcher first = watch("", WatchRequest::Begin::all);
  told(first);
  put("a");
  put("b");
  restart(2, known_);
  del("z");
  Watcher second = watch("", WatchRequest::Begin::cursor);
  Listener slow;
  second.step({.instant = now_, .wall = kWatchWall}, 3, slow);
  EXPECT_THAT(slow.text, ElementsAre("put a 3"));
  drop("z");
  now_ = now_ + WatchOptions{}.moment_age_max;
  EXPECT_THAT(told(second), ElementsAre("reset", "put a 3", "put b 4", "bookmark"));
}

TEST_F(WatcherTest, WorkIsBounded) {
  for (int i = 0; i < 10; ++i) {
    put(fmt::format("a{}", i));
  }
  Watcher watcher = watch("", WatchRequest::Begin::all);
  Listener listener;
  EXPECT_EQ(watcher.step({.instant = now_, .wall = kWatchWall}, 4, listener),
            Watcher::Progress::more);
  EXPECT_THAT(listener.text, ElementsAre("reset", "put a0 1", "put a1 2", "put a2 3"));
}

/// Keys do not come in the order of their writes: what is kept of that is bounded.
TEST_F(WatcherTest, WhereVeryMuchDiffersAllIsToldAnew) {
  Watcher first = watch("");
  told(first);
  const WatchCursor before = cursor_;
  const auto put_every_other = [this] {
    for (int i = 0; i < 6; ++i) {
      put(fmt::format("b{}", i));
      put(fmt::format("a{}", i));
    }
  };
  put_every_other();
  options_.scan_ranges_max = 6;
  restart(2, known_);
  Watcher few = watch("", WatchRequest::Begin::cursor);
  const std::vector<std::string> difference = told(few);
  EXPECT_EQ(difference.size(), 13U) << "a0 to a5 are six ranges, which b0 to b5 fill";
  EXPECT_EQ(difference.back(), "bookmark");
  cursor_ = before;
  options_.scan_ranges_max = 5;
  restart(3, known_);
  Watcher many = watch("", WatchRequest::Begin::cursor);
  const std::vector<std::string> all = told(many);
  ASSERT_EQ(all.size(), 6U + 1 + 12 + 1);
  EXPECT_EQ(all[5], "put a5 12");
  EXPECT_EQ(all[6], "reset");
  EXPECT_EQ(all[7], "put a0 2");
  EXPECT_EQ(all.back(), "bookmark");
}

/// Whatever is told of them: a door has others to serve.
TEST_F(WatcherTest, LargeValuesAreMoreWork) {
  for (int i = 0; i < 10; ++i) {
    put(fmt::format("a{}", i));
  }
  options_.step_bytes_max = 2 * store_.get_record(Key::from_store("a0")).value()->value.size();
  restart(2, known_);
  Watcher watcher = watch("", WatchRequest::Begin::all);
  Listener listener;
  EXPECT_EQ(step(watcher, listener), Watcher::Progress::more);
  EXPECT_THAT(listener.text, ElementsAre("reset", "put a0 1", "put a1 2"));
  EXPECT_EQ(step(watcher, listener), Watcher::Progress::more);
  EXPECT_EQ(listener.text.back(), "put a3 4");
}

}  // namespace
}  // namespace kvs
