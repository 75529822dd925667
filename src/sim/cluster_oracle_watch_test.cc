#include "sim/cluster_oracle_watch.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace kvs {

namespace {

constexpr Origin kOrigin{7};

RecordHeader header(std::uint64_t seq, RecordKind kind = RecordKind::value) {
  return {.version = {.stamp = Stamp::from_ms(static_cast<std::int64_t>(100 * seq)),
                      .verdict = {},
                      .uuid = {.high = 1, .low = seq},
                      .dot = {.origin = kOrigin, .seq = seq}},
          .kind = kind};
}

/// A machine writes, and one client is told.
class ClusterWatch : public testing::Test {
 protected:
  ClusterWatch() { began(WatchRequest::Begin::all); }

  /// The machine has written this, durably.
  void write(std::string_view key, const RecordHeader& written) {
    commit({.key = Key::from_store(key),
            .record = {.header = written, .value = written.live() ? "1" : ""}});
  }

  /// It goes without a trace.
  void drop(std::string_view key, const RecordHeader& gone) {
    commit({.key = Key::from_store(key),
            .record = {.header = gone, .value = ""},
            .kind = RecordWrite::Kind::drop});
  }

  void began(WatchRequest::Begin begin, const WatchCursor& cursor = {}) {
    request_.begin = begin;
    request_.cursor = cursor;
    oracle_.watch_began(0, {.client = 1, .request = request_});
  }

  void told(std::string_view key, const RecordHeader& header) {
    const auto kind = header.live() ? WatchEvent::Kind::put : WatchEvent::Kind::del;
    told({.kind = kind, .path = key, .version = header.version});
  }

  void told(const WatchEvent& event) {
    oracle_.watch_told(0, {.client = 1, .request = request_}, event);
  }

  void caught_up() { oracle_.watch_caught_up(0, {.client = 1, .request = request_}); }

  /// What is wrong, once.
  std::string found() {
    std::string text = findings_.empty() ? "" : findings_.all().front().what;
    findings_ = {};
    return text;
  }

  void right_time(std::int64_t ms) { oracle_.clocks_are_right({ms}); }

  void ages_pass_at(std::int64_t ms) {
    right_time(ms);
    oracle_.ages_pass();
    right_time(12'000'000'000'000);
  }

  WatchRequest request_{.path = "a", .begin = WatchRequest::Begin::all, .cursor = {}};

 private:
  void commit(const RecordWrite& write) {
    Batch batch;
    batch.number = ++batches_;
    batch.effects.writes.push_back(write);
    batch.effects.knowledge.push_back(
        {.origin = kOrigin,
         .known = {.upto = std::max(upto_, write.record.header.version.dot.seq), .beyond = {}}});
    upto_ = batch.effects.knowledge.front().known.upto;
    ledger_.closed(0, batch);
    ledger_.durable(0, batch);
  }

  std::uint64_t batches_ = 0;
  std::uint64_t upto_ = 0;
  ClusterLedger ledger_{2};
  Findings findings_;
  ClusterScenario scenario_{.machines = 2};

 protected:
  WatchesAreTrue oracle_{scenario_, ledger_, findings_};
};

TEST_F(ClusterWatch, WhoIsToldEverythingOnceIsContent) {
  write("a/1", header(1));
  write("b", header(2));
  told("a/1", header(1));
  caught_up();
  write("a/1", header(3, RecordKind::tombstone));
  told("a/1", header(3, RecordKind::tombstone));
  caught_up();
  EXPECT_EQ(found(), "");
}

TEST_F(ClusterWatch, WhatIsNotBelowThePathIsFound) {
  write("a", header(1));
  told("a", header(1));
  EXPECT_NE(found(), "");
  write("ab/c", header(2));
  told("ab/c", header(2));
  EXPECT_NE(found(), "");
}

TEST_F(ClusterWatch, WhatNobodyWroteIsFound) {
  write("a/1", header(1));
  told("a/2", header(1));
  EXPECT_NE(found(), "") << "another key";
  told("a/1", header(1, RecordKind::tombstone));
  EXPECT_NE(found(), "") << "no deletion";
  told("a/1", header(2));
  EXPECT_NE(found(), "") << "another version";
}

TEST_F(ClusterWatch, AValueThatWasNotWrittenOrNotAskedForIsFound) {
  write("a/1", header(1));
  told({.kind = WatchEvent::Kind::put, .path = "a/1", .version = header(1).version, .value = "1"});
  EXPECT_NE(found(), "");
  began(WatchRequest::Begin::all);
  request_.values = WatchRequest::Values::include;
  told({.kind = WatchEvent::Kind::put, .path = "a/1", .version = header(1).version, .value = "1"});
  EXPECT_EQ(found(), "");
  write("a/2", header(2));
  told("a/2", header(2));
  EXPECT_NE(found(), "");
}

TEST_F(ClusterWatch, OlderAfterNewerAndTwiceAreFoundUntilTheClientBeginsAnew) {
  write("a/1", header(1));
  write("a/1", header(2));
  told("a/1", header(2));
  told("a/1", header(1));
  EXPECT_NE(found(), "");
  told("a/1", header(2));
  EXPECT_NE(found(), "");
  began(WatchRequest::Begin::all);
  told("a/1", header(2));
  EXPECT_EQ(found(), "");
}

TEST_F(ClusterWatch, WhatWasNotToldIsFound) {
  write("a/1", header(1));
  caught_up();
  EXPECT_NE(found(), "");
}

/// Of a value that is there until this time.
RecordHeader expiring(std::uint64_t seq, std::int64_t expires_ms) {
  RecordHeader written = header(seq);
  written.expires_ms = expires_ms;
  return written;
}

WatchEvent event_of(WatchEvent::Kind kind, const RecordHeader& header) {
  return {.kind = kind, .path = "a/1", .version = header.version, .expires_ms = header.expires_ms};
}

TEST_F(ClusterWatch, WhatExpiresIsToldAsGoneNeitherMuchTooEarlyNorMuchTooLate) {
  const RecordHeader value = expiring(1, 100'000);
  write("a/1", value);
  caught_up();
  EXPECT_NE(found(), "") << "it is there for long yet";
  told(event_of(WatchEvent::Kind::put, value));
  caught_up();
  EXPECT_EQ(found(), "");
  right_time(98'000);
  caught_up();
  right_time(102'000);
  caught_up();
  EXPECT_EQ(found(), "") << "clocks differ a little";
  right_time(110'000);
  caught_up();
  EXPECT_NE(found(), "") << "it is over";
  told(event_of(WatchEvent::Kind::del, value));
  caught_up();
  EXPECT_EQ(found(), "");
}

TEST_F(ClusterWatch, AValueThatIsOverIsNotToldAndOneThatIsNotOverIsNotToldAsGone) {
  const RecordHeader value = expiring(1, 100'000);
  write("a/1", value);
  told(event_of(WatchEvent::Kind::del, value));
  EXPECT_NE(found(), "");
  began(WatchRequest::Begin::all);
  right_time(110'000);
  told(event_of(WatchEvent::Kind::put, value));
  EXPECT_NE(found(), "");
}

TEST_F(ClusterWatch, AClockThatIsOffMayTellOfATimeEarlierOrLater) {
  const RecordHeader value = expiring(1, 100'000);
  write("a/1", value);
  oracle_.clock_struck(0, 60'000);
  told(event_of(WatchEvent::Kind::del, value));
  EXPECT_EQ(found(), "");
}

TEST_F(ClusterWatch, AMachineMayNotHaveHeardYetThatAgesPassed) {
  const RecordHeader value = expiring(1, 100'000);
  write("a/1", value);
  told(event_of(WatchEvent::Kind::put, value));
  ages_pass_at(50'000);
  caught_up();
  EXPECT_EQ(found(), "") << "it may go by the others' clocks";
  told(event_of(WatchEvent::Kind::del, value));
  caught_up();
  EXPECT_EQ(found(), "") << "and may have heard";
}

TEST_F(ClusterWatch, WhatWasOverBeforeAgesPassedIsToldAsGone) {
  const RecordHeader value = expiring(1, 100'000);
  write("a/1", value);
  told(event_of(WatchEvent::Kind::put, value));
  ages_pass_at(110'000);
  caught_up();
  EXPECT_NE(found(), "");
}

TEST_F(ClusterWatch, ADeletionThatWasNotToldIsFoundUnlessItWasWrittenBeforeTheCursor) {
  write("a/1", header(1));
  told("a/1", header(1));
  WatchCursor cursor;
  cursor.seen.add(header(1).version.dot);
  cursor.made = {150};
  began(WatchRequest::Begin::cursor, cursor);
  write("a/1", header(2, RecordKind::tombstone));
  caught_up();
  EXPECT_NE(found(), "") << "the tombstone is there";
  drop("a/1", header(2, RecordKind::tombstone));
  caught_up();
  EXPECT_NE(found(), "") << "it was written after the cursor was made";
  cursor.made = {250};
  began(WatchRequest::Begin::cursor, cursor);
  caught_up();
  EXPECT_EQ(found(), "");
}

}  // namespace

}  // namespace kvs
