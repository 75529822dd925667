// The configuration of one node, as every room sees it: a plain struct whose defaults are the
// documented ones, and the rules that a valid one obeys.
//
// Files and the environment are read in app/options; docs/configuration.md describes the keys. A
// field is named like its key, except that a Duration or a byte count carries its unit in the type
// or in its own name. The value does not change while a node runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "core/address.h"

namespace kvs {

/// The least severity that is logged.
enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// What an acknowledged write has survived: `sync`, loss of power; `os`, death of the process.
enum class Durability : std::uint8_t { sync, os };

struct Config {
  /// Name of this node, unique among the living members; 1-255 bytes of printable UTF-8. Empty only
  /// until app/options puts the machine's host name there.
  std::string node_id;

  /// IPv4 or IPv6 address or host name to listen on. 0.0.0.0 or :: listen on every interface.
  std::string bind_address = "127.0.0.1";

  /// TCP port for clients and nodes alike. 0 takes any free one (for tests).
  std::uint16_t port = 8080;

  /// Folder of the data, made at the first start; relative to the working folder.
  std::string data_dir = "./data";

  /// Nodes to join at the start. None: the node stands alone until others join it.
  std::vector<Address> seed_nodes;

  /// Refuse clients' writes; reads and replication go on.
  bool read_only = false;

  LogLevel log_level = LogLevel::info;

  /// Log file, appended to and re-opened on SIGHUP. Empty: standard error.
  std::string log_file;

  /// Membership is exchanged at a random time between these two; min <= max. 1 s - 1 day.
  Duration gossip_interval_min = Duration::from_seconds(60);
  Duration gossip_interval_max = Duration::from_seconds(120);

  /// Time between two comparisons with a random peer; 1 s - 7 days.
  Duration sync_interval = Duration::from_seconds(300);

  /// The same, while this node knows that it is behind; 1 s - 7 days.
  Duration catchup_interval = Duration::from_seconds(120);

  /// How old data a new node fetches when it joins; 1 hour - 10 years.
  Duration bootstrap_max_age = Duration::from_seconds(720LL * 3600);

  /// Pause between two sync requests to one peer; 0 - 60 s.
  Duration throttle_delay = Duration::from_ms(100);

  /// Pause between two fetches of data within a sync; 0 - 60 s.
  Duration fetch_delay = Duration::from_ms(50);

  Durability durability = Durability::sync;

  /// Folder in which clients may have backups made, on the file system of data_dir; relative to the
  /// working folder. Empty: none are made.
  std::string backup_folder;

  /// Largest value a client may store, in bytes; 1 byte - 64 MiB. Equal on all nodes.
  std::uint64_t max_value_bytes = 1ULL << 20U;

  /// Longest key a client may use, in bytes of its decoded form; 1 - 4096. Equal on all nodes.
  std::uint64_t max_key_bytes = 1024;

  /// A connection that neither sends nor takes anything for so long is closed; 1 s - 1 day.
  Duration idle_timeout = Duration::from_seconds(60);

  /// Memory for the caches of records and blocks, in bytes; a whole number of MiB, 1 MiB - 1 TiB.
  std::uint64_t cache_bytes = 256ULL << 20U;

  /// Threads that serve connections, each with an event loop; 0 - 256, 0 is one a core.
  std::uint64_t threads = 0;

  /// Nodes of different names refuse each other; 1-255 bytes of printable UTF-8.
  std::string cluster_name = "kvs";

  /// A stamp further ahead of this node's clock than this is refused; 1 ms - 1 hour.
  Duration max_clock_skew = Duration::from_ms(5000);

  /// The least age at which the trace of a deletion may be forgotten; 1 hour - 10 years.
  Duration tombstone_min_age = Duration::from_seconds(24LL * 3600);

  /// The address that others are told to reach this node at: host:port, or a host alone, which
  /// stands for the port that the node listens on. Empty: see advertised_address().
  std::string advertise_address;

  /// Time between two looks at whether another member is alive; 100 ms - 1 minute.
  Duration probe_interval = Duration::from_ms(1000);

  /// How long the answer to such a look may take; 10 ms - 1 minute, below probe_interval.
  Duration probe_timeout = Duration::from_ms(500);

  bool operator==(const Config&) const = default;
};

/// What a machine adds to a configuration.
struct Whereabouts {
  std::uint16_t port = 0;  // that the node listens on
  std::string_view host_name;
};

/// The host:port that others are told to reach this node at. Without advertise_address it is
/// bind_address, or the machine's host name if that stands for every interface.
[[nodiscard]] std::string advertised_address(const Config& config, const Whereabouts& here);

/// A field that breaks its rule: its key, its value and what is allowed, as text.
struct ConfigProblem {
  std::string key;
  std::string value;
  std::string allowed;
};

/// Every rule that `config` breaks, none if it is valid; of two keys that do not go together, both.
/// A Duration that is no whole number of its key's unit is judged by what is left when the rest is
/// cut off.
[[nodiscard]] std::vector<ConfigProblem> check_config(const Config& config);

}  // namespace kvs
