// The figures of a process: what each door counts, and the whole collected for /metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "app/node_thread.h"
#include "io/histogram_counter.h"
#include "io/http_door.h"
#include "io/log.h"
#include "io/peer_links.h"
#include "io/store.h"
#include "wire/metrics.h"

namespace kvs {

/// Requests and answers of one door: written by its thread, read by any.
class RequestCounters {
 public:
  /// An answer with this status.
  void count(Route route, unsigned status) {
    answers_[static_cast<std::size_t>(route)][status_index(status)].fetch_add(
        1, std::memory_order_relaxed);
  }

  /// How long a read took, from the turn in which its bytes came to its answer.
  void time(Route route, Duration took) {
    micros_[static_cast<std::size_t>(route)].add(static_cast<std::uint64_t>(took.ns / 1000));
  }

  [[nodiscard]] RequestFigures read() const;

 private:
  std::array<std::array<std::atomic<std::uint64_t>, kCountedStatuses.size()>, kRoutes> answers_{};
  std::array<HistogramCounter, kRoutes> micros_{};
};

/// What one snapshot of the node tells of the cluster; the channels are left out.
[[nodiscard]] ClusterFigures cluster_figures(const NodeThreadStatus& status);

/// Collects the figures of all parts; they outlive it. Any thread.
class FiguresCollector {
 public:
  struct Parts {
    const HttpDoor& door;
    const Store& store;
    NodeThread& node;
    const PeerLinks& links;
    const Log& log;
    Instant started;
  };

  FiguresCollector(const Parts& parts, std::size_t doors);

  /// The counters of door 0, 1, ...
  [[nodiscard]] RequestCounters& door(std::size_t number) { return *doors_[number]; }

  [[nodiscard]] Figures collect() const;

 private:
  Parts parts_;
  std::vector<std::unique_ptr<RequestCounters>> doors_;
};

}  // namespace kvs
