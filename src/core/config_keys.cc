#include "core/config_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/utf8.h"

namespace kvs {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMillisecond;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kMebibyte = 1 << 20;

constexpr std::int64_t kDayInSeconds = 86'400;
constexpr std::int64_t kWeekInSeconds = 7 * kDayInSeconds;
constexpr std::int64_t kTenYearsInHours = 87'600;

struct Range {
  std::int64_t min;
  std::int64_t max;
  std::string_view unit;
};

/// A number of `Unit`s: nanoseconds of a Duration, or pieces of a plain number.
template <auto Field, std::int64_t Unit = 1>
constexpr NumberRule number(Range range) {
  return {.min = range.min,
          .max = range.max,
          .unit = range.unit,
          .get =
              [](const Config& config) {
                if constexpr (requires { (config.*Field).ns; }) {
                  return (config.*Field).ns / Unit;
                } else {
                  return static_cast<std::int64_t>(config.*Field) / Unit;
                }
              },
          .set =
              [](Config& config, std::int64_t value) {
                auto& field = config.*Field;
                if constexpr (requires { field.ns; }) {
                  field.ns = value * Unit;
                } else {
                  field = static_cast<std::remove_reference_t<decltype(field)>>(value * Unit);
                }
              }};
}

template <auto Field>
constexpr ChoiceRule choice(std::span<const std::string_view> words) {
  return {.words = words,
          .get = [](const Config& config) { return static_cast<std::size_t>(config.*Field); },
          .set =
              [](Config& config, std::size_t index) {
                auto& field = config.*Field;
                field = static_cast<std::remove_reference_t<decltype(field)>>(index);
              }};
}

bool is_printable(std::string_view text) {
  return is_utf8(text) && std::ranges::none_of(text, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 255 && is_printable(text) && text.front() != ' ' &&
         text.back() != ' ';
}

bool is_name_or_empty(std::string_view text) {
  return text.empty() || is_name(text);
}

bool is_path_or_empty(std::string_view text) {
  return text.size() <= 4095 && is_printable(text);
}

bool is_path(std::string_view text) {
  return !text.empty() && is_path_or_empty(text);
}

bool is_host(std::string_view text) {
  return is_ipv4(text) || is_ipv6(text) || is_host_name(text);
}

/// A host alone, or with a port, at which others can reach something.
bool is_reachable_or_empty(std::string_view text) {
  if (text.empty()) {
    return true;
  }
  const auto address = parse_address(text);
  const std::string_view host = address ? std::string_view(address->host) : text;
  return is_host(host) && !is_every_interface(host);
}

// In the order of the enumerations LogLevel and Durability.
constexpr std::array<std::string_view, 4> kLogLevels = {"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> kDurabilities = {"sync", "os"};

constexpr std::array kKeys = {
    ConfigKey{.name = "node_id",
              .meaning = "Name of this node, unique in the cluster; empty means the host name",
              .rule = TextRule{.field = &Config::node_id,
                               .accepts = is_name_or_empty,
                               .allowed = "empty, or 1 to 255 bytes of UTF-8 without control "
                                          "characters and without a space at either end"}},
    ConfigKey{.name = "bind_address",
              .meaning = "Address to listen on; 0.0.0.0 or :: for every interface",
              .rule = TextRule{.field = &Config::bind_address,
                               .accepts = is_host,
                               .allowed = "an IPv4 address, an IPv6 address without brackets, or a "
                                          "host name"}},
    ConfigKey{.name = "port",
              .meaning = "TCP port for clients and other nodes alike; 0 takes any free port",
              .rule = number<&Config::port>({.min = 0, .max = 65535, .unit = ""})},
    ConfigKey{.name = "data_dir",
              .meaning = "Folder of the data, made if absent; relative to the working folder",
              .rule = TextRule{.field = &Config::data_dir,
                               .accepts = is_path,
                               .allowed = "a path of 1 to 4095 bytes without control characters"}},
    ConfigKey{.name = "seed_nodes",
              .meaning = "Members to join at the start, and to look for again after a split; none "
                         "means that this node begins a cluster, or is joined by others",
              .rule = AddressesRule{&Config::seed_nodes}},
    ConfigKey{.name = "read_only",
              .meaning = "Refuse clients' writes; reads and replication go on",
              .rule = TruthRule{&Config::read_only}},
    ConfigKey{.name = "log_level",
              .meaning = "The least severity that is logged",
              .rule = choice<&Config::log_level>(kLogLevels)},
    ConfigKey{.name = "gossip_interval_min",
              .meaning = "Least time between two comparisons of member lists with random members; "
                         "at most gossip_interval_max",
              .rule = number<&Config::gossip_interval_min, kSecond>(
                  {.min = 1, .max = kDayInSeconds, .unit = "seconds"})},
    ConfigKey{.name = "gossip_interval_max",
              .meaning = "Greatest time between two comparisons of member lists with random "
                         "members; at least gossip_interval_min",
              .rule = number<&Config::gossip_interval_max, kSecond>(
                  {.min = 1, .max = kDayInSeconds, .unit = "seconds"})},
    ConfigKey{.name = "sync_interval",
              .meaning = "Time between two comparisons of data with a random member",
              .rule = number<&Config::sync_interval, kSecond>(
                  {.min = 1, .max = kWeekInSeconds, .unit = "seconds"})},
    ConfigKey{.name = "catchup_interval",
              .meaning = "Time until the next attempt of a node that knows that it is behind, if "
                         "the one before did not help",
              .rule = number<&Config::catchup_interval, kSecond>(
                  {.min = 1, .max = kWeekInSeconds, .unit = "seconds"})},
    ConfigKey{.name = "bootstrap_max_age_hours",
              .meaning = "How old data a new node fetches before it serves writes, what is older "
                         "comes later; 720 hours are 30 days",
              .rule = number<&Config::bootstrap_max_age, kHour>(
                  {.min = 1, .max = kTenYearsInHours, .unit = "hours"})},
    ConfigKey{.name = "throttle_delay_ms",
              .meaning = "Pause of a new node between two pages of data, of 1 MiB each",
              .rule = number<&Config::throttle_delay, kMillisecond>(
                  {.min = 0, .max = 60'000, .unit = "milliseconds"})},
    ConfigKey{.name = "fetch_delay_ms",
              .meaning = "Pause of a new node between two fetches of data within a page",
              .rule = number<&Config::fetch_delay, kMillisecond>(
                  {.min = 0, .max = 60'000, .unit = "milliseconds"})},
    ConfigKey{.name = "durability",
              .meaning = "What an acknowledged write survives: sync, a loss of power; os, only the "
                         "end of the process, but faster",
              .rule = choice<&Config::durability>(kDurabilities)},
    ConfigKey{.name = "backup_folder",
              .meaning = "Folder in which whoever reaches the port may have backups made, on the "
                         "file system of data_dir; empty means that none are made",
              .rule = TextRule{.field = &Config::backup_folder,
                               .accepts = is_path_or_empty,
                               .allowed = "empty, or a path of at most 4095 bytes without control "
                                          "characters"}},
    ConfigKey{.name = "max_value_bytes",
              .meaning = "Largest value that a client may store; equal on all nodes",
              .rule = number<&Config::max_value_bytes>(
                  {.min = 1, .max = 64 * kMebibyte, .unit = "bytes"})},
    ConfigKey{.name = "max_key_bytes",
              .meaning = "Longest key that a client may use; equal on all nodes",
              .rule = number<&Config::max_key_bytes>({.min = 1, .max = 4096, .unit = "bytes"})},
    ConfigKey{.name = "idle_timeout",
              .meaning = "A connection on which nothing happens for so long is closed",
              .rule = number<&Config::idle_timeout, kSecond>(
                  {.min = 1, .max = kDayInSeconds, .unit = "seconds"})},
    ConfigKey{.name = "cache_mb",
              .meaning = "Memory for the caches of the store",
              .rule = number<&Config::cache_bytes, kMebibyte>(
                  {.min = 1, .max = kMebibyte, .unit = "MiB"})},
    ConfigKey{.name = "threads",
              .meaning = "Threads that serve connections; 0 means one a processor core",
              .rule = number<&Config::threads>({.min = 0, .max = 256, .unit = ""})},
    ConfigKey{.name = "log_file",
              .meaning = "Log file, opened anew on SIGHUP; empty means standard error",
              .rule = TextRule{.field = &Config::log_file,
                               .accepts = is_path_or_empty,
                               .allowed = "empty, or a path of at most 4095 bytes without control "
                                          "characters"}},
    ConfigKey{.name = "cluster_name",
              .meaning = "Nodes whose cluster names differ refuse each other",
              .rule = TextRule{.field = &Config::cluster_name,
                               .accepts = is_name,
                               .allowed = "1 to 255 bytes of UTF-8 without control characters and "
                                          "without a space at either end"}},
    ConfigKey{.name = "max_clock_skew_ms",
              .meaning = "How far stamps may be ahead of the median of the members' clocks; own "
                         "ones are held back, others' are merged later",
              .rule = number<&Config::max_clock_skew, kMillisecond>(
                  {.min = 1, .max = 3'600'000, .unit = "milliseconds"})},
    ConfigKey{.name = "tombstone_min_age_hours",
              .meaning = "The least age at which the trace of a deletion may be forgotten",
              .rule = number<&Config::tombstone_min_age, kHour>(
                  {.min = 1, .max = kTenYearsInHours, .unit = "hours"})},
    ConfigKey{.name = "advertise_address",
              .meaning =
                  "Address at which others reach this node; empty means bind_address, or the "
                  "host name if that is 0.0.0.0 or ::",
              .rule = TextRule{.field = &Config::advertise_address,
                               .accepts = is_reachable_or_empty,
                               .allowed = "empty, or host, host:port or [IPv6]:port, but neither "
                                          "0.0.0.0 nor ::"}},
    ConfigKey{.name = "probe_interval_ms",
              .meaning = "Time between two looks at whether another member is alive; more than "
                         "probe_timeout_ms",
              .rule = number<&Config::probe_interval, kMillisecond>(
                  {.min = 100, .max = 60'000, .unit = "milliseconds"})},
    ConfigKey{.name = "probe_timeout_ms",
              .meaning = "How long the answer to such a look may take; less than "
                         "probe_interval_ms",
              .rule = number<&Config::probe_timeout, kMillisecond>(
                  {.min = 10, .max = 60'000, .unit = "milliseconds"})},
};

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Decimal digits, perhaps after a minus; no leading zeros, which some readers take for octal.
std::optional<std::int64_t> parse_number(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.size() > 1 && digits[0] == '0') {
    return std::nullopt;
  }
  const char* const end = text.data() + text.size();
  std::int64_t number = 0;
  const auto [parsed_to, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || parsed_to != end) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::vector<Address>> parse_addresses(std::string_view text) {
  std::vector<Address> addresses;
  std::string_view rest = trim(text);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const auto address = parse_address(trim(rest.substr(0, comma)));
    if (!address) {
      return std::nullopt;
    }
    addresses.push_back(*address);
    if (comma == std::string_view::npos) {
      break;
    }
    rest = rest.substr(comma + 1);
    if (rest.empty()) {
      return std::nullopt;
    }
  }
  return addresses;
}

struct SetValue {
  Config& config;
  std::string_view text;

  bool operator()(const NumberRule& rule) const {
    const auto value = parse_number(text);
    if (!value || *value < rule.min || *value > rule.max) {
      return false;
    }
    rule.set(config, *value);
    return true;
  }

  bool operator()(const TextRule& rule) const {
    if (!rule.accepts(text)) {
      return false;
    }
    config.*rule.field = text;
    return true;
  }

  bool operator()(const TruthRule& rule) const {
    if (text != "true" && text != "false") {
      return false;
    }
    config.*rule.field = text == "true";
    return true;
  }

  bool operator()(const ChoiceRule& rule) const {
    const auto* const found = std::ranges::find(rule.words, text).base();
    const auto index = static_cast<std::size_t>(found - rule.words.data());
    if (index == rule.words.size()) {
      return false;
    }
    rule.set(config, index);
    return true;
  }

  bool operator()(const AddressesRule& rule) const {
    auto addresses = parse_addresses(text);
    if (!addresses) {
      return false;
    }
    config.*rule.field = *std::move(addresses);
    return true;
  }
};

struct GetValue {
  const Config& config;

  std::string operator()(const NumberRule& rule) const { return std::to_string(rule.get(config)); }

  std::string operator()(const TextRule& rule) const { return config.*rule.field; }

  std::string operator()(const TruthRule& rule) const {
    return config.*rule.field ? "true" : "false";
  }

  std::string operator()(const ChoiceRule& rule) const {
    return std::string(rule.words[rule.get(config)]);
  }

  std::string operator()(const AddressesRule& rule) const {
    std::string text;
    for (const Address& address : config.*rule.field) {
      text += (text.empty() ? "" : ",") + to_string(address);
    }
    return text;
  }
};

struct DescribeAllowed {
  std::string operator()(const NumberRule& rule) const {
    return fmt::format("a whole number{}{}, {} to {}", rule.unit.empty() ? "" : " of ", rule.unit,
                       rule.min, rule.max);
  }

  std::string operator()(const TextRule& rule) const { return std::string(rule.allowed); }

  std::string operator()(const TruthRule& /*rule*/) const { return "true or false"; }

  std::string operator()(const ChoiceRule& rule) const {
    return fmt::format("{} or {}", fmt::join(rule.words.begin(), rule.words.end() - 1, ", "),
                       rule.words.back());
  }

  std::string operator()(const AddressesRule& /*rule*/) const {
    return "addresses of the form host:port or [IPv6]:port, port 1 to 65535";
  }
};

/// Levenshtein's distance, in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::span<const ConfigKey> config_keys() {
  return kKeys;
}

const ConfigKey* find_config_key(std::string_view name) {
  const auto* const found = std::ranges::find(kKeys, name, &ConfigKey::name);
  return found == kKeys.end() ? nullptr : found;
}

std::string_view nearest_config_key(std::string_view name) {
  // No known key is near to a name that is longer than two of them.
  std::string wanted(name.substr(0, 64));
  std::ranges::transform(wanted, wanted.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (wanted.starts_with("kvs_")) {
    wanted.erase(0, 4);
  }
  return std::ranges::min_element(
             kKeys, {}, [&wanted](const ConfigKey& key) { return edit_distance(wanted, key.name); })
      ->name;
}

std::string allowed_values(const ConfigKey& key) {
  return std::visit(DescribeAllowed{}, key.rule);
}

std::string config_value(const Config& config, const ConfigKey& key) {
  return std::visit(GetValue{.config = config}, key.rule);
}

bool set_config_value(Config& config, const ConfigKey& key, std::string_view text) {
  return std::visit(SetValue{.config = config, .text = text}, key.rule);
}

}  // namespace kvs
