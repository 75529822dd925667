#include "core/effects.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(Effects, KnowWhetherThereIsAnythingToStore) {
  EXPECT_TRUE(Effects().nothing_to_store());
  Effects replies;
  replies.replies.push_back({});
  replies.trace.push_back({});
  EXPECT_TRUE(replies.nothing_to_store()) << "answers need no disk";
  Effects write;
  write.writes.push_back({.key = Key::from_store("a"), .record = {}});
  EXPECT_FALSE(write.nothing_to_store());
  Effects knowledge;
  knowledge.knowledge.push_back({});
  EXPECT_FALSE(knowledge.nothing_to_store());
  Effects reserve;
  reserve.clock_reserve = Stamp{1};
  EXPECT_FALSE(reserve.nothing_to_store());
  Effects identity;
  identity.identity = Identity{};
  EXPECT_FALSE(identity.nothing_to_store());
}

TEST(Effects, AreEmptyOnceCleared) {
  Effects effects;
  effects.writes.push_back({.key = Key::from_store("a"), .record = {}});
  effects.knowledge.push_back({});
  effects.clock_reserve = Stamp{1};
  effects.identity = Identity{};
  effects.replies.push_back({});
  effects.trace.push_back({});
  effects.clear();
  EXPECT_TRUE(effects.nothing_to_store());
  EXPECT_TRUE(effects.replies.empty());
  EXPECT_TRUE(effects.trace.empty());
}

}  // namespace
}  // namespace kvs
