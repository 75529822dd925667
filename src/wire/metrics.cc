#include "wire/metrics.h"

#include <algorithm>
#include <type_traits>

#include <fmt/format.h>

#include "wire/exposition.h"

namespace kvs {

namespace {

constexpr std::array<std::string_view, kRoutes> kRouteNames{
    "get",  "write", "list",  "members",      "health", "metrics",
    "peer", "other", "batch", "delete_below", "watch"};

std::string route_label(std::size_t route) {
  return fmt::format("route=\"{}\"", kRouteNames[route]);
}

void put_requests(Exposition& text, const RequestFigures& requests) {
  text.counter("kvs_http_requests_total", "Requests answered, by route and status.");
  for (std::size_t route = 0; route < kRoutes; ++route) {
    for (std::size_t i = 0; i < kCountedStatuses.size(); ++i) {
      if (const std::uint64_t count = requests.answers[route][i]; count > 0) {
        const std::string status =
            kCountedStatuses[i] == 0 ? "other" : fmt::to_string(kCountedStatuses[i]);
        text.value(count, fmt::format("{},status=\"{}\"", route_label(route), status));
      }
    }
  }
  text.histogram("kvs_http_request_duration_seconds",
                 "From the whole request to the whole answer, by route.");
  for (std::size_t route = 0; route < kRoutes; ++route) {
    text.value(requests.micros[route], kMicros, route_label(route));
  }
}

void put_connections(Exposition& text, const ConnectionFigures& connections) {
  text.counter("kvs_connections_accepted_total", "Connections accepted.")
      .value(connections.accepted);
  text.counter("kvs_connections_refused_total", "Connections refused at a bound.")
      .value(connections.refused);
  text.gauge("kvs_connections_open", "Connections open now.").value(connections.open);
  text.counter("kvs_received_bytes_total", "Bytes received from clients.")
      .value(connections.received_bytes);
  text.counter("kvs_sent_bytes_total", "Bytes sent to clients.").value(connections.sent_bytes);
  text.gauge("kvs_connection_input_bytes", "Bytes held of requests that are not complete.")
      .value(connections.input_bytes);
  text.gauge("kvs_connection_output_bytes", "Bytes held of answers that clients have not read.")
      .value(connections.output_bytes);
}

void put_node(Exposition& text, const NodeFigures& node) {
  text.gauge("kvs_mode", "1 for the mode that the node is in.");
  for (const Mode mode : {Mode::normal, Mode::read_only, Mode::syncing}) {
    text.value(node.mode == mode ? 1 : 0, fmt::format("mode=\"{}\"", to_string(mode)));
  }
  text.gauge("kvs_members_live", "Live members, this node included.").value(node.members_live);
  text.gauge("kvs_clock_ahead_seconds", "How far stamps run ahead of the wall clock.")
      .value(static_cast<double>(node.clock_ahead_ms) / 1000);
  text.counter("kvs_records_written_total", "Records decided to be written.")
      .value(node.records_written);
  text.counter("kvs_damaged_records_replaced_total", "Damaged records that a PUT replaced.")
      .value(node.damaged_replaced);
  text.counter("kvs_batches_total", "Batches of writes made durable.").value(node.batches);
  text.counter("kvs_batches_failed_total", "Batches of writes that failed.")
      .value(node.batches_failed);
  text.gauge("kvs_writes_under_way_bytes", "Bytes of writes accepted and not yet durable.")
      .value(node.bytes_under_way);
  text.histogram("kvs_batch_writes", "Writes answered in one batch.")
      .value(node.batch_writes, kCount);
  text.histogram("kvs_write_duration_seconds", "From the node's mailbox to durable.")
      .value(node.write_micros, kMicros);
}

void put_cache(Exposition& text, const StoreFigures& store) {
  text.counter("kvs_cache_hits_total", "Reads that the record cache served.")
      .value(store.cache_hits);
  text.counter("kvs_cache_misses_total", "Reads that it did not.").value(store.cache_misses);
  text.gauge("kvs_cache_records", "Records in the record cache.").value(store.cache_records);
  text.gauge("kvs_cache_bytes", "Bytes in the record cache.").value(store.cache_bytes);
}

void put_store(Exposition& text, const StoreFigures& store) {
  text.gauge("kvs_store_records", "Records in the store, tombstones included; an estimate.")
      .value(store.records_estimate);
  text.gauge("kvs_store_disk_bytes", "Bytes of tables; logs are not counted.")
      .value(store.disk_bytes);
  text.gauge("kvs_store_memory_bytes", "Memory of the store and its caches.")
      .value(store.memory_bytes);
  text.counter("kvs_store_commits_total", "Commits.").value(store.commits);
  text.counter("kvs_store_commits_synced_total", "Commits that were synced to the disk.")
      .value(store.commits_synced);
  text.counter("kvs_store_commits_failed_total", "Commits that failed.")
      .value(store.commits_failed);
  text.counter("kvs_store_background_errors_total", "Errors of the store's background work.")
      .value(store.background_errors);
  text.counter("kvs_store_damaged_reads_total", "Reads that found damage.")
      .value(store.damaged_reads);
  text.gauge("kvs_lost_records", "Live records that exchanges dropped, kept for 30 days.")
      .value(store.lost_records);
  text.gauge("kvs_store_stalled", "1 while the store slows writes down.")
      .value(store.stalled ? 1 : 0);
  text.gauge("kvs_store_disk_full", "1 if the last commit found no space.")
      .value(store.disk_full ? 1 : 0);
  text.histogram("kvs_store_commit_records", "Records in one commit.")
      .value(store.batch_records, kCount);
  text.histogram("kvs_store_commit_duration_seconds", "Time of a commit, sync included.")
      .value(store.commit_micros, kMicros);
  put_cache(text, store);
}

void put_watch(Exposition& text, const WatchFigures& watch) {
  text.gauge("kvs_watchers", "Watches open now.").value(watch.open);
  text.counter("kvs_watches_total", "Watches begun.").value(watch.opened);
  text.counter("kvs_watch_events_total", "Events told, by kind.");
  text.value(watch.changes, "kind=\"change\"");
  text.value(watch.bookmarks, "kind=\"bookmark\"");
  text.value(watch.resets, "kind=\"reset\"");
  text.counter("kvs_watches_ended_total", "Watches that this node ended, by reason.");
  text.value(watch.ended_slow, "reason=\"slow\"");
  text.value(watch.ended_behind, "reason=\"behind\"");
  text.value(watch.ended_unreadable, "reason=\"unreadable\"");
  text.gauge("kvs_watch_feed_bytes", "Memory of the latest changes, kept for watches.")
      .value(watch.feed_bytes);
}

void put_process(Exposition& text, const ProcessFigures& process) {
  text.gauge("kvs_build_info", "Always 1; the version is in the label.")
      .value(1, fmt::format("version=\"{}\"", process.version));
  text.gauge("kvs_uptime_seconds", "Time since the start.")
      .value(static_cast<double>(process.uptime_ms) / 1000);
  text.counter("kvs_cpu_seconds_total", "User and system CPU time.")
      .value(static_cast<double>(process.cpu_ms) / 1000);
  text.gauge("kvs_resident_memory_bytes", "Resident memory.").value(process.resident_bytes);
  text.gauge("kvs_open_descriptors", "Open file descriptors.").value(process.open_descriptors);
  text.gauge("kvs_open_descriptors_max", "The most that the process may open.")
      .value(process.open_descriptors_max);
  text.gauge("kvs_threads", "Threads.").value(process.threads);
  text.counter("kvs_log_lines_dropped_total", "Log lines that could not be written in time.")
      .value(process.log_lines_dropped);
}

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

}  // namespace

std::string_view to_string(Route route) {
  return kRouteNames[static_cast<std::size_t>(route)];
}

Route route_of(const ApiRequest& request) {
  return std::visit(Overloaded{[](const GetValue&) { return Route::get; },
                               [](const WriteCommand&) { return Route::write; },
                               [](const ListKeys&) { return Route::list; },
                               [](const GetMembers&) { return Route::members; },
                               [](const GetHealth&) { return Route::health; },
                               [](const GetMetrics&) { return Route::metrics; },
                               [](const PeerFrame&) { return Route::peer; },
                               [](const JoinCluster&) { return Route::members; },
                               [](const LeaveCluster&) { return Route::members; },
                               [](const GetConvergence&) { return Route::members; },
                               [](const GetLost&) { return Route::members; },
                               [](const RunBatch&) { return Route::batch; },
                               [](const DeleteBelow&) { return Route::delete_below; },
                               [](const GetVerdicts&) { return Route::members; },
                               [](const GetConsole&) { return Route::other; },
                               [](const Moved&) { return Route::other; },
                               [](const TakeBackup&) { return Route::other; },
                               [](const ExportRecords&) { return Route::list; },
                               [](const ImportRecords&) { return Route::write; },
                               [](const WatchKeys&) { return Route::watch; },
                               [](const GetOptions&) {
                                 return Route::other;
                               }},
                    request);
}

std::size_t status_index(unsigned status) {
  const auto* const end = kCountedStatuses.end() - 1;
  const auto* const found = std::lower_bound(kCountedStatuses.begin(), end, status);
  const bool counted = found != end && *found == status;
  return static_cast<std::size_t>((counted ? found : end) - kCountedStatuses.begin());
}

unsigned answered_status(std::string_view answer) {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  if (answer.size() < kStart.size() + 3 || !answer.starts_with(kStart)) {
    return 0;
  }
  unsigned status = 0;
  for (const char c : answer.substr(kStart.size(), 3)) {
    if (c < '0' || c > '9') {
      return 0;
    }
    status = 10 * status + static_cast<unsigned>(c - '0');
  }
  return status;
}

void RequestFigures::add(const RequestFigures& other) {
  for (std::size_t route = 0; route < kRoutes; ++route) {
    for (std::size_t i = 0; i < kCountedStatuses.size(); ++i) {
      answers[route][i] += other.answers[route][i];
    }
    micros[route].add(other.micros[route]);
  }
}

void ConnectionFigures::add(const ConnectionFigures& other) {
  accepted += other.accepted;
  refused += other.refused;
  open += other.open;
  received_bytes += other.received_bytes;
  sent_bytes += other.sent_bytes;
  input_bytes += other.input_bytes;
  output_bytes += other.output_bytes;
}

void append_metrics(const Figures& figures, std::string& out) {
  Exposition text(out);
  put_process(text, figures.process);
  put_requests(text, figures.requests);
  put_connections(text, figures.connections);
  put_node(text, figures.node);
  put_cluster(text, figures.cluster);
  put_store(text, figures.store);
  put_watch(text, figures.watch);
}

}  // namespace kvs
