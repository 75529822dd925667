#include "sim/cluster_oracle_watch.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace kvs {

namespace {

bool strikes_clocks(const ClusterFaultSet& faults) {
  return faults.contains(ClusterFault::clock_jump) || faults.contains(ClusterFault::clock_drift) ||
         faults.contains(ClusterFault::clock_far_future) ||
         faults.contains(ClusterFault::coarse_clocks);
}

}  // namespace

WatchesAreTrue::WatchesAreTrue(const ClusterScenario& scenario, const ClusterLedger& ledger,
                               Findings& findings)
    : ClusterOracle("watches tell what there is", ledger, findings),
      machines_(scenario.machines),
      clocks_lie_(strikes_clocks(scenario.faults)),
      skew_(scenario.machines) {}

void WatchesAreTrue::clock_struck(Machine machine, std::int64_t ahead_ms) {
  skew_.struck(machine, ahead_ms);
}

/// Nodes tell that a time is over when they have nothing else to do, and a commit may be under way.
/// What came due because ages passed at once (cluster_simulation) is over as soon as a node
/// believes that they did. That takes pings of half of the members; a run may end before.
WatchesAreTrue::Due WatchesAreTrue::due(const RecordHeader& header) const {
  constexpr std::int64_t kTellingMs = 5000;
  if (header.expires_ms == 0) {
    return header.live() ? Due::shown : Due::gone;
  }
  const std::int64_t left_ms = header.expires_ms - now_.ms;
  const std::int64_t margin_ms = skew_.most_ms() + kTellingMs;
  if (skew_.off_by_years() || std::abs(left_ms) <= margin_ms) {
    return Due::perhaps;
  }
  const bool came_due_with_ages =
      left_ms < 0 && before_ages_ && header.expires_ms > before_ages_->ms - margin_ms;
  if (came_due_with_ages) {
    return Due::perhaps;
  }
  return left_ms > 0 ? Due::shown : Due::gone;
}

void WatchesAreTrue::watch_began(Machine machine, const Watching& watching) {
  Client& client = clients_[watching.client];
  const WatchRequest& request = watching.request;
  if (request.begin == WatchRequest::Begin::cursor) {
    client.resumed.push_back({.seen = request.cursor.seen, .made = request.cursor.made});
    return;
  }
  client = {};
  if (request.begin == WatchRequest::Begin::now) {  // it has read what is there
    for (const auto& [key, header] : ledger().held(machine)) {
      if (due(header) == Due::shown && is_below(key, request.path)) {
        client.picture.hold(key, header);
      }
    }
  }
}

void WatchesAreTrue::watch_broke_off(Machine /*machine*/, const Watching& watching) {
  clients_[watching.client].picture.broke_off();
}

// --- what is told

void WatchesAreTrue::watch_told(Machine machine, const Watching& watching,
                                const WatchEvent& event) {
  if (event.kind == WatchEvent::Kind::put || event.kind == WatchEvent::Kind::del) {
    check_filter(machine, watching, event);
  }
  if (event.version) {
    check_version(machine, watching, event, *event.version);
  }
  check_told(machine, watching, event);
}

void WatchesAreTrue::check_filter(Machine machine, const Watching& watching,
                                  const WatchEvent& event) {
  if (!is_below(event.path, watching.request.path)) {
    report(fmt::format("machine {} told of `{}`, which is not below `{}`", machine, event.path,
                       watching.request.path));
  }
  if (event.kind == WatchEvent::Kind::put && !event.version) {
    report(fmt::format("machine {} told of `{}` and of no version", machine, event.path));
  }
}

/// A value is told as there, what was deleted or has expired as gone.
bool WatchesAreTrue::fits(const WatchEvent& event, const ClusterWrite& write) const {
  const RecordHeader& header = write.record.header;
  const bool put = event.kind == WatchEvent::Kind::put;
  if (header.expires_ms == 0) {
    return put == header.live();
  }
  return event.expires_ms == header.expires_ms && due(header) != (put ? Due::gone : Due::shown);
}

void WatchesAreTrue::check_version(Machine machine, const Watching& watching,
                                   const WatchEvent& event, const Version& version) {
  const ClusterWrite* const write = ledger().find(version.dot);
  if (write == nullptr || write->key != event.path || write->version() != version ||
      !fits(event, *write)) {
    report(fmt::format("machine {} told a version of `{}` that nobody wrote", machine, event.path));
    return;
  }
  const bool with_value = watching.request.values == WatchRequest::Values::include &&
                          event.kind == WatchEvent::Kind::put;
  if (event.value != (with_value ? std::string_view(write->record.value) : std::string_view())) {
    report(
        fmt::format("machine {} told a value of `{}` that nobody wrote, or that nobody asked for",
                    machine, event.path));
  }
}

void WatchesAreTrue::check_told(Machine machine, const Watching& watching,
                                const WatchEvent& event) {
  Client& client = clients_[watching.client];
  const bool was_listing = client.picture.listing();
  const auto told = client.picture.take(event);
  if (was_listing && !client.picture.listing()) {
    client.resumed.clear();  // it knows everything
  }
  if (!told) {
    return;
  }
  if (told->repeated) {
    report(fmt::format("machine {} told a version of `{}` again", machine, event.path));
  }
  const ClusterWrite* const write = ledger().find(told->header.version.dot);
  const bool counts_as_new =
      told->newer && write != nullptr && write->may_return_after(told->newer->stamp);
  if (told->newer && !counts_as_new) {
    report(fmt::format("machine {} told an older version of `{}` after a newer one", machine,
                       event.path));
  }
}

// --- who has caught up

void WatchesAreTrue::watch_caught_up(Machine machine, const Watching& watching) {
  const Client& client = clients_[watching.client];
  check_missing(machine, watching, client);
  check_left_over(machine, client);
}

void WatchesAreTrue::check_missing(Machine machine, const Watching& watching,
                                   const Client& client) {
  const WatchedPicture::Live& live = client.picture.live();
  for (const auto& [key, header] : ledger().held(machine)) {
    const auto told = live.find(key);
    const bool known = told != live.end() && told->second.version.uuid == header.version.uuid;
    if (due(header) == Due::shown && !known && is_below(key, watching.request.path) &&
        !ledger().damaged(machine, key)) {
      report(fmt::format("machine {} did not tell of `{}`", machine, key));
    }
  }
}

void WatchesAreTrue::check_left_over(Machine machine, const Client& client) {
  const ClusterLedger::Held& held = ledger().held(machine);
  for (const auto& [key, header] : client.picture.live()) {
    const auto there = held.find(key);
    const bool here = there != held.end() && due(there->second) != Due::gone;
    const bool may_be_over =
        due(header) == Due::perhaps || (header.expires_ms != 0 && !client.resumed.empty());
    const bool forgotten =
        there == held.end() && (may_be_over || deletion_is_forgotten(client, key, header));
    if (!here && !forgotten && !ledger().damaged(machine, key)) {
      report(fmt::format("machine {} did not tell that `{}` is gone", machine, key));
    }
  }
}

/// True if a deletion of this version may have gone without a trace before the client could meet it
/// (docs/consistency.md, "Forgotten deletions"): it was written before the client's cursor was
/// made, which does not cover it, and whose age was measured by clocks that may lie; or no K covers
/// it any more.
bool WatchesAreTrue::deletion_is_forgotten(const Client& client, const std::string& key,
                                           const RecordHeader& header) const {
  return std::ranges::any_of(ledger().of(key), [&](const ClusterWrite* write) {
    const Version& deleted = write->version();
    return !write->live() && deleted > header.version &&
           std::ranges::any_of(client.resumed, [&](const Resumed& resumed) {
             const bool older = clocks_lie_ || deleted.stamp.ms() < resumed.made.ms;
             return !resumed.seen.covers(deleted.dot) && (older || covered_by_nobody(deleted.dot));
           });
  });
}

bool WatchesAreTrue::covered_by_nobody(Dot dot) const {
  for (std::uint32_t machine = 0; machine < machines_; ++machine) {
    if (ledger().knowledge(machine).covers(dot)) {
      return false;
    }
  }
  return true;
}

}  // namespace kvs
