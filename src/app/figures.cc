#include "app/figures.h"

#include <set>

#include "app/cluster_pages.h"
#include "app/convergence.h"
#include "io/os.h"
#include "io/process.h"

namespace kvs {

namespace {

ConnectionFigures connection_figures(const DoorCounters& door) {
  return {.accepted = door.connections_accepted,
          .refused = door.connections_refused,
          .open = door.connections_open,
          .received_bytes = door.bytes_received,
          .sent_bytes = door.bytes_sent,
          .input_bytes = door.input_bytes,
          .output_bytes = door.output_bytes};
}

NodeFigures node_figures(const NodeThreadStatus& status) {
  return {.mode = status.node.mode,
          .members_live = status.view->live_count(),
          .clock_ahead_ms = status.node.clock_ahead_ms,
          .records_written = status.node.replica.records_written,
          .damaged_replaced = status.node.replica.damaged_replaced,
          .batches = status.batches,
          .batches_failed = status.batches_failed,
          .bytes_under_way = status.bytes_under_way,
          .batch_writes = status.batch_writes,
          .write_micros = status.write_micros};
}

ChannelFigures channel_figures(const LinkCounters& link) {
  return {.answered = link.answered,
          .refused = link.refused,
          .timed_out = link.timed_out,
          .garbled = link.garbled,
          .connections_open = link.connections_open,
          .bytes_sent = link.bytes_sent,
          .bytes_received = link.bytes_received};
}

PeerFigures peer_figures(const NodeThreadStatus& status, const Member& member) {
  PeerFigures peer{.node_id = member.node_id,
                   .fingerprints_agree = fingerprints_agree(member.digest, status.node.digest)};
  const PeerStanding* const standing = standing_of(status, member.instance);
  if (standing != nullptr) {
    peer.writes_owed = standing->writes_owed;
    peer.last_seen_ms = standing->last_seen_ms;
    peer.clock_ahead_ms = standing->clock_ahead_ms;
    peer.round_trip = standing->round_trip;
  }
  if (standing != nullptr && standing->knowledge_told) {
    peer.writes_behind = standing->writes_behind;
  }
  return peer;
}

ProcessFigures process_figures(Duration uptime, std::uint64_t log_lines_dropped) {
  const ProcessUsage usage = process_usage();
  return {.version = KVS_VERSION,
          .uptime_ms = uptime.ms(),
          .cpu_ms = usage.cpu_ms,
          .resident_bytes = usage.resident_bytes,
          .open_descriptors = usage.open_descriptors,
          .open_descriptors_max = usage.open_descriptors_max,
          .threads = usage.threads,
          .log_lines_dropped = log_lines_dropped};
}

}  // namespace

ClusterFigures cluster_figures(const NodeThreadStatus& status) {
  ClusterFigures figures;
  figures.node = status.node;
  figures.peer_calls_under_way_bytes = status.peer_bytes_under_way;
  std::set<std::string_view> names;  // two may have one id for a moment
  for (const Member& member : status.view->members) {
    const auto state = static_cast<std::size_t>(member.state);
    if (state < figures.members.size()) {
      ++figures.members[state];
    }
    if (member.instance != status.view->self && names.insert(member.node_id).second) {
      figures.peers.push_back(peer_figures(status, member));
    }
  }
  return figures;
}

RequestFigures RequestCounters::read() const {
  RequestFigures figures;
  for (std::size_t route = 0; route < kRoutes; ++route) {
    for (std::size_t i = 0; i < kCountedStatuses.size(); ++i) {
      figures.answers[route][i] = answers_[route][i].load(std::memory_order_relaxed);
    }
    figures.micros[route] = micros_[route].read();
  }
  return figures;
}

FiguresCollector::FiguresCollector(const Parts& parts, std::size_t doors) : parts_(parts) {
  for (std::size_t i = 0; i < doors; ++i) {
    doors_.push_back(std::make_unique<RequestCounters>());
  }
}

Figures FiguresCollector::collect() const {
  Figures figures;
  for (const auto& door : doors_) {
    figures.requests.add(door->read());
  }
  const NodeThreadStatus status = parts_.node.status();
  figures.node = node_figures(status);
  figures.cluster = cluster_figures(status);
  for (const Channel channel : {Channel::gossip, Channel::push, Channel::bulk}) {
    figures.cluster.channels[static_cast<std::size_t>(channel)] =
        channel_figures(parts_.links.counters(channel));
  }
  // A door hands a write over and forgets it; its time is taken where it ends.
  figures.requests.micros[static_cast<std::size_t>(Route::write)] = figures.node.write_micros;
  figures.connections = connection_figures(parts_.door.counters());
  figures.store = parts_.store.stats();
  figures.watch = parts_.node.watch_board().figures();
  figures.process = process_figures(monotonic_now() - parts_.started, parts_.log.dropped());
  return figures;
}

}  // namespace kvs
