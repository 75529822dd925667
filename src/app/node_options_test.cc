#include "app/node_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/peer_version.h"

namespace kvs {
namespace {

using testing::ElementsAre;

TEST(NodeOptions, CarriesWhatTheConfigurationSays) {
  Config config;
  config.node_id = "n1";
  config.cluster_name = "c";
  config.sync_interval = Duration::from_seconds(7);
  config.catchup_interval = Duration::from_seconds(5);
  config.throttle_delay = Duration::from_ms(3);
  config.fetch_delay = Duration::from_ms(2);
  config.bootstrap_max_age = Duration::from_seconds(3600);
  config.tombstone_min_age = Duration::from_seconds(7200);
  config.max_clock_skew = Duration::from_ms(11);
  config.probe_interval = Duration::from_ms(300);
  config.probe_timeout = Duration::from_ms(100);
  const NodeOptions options = node_options(config, "10.0.0.1:8080");
  EXPECT_EQ(options.mode, Mode::normal);
  EXPECT_EQ(options.members.node_id, "n1");
  EXPECT_EQ(options.members.cluster_name, "c");
  EXPECT_EQ(options.members.protocol, peer_protocol());
  EXPECT_EQ(options.members.features, kFeatureZstd | kFeatureShortHashes | kFeatureExpiry);
  EXPECT_EQ(options.members.address, "10.0.0.1:8080");
  EXPECT_EQ(options.members.probe_interval, Duration::from_ms(300));
  EXPECT_EQ(options.members.probe_timeout, Duration::from_ms(100));
  EXPECT_EQ(options.sync.sync_interval, Duration::from_seconds(7));
  EXPECT_EQ(options.sync.catchup_interval, Duration::from_seconds(5));
  EXPECT_EQ(options.sync.throttle_delay, Duration::from_ms(3));
  EXPECT_EQ(options.sync.fetch_delay, Duration::from_ms(2));
  EXPECT_EQ(options.sync.bootstrap_max_age, Duration::from_seconds(3600));
  EXPECT_EQ(options.tombstone_min_age, Duration::from_seconds(7200));
  EXPECT_EQ(options.clock_skew_ms_max, 11);
}

TEST(NodeOptions, ReadOnlyIsAMode) {
  Config config;
  config.read_only = true;
  EXPECT_EQ(node_options(config, "a:1").mode, Mode::read_only);
}

TEST(NodeOptions, TheNodesOwnAddressIsNoSeed) {
  Config config;
  config.seed_nodes = {{.host = "10.0.0.1", .port = 1}, {.host = "10.0.0.2", .port = 1}};
  EXPECT_THAT(node_options(config, "10.0.0.1:1").members.seeds, ElementsAre("10.0.0.2:1"));
}

}  // namespace
}  // namespace kvs
