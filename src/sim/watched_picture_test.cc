#include "sim/watched_picture.h"

#include <gtest/gtest.h>

namespace kvs {

namespace {

Version version(std::uint64_t seq) {
  return {.stamp = Stamp::from_ms(static_cast<std::int64_t>(seq)),
          .verdict = {},
          .uuid = {.high = seq, .low = seq},
          .dot = {.origin = Origin{1}, .seq = seq}};
}

WatchEvent put(std::string_view path, std::uint64_t seq) {
  return {.kind = WatchEvent::Kind::put, .path = path, .version = version(seq)};
}

WatchEvent del(std::string_view path, std::uint64_t seq) {
  return {.kind = WatchEvent::Kind::del, .path = path, .version = version(seq)};
}

TEST(WatchedPicture, FollowsWhatIsTold) {
  WatchedPicture picture;
  picture.take(put("a", 1));
  picture.take(put("b", 2));
  picture.take(del("a", 3));
  ASSERT_EQ(picture.live().size(), 1U);
  EXPECT_EQ(picture.live().begin()->first, "b");
  EXPECT_FALSE(picture.take({.kind = WatchEvent::Kind::del, .path = "b"}));
  EXPECT_TRUE(picture.live().empty());
}

TEST(WatchedPicture, NoticesAnOlderVersionAfterANewerOne) {
  WatchedPicture picture;
  EXPECT_FALSE(picture.take(put("a", 2))->newer);
  EXPECT_FALSE(picture.take(put("b", 1))->newer) << "keys are independent";
  EXPECT_EQ(picture.take(del("a", 1))->newer, version(2));
}

TEST(WatchedPicture, NoticesAVersionThatComesTwice) {
  WatchedPicture picture;
  EXPECT_FALSE(picture.take(put("a", 1))->repeated);
  EXPECT_TRUE(picture.take(put("a", 1))->repeated);
}

TEST(WatchedPicture, WhatExpiresIsToldAsThereAndOnceAsGone) {
  WatchedPicture picture;
  WatchEvent there = put("a", 1);
  there.expires_ms = 500;
  WatchEvent gone = del("a", 1);
  gone.expires_ms = 500;
  EXPECT_FALSE(picture.take(there)->repeated);
  EXPECT_EQ(picture.live().at("a").expires_ms, 500);
  EXPECT_FALSE(picture.take(gone)->repeated);
  EXPECT_TRUE(picture.live().empty());
  EXPECT_FALSE(picture.take(gone)->repeated) << "the cursor does not know of it yet";
  const WatchCursor cursor{.seen = {}, .expired = {.expires_ms = 500, .dot = version(1).dot}};
  gone.cursor = &cursor;
  EXPECT_FALSE(picture.take(gone)->repeated);
  EXPECT_TRUE(picture.take(gone)->repeated);
  EXPECT_TRUE(picture.take(there)->repeated) << "it is not shown again";
}

TEST(WatchedPicture, ASnapshotTellsAgainAndWhatItLeavesOutIsGone) {
  WatchedPicture picture;
  picture.hold("c", {.version = version(9)});
  picture.take(put("a", 1));
  picture.take(put("b", 2));
  picture.take({.kind = WatchEvent::Kind::reset});
  EXPECT_FALSE(picture.take(put("a", 1))->repeated);
  EXPECT_EQ(picture.live().size(), 3U) << "until the snapshot is complete";
  picture.take({.kind = WatchEvent::Kind::bookmark});
  EXPECT_EQ(picture.live().size(), 1U);
  EXPECT_TRUE(picture.take(put("a", 1))->repeated);
}

TEST(WatchedPicture, ASnapshotThatBrokeOffSweepsNothing) {
  WatchedPicture picture;
  picture.take(put("a", 1));
  picture.take({.kind = WatchEvent::Kind::reset});
  picture.broke_off();
  picture.take({.kind = WatchEvent::Kind::bookmark});
  EXPECT_EQ(picture.live().size(), 1U);
}

}  // namespace

}  // namespace kvs
