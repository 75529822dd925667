#include "core/config.h"

#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config_keys.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const ConfigKey& key_named(std::string_view name) {
  const ConfigKey* const key = find_config_key(name);
  EXPECT_NE(key, nullptr) << name;
  return *key;
}

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
      {"max_value_bytes", "1048576"},
      {"max_key_bytes", "1024"},
      {"idle_timeout", "60"},
      {"cache_mb", "256"},
      {"threads", "0"},
      {"log_file", ""},
      {"cluster_name", "kvs"},
      {"max_clock_skew_ms", "5000"},
      {"tombstone_min_age_hours", "24"},
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

TEST(ConfigKeys, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const ConfigKey& key : config_keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_EQ(find_config_key(key.name), &key);
    EXPECT_FALSE(key.meaning.empty()) << key.name;
  }
  EXPECT_EQ(find_config_key("prot"), nullptr);
  EXPECT_EQ(find_config_key(""), nullptr);
}

TEST(ConfigKeys, EveryNumberTakesItsLimitsAndNothingBeyond) {
  int numbers = 0;
  for (const ConfigKey& key : config_keys()) {
    const auto* const rule = std::get_if<NumberRule>(&key.rule);
    if (rule == nullptr) {
      continue;
    }
    ++numbers;
    for (const std::int64_t value : {rule->min, rule->max}) {
      Config config;
      EXPECT_TRUE(set_config_value(config, key, std::to_string(value))) << key.name;
      EXPECT_EQ(config_value(config, key), std::to_string(value)) << key.name;
    }
    for (const std::int64_t value : {rule->min - 1, rule->max + 1}) {
      Config config;
      EXPECT_FALSE(set_config_value(config, key, std::to_string(value))) << key.name;
      EXPECT_EQ(config, Config{}) << key.name;
    }
  }
  EXPECT_EQ(numbers, 15);
}

TEST(ConfigKeys, NumbersArePlainDecimals) {
  const ConfigKey& port = key_named("port");
  for (const auto* text :
       {"", " ", "-", "+80", "080", "00", "0x50", "80.0", "8e1", "1_000", "80 ", " 80", "80a",
        "eighty", "99999999999999999999", "-99999999999999999999", "-0x1", "\u0664"}) {
    Config config;
    EXPECT_FALSE(set_config_value(config, port, text)) << text;
    EXPECT_EQ(config, Config{});
  }
}

TEST(ConfigKeys, UnitsReachTheFields) {
  Config config;
  for (const auto& [name, text] : {std::pair{"idle_timeout", "2"},
                                   {"bootstrap_max_age_hours", "3"},
                                   {"fetch_delay_ms", "4"},
                                   {"cache_mb", "5"}}) {
    EXPECT_TRUE(set_config_value(config, key_named(name), text)) << name;
  }
  EXPECT_EQ(config.idle_timeout, Duration::from_seconds(2));
  EXPECT_EQ(config.bootstrap_max_age, Duration::from_seconds(3 * 3600));
  EXPECT_EQ(config.fetch_delay, Duration::from_ms(4));
  EXPECT_EQ(config.cache_bytes, 5ULL * 1024 * 1024);
}

TEST(ConfigKeys, ChoicesAreTheirWords) {
  Config config;
  EXPECT_TRUE(set_config_value(config, key_named("log_level"), "error"));
  EXPECT_EQ(config.log_level, LogLevel::error);
  EXPECT_TRUE(set_config_value(config, key_named("log_level"), "debug"));
  EXPECT_EQ(config.log_level, LogLevel::debug);
  EXPECT_TRUE(set_config_value(config, key_named("durability"), "os"));
  EXPECT_EQ(config.durability, Durability::os);
  for (const auto* text : {"", "Info", "warning", "inf", "info "}) {
    EXPECT_FALSE(set_config_value(config, key_named("log_level"), text)) << text;
  }
}

TEST(ConfigKeys, NamesOfNodesArePrintable) {
  const ConfigKey& node_id = key_named("node_id");
  Config config;
  for (const std::string& text :
       {std::string(), std::string("node 1"), std::string("kn\u00f6t"), std::string(255, 'n')}) {
    EXPECT_TRUE(set_config_value(config, node_id, text)) << text;
    EXPECT_EQ(config.node_id, text);
  }
  for (const std::string& text :
       {std::string(" n"), std::string("n "), std::string("a\nb"), std::string("a\0b", 3),
        std::string("\x7f"), std::string("\xFF"), std::string(256, 'n')}) {
    EXPECT_FALSE(set_config_value(config, node_id, text)) << text;
  }
  EXPECT_FALSE(set_config_value(config, key_named("cluster_name"), ""));
}

TEST(ConfigKeys, AddressesAreSeparatedByCommas) {
  const ConfigKey& seeds = key_named("seed_nodes");
  Config config;
  EXPECT_TRUE(set_config_value(config, seeds, " a:1 ,\t[::1]:2,1.2.3.4:3"));
  EXPECT_EQ(config_value(config, seeds), "a:1,[::1]:2,1.2.3.4:3");
  EXPECT_TRUE(set_config_value(config, seeds, " "));
  EXPECT_THAT(config.seed_nodes, IsEmpty());
  for (const auto* text : {",", "a:1,", ",a:1", "a:1,,b:2", "a:1 b:2", "a:1;b:2", "a:0", "a"}) {
    EXPECT_FALSE(set_config_value(config, seeds, text)) << text;
  }
}

TEST(ConfigKeys, SayWhatIsAllowed) {
  EXPECT_EQ(allowed_values(key_named("port")), "a whole number, 0 to 65535");
  EXPECT_EQ(allowed_values(key_named("idle_timeout")), "a whole number of seconds, 1 to 86400");
  EXPECT_EQ(allowed_values(key_named("log_level")), "debug, info, warn or error");
  EXPECT_EQ(allowed_values(key_named("durability")), "sync or os");
  EXPECT_EQ(allowed_values(key_named("read_only")), "true or false");
}

TEST(ConfigKeys, NearestIsByEditDistance) {
  EXPECT_EQ(nearest_config_key("prot"), "port");
  EXPECT_EQ(nearest_config_key("Port"), "port");
  EXPECT_EQ(nearest_config_key("node-id"), "node_id");
  EXPECT_EQ(nearest_config_key("seeds_node"), "seed_nodes");
  EXPECT_EQ(nearest_config_key("gossip_interval_maxx"), "gossip_interval_max");
  EXPECT_EQ(nearest_config_key("log_levle"), "log_level");
  EXPECT_EQ(nearest_config_key("KVS_DATADIR"), "data_dir");
  EXPECT_FALSE(nearest_config_key("").empty());
  EXPECT_FALSE(nearest_config_key(std::string(1000, 'x')).empty());
}

}  // namespace
}  // namespace kvs
