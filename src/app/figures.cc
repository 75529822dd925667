#include "app/figures.h"

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
  figures.node = node_figures(parts_.node.status());
  // A door hands a write over and forgets it; its time is taken where it ends.
  figures.requests.micros[static_cast<std::size_t>(Route::write)] = figures.node.write_micros;
  figures.connections = connection_figures(parts_.door.counters());
  figures.store = parts_.store.stats();
  figures.process = process_figures(monotonic_now() - parts_.started, parts_.log.dropped());
  return figures;
}

}  // namespace kvs
