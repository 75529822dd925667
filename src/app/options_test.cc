#include "app/options.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/yaml_entries.h"
#include "core/config_keys.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

OptionsInput input(std::string file, std::vector<EnvironmentVariable> environment = {}) {
  return {.file_name = "c.yaml",
          .file_text = std::move(file),
          .environment = std::move(environment),
          .host_name = "host"};
}

Options parse(const OptionsInput& given) {
  auto options = parse_options(given);
  EXPECT_TRUE(options) << options.error().detail;
  return options ? *std::move(options) : Options{};
}

/// The error's lines; "valid" if there is none.
std::string errors(const OptionsInput& given) {
  const auto options = parse_options(given);
  if (options) {
    return "valid";
  }
  EXPECT_EQ(options.error().code, Errc::invalid_config);
  return options.error().detail;
}

std::string source(const Options& options, std::string_view key) {
  return options.sources.at(static_cast<std::size_t>(find_config_key(key) - config_keys().data()));
}

Config defaults() {
  Config config;
  config.node_id = "host";
  return config;
}

TEST(Options, NothingGivenMeansTheDefaults) {
  const Options options = parse(input(""));
  EXPECT_EQ(options.config, defaults());
  ASSERT_EQ(options.sources.size(), config_keys().size());
  for (const auto& each : options.sources) {
    EXPECT_EQ(each, "default");
  }
}

TEST(Options, ReadsEveryKey) {
  const Options options = parse(input(R"(
node_id: alpha
bind_address: "::1"
port: 9000
data_dir: /var/lib/kvs
seed_nodes: ["10.0.0.1:8080", '[::1]:8081', node3:8082]
read_only: true
log_level: debug
gossip_interval_min: 1
gossip_interval_max: 2
sync_interval: 3
catchup_interval: 4
bootstrap_max_age_hours: 5
throttle_delay_ms: 6
fetch_delay_ms: 0
durability: os
max_value_bytes: 8
max_key_bytes: 9
idle_timeout: 10
cache_mb: 11
threads: 12
log_file: /var/log/kvs.log
cluster_name: test cluster
max_clock_skew_ms: 13
tombstone_min_age_hours: 14
)"));
  const Config expected = {
      .node_id = "alpha",
      .bind_address = "::1",
      .port = 9000,
      .data_dir = "/var/lib/kvs",
      .seed_nodes = {{"10.0.0.1", 8080}, {"::1", 8081}, {"node3", 8082}},
      .read_only = true,
      .log_level = LogLevel::debug,
      .log_file = "/var/log/kvs.log",
      .gossip_interval_min = Duration::from_seconds(1),
      .gossip_interval_max = Duration::from_seconds(2),
      .sync_interval = Duration::from_seconds(3),
      .catchup_interval = Duration::from_seconds(4),
      .bootstrap_max_age = Duration::from_seconds(5LL * 3600),
      .throttle_delay = Duration::from_ms(6),
      .fetch_delay = Duration::from_ms(0),
      .durability = Durability::os,
      .max_value_bytes = 8,
      .max_key_bytes = 9,
      .idle_timeout = Duration::from_seconds(10),
      .cache_bytes = 11ULL << 20U,
      .threads = 12,
      .cluster_name = "test cluster",
      .max_clock_skew = Duration::from_ms(13),
      .tombstone_min_age = Duration::from_seconds(14LL * 3600),
  };
  EXPECT_EQ(options.config, expected);
  EXPECT_EQ(source(options, "node_id"), "c.yaml:2");
  EXPECT_EQ(source(options, "tombstone_min_age_hours"), "c.yaml:25");
}

TEST(Options, TheEnvironmentGoesBeforeTheFile) {
  const Options options =
      parse(input("port: 1\nlog_level: error\n",
                  {{"KVS_PORT", "2"}, {"PATH", "/bin"}, {"KVS_DATA_DIR", "/d"}}));
  EXPECT_EQ(options.config.port, 2);
  EXPECT_EQ(options.config.log_level, LogLevel::error);
  EXPECT_EQ(options.config.data_dir, "/d");
  EXPECT_EQ(source(options, "port"), "KVS_PORT");
  EXPECT_EQ(source(options, "log_level"), "c.yaml:2");
  EXPECT_EQ(source(options, "node_id"), "default");
}

TEST(Options, EveryKeyHasItsVariable) {
  for (const ConfigKey& key : config_keys()) {
    const std::string text = config_value(defaults(), key);
    const Options options = parse(input("", {{variable_of(key.name), text}}));
    EXPECT_EQ(options.config, defaults()) << key.name;
    EXPECT_EQ(source(options, key.name), variable_of(key.name));
  }
  EXPECT_EQ(variable_of("gossip_interval_min"), "KVS_GOSSIP_INTERVAL_MIN");
}

TEST(Options, AVariableHoldsAListWithCommas) {
  const Options options = parse(input("seed_nodes: [x:1]", {{"KVS_SEED_NODES", "a:1, [::1]:2"}}));
  EXPECT_EQ(options.config.seed_nodes, (std::vector<Address>{{"a", 1}, {"::1", 2}}));
  EXPECT_THAT(parse(input("seed_nodes: [x:1]", {{"KVS_SEED_NODES", ""}})).config.seed_nodes,
              IsEmpty());
}

TEST(Options, AnEmptyNodeIdMeansTheHostName) {
  EXPECT_EQ(parse(input("node_id: \"\"")).config.node_id, "host");
  EXPECT_EQ(parse(input("node_id: a", {{"KVS_NODE_ID", ""}})).config.node_id, "host");
}

TEST(Options, TextNeedsNoQuotes) {
  const Options options = parse(input("node_id: 42\ncluster_name: true\nlog_level: 'warn'\n"));
  EXPECT_EQ(options.config.node_id, "42");
  EXPECT_EQ(options.config.cluster_name, "true");
  EXPECT_EQ(options.config.log_level, LogLevel::warn);
}

TEST(Options, TakesListsInBothStyles) {
  EXPECT_EQ(parse(input("seed_nodes:\n- a:1\n- b:2\n")).config.seed_nodes,
            parse(input("seed_nodes: [\"a:1\", 'b:2']\n")).config.seed_nodes);
  EXPECT_THAT(parse(input("seed_nodes: []")).config.seed_nodes, IsEmpty());
}

TEST(Options, PassesOverVariablesOfOthers) {
  EXPECT_EQ(parse(input("", {{"KVS_NODE", "http://localhost:8080"},
                             {"KVS_TEST_ANYTHING", "x"},
                             {"KVS_SERVICE_HOST", "10.0.0.1"},
                             {"KVS_SERVICE_PORT_HTTP", "8080"},
                             {"KVS_PORT_8080_TCP_ADDR", "10.0.0.1"},
                             {"kvs_port", "1"},
                             {"KVSPORT", "1"}}))
                .config,
            defaults());
}

struct BadFile {
  std::string text;
  std::string message;
};

const std::string kNumber0To65535 = "allowed: a whole number, 0 to 65535";
const std::string kAddresses =
    "allowed: addresses of the form host:port or [IPv6]:port, port 1 to 65535";
const std::string kName =
    "allowed: empty, or 1 to 255 bytes of UTF-8 without control characters and without a space at "
    "either end";

// Each text is wrong in one way and gives exactly this.
const std::vector<BadFile> kBadFiles = {
    // Unknown keys.
    {"prot: 1", "c.yaml:1: unknown key \"prot\"; the nearest known key is \"port\""},
    {"\n\nPort: 1", "c.yaml:3: unknown key \"Port\"; the nearest known key is \"port\""},
    {"node-id: a", "c.yaml:1: unknown key \"node-id\"; the nearest known key is \"node_id\""},
    {"KVS_PORT: 1", "c.yaml:1: unknown key \"KVS_PORT\"; the nearest known key is \"port\""},
    {"seeds: []", "c.yaml:1: unknown key \"seeds\"; the nearest known key is \"threads\""},
    {"loglevel: info",
     "c.yaml:1: unknown key \"loglevel\"; the nearest known key is \"log_level\""},
    {"throttle_delay: 1",
     "c.yaml:1: unknown key \"throttle_delay\"; the nearest known key is \"throttle_delay_ms\""},
    {"'': 1", "c.yaml:1: unknown key \"\"; the nearest known key is \"port\""},
    {"\"po\\nrt\": 1", "c.yaml:1: unknown key \"po\\x0Art\"; the nearest known key is \"port\""},
    {"port 8080", "c.yaml:1: this is not a list of keys; write one `key: value` a line"},
    // Given twice.
    {"port: 1\nport: 1", "c.yaml:2: port: given a second time; it already stands in line 1"},
    {"port: 1\nlog_level: info\n'port': 2",
     "c.yaml:3: port: given a second time; it already stands in line 1"},
    // Numbers.
    {"port: 80a", "c.yaml:1: port: \"80a\" is not allowed; " + kNumber0To65535},
    {"port: -1", "c.yaml:1: port: \"-1\" is not allowed; " + kNumber0To65535},
    {"port: 65536", "c.yaml:1: port: \"65536\" is not allowed; " + kNumber0To65535},
    {"port: 99999999999999999999",
     "c.yaml:1: port: \"99999999999999999999\" is not allowed; " + kNumber0To65535},
    {"port: 80.0", "c.yaml:1: port: \"80.0\" is not allowed; " + kNumber0To65535},
    {"port: 0x50", "c.yaml:1: port: \"0x50\" is not allowed; " + kNumber0To65535},
    {"port: 0120", "c.yaml:1: port: \"0120\" is not allowed; " + kNumber0To65535},
    {"port: 8_080", "c.yaml:1: port: \"8_080\" is not allowed; " + kNumber0To65535},
    {"port: +80", "c.yaml:1: port: \"+80\" is not allowed; " + kNumber0To65535},
    {"port: 80 81", "c.yaml:1: port: \"80 81\" is not allowed; " + kNumber0To65535},
    {"port: \"8080\"", "c.yaml:1: port: \"8080\" in quotes is not allowed; " + kNumber0To65535},
    {"port: |\n  8080", "c.yaml:1: port: \"8080\" in quotes is not allowed; " + kNumber0To65535},
    {"port:", "c.yaml:1: port: no value is not allowed; " + kNumber0To65535},
    {"port: ~", "c.yaml:1: port: no value is not allowed; " + kNumber0To65535},
    {"port: null", "c.yaml:1: port: no value is not allowed; " + kNumber0To65535},
    {"port: [1]", "c.yaml:1: port: a list is not allowed; " + kNumber0To65535},
    {"port: {a: 1}", "c.yaml:1: port: a map is not allowed; " + kNumber0To65535},
    {"port:\n  number: 1", "c.yaml:2: port: a map is not allowed; " + kNumber0To65535},
    {"port: !!int 1",
     "c.yaml:1: port: a value with an anchor or a tag is not allowed; " + kNumber0To65535},
    {"port: &a 1",
     "c.yaml:1: port: a value with an anchor or a tag is not allowed; " + kNumber0To65535},
    {"sync_interval: 0",
     "c.yaml:1: sync_interval: \"0\" is not allowed; allowed: a whole number of seconds, 1 to "
     "604800"},
    {"sync_interval: 5m",
     "c.yaml:1: sync_interval: \"5m\" is not allowed; allowed: a whole number of seconds, 1 to "
     "604800"},
    {"idle_timeout: 86401",
     "c.yaml:1: idle_timeout: \"86401\" is not allowed; allowed: a whole number of seconds, 1 to "
     "86400"},
    {"fetch_delay_ms: 60001",
     "c.yaml:1: fetch_delay_ms: \"60001\" is not allowed; allowed: a whole number of "
     "milliseconds, 0 to 60000"},
    {"max_value_bytes: 0",
     "c.yaml:1: max_value_bytes: \"0\" is not allowed; allowed: a whole number of bytes, 1 to "
     "67108864"},
    {"max_value_bytes: 1MiB",
     "c.yaml:1: max_value_bytes: \"1MiB\" is not allowed; allowed: a whole number of bytes, 1 to "
     "67108864"},
    {"max_key_bytes: 4097",
     "c.yaml:1: max_key_bytes: \"4097\" is not allowed; allowed: a whole number of bytes, 1 to "
     "4096"},
    {"cache_mb: 0",
     "c.yaml:1: cache_mb: \"0\" is not allowed; allowed: a whole number of MiB, 1 to 1048576"},
    {"threads: 257",
     "c.yaml:1: threads: \"257\" is not allowed; allowed: a whole number, 0 to 256"},
    {"bootstrap_max_age_hours: 0",
     "c.yaml:1: bootstrap_max_age_hours: \"0\" is not allowed; allowed: a whole number of hours, "
     "1 to 87600"},
    {"max_clock_skew_ms: -5",
     "c.yaml:1: max_clock_skew_ms: \"-5\" is not allowed; allowed: a whole number of "
     "milliseconds, 1 to 3600000"},
    {"tombstone_min_age_hours: 0.5",
     "c.yaml:1: tombstone_min_age_hours: \"0.5\" is not allowed; allowed: a whole number of "
     "hours, 1 to 87600"},
    // One number against another.
    {"gossip_interval_min: 121",
     "c.yaml:1: gossip_interval_min: \"121\" is not allowed; allowed: at most "
     "gossip_interval_max, which is 120"},
    {"gossip_interval_max: 59",
     "c.yaml:1: gossip_interval_max: \"59\" is not allowed; allowed: at least "
     "gossip_interval_min, which is 60"},
    {"gossip_interval_max: 4\ngossip_interval_min: 5",
     "c.yaml:2: gossip_interval_min: \"5\" is not allowed; allowed: at most gossip_interval_max, "
     "which is 4\n"
     "c.yaml:1: gossip_interval_max: \"4\" is not allowed; allowed: at least gossip_interval_min, "
     "which is 5"},
    // Truths and choices.
    {"read_only: yes", "c.yaml:1: read_only: \"yes\" is not allowed; allowed: true or false"},
    {"read_only: True", "c.yaml:1: read_only: \"True\" is not allowed; allowed: true or false"},
    {"read_only: 1", "c.yaml:1: read_only: \"1\" is not allowed; allowed: true or false"},
    {"read_only: 'true'",
     "c.yaml:1: read_only: \"true\" in quotes is not allowed; allowed: true or false"},
    {"log_level: verbose",
     "c.yaml:1: log_level: \"verbose\" is not allowed; allowed: debug, info, warn or error"},
    {"log_level: INFO",
     "c.yaml:1: log_level: \"INFO\" is not allowed; allowed: debug, info, warn or error"},
    {"log_level: \"\"",
     "c.yaml:1: log_level: \"\" is not allowed; allowed: debug, info, warn or error"},
    {"log_level: [info]",
     "c.yaml:1: log_level: a list is not allowed; allowed: debug, info, warn or error"},
    {"durability: fsync", "c.yaml:1: durability: \"fsync\" is not allowed; allowed: sync or os"},
    {"durability:",
     "c.yaml:1: durability: no value (write \"\" for an empty one) is not allowed; allowed: sync "
     "or os"},
    // Texts.
    {"node_id: ' a'", "c.yaml:1: node_id: \" a\" is not allowed; " + kName},
    {"node_id: \"a\\tb\"", "c.yaml:1: node_id: \"a\\x09b\" is not allowed; " + kName},
    {"node_id: |\n  a\n  b", "c.yaml:1: node_id: \"a\\x0Ab\" is not allowed; " + kName},
    {"node_id: [a]", "c.yaml:1: node_id: a list is not allowed; " + kName},
    {"node_id: \"a", "c.yaml:1: not YAML: illegal EOF in scalar"},
    {"node_id: \"a\nport: 8080\n",
     "c.yaml:1: node_id: a quoted text that does not end on its line is not allowed; " + kName},
    {"cluster_name: \"\"",
     "c.yaml:1: cluster_name: \"\" is not allowed; allowed: 1 to 255 bytes of UTF-8 without "
     "control characters and without a space at either end"},
    {"data_dir: ''",
     "c.yaml:1: data_dir: \"\" is not allowed; allowed: a path of 1 to 4095 bytes without control "
     "characters"},
    {"log_file:",
     "c.yaml:1: log_file: no value (write \"\" for an empty one) is not allowed; allowed: empty, "
     "or a path of at most 4095 bytes without control characters"},
    // Addresses.
    {"bind_address: 127.0.0.256",
     "c.yaml:1: bind_address: \"127.0.0.256\" is not allowed; allowed: an IPv4 address, an IPv6 "
     "address without brackets, or a host name"},
    {"bind_address: '[::1]'",
     "c.yaml:1: bind_address: \"[::1]\" is not allowed; allowed: an IPv4 address, an IPv6 address "
     "without brackets, or a host name"},
    {"bind_address: 0.0.0.0:8080",
     "c.yaml:1: bind_address: \"0.0.0.0:8080\" is not allowed; allowed: an IPv4 address, an IPv6 "
     "address without brackets, or a host name"},
    {"bind_address: ''",
     "c.yaml:1: bind_address: \"\" is not allowed; allowed: an IPv4 address, an IPv6 address "
     "without brackets, or a host name"},
    {"seed_nodes: a:1", "c.yaml:1: seed_nodes: \"a:1\" is not allowed; " + kAddresses},
    {"seed_nodes:", "c.yaml:1: seed_nodes: no value is not allowed; " + kAddresses},
    {"seed_nodes: {a: 1}", "c.yaml:1: seed_nodes: a map is not allowed; " + kAddresses},
    {"seed_nodes: [a]", "c.yaml:1: seed_nodes: \"a\" is not allowed; " + kAddresses},
    {"seed_nodes:\n- a:1\n- b:0\n", "c.yaml:3: seed_nodes: \"b:0\" is not allowed; " + kAddresses},
    {"seed_nodes: ['a:1,b:2']", "c.yaml:1: seed_nodes: \"a:1,b:2\" is not allowed; " + kAddresses},
    {"seed_nodes: ['http://a:1']",
     "c.yaml:1: seed_nodes: \"http://a:1\" is not allowed; " + kAddresses},
    {"seed_nodes: ['::1:80']", "c.yaml:1: seed_nodes: \"::1:80\" is not allowed; " + kAddresses},
    {"seed_nodes: [[a:1]]", "c.yaml:1: seed_nodes: a list is not allowed; " + kAddresses},
    {"seed_nodes: [a: 1]", "c.yaml:1: seed_nodes: a map is not allowed; " + kAddresses},
    {"seed_nodes: [~]", "c.yaml:1: seed_nodes: no value is not allowed; " + kAddresses},
    // What is no list of keys at all.
    {"- port: 1", "c.yaml:1: this is not a list of keys; write one `key: value` a line"},
    {"[]", "c.yaml:1: this is not a list of keys; write one `key: value` a line"},
    {"{\"port\" 1}", "c.yaml:1: not YAML: end of map flow not found"},
    {"? [a]\n: b", "c.yaml:1: a key must be a word; write `key: value`"},
    {"a\0b", "c.yaml:1: this is not a list of keys; write one `key: value` a line"},
    {"port: 1\n\xFF", "c.yaml:2: not UTF-8; save the file as UTF-8"},
    {"port: 1\n\n\x1B[0m", "c.yaml:3: a control character (U+001B); remove it"},
    {"port: 1\n...\nlog_level: info",
     "c.yaml:3: this does not belong to the keys above it; indent all keys alike, with no `---` "
     "between"},
    {"port: 1\n\tlog_level: info", "c.yaml:2: not YAML: illegal tab when looking for indentation"},
    {"port: [1", "c.yaml:1: not YAML: end of sequence flow not found"},
    {"node_id: \"a\\\nb\"",
     "c.yaml:1: node_id: a quoted text that does not end on its line is not allowed; " + kName},
    {"node_id: \"\\\u00e9\"", "c.yaml:1: not YAML: unknown escape character: \\xC3"},
    {"port: *a", "c.yaml:1: not YAML: the referenced anchor is not defined"},
    {"%YAML 9.0\n---\nport: 1", "c.yaml:1: not YAML: YAML major version too large"},
};

TEST(Options, EveryBadFileIsNamedWithPlaceValueAndWhatIsAllowed) {
  EXPECT_GE(kBadFiles.size(), 60U);
  for (const BadFile& bad : kBadFiles) {
    EXPECT_EQ(errors(input(bad.text)), bad.message) << "for the file:\n" << bad.text;
  }
}

struct BadVariable {
  std::string name;
  std::string value;
  std::string message;
};

const std::vector<BadVariable> kBadVariables = {
    {"KVS_PORT", "80a", "KVS_PORT: \"80a\" is not allowed; " + kNumber0To65535},
    {"KVS_PORT", "", "KVS_PORT: \"\" is not allowed; " + kNumber0To65535},
    {"KVS_PORT", " 80", "KVS_PORT: \" 80\" is not allowed; " + kNumber0To65535},
    {"KVS_PORT", "tcp://10.0.0.1:8080",
     "KVS_PORT: \"tcp://10.0.0.1:8080\" was set by Kubernetes for a service called kvs; put "
     "`enableServiceLinks: false` into the pod's spec"},
    {"KVS_LOG_LEVEL", "loud",
     "KVS_LOG_LEVEL: \"loud\" is not allowed; allowed: debug, info, warn or error"},
    {"KVS_READ_ONLY", "1", "KVS_READ_ONLY: \"1\" is not allowed; allowed: true or false"},
    {"KVS_SEED_NODES", "a:1,b", "KVS_SEED_NODES: \"a:1,b\" is not allowed; " + kAddresses},
    {"KVS_SEED_NODES", "[a:1]", "KVS_SEED_NODES: \"[a:1]\" is not allowed; " + kAddresses},
    {"KVS_NODE_ID", "\xFF\x01", "KVS_NODE_ID: \"\\xFF\\x01\" is not allowed; " + kName},
    {"KVS_GOSSIP_INTERVAL_MIN", "121",
     "KVS_GOSSIP_INTERVAL_MIN: \"121\" is not allowed; allowed: at most gossip_interval_max, "
     "which is 120"},
    {"KVS_PROT", "1", "KVS_PROT: unknown variable; the nearest known one is KVS_PORT"},
    {"KVS_port", "1", "KVS_port: unknown variable; the nearest known one is KVS_PORT"},
    {"KVS_A\x1B\xFF", "1", "KVS_A\\x1B\\xFF: unknown variable; the nearest known one is KVS_PORT"},
    {"KVS_", "1", "KVS_: unknown variable; the nearest known one is KVS_PORT"},
    {"KVS_LOGLEVEL", "1", "KVS_LOGLEVEL: unknown variable; the nearest known one is KVS_LOG_LEVEL"},
};

TEST(Options, EveryBadVariableIsNamedWithValueAndWhatIsAllowed) {
  for (const BadVariable& bad : kBadVariables) {
    EXPECT_EQ(errors(input("", {{bad.name, bad.value}})), bad.message);
  }
}

TEST(Options, TellsAllErrorsAtOnce) {
  EXPECT_EQ(errors(input("prot: 1\nread_only: 2\nseed_nodes: [a, b:1, c]\n",
                         {{"KVS_THREADS", "x"}, {"KVS_DATADIR", "/d"}})),
            "c.yaml:1: unknown key \"prot\"; the nearest known key is \"port\"\n"
            "c.yaml:2: read_only: \"2\" is not allowed; allowed: true or false\n"
            "c.yaml:3: seed_nodes: \"a\" is not allowed; " +
                kAddresses +
                "\n"
                "c.yaml:3: seed_nodes: \"c\" is not allowed; " +
                kAddresses +
                "\n"
                "KVS_THREADS: \"x\" is not allowed; allowed: a whole number, 0 to 256\n"
                "KVS_DATADIR: unknown variable; the nearest known one is KVS_DATA_DIR");
}

TEST(Options, ABadValueInTheFileIsAnErrorEvenUnderAVariable) {
  EXPECT_EQ(errors(input("port: x", {{"KVS_PORT", "1"}})),
            "c.yaml:1: port: \"x\" is not allowed; " + kNumber0To65535);
}

TEST(Options, AHostNameThatIsNoNodeIdIsAnError) {
  OptionsInput given = input("");
  given.host_name = "a\nb";
  EXPECT_THAT(errors(given), StartsWith("c.yaml: node_id: \"a\\x0Ab\" is not allowed; "));
}

TEST(Options, LongValuesAreCutInMessages) {
  const std::string message = errors(input("port: " + std::string(100'000, 'x')));
  EXPECT_LT(message.size(), 250U);
  EXPECT_THAT(message, HasSubstr("xxx...\" is not allowed"));
}

TEST(Options, ManyErrorsStayFew) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) {
    text += "unknown" + std::to_string(i) + ": 1\n";
  }
  const std::string message = errors(input(text));
  EXPECT_EQ(std::ranges::count(message, '\n') + 1, 50);
}

TEST(Options, LoadsAFile) {
  const TemporaryFolder folder;
  const std::string path = folder / "c.yaml";
  std::ofstream(path) << "port: 1234\n";
  const auto options = load_options(path);
  ASSERT_TRUE(options) << options.error().detail;
  EXPECT_EQ(options->config.port, 1234);
  EXPECT_FALSE(options->config.node_id.empty());
  EXPECT_EQ(source(*options, "port"), path + ":1");
}

TEST(Options, LoadingReadsTheEnvironment) {
  ASSERT_EQ(::setenv("KVS_MAX_KEY_BYTES", "77", 1), 0);
  const auto options = load_options("/dev/null");
  ::unsetenv("KVS_MAX_KEY_BYTES");
  ASSERT_TRUE(options) << options.error().detail;
  EXPECT_EQ(options->config.max_key_bytes, 77U);
  EXPECT_EQ(source(*options, "max_key_bytes"), "KVS_MAX_KEY_BYTES");
}

TEST(Options, SaysWhyAFileCannotBeRead) {
  const TemporaryFolder folder;
  const std::string advice = "name a configuration file that exists and that this user may read";
  const auto absent = load_options(folder / "absent.yaml");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Errc::io_error);
  EXPECT_EQ(absent.error().detail,
            "cannot read " + (folder / "absent.yaml") + ": No such file or directory; " + advice);

  const auto is_folder = load_options(folder.path());
  ASSERT_FALSE(is_folder);
  EXPECT_EQ(is_folder.error().detail,
            "cannot read " + folder.path() + ": Is a directory; " + advice);

  const auto endless = load_options("/dev/zero");
  ASSERT_FALSE(endless);
  EXPECT_THAT(endless.error().detail, HasSubstr("more than 1048576 bytes"));
}

}  // namespace
}  // namespace kvs
