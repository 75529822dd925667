#include "core/watcher.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/memory_store.h"
#include "support/watch_client.h"
#include "support/watcher_fixture.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(WatcherTest, TellsWhatChangesBelowItsPathFromNowOn) {
  put("a/old");
  Watcher watcher = watch("a");
  EXPECT_THAT(told(watcher), ElementsAre("bookmark"));
  put("a/x");
  put("b/x");
  put("ab");
  put("a");
  del("a/old");
  EXPECT_THAT(told(watcher), ElementsAre("put a/x 2", "del a/old 6"));
  EXPECT_EQ(progress_, Watcher::Progress::idle);
}

TEST_F(WatcherTest, TheRootHasEverything) {
  Watcher watcher = watch("");
  EXPECT_THAT(told(watcher), ElementsAre("bookmark"));
  put("a");
  put("b/c");
  EXPECT_THAT(told(watcher), ElementsAre("put a 1", "put b/c 2"));
}

TEST_F(WatcherTest, WritesInQuickSuccessionAreToldAsOne) {
  Watcher watcher = watch("");
  EXPECT_THAT(told(watcher), ElementsAre("bookmark"));
  put("a");
  put("a");
  del("a");
  put("a");
  EXPECT_THAT(told(watcher), ElementsAre("put a 4"));
  del("a");
  drop("a");
  EXPECT_THAT(told(watcher), ElementsAre("del a 0"));
}

TEST_F(WatcherTest, ASnapshotTellsWhatIsThereFirst) {
  put("a/1");
  put("a/2");
  del("a/1");
  put("b");
  Watcher watcher = watch("a", WatchRequest::Begin::all);
  EXPECT_THAT(told(watcher), ElementsAre("reset", "put a/2 2", "bookmark"));
  put("a/3");
  EXPECT_THAT(told(watcher), ElementsAre("put a/3 5"));
}

TEST_F(WatcherTest, ValuesComeIfAskedFor) {
  put("a");
  Watcher watcher(*feed_, {.path = "",
                           .begin = WatchRequest::Begin::all,
                           .cursor = {},
                           .values = WatchRequest::Values::include});
  EXPECT_THAT(told(watcher), ElementsAre("reset", "put a 11", "bookmark"));
}

TEST_F(WatcherTest, GoesOnInTheSameRunExactlyWhereItWas) {
  Watcher first = watch("");
  told(first);
  put("a");
  put("b");
  put("c");
  Listener hungry(1);
  step(first, hungry);
  EXPECT_THAT(hungry.text, ElementsAre("put a 1"));
  cursor_ = hungry.cursors.back();
  Watcher second = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(second), ElementsAre("put b 2", "put c 3", "bookmark"));
  Watcher third = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(third), ElementsAre("bookmark"));
}

TEST_F(WatcherTest, AFeedThatReachesBackIsReplayedInsteadOfAScan) {
  restart(2, {}, {.checkpoint_news = 1});
  put("a");
  put("b");
  cursor_ = {.seen = known_, .place = {.run = 99, .number = 7, .index = 0}, .made = kWatchWall};
  put("c");
  store_.put("a", 1);
  store_.damage("a", Errc::corrupt_data);  // a scan would meet it
  Watcher watcher = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(watcher), ElementsAre("put c 3", "bookmark"));
}

TEST_F(WatcherTest, TheFeedServesOthersCursorsOnlyWhereKIsWhole) {
  put("lost");  // K does not cover it, after damage
  restart(2, {}, {.checkpoint_news = 1});
  known_ = {};
  Change change{.path = "a"};
  store_.put("a", ++seq_);
  change.after = header("a");
  feed_->add(std::make_shared<const WatchNews>(WatchNews{.changes = {change}}));
  cursor_ = {.seen = {}, .place = {}, .made = kWatchWall};
  Watcher watcher = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(watcher), ElementsAre("put a 2", "put lost 1", "bookmark"));
}

TEST_F(WatcherTest, WhatASnapshotToldBeyondItsKIsNotToldAgain) {
  put("a");
  Change change{.path = "b"};
  store_.put("b", ++seq_);  // durable, and not in the feed yet
  change.after = header("b");
  Watcher watcher = watch("", WatchRequest::Begin::all);
  EXPECT_THAT(told(watcher), ElementsAre("reset", "put a 1", "put b 2", "bookmark"));
  publish({change});
  EXPECT_THAT(told(watcher), IsEmpty());
}

TEST_F(WatcherTest, WaitsUntilThisNodeKnowsWhatItsClientHasSeen) {
  cursor_.seen.add(DotRange{.origin = kHere, .first = 1, .last = 2});
  cursor_.made = kWatchWall;
  put("a");
  Watcher watcher = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(watcher), IsEmpty());
  EXPECT_EQ(progress_, Watcher::Progress::idle);
  put("b");
  EXPECT_THAT(told(watcher), ElementsAre("bookmark"));
  put("c");
  EXPECT_THAT(told(watcher), ElementsAre("put c 3"));
}

TEST_F(WatcherTest, ItsPatienceEnds) {
  cursor_.seen.add(Dot{.origin = Origin{7}, .seq = 1});
  Watcher watcher = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(watcher), IsEmpty());
  EXPECT_EQ(watcher.wake_at(), now_ + Duration::from_seconds(20));
  now_ = watcher.wake_at();
  EXPECT_THAT(told(watcher), ElementsAre("end 2"));
  EXPECT_EQ(progress_, Watcher::Progress::ended);
  EXPECT_TRUE(cursor_.seen.covers(Dot{.origin = Origin{7}, .seq = 1}));
}

TEST_F(WatcherTest, ACursorOlderThanACollectedDeletionGetsEverythingAnew) {
  put("a");
  put("b");
  Watcher first = watch("", WatchRequest::Begin::all);
  told(first);
  del("a");
  restart(2, known_);
  drop("a");
  Watcher second = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(second), ElementsAre("reset", "put b 2", "bookmark"));
}

TEST_F(WatcherTest, AnOldCursorOfAnotherRunGetsEverythingAnew) {
  put("a");
  Watcher first = watch("", WatchRequest::Begin::all);
  told(first);
  put("b");
  restart(2, known_);
  cursor_.made = {kWatchWall.ms - 100'000};
  Watcher old = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(old), ElementsAre("reset", "put a 1", "put b 2", "bookmark"));
}

TEST_F(WatcherTest, AnOldCursorGetsEverythingWhereKCameWithAnExchange) {
  put("a");
  Watcher first = watch("", WatchRequest::Begin::all);
  told(first);
  // A new node has learnt of a deletion that the others had collected before it came.
  store_.erase("a");
  restart(2, {});
  seq_ = 2;
  publish({});
  const WatchCursor young = cursor_;
  cursor_.made = {kWatchWall.ms - 100'000};
  Watcher second = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(second), ElementsAre("reset", "bookmark"));
  cursor_ = young;
  Watcher third = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(third), ElementsAre("bookmark"));
}

TEST_F(WatcherTest, AnOldCursorThatCoversAllGoesOn) {
  put("a");
  Watcher first = watch("", WatchRequest::Begin::all);
  told(first);
  restart(2, known_);
  cursor_.made = {kWatchWall.ms - 100'000};
  Watcher second = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(second), ElementsAre("bookmark"));
}

TEST_F(WatcherTest, WaitingMakesACursorNoYounger) {
  put("a");
  put("b");
  restart(2, known_);
  cursor_ = {.seen = {}, .place = {}, .made = {kWatchWall.ms - 100'000}};
  cursor_.seen.add(DotRange{.origin = kHere, .first = 1, .last = 1});
  cursor_.seen.add(Dot{.origin = Origin{7}, .seq = 1});
  Watcher watcher = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(watcher), IsEmpty());
  feed_->add(std::make_shared<const WatchNews>(WatchNews{
      .changes = {}, .knowledge = {{.origin = Origin{7}, .known = {.upto = 1, .beyond = {}}}}}));
  EXPECT_THAT(told(watcher), ElementsAre("reset", "put a 1", "put b 2", "bookmark"));
}

TEST_F(WatcherTest, AKeyThatWentWithoutATraceIsToldAsGone) {
  put("a");
  put("b/c");
  Watcher first = watch("", WatchRequest::Begin::all);
  told(first);
  drop("a");
  EXPECT_THAT(told(first), ElementsAre("del a 0"));
  cursor_.place = {};  // as of another node
  Watcher second = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(second), ElementsAre("del a 0", "bookmark"));
}

TEST_F(WatcherTest, WhoLeavesBetweenKeysThatWentIsToldOfTheRestLater) {
  restart(2, {}, {.checkpoint_news = 1});
  put("a");
  put("b");
  Watcher first = watch("", WatchRequest::Begin::all);
  told(first);
  drop("a");
  drop("b");
  cursor_.place = {};  // as of another node
  Listener hasty(1);
  Watcher second = watch("", WatchRequest::Begin::cursor);
  step(second, hasty);
  EXPECT_THAT(hasty.text, ElementsAre("del b 0"));
  cursor_ = hasty.cursors.back();
  Watcher third = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(third), ElementsAre("del b 0", "del a 0", "bookmark"));
}

TEST_F(WatcherTest, AKeyThatWentIsToldThoughTheCursorCoversWhatWent) {
  restart(2, {}, {.checkpoint_news = 1});
  put("a");
  Watcher first = watch("", WatchRequest::Begin::all);
  told(first);
  put("a");
  drop("a");
  cursor_.seen.add(DotRange{.origin = kHere, .first = 1, .last = 2});
  cursor_.place = {};  // as of another node
  Watcher second = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(second), ElementsAre("del a 0", "bookmark"));
}

TEST_F(WatcherTest, AKeyThatCannotBeReadWhenItWentIsToldAsGoneLater) {
  put("a");
  Watcher first = watch("", WatchRequest::Begin::all);
  told(first);
  drop("a");
  store_.damage("a", Errc::io_error);
  EXPECT_THAT(told(first), ElementsAre("end 4"));
  store_.erase("a");
  Watcher second = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(second), ElementsAre("del a 0", "bookmark"));
}

TEST_F(WatcherTest, ASlowReaderIsToldThatTheFeedHasPassedIt) {
  restart(2, {}, {.news_max = 2});
  Watcher watcher = watch("");
  told(watcher);
  put("a");
  put("b");
  put("c");
  EXPECT_THAT(told(watcher), ElementsAre("end 1"));
  Watcher again = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(again), ElementsAre("put a 1", "put b 2", "put c 3", "bookmark"));
}

TEST_F(WatcherTest, AfterKWasEmptiedNothingIsToldBeforeItCoversWhatWasTold) {
  put("a");
  put("a");
  Watcher watcher = watch("", WatchRequest::Begin::all);
  told(watcher);
  store_.put("a", 1);  // the newer version was damaged, and a peer gave what it had
  empty_knowledge();
  seq_ = 1;
  publish({{.path = "a", .before = {}, .after = header("a")}});
  EXPECT_THAT(told(watcher), IsEmpty());
  seq_ = 1;
  put("a");
  EXPECT_THAT(told(watcher), ElementsAre("bookmark"));
  put("a");
  EXPECT_THAT(told(watcher), ElementsAre("put a 3"));
}

TEST_F(WatcherTest, ADamagedRecordEndsTheStreamBeforeIt) {
  Watcher watcher = watch("");
  told(watcher);
  put("a");
  store_.damage("a", Errc::corrupt_data);
  EXPECT_THAT(told(watcher), ElementsAre("end 3"));
  EXPECT_FALSE(cursor_.seen.covers(Dot{.origin = kHere, .seq = 1}));
  store_.put("a", 1);
  Watcher again = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(again), ElementsAre("put a 1", "bookmark"));
}

TEST_F(WatcherTest, AVerdictForWhatTheClientHoldsIsNoNews) {
  put("a");
  Watcher watcher = watch("", WatchRequest::Begin::all);
  told(watcher);
  Change change{.path = "a", .before = header("a"), .after = header("a")};
  change.after->version.verdict.votes = 2;
  change.after->version.dot.seq = ++seq_;
  store_.set("a", {.header = *change.after, .value = "1"});
  publish({change});
  EXPECT_THAT(told(watcher), IsEmpty());
}

TEST_F(WatcherTest, ASnapshotThatBrokeOffBeginsAnewWhereAllOfItIsKnown) {
  put("a");
  put("b");
  Watcher first = watch("", WatchRequest::Begin::all);
  Listener hungry(1);
  step(first, hungry);
  EXPECT_THAT(hungry.text, ElementsAre("reset"));
  step(first, hungry);
  cursor_ = hungry.cursors.back();
  EXPECT_TRUE(cursor_.partial);
  Watcher second = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(second), ElementsAre("reset", "put a 1", "put b 2", "bookmark"));
  EXPECT_FALSE(cursor_.partial);
}

TEST_F(WatcherTest, ACursorThatMovedOnWithoutAnEventIsToldNowAndThen) {
  Watcher watcher = watch("a");
  told(watcher);
  EXPECT_EQ(watcher.wake_at(), Instant::never());
  put("b");
  EXPECT_THAT(told(watcher), IsEmpty());
  now_ = watcher.wake_at();
  EXPECT_THAT(told(watcher), ElementsAre("bookmark"));
  EXPECT_EQ(watcher.wake_at(), Instant::never());
}

TEST(WatchFeed, ForgetsTheOldestAboveItsBounds) {
  const MemoryStore store;
  WatchFeed feed(store, {.run = 1, .known = {}, .options = {}, .bounds = {.bytes_max = 10'000}});
  for (std::uint64_t i = 1; i <= 100; ++i) {
    Change change{.path = std::string(500, 'x')};
    change.after = RecordHeader{.version = MemoryStore::version_of(i)};
    feed.add(std::make_shared<const WatchNews>(WatchNews{.changes = {change}}));
    EXPECT_LE(feed.bytes(), 10'000U);
  }
  EXPECT_EQ(feed.read({.run = 1, .number = 0, .index = 0}).kind,
            WatchSource::Reading::Kind::too_late);
  EXPECT_EQ(feed.read({.run = 1, .number = 99, .index = 0}).kind, WatchSource::Reading::Kind::news);
  EXPECT_EQ(feed.read({.run = 1, .number = 100, .index = 0}).kind,
            WatchSource::Reading::Kind::nothing_yet);
  EXPECT_EQ(feed.read({.run = 2, .number = 100, .index = 0}).kind,
            WatchSource::Reading::Kind::other_run);
}

TEST(WatchFeed, AForgedPlaceIsNone) {
  const MemoryStore store;
  WatchFeed feed(store, {.run = 1, .known = {}, .options = {}, .bounds = {}});
  feed.add(std::make_shared<const WatchNews>());
  WatchCursor cursor{.seen = {}, .place = {.run = 1, .number = 0, .index = 5}, .made = kWatchWall};
  EXPECT_NE(feed.resume(cursor, kWatchWall).from.place, cursor.place);
  cursor.place = {.run = 1, .number = 7, .index = 0};
  EXPECT_NE(feed.resume(cursor, kWatchWall).from.place, cursor.place);
}

TEST(WatchFeed, KeysThatWentWithoutATraceAreRememberedOrCostASnapshot) {
  const MemoryStore store;
  WatchFeed feed(store, {.run = 1, .known = {}, .options = {}, .bounds = {.dropped_max = 1}});
  const auto drop = [&](const std::string& path, std::uint64_t seq) {
    Change change{.path = path};
    change.before = RecordHeader{.version = MemoryStore::version_of(seq)};
    OriginKnowledge known{.upto = seq, .beyond = {}};
    feed.add(std::make_shared<const WatchNews>(
        WatchNews{.changes = {change}, .knowledge = {{.origin = kHere, .known = known}}}));
  };
  WatchCursor cursor{.seen = {}, .place = {}, .made = kWatchWall};
  cursor.seen.add(DotRange{.origin = kHere, .first = 1, .last = 1});
  drop("a", 1);
  EXPECT_THAT(feed.resume(cursor, kWatchWall).dropped, ElementsAre("a"));
  drop("b", 2);
  drop("c", 3);
  EXPECT_EQ(feed.resume(cursor, kWatchWall).way, WatchSource::Resumption::Way::reset);
}

TEST_F(WatcherTest, AValueThatExpiresIsToldAsDeletedOnce) {
  Watcher watcher = watch("");
  told(watcher);
  put_expiring("b", 500);
  put_expiring("a", 500);
  put_expiring("c", 900);
  EXPECT_THAT(told(watcher), ElementsAre("put b 1", "put a 2", "put c 3"));
  expire(499);
  EXPECT_THAT(told(watcher), IsEmpty());
  expire(500);
  EXPECT_THAT(told(watcher), ElementsAre("del b 1", "del a 2"));
  EXPECT_EQ(watcher.cursor().expired, end_of({500}));
  expire(900);
  EXPECT_THAT(told(watcher), ElementsAre("del c 3"));
}

TEST_F(WatcherTest, WhatWasReplacedInTimeDoesNotExpire) {
  Watcher watcher = watch("");
  told(watcher);
  put_expiring("a", 500);
  put("a");
  put_expiring("b", 500);
  put_expiring("b", 700);
  expire(600);
  EXPECT_THAT(told(watcher), ElementsAre("put a 2", "put b 4"));
  expire(700);
  EXPECT_THAT(told(watcher), ElementsAre("del b 4"));
}

TEST_F(WatcherTest, WhatExpiredIsNotToldAfterWhatReplacedIt) {
  Watcher watcher = watch("");
  told(watcher);
  put_expiring("a", 500);
  expire(500);
  put("a");
  EXPECT_THAT(told(watcher), ElementsAre("put a 2")) << "nothing older after it";
  put_expiring("b", 600);
  EXPECT_THAT(told(watcher), ElementsAre("put b 3"));
  expire(600);
  drop("b");
  EXPECT_THAT(told(watcher), ElementsAre("del b 0", "del b 0"))
      << "without a version it may come twice";
}

TEST_F(WatcherTest, AValueWhoseTimeWasOverBeforeItWasToldComesOnlyAsDeleted) {
  Watcher watcher = watch("");
  told(watcher);
  put("a");
  EXPECT_THAT(told(watcher), ElementsAre("put a 1"));
  put_expiring("a", 500);
  feed_->set_expiry_clock({500});
  EXPECT_THAT(told(watcher), IsEmpty()) << "that its time is over will be told";
  free_value("a");
  expire(500);
  EXPECT_THAT(told(watcher), ElementsAre("del a 2"));
}

TEST_F(WatcherTest, WhatComesLateIsToldAsDeletedWhenItComes) {
  Watcher watcher = watch("");
  put("a");
  expire(500);
  told(watcher);
  put_expiring("a", 400);
  EXPECT_THAT(told(watcher), ElementsAre("del a 2"));
  expire(600);
  EXPECT_THAT(told(watcher), IsEmpty());
}

TEST_F(WatcherTest, ASnapshotHasNothingThatHasExpired) {
  put_expiring("over", 500);
  expire(500);
  put_expiring("hidden", 600);
  put_expiring("later", 700);
  feed_->set_expiry_clock({600});
  Watcher watcher = watch("", WatchRequest::Begin::all);
  EXPECT_THAT(told(watcher), ElementsAre("reset", "put later 3", "bookmark"));
  expire(700);
  EXPECT_THAT(told(watcher), ElementsAre("del hidden 2", "del later 3"))
      << "a deletion may be of what the client never heard of";
}

TEST_F(WatcherTest, ACursorFromElsewhereIsToldWhatHasExpiredSince) {
  Watcher watcher = watch("");
  told(watcher);
  put_expiring("a", 500);
  put_expiring("b", 600);
  put_expiring("c", 900);
  told(watcher);
  expire(500);
  EXPECT_THAT(told(watcher), ElementsAre("del a 1"));
  cursor_ = watcher.cursor();
  expire(600);
  free_value("b");
  restart(2, known_);  // nothing of its feed is left
  feed_->set_expiry_clock({600});
  expire(600);
  Watcher next = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(next), ElementsAre("del b 2", "bookmark"));
  expire(900);
  EXPECT_THAT(told(next), ElementsAre("del c 3"));
}

TEST_F(WatcherTest, AnotherFeedIsGoneOnWithOnlyFromBeforeWhatHasExpired) {
  Watcher watcher = watch("");
  put_expiring("a", 500);
  told(watcher);
  cursor_ = watcher.cursor();
  restart(2, {}, {.checkpoint_news = 1, .checkpoint_changes = 1});
  publish({});
  expire(500);
  publish({});
  Watcher next = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(next), ElementsAre("del a 1", "bookmark"));
}

TEST_F(WatcherTest, WhoCatchesUpIsToldOfWhatCameLate) {
  Watcher watcher = watch("");
  told(watcher);
  put("x");
  put_expiring("a", 500);
  EXPECT_THAT(told(watcher), ElementsAre("put x 1", "put a 2"));
  cursor_ = watcher.cursor();
  store_.erase("a");  // another node: it has not come there before its time
  restart(2, {}, {.checkpoint_news = 1, .checkpoint_changes = 1});
  known_ = {};
  seq_ = 1;
  publish({});
  expire(600);
  put_expiring("a", 500);
  put_expiring("b", 700);
  Watcher next = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(next), ElementsAre("del a 2", "put b 3", "bookmark"));
  EXPECT_EQ(next.cursor().expired, end_of({600}));
  expire(700);
  EXPECT_THAT(told(next), ElementsAre("del b 3"));
}

TEST_F(WatcherTest, ToAClientThatWasAheadAValueHasExpired) {
  put("a");
  cursor_ = {.seen = known_, .place = {}, .made = kWatchWall, .expired = end_of({700})};
  put_expiring("a", 650);
  feed_->set_expiry_clock({600});
  Watcher watcher = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(watcher), ElementsAre("del a 2", "bookmark"));
  put_expiring("b", 680);
  put_expiring("c", 800);
  EXPECT_THAT(told(watcher), ElementsAre("del b 3", "put c 4"));
  expire(800);
  EXPECT_THAT(told(watcher), ElementsAre("del c 4")) << "each once";
}

TEST_F(WatcherTest, ACursorOfAClockThatWasFarAheadNeedsEverything) {
  put_expiring("a", 500'000);
  cursor_ = {.seen = known_, .place = {}, .made = kWatchWall, .expired = end_of({900'000})};
  feed_->set_expiry_clock({1000});
  Watcher watcher = watch("", WatchRequest::Begin::cursor);
  EXPECT_THAT(told(watcher), ElementsAre("reset", "put a 1", "bookmark"));
}

TEST_F(WatcherTest, WhatExpiredAndWasCollectedIsForgotten) {
  Watcher watcher = watch("");
  told(watcher);
  put_expiring("a", 500);
  told(watcher);
  const WatchCursor before = watcher.cursor();
  expire(500);
  told(watcher);
  const WatchCursor after = watcher.cursor();
  free_value("a");
  drop("a");
  for (const auto& [cursor, begins] :
       {std::pair{before, std::string("reset")}, std::pair{after, std::string("bookmark")}}) {
    cursor_ = cursor;
    cursor_.place = {};  // as of another node
    Watcher next = watch("", WatchRequest::Begin::cursor);
    EXPECT_EQ(told(next).front(), begins);
  }
}

TEST_F(WatcherTest, AClockThatIsSetBackBeginsTheFeedAnew) {
  put_expiring("a", 500);
  Watcher watcher = watch("", WatchRequest::Begin::all);
  told(watcher);
  expire(900'000);
  EXPECT_THAT(told(watcher), ElementsAre("del a 1"));
  expired_ = end_of({100});
  feed_->set_expiry_clock({100});
  feed_->add(std::make_shared<const WatchNews>(
      WatchNews{.whole = true, .expired = expired_, .clock_set_back = true}));
  EXPECT_THAT(told(watcher), ElementsAre("reset", "put a 1", "bookmark"))
      << "it has not expired after all";
  expire(500);
  EXPECT_THAT(told(watcher), ElementsAre("del a 1"));
}

}  // namespace
}  // namespace kvs
