#include "core/node.h"

#include <gtest/gtest.h>

#include "support/node_driver.h"

namespace kvs {
namespace {

TEST(Node, ANewFolderGetsItsIdentityOnce) {
  NodeDriver driver;
  ASSERT_TRUE(driver.open_effects().identity);
  const Identity identity = *driver.open_effects().identity;
  EXPECT_NE(identity.instance, 0U);
  EXPECT_EQ(identity.joined_ms, driver.wall().ms);
  EXPECT_EQ(driver.node().status().identity, identity);
  driver.settle();
  driver.wall().ms += 5000;
  driver.restart();
  EXPECT_FALSE(driver.open_effects().identity);
  EXPECT_EQ(driver.node().status().identity, identity);
}

TEST(Node, AStatusBeforeTheStartHasNoIdentity) {
  const MemoryStore store;
  const Node node({}, {}, store, 1);
  EXPECT_EQ(node.status().identity, Identity{});
}

TEST(Node, ModesThatRefuseWritesAnswerEachOne) {
  for (const auto& [mode, refusal] : {std::pair{Mode::read_only, WriteStatus::read_only},
                                      std::pair{Mode::syncing, WriteStatus::syncing}}) {
    NodeDriver driver({.mode = mode, .clock_skew_ms_max = 5000});
    driver.settle();
    EXPECT_EQ(driver.put("a").status, refusal);
    EXPECT_EQ(driver.del("a").status, refusal);
    EXPECT_TRUE(driver.close().nothing_to_store());
    const auto replies = driver.commit();
    ASSERT_EQ(replies.size(), 2U);
    EXPECT_EQ(replies[1].ticket, Ticket{2});
    EXPECT_EQ(driver.node().status().mode, mode);
  }
}

TEST(Node, TellsOnceThatTheClockIsBehind) {
  NodeDriver driver({.mode = Mode::normal, .clock_skew_ms_max = 5000});
  driver.put("a");
  driver.settle();
  EXPECT_EQ(driver.node().status().clock_ahead_ms, 0);
  const auto warnings = [&driver] {
    driver.put("a");
    int count = 0;
    for (const Trace& trace : driver.close().trace) {
      count += trace.kind == Trace::Kind::clock_behind ? 1 : 0;
    }
    driver.commit();
    return count;
  };
  driver.wall().ms -= 5000;
  EXPECT_EQ(warnings(), 0) << "within the bound";
  EXPECT_EQ(driver.node().status().clock_ahead_ms, 5000);
  driver.wall().ms -= 1;
  EXPECT_EQ(warnings(), 1);
  EXPECT_EQ(warnings(), 0);
  driver.wall().ms += 10'000;
  EXPECT_EQ(warnings(), 0);
  EXPECT_EQ(driver.node().status().clock_ahead_ms, 0);
  driver.wall().ms -= 20'000;
  EXPECT_EQ(warnings(), 1) << "again, after it had been right";
}

// "Not found" may rest on a delete that failed: whatever the state decided is refused.
TEST(Node, RefusalsTouchWhatTheStateDecided) {
  std::vector<Reply> replies;
  for (int i = 0; i <= static_cast<int>(WriteStatus::io_error); ++i) {
    replies.push_back(
        {.ticket = Ticket{static_cast<std::uint64_t>(i)},
         .outcome = {
             .status = static_cast<WriteStatus>(i), .uuid = {.high = 1, .low = 1}, .stamp = {1}}});
  }
  std::vector<Reply> refused = replies;
  refuse(refused, WriteStatus::disk_full);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    EXPECT_EQ(refused[i].ticket, replies[i].ticket);
    EXPECT_EQ(refused[i].outcome,
              i <= static_cast<std::size_t>(WriteStatus::version_mismatch)
                  ? (WriteOutcome{.status = WriteStatus::disk_full, .uuid = {}, .stamp = {}})
                  : replies[i].outcome);
  }
}

TEST(Node, RefusesThePeersOfABatchThatFailed) {
  std::vector<PeerReply> replies{{.ticket = Ticket{1}, .envelope = {}, .answer = Done{}},
                                 {.ticket = Ticket{2}, .envelope = {}, .answer = Page{}}};
  refuse(replies, Errc::disk_full);
  for (const PeerReply& reply : replies) {
    EXPECT_EQ(std::get<Refused>(reply.answer).code, Errc::disk_full);
  }
  EXPECT_EQ(replies[1].ticket, Ticket{2});
}

TEST(Node, TheSameSeedAndInputsGiveTheSameEffects) {
  const auto run = [](std::uint64_t seed) {
    NodeDriver driver({}, seed);
    std::vector<Version> versions;
    for (int i = 0; i < 50; ++i) {
      driver.put("k" + std::to_string(i % 7));
      versions.push_back(driver.open_effects().writes.back().record.header.version);
      if (i % 5 == 0) {
        driver.settle();
      }
    }
    return versions;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

}  // namespace
}  // namespace kvs
