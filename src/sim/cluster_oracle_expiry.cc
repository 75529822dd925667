#include "sim/cluster_oracle_expiry.h"

#include <fmt/format.h>

namespace kvs {

void TimesAreKept::clock_struck(Machine machine, std::int64_t ahead_ms) {
  skew_.struck(machine, ahead_ms);
}

void TimesAreKept::swapped(Machine machine, Swap /*swap*/) {
  std::erase_if(hidden_, [&](const auto& entry) { return entry.first == machine; });
}

void TimesAreKept::rotted(Machine machine, const std::string& key) {
  for (const ClusterWrite* write : ledger().of(key)) {
    hidden_.erase({machine, write->version().dot});
  }
}

void TimesAreKept::got(Machine machine, const Reading& reading) {
  const Record* const record = reading.found();
  if (record == nullptr || record->header.expires_ms == 0 || skew_.lost_in_time(machine)) {
    return;
  }
  const Dot dot = record->header.version.dot;
  const std::int64_t skew_ms = skew_.most_ms();
  const std::int64_t left_ms = record->header.expires_ms - now_.ms;
  const auto tell = [&](std::string_view what) {
    report(fmt::format("machine {} {} `{}`, {} ms before its time; clocks differ by up to {} ms",
                       machine, what, reading.operation.key, left_ms, skew_ms));
  };
  if (reading.expired) {
    hidden_.insert({machine, dot});
    // Whose clock is off by years may have freed what it gives to others.
    const bool freed = record->header.kind == RecordKind::expired && skew_.off_by_years();
    if (left_ms > skew_ms && !freed) {
      tell("hides");
    }
    return;
  }
  if (left_ms < -skew_ms) {
    tell("shows");
  }
  if (hidden_.contains({machine, dot})) {
    tell("shows again");
  }
}

}  // namespace kvs
