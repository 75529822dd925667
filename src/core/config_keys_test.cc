#include "core/config_keys.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvs {
namespace {

using ::testing::IsEmpty;

const ConfigKey& key_named(std::string_view name) {
  const ConfigKey* const key = find_config_key(name);
  EXPECT_NE(key, nullptr) << name;
  return *key;
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
  EXPECT_EQ(numbers, 17);
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

TEST(ConfigKeys, AnAdvertisedAddressCanBeReached) {
  const ConfigKey& advertised = key_named("advertise_address");
  Config config;
  for (const auto* text : {"10.0.0.1:80", "10.0.0.1", "[fe80::1]:80", "fe80::1", "node-1",
                           "node-1.example.org:8080", ""}) {
    EXPECT_TRUE(set_config_value(config, advertised, text)) << text;
    EXPECT_EQ(config.advertise_address, text);
  }
  for (const auto* text : {"0.0.0.0", "0.0.0.0:80", "::", "[::]:80", "0:0:0:0:0:0:0:0", "node:0",
                           "node:", ":80", "node:80:90", "1.2.3", "a b", "http://node:80"}) {
    EXPECT_FALSE(set_config_value(config, advertised, text)) << text;
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
