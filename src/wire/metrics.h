// The node's figures as Prometheus text (exposition format 0.0.4).
//
// Plain structs, filled by whoever owns the figures, and one function that renders them. Each name
// has its HELP line; names, labels and units are a promise to dashboards: a change is noted in
// CHANGELOG.md. Counters are since the start of the process.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/histogram.h"
#include "core/mode.h"
#include "wire/api.h"
#include "wire/metrics_cluster.h"

namespace kvs {

/// What was asked for; the `route` label.
enum class Route : std::uint8_t {
  get,
  write,
  list,
  members,
  health,
  metrics,
  peer,
  other,
  batch,
  delete_below,
  watch
};

inline constexpr std::size_t kRoutes = 11;

[[nodiscard]] std::string_view to_string(Route route);
[[nodiscard]] Route route_of(const ApiRequest& request);

/// The statuses that this node answers with; each has a counter. The last stands for all others.
inline constexpr std::array<unsigned, 23> kCountedStatuses{200, 201, 204, 304, 308, 400, 404, 405,
                                                           408, 409, 411, 412, 413, 414, 415, 417,
                                                           431, 500, 501, 503, 505, 507, 0};

/// The index in kCountedStatuses.
[[nodiscard]] std::size_t status_index(unsigned status);

/// The status of the HTTP answer that `answer` begins with; 0 if it does not begin with one.
[[nodiscard]] unsigned answered_status(std::string_view answer);

/// Of one door, or of all after adding up.
struct RequestFigures {
  std::array<std::array<std::uint64_t, kCountedStatuses.size()>, kRoutes> answers{};
  std::array<Histogram, kRoutes> micros{};  // from the whole request to the whole answer

  void add(const RequestFigures& other);
};

/// Likewise.
struct ConnectionFigures {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  // for want of descriptors or above a bound
  std::uint64_t open = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t input_bytes = 0;   // held for unfinished requests
  std::uint64_t output_bytes = 0;  // held for clients that have not read them

  void add(const ConnectionFigures& other);
};

struct NodeFigures {
  Mode mode = Mode::normal;
  std::uint64_t members_live = 1;
  std::int64_t clock_ahead_ms = 0;
  std::uint64_t records_written = 0;
  std::uint64_t damaged_replaced = 0;
  std::uint64_t batches = 0;
  std::uint64_t batches_failed = 0;
  std::uint64_t bytes_under_way = 0;
  Histogram batch_writes;  // answers in a batch
  Histogram write_micros;  // from the mailbox to durable
};

/// Of one moment; the store itself fills it.
struct StoreFigures {
  std::uint64_t records_estimate = 0;  // tombstones included; RocksDB's estimate
  std::uint64_t disk_bytes = 0;        // tables, without the logs
  std::uint64_t memory_bytes = 0;      // memtables, table readers, block cache, record cache
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t cache_records = 0;
  std::uint64_t cache_bytes = 0;
  std::uint64_t commits = 0;
  std::uint64_t commits_synced = 0;
  std::uint64_t commits_failed = 0;
  std::uint64_t background_errors = 0;
  std::uint64_t damaged_reads = 0;  // reads that found damage
  std::uint64_t lost_records = 0;   // live records that exchanges dropped, kept for a while
  bool stalled = false;             // RocksDB slows down or stops writes
  bool disk_full = false;           // the last commit found no space
  Histogram batch_records;          // records a commit
  Histogram commit_micros;          // time a commit took, sync included
};

struct ProcessFigures {
  std::string_view version;
  std::int64_t uptime_ms = 0;
  std::int64_t cpu_ms = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t open_descriptors_max = 0;
  std::uint64_t threads = 0;
  std::uint64_t log_lines_dropped = 0;
};

/// Of all streams of events.
struct WatchFigures {
  std::uint64_t open = 0;
  std::uint64_t opened = 0;
  std::uint64_t changes = 0;  // puts and deletes told
  std::uint64_t bookmarks = 0;
  std::uint64_t resets = 0;  // snapshots begun
  std::uint64_t ended_slow = 0;
  std::uint64_t ended_behind = 0;
  std::uint64_t ended_unreadable = 0;
  std::uint64_t feed_bytes = 0;
};

struct Figures {
  RequestFigures requests;
  ConnectionFigures connections;
  NodeFigures node;
  ClusterFigures cluster;
  StoreFigures store;
  WatchFigures watch;
  ProcessFigures process;
};

/// Appends the whole text.
void append_metrics(const Figures& figures, std::string& out);

}  // namespace kvs
