#include "wire/watch_body.h"

#include <gtest/gtest.h>

#include "support/connection_fixture.h"
#include "support/memory_store.h"
#include "wire/watch_cursor.h"

namespace kvs {
namespace {

class Tally final : public WatchTally {
 public:
  void opened() override { ++open; }

  void closed() override { --open; }

  void told(const WatchEvent& /*event*/) override { ++events; }

  int open = 0;
  int events = 0;
};

/// Answers every request with a watch of all keys.
class WatchHandler final : public testing::EchoHandler {
 public:
  WatchHandler(const WatchSource& source, Tally& tally) : source_(source), tally_(tally) {}

  Handled handle(const ReceivedRequest& request, const AnswerTarget& target) override {
    return answer_watch(target, keys,
                        {source_, tally_,
                         [] {
                           return WallTime{1'000'000};
                         }},
                        request.now);
  }

  WatchKeys keys{.watch = {.path = "", .begin = WatchRequest::Begin::now, .cursor = {}},
                 .wait = std::nullopt};

 private:
  const WatchSource& source_;
  Tally& tally_;
};

class WatchBodyTest : public ::testing::Test {
 protected:
  void put(const std::string& path, std::string value = "1") {
    store_.put(path, ++seq_, std::move(value));
    Change change{.path = path};
    change.after = RecordHeader{.version = MemoryStore::version_of(seq_)};
    feed_.add(std::make_shared<const WatchNews>(
        WatchNews{.changes = {change},
                  .knowledge = {{.origin = Origin{1}, .known = {.upto = seq_, .beyond = {}}}}}));
  }

  void ask() { connection_.received(testing::kGet, now_); }

  /// What the client reads, as far as the stream goes at present.
  std::string take() {
    connection_.resume(now_);
    std::string taken;
    while (true) {
      const std::string_view output = connection_.output();
      taken.append(output);
      connection_.sent(output.size(), now_);
      if (!connection_.wants_turn()) {
        return taken;
      }
      connection_.resume(now_);
    }
  }

  void pass(Duration time) {
    now_ = now_ + time;
    if (connection_.deadline() <= now_) {
      connection_.tick(now_);
    }
  }

  MemoryStore store_;
  WatchFeed feed_{store_, {.run = 1, .known = {}, .options = {}, .bounds = {}}};
  Tally tally_;
  WatchHandler handler_{feed_, tally_};
  ConnectionShared shared_{.handler = handler_,
                           .limits = {},
                           .input_bytes = 0,
                           .output_bytes = 0,
                           .head = {},
                           .spare_output = {},
                           .chunk = {}};
  Instant now_ = Instant{} + Duration::from_seconds(1000);
  Connection connection_{shared_, Ticket{7}, now_};
  std::uint64_t seq_ = 0;
};

TEST_F(WatchBodyTest, EventsAreBlocksOfLines) {
  ask();
  const std::string begun = take();
  EXPECT_NE(begun.find("Content-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_NE(begun.find("event: bookmark\nid: "), std::string::npos);
  EXPECT_TRUE(connection_.awaits_source());
  put("a\"b");
  const std::string text = take();
  EXPECT_NE(text.find("event: put\nid: "), std::string::npos) << text;
  EXPECT_NE(text.find(R"(data: {"path":"a\"b","uuid":"00000000-0000-0001-0000-000000000001",)"
                      R"("timestamp":1})"
                      "\n\n"),
            std::string::npos)
      << text;
}

TEST_F(WatchBodyTest, TheLinesOfAValueAreLinesOfData) {
  handler_.keys.watch.values = WatchRequest::Values::include;
  ask();
  take();
  put("a", "[1,\n2,\r\n3,\r4]");
  EXPECT_NE(take().find("\"data\":[1,\ndata: 2,\ndata: 3,\ndata: 4]}\n\n"), std::string::npos);
}

TEST_F(WatchBodyTest, AnIdleStreamHoldsNoBufferAndSaysNowAndThenThatItLives) {
  ask();
  take();
  EXPECT_EQ(shared_.output_bytes, 0U);
  EXPECT_EQ(connection_.deadline(), now_ + kWatchHeartbeat);
  pass(kWatchHeartbeat);
  EXPECT_EQ(take(), "3\r\n:\n\n\r\n");
  pass(Duration::from_seconds(600));
  EXPECT_EQ(connection_.state(), Connection::State::open);
}

TEST_F(WatchBodyTest, ACursorThatMovedOnComesWithABookmark) {
  handler_.keys.watch.path = "x";
  ask();
  take();
  put("a");
  EXPECT_EQ(take(), "");
  pass(kWatchHeartbeat);
  EXPECT_NE(take().find("event: bookmark\nid: "), std::string::npos);
}

TEST_F(WatchBodyTest, ShutdownEndsTheStreamWithItsLastChunk) {
  ask();
  take();
  EXPECT_EQ(tally_.open, 1);
  connection_.start_shutdown(now_);
  EXPECT_TRUE(connection_.wants_turn());
  const std::string text = take();
  EXPECT_NE(text.find("event: end\ndata: {\"reason\":\"shutdown\"}\n\n"), std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with("0\r\n\r\n"));
  EXPECT_EQ(tally_.open, 0);
  EXPECT_EQ(connection_.state(), Connection::State::draining);
}

TEST_F(WatchBodyTest, AClientThatEndsItsSideIsGone) {
  ask();
  take();
  EXPECT_TRUE(connection_.wants_input());
  connection_.received_end(now_);
  EXPECT_EQ(connection_.state(), Connection::State::closed);
  EXPECT_EQ(tally_.open, 0);
}

TEST_F(WatchBodyTest, ARequestBehindAStreamIsNotReadFurther) {
  ask();
  take();
  connection_.received("GET / HTTP/1.1\r\n", now_);
  EXPECT_FALSE(connection_.wants_input());
  put("a");
  EXPECT_NE(take().find("event: put"), std::string::npos);
}

TEST_F(WatchBodyTest, AClientThatDoesNotReadIsAskedForNothing) {
  handler_.keys.watch.values = WatchRequest::Values::include;
  ask();
  for (int i = 0; i < 100; ++i) {
    put("k" + std::to_string(i), std::string(10'000, '1'));
  }
  connection_.resume(now_);
  while (connection_.wants_turn()) {
    connection_.resume(now_);
  }
  EXPECT_LT(connection_.output().size(), 2 * shared_.limits.output_low_water);
}

TEST_F(WatchBodyTest, PollingTellsWhereItIs) {
  handler_.keys.wait = Duration::from_seconds(30);
  put("a");
  ask();
  const std::string text = take();
  EXPECT_NE(text.find("Content-Type: application/json"), std::string::npos);
  EXPECT_NE(text.find(R"({"events":[],"cursor":")"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("0\r\n\r\n"));
  EXPECT_EQ(connection_.state(), Connection::State::open);
}

TEST_F(WatchBodyTest, PollingEndsWithTheFirstChangesOrItsTime) {
  handler_.keys.wait = Duration::from_seconds(30);
  handler_.keys.watch.begin = WatchRequest::Begin::cursor;
  handler_.keys.watch.cursor = {.seen = {}, .place = feed_.head().place, .made = {1'000'000}};
  ask();
  EXPECT_EQ(take().find("cursor"), std::string::npos);
  put("a");
  put("b");
  std::string text = take();
  EXPECT_NE(text.find(R"({"event":"put","path":"a",)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"(,{"event":"put","path":"b",)"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\"}\r\n0\r\n\r\n")) << text;

  handler_.keys.watch.cursor.place = feed_.head().place;
  ask();
  take();
  pass(Duration::from_seconds(29));
  EXPECT_EQ(take(), "");
  pass(Duration::from_seconds(1));
  text = take();
  EXPECT_NE(text.find(R"({"events":[],"cursor":")"), std::string::npos) << text;
}

}  // namespace
}  // namespace kvs
