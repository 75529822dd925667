#include "core/config.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config_keys.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> keys_of(const std::vector<ConfigProblem>& problems) {
  std::vector<std::string> keys;
  for (const auto& problem : problems) {
    keys.push_back(problem.key);
  }
  return keys;
}

TEST(Config, DefaultsAreTheDocumentedOnes) {
  const std::vector<std::pair<std::string_view, std::string_view>> documented = {
      {"node_id", ""},
      {"bind_address", "127.0.0.1"},
      {"port", "8080"},
      {"data_dir", "./data"},
      {"seed_nodes", ""},
      {"read_only", "false"},
      {"log_level", "info"},
      {"gossip_interval_min", "60"},
      {"gossip_interval_max", "120"},
      {"sync_interval", "300"},
      {"catchup_interval", "120"},
      {"bootstrap_max_age_hours", "720"},
      {"throttle_delay_ms", "100"},
      {"fetch_delay_ms", "50"},
      {"durability", "sync"},
      {"backup_folder", ""},
      {"max_value_bytes", "1048576"},
      {"max_key_bytes", "1024"},
      {"idle_timeout", "60"},
      {"cache_mb", "256"},
      {"threads", "0"},
      {"log_file", ""},
      {"cluster_name", "kvs"},
      {"max_clock_skew_ms", "5000"},
      {"tombstone_min_age_hours", "24"},
      {"advertise_address", ""},
      {"probe_interval_ms", "1000"},
      {"probe_timeout_ms", "500"},
  };
  ASSERT_EQ(documented.size(), config_keys().size());
  for (std::size_t i = 0; i < documented.size(); ++i) {
    const ConfigKey& key = config_keys()[i];
    EXPECT_EQ(key.name, documented[i].first);
    EXPECT_EQ(config_value(Config{}, key), documented[i].second) << key.name;
  }
}

TEST(Config, TheDefaultIsValid) {
  EXPECT_THAT(check_config(Config{}), IsEmpty());
}

TEST(Config, EveryBrokenRuleIsFound) {
  Config config;
  config.bind_address = "not an address";
  config.data_dir = "";
  config.seed_nodes = {{.host = "fine", .port = 1}, {.host = "no:host", .port = 80}};
  config.max_key_bytes = 0;
  config.cache_bytes = 1000;
  config.idle_timeout = Duration::from_ms(999);
  config.max_value_bytes = std::numeric_limits<std::uint64_t>::max();
  EXPECT_THAT(keys_of(check_config(config)),
              ElementsAre("bind_address", "data_dir", "seed_nodes", "max_value_bytes",
                          "max_key_bytes", "idle_timeout", "cache_mb"));
}

TEST(Config, AProbeEndsBeforeTheNext) {
  Config config;
  config.probe_timeout = config.probe_interval;
  const auto problems = check_config(config);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].key, "probe_timeout_ms");
  EXPECT_EQ(problems[0].allowed, "less than probe_interval_ms, which is 1000");
  EXPECT_EQ(problems[1].key, "probe_interval_ms");
  EXPECT_EQ(problems[1].allowed, "more than probe_timeout_ms, which is 1000");
}

TEST(Config, OthersAreToldWhereTheNodeIs) {
  const Whereabouts here{.port = 9000, .host_name = "machine"};
  Config config;
  EXPECT_EQ(advertised_address(config, here), "127.0.0.1:9000");
  config.bind_address = "::1";
  EXPECT_EQ(advertised_address(config, here), "[::1]:9000");
  for (const auto* every : {"0.0.0.0", "::", "0::0"}) {
    config.bind_address = every;
    EXPECT_EQ(advertised_address(config, here), "machine:9000");
  }
  config.advertise_address = "gate";
  EXPECT_EQ(advertised_address(config, here), "gate:9000");
  config.advertise_address = "fe80::1";
  EXPECT_EQ(advertised_address(config, here), "[fe80::1]:9000");
  config.advertise_address = "gate:80";
  EXPECT_EQ(advertised_address(config, here), "gate:80");
}

TEST(Config, GossipIntervalsAreInOrder) {
  Config config;
  config.gossip_interval_min = config.gossip_interval_max;
  EXPECT_THAT(check_config(config), IsEmpty());

  config.gossip_interval_min = config.gossip_interval_max + Duration::from_seconds(1);
  const auto problems = check_config(config);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].key, "gossip_interval_min");
  EXPECT_EQ(problems[0].value, "121");
  EXPECT_EQ(problems[0].allowed, "at most gossip_interval_max, which is 120");
  EXPECT_EQ(problems[1].key, "gossip_interval_max");
  EXPECT_EQ(problems[1].value, "120");
  EXPECT_EQ(problems[1].allowed, "at least gossip_interval_min, which is 121");
}

}  // namespace
}  // namespace kvs
