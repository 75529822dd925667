// Values with a time to live, through the whole node.
#include <gtest/gtest.h>

#include "core/fingerprint.h"
#include "core/node.h"
#include "core/watch_feed.h"
#include "support/cluster_driver.h"
#include "support/node_driver.h"

namespace kvs {
namespace {

constexpr Condition kIfAbsent{.kind = Condition::Kind::if_absent, .uuid = {}};
constexpr Condition kIfExists{.kind = Condition::Kind::if_exists, .uuid = {}};

class NodeExpiry : public testing::Test {
 protected:
  WriteOutcome put(std::string_view key, std::int64_t ttl_s, const Condition& condition = {}) {
    WriteCommand command = driver_.command(WriteCommand::Kind::put, key, "1", condition);
    command.ttl = Duration::from_seconds(ttl_s);
    return driver_.step(command);
  }

  /// Lets time pass, and the node act on it.
  void pass(std::int64_t ms) {
    driver_.wall().ms += ms;
    driver_.node().tick(driver_.now(), driver_.open_effects());
    driver_.settle();
  }

  /// As long as values are kept after their time, and a little longer.
  void pass_until_freed() {
    for (int i = 0; i < 12; ++i) {
      pass(NodeOptions{}.expired_kept_for.ms() / 8);
    }
  }

  [[nodiscard]] RecordHeader held(const std::string& key) {
    return driver_.store().find(Key::from_store(key)).value().value_or(RecordHeader{});
  }

  [[nodiscard]] bool shows(const std::string& key) {
    return held(key).shows(driver_.node().expiry_clock());
  }

  NodeDriver driver_;
};

TEST_F(NodeExpiry, AValueIsHiddenFromItsInstantOn) {
  const WriteOutcome outcome = put("a", 10);
  EXPECT_EQ(outcome.status, WriteStatus::created);
  EXPECT_EQ(outcome.expires_ms, driver_.wall().ms + 10'000);
  driver_.settle();
  EXPECT_EQ(held("a").expires_ms, outcome.expires_ms);
  pass(9'999);
  EXPECT_TRUE(shows("a"));
  pass(1);
  EXPECT_FALSE(shows("a"));
  EXPECT_EQ(driver_.node().status().expired, 1U);
}

TEST_F(NodeExpiry, ToConditionsItIsGone) {
  put("a", 10);
  driver_.settle();
  EXPECT_EQ(put("a", 10, kIfAbsent).status, WriteStatus::version_mismatch);
  driver_.settle();
  const Condition this_version{.kind = Condition::Kind::if_match, .uuid = held("a").version.uuid};
  driver_.wall().ms += 10'000;  // no tick: the step itself looks at the clock
  EXPECT_EQ(driver_.put("a", "2", kIfExists).status, WriteStatus::version_mismatch);
  EXPECT_EQ(driver_.put("a", "2", this_version).status, WriteStatus::version_mismatch);
  EXPECT_EQ(driver_.del("a").status, WriteStatus::not_found);
  EXPECT_EQ(driver_.put("a", "2", kIfAbsent).status, WriteStatus::created);
  driver_.settle();
  EXPECT_EQ(held("a").expires_ms, 0) << "a PUT without ttl stays";
}

TEST_F(NodeExpiry, ALaterWriteDecidesWhetherItExpires) {
  put("a", 10);
  driver_.settle();
  EXPECT_EQ(driver_.put("a", "2").status, WriteStatus::replaced);
  driver_.settle();
  put("b", 10);
  put("b", 100);
  driver_.settle();
  pass(10'000);
  EXPECT_TRUE(shows("a"));
  EXPECT_TRUE(shows("b"));
  EXPECT_EQ(driver_.node().status().expired, 0U);
  pass(90'000);
  EXPECT_TRUE(shows("a"));
  EXPECT_FALSE(shows("b"));
}

TEST_F(NodeExpiry, ItsValueIsFreedLaterAndItStaysTheSameRecord) {
  put("a", 10);
  driver_.settle();
  const RecordHeader before = held("a");
  const Fingerprint fingerprint = fingerprint_of("a", before);
  const StateDigest digest = driver_.node().status().digest;
  pass(10'000);
  EXPECT_EQ(held("a").kind, RecordKind::value) << "for clocks that are behind";
  pass_until_freed();
  EXPECT_EQ(held("a").kind, RecordKind::expired);
  EXPECT_EQ(driver_.store().get_record(Key::from_store("a")).value()->value, "");
  EXPECT_EQ(held("a"), before);
  EXPECT_EQ(fingerprint_of("a", held("a")), fingerprint);
  EXPECT_EQ(driver_.node().status().digest, digest) << "neither K nor the sums have changed";
  EXPECT_EQ(driver_.node().status().replica.freed, 1U);
  EXPECT_TRUE(driver_.store().expiries({}, 10)->empty());
  EXPECT_EQ(driver_.put("a", "2", kIfAbsent).status, WriteStatus::created);
}

TEST_F(NodeExpiry, WhatWasFreedIsCollectedLikeATombstone) {
  put("a", 10);
  driver_.settle();
  pass(10'000);
  pass_until_freed();
  ASSERT_EQ(held("a").kind, RecordKind::expired);
  for (int i = 0; i < 20; ++i) {
    pass(5000);
  }
  EXPECT_EQ(driver_.store().slots().size(), 1U) << "a tombstone's age counts from the expiry";
  pass(NodeOptions{}.tombstone_min_age.ms());
  for (int i = 0; i < 20; ++i) {
    pass(5000);
  }
  EXPECT_TRUE(driver_.store().slots().empty());
  EXPECT_EQ(driver_.node().status().replica.collected, 1U);
}

TEST_F(NodeExpiry, WhatIsReplacedLeavesTheIndex) {
  const auto places = [this] {
    return driver_.store().expiries({}, 100)->size();
  };
  for (int i = 0; i < 5; ++i) {
    put("renewed", 10);  // two in each batch
    put("renewed", 10);
    driver_.settle();
    EXPECT_EQ(places(), 1U);
    pass(1000);
  }
  put("saved", 10);
  put("deleted", 10);
  driver_.settle();
  EXPECT_EQ(places(), 3U);
  driver_.put("saved", "2");
  driver_.del("deleted");
  driver_.settle();
  EXPECT_EQ(places(), 1U);
  EXPECT_EQ(driver_.store().expiries({}, 1)->front().place, place_of(held("renewed")));
  pass(9'000);
  EXPECT_FALSE(shows("renewed"));
  EXPECT_EQ(driver_.node().status().expired, 1U);
  pass_until_freed();
  EXPECT_EQ(held("renewed").kind, RecordKind::expired);
  EXPECT_EQ(places(), 0U);
}

TEST_F(NodeExpiry, WhatCannotBeReadIsFreedByALaterRun) {
  put("a", 10);
  put("b", 10);
  driver_.settle();
  pass(10'000);
  driver_.store().damage("a", Errc::io_error);
  pass_until_freed();
  EXPECT_EQ(held("b").kind, RecordKind::expired);
  ASSERT_EQ(driver_.store().expiries({}, 10)->size(), 1U);
  driver_.store().set("a", driver_.store().slots().at("a").record);  // readable again
  EXPECT_EQ(held("a").kind, RecordKind::value);
  driver_.restart();
  pass_until_freed();
  EXPECT_EQ(held("a").kind, RecordKind::expired);
  EXPECT_TRUE(driver_.store().expiries({}, 10)->empty());
}

TEST_F(NodeExpiry, AClockSetBackALittleShowsNothingAgain) {
  put("a", 10);
  driver_.settle();
  pass(10'000);
  ASSERT_FALSE(shows("a"));
  driver_.wall().ms -= 30'000;
  driver_.settle();
  driver_.put("b");
  driver_.settle();
  EXPECT_FALSE(shows("a"));
  const WriteOutcome later = put("c", 10);
  EXPECT_EQ(later.expires_ms, driver_.node().expiry_clock().ms + 10'000)
      << "what is written now lives as long as it is to";
}

TEST_F(NodeExpiry, ARestartHidesWhatExpiredMeanwhile) {
  put("a", 10);
  driver_.settle();
  driver_.wall().ms += 10'000;
  driver_.restart();
  EXPECT_FALSE(shows("a"));
  driver_.settle();
  pass_until_freed();
  EXPECT_EQ(held("a").kind, RecordKind::expired);
}

TEST_F(NodeExpiry, ARestartWithAClockThatIsBehindShowsNothingAgain) {
  put("a", 10);
  driver_.settle();
  pass(10'000);
  ASSERT_FALSE(shows("a"));
  driver_.wall().ms -= 30'000;
  driver_.restart();
  EXPECT_FALSE(shows("a"));
}

TEST_F(NodeExpiry, WatchersAreToldOnceAndAfterTheValueItself) {
  put("a", 10);
  driver_.close();  // its commit is slow
  driver_.wall().ms += 10'000;
  driver_.node().tick(driver_.now(), driver_.open_effects());
  EXPECT_TRUE(driver_.open_effects().watched.empty()) << "nobody has heard of it";
  driver_.commit();
  std::vector<Change::Cause> causes;
  for (const auto& news : driver_.open_effects().watched) {
    for (const Change& change : news->changes) {
      causes.push_back(change.cause);
    }
  }
  EXPECT_EQ(causes, (std::vector{Change::Cause::client, Change::Cause::expiry}));
  driver_.open_effects().watched.clear();
  driver_.node().tick(driver_.now(), driver_.open_effects());
  EXPECT_TRUE(driver_.open_effects().watched.empty());
}

TEST_F(NodeExpiry, WhereTheRecordIsDamagedWatchersLearnThatKIsVoidBeforeTheyHearOfTheTime) {
  put("a", 10);
  driver_.settle();
  driver_.store().damage("a", Errc::corrupt_data);
  driver_.open_effects().watched.clear();
  driver_.wall().ms += 10'000;
  driver_.node().tick(driver_.now(), driver_.open_effects());
  const auto& watched = driver_.open_effects().watched;
  ASSERT_FALSE(watched.empty());
  EXPECT_TRUE(watched.front()->emptied);
  EXPECT_EQ(driver_.node().status().expired, 0U);
  EXPECT_EQ(driver_.node().status().damage_found, 1U);
}

/// All nodes start anew, to keep what has expired for so long.
void keep_expired_for(ClusterDriver& cluster, std::size_t nodes, Duration kept) {
  for (std::size_t i = 0; i < nodes; ++i) {
    cluster.options(i).expired_kept_for = kept;
    cluster.stop(i);
    cluster.start(i);
  }
}

TEST(ClusterExpiry, EveryNodeHidesItAndTheyStayEqual) {
  ClusterDriver cluster(3);
  keep_expired_for(cluster, 3, Duration::from_seconds(20));
  cluster.run(Duration::from_seconds(5));
  ASSERT_EQ(cluster.put(0, "a", "1", Duration::from_seconds(10)).status, WriteStatus::created);
  ASSERT_EQ(cluster.put(1, "b", "1").status, WriteStatus::created);
  cluster.run(Duration::from_seconds(5));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(cluster.get(i, "a"), "1");
  }
  cluster.run(Duration::from_seconds(6));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(cluster.get(i, "a"), std::nullopt);
    EXPECT_EQ(cluster.get(i, "b"), "1");
  }
  cluster.run(Duration::from_seconds(30));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(cluster.store(i).slots().at("a").record.value, "");
    EXPECT_EQ(cluster.node(i).status().digest.root, cluster.node(0).status().digest.root);
  }
}

TEST(ClusterExpiry, ANodeThatWasAwayTakesWhatHasExpired) {
  ClusterDriver cluster(2);
  keep_expired_for(cluster, 2, Duration::from_seconds(5));
  cluster.run(Duration::from_seconds(5));
  cluster.put(0, "a", "old");
  cluster.run(Duration::from_seconds(2));
  ASSERT_EQ(cluster.get(1, "a"), "old");
  cluster.cut({0}, {1});
  cluster.put(0, "a", "new", Duration::from_seconds(3));
  cluster.run(Duration::from_seconds(20));
  EXPECT_EQ(cluster.store(0).slots().at("a").record.header.kind, RecordKind::expired);
  EXPECT_EQ(cluster.get(1, "a"), "old") << "it knows of nothing newer";
  cluster.heal();
  cluster.run(Duration::from_seconds(60));
  EXPECT_EQ(cluster.get(1, "a"), std::nullopt);
  EXPECT_EQ(cluster.node(1).status().digest.root, cluster.node(0).status().digest.root);
  EXPECT_EQ(cluster.node(1).status().replica.dropped_live, 0U);
}

TEST(ClusterExpiry, AMemberOfAnEarlierVersionKeepsWritesFromExpiring) {
  ClusterDriver cluster(2);
  cluster.options(1).members.features = kFeatureShortHashes;
  cluster.stop(1);
  cluster.start(1);
  cluster.run(Duration::from_seconds(5));
  EXPECT_EQ(cluster.put(0, "a", "1", Duration::from_seconds(10)).status,
            WriteStatus::ttl_unsupported);
  EXPECT_FALSE(cluster.node(0).status().takes_expiry);
  EXPECT_EQ(cluster.put(0, "a", "1").status, WriteStatus::created);
  cluster.stop(1);
  cluster.options(1).members.features = kFeatureShortHashes | kFeatureExpiry;
  cluster.start(1);
  cluster.run(Duration::from_seconds(5));
  EXPECT_EQ(cluster.put(0, "a", "1", Duration::from_seconds(10)).status, WriteStatus::replaced);
}

}  // namespace
}  // namespace kvs
