#include "sim/oracle_reads.h"

#include <algorithm>

#include <fmt/format.h>

namespace kvs {

void MonotonicReads::see(std::string_view key, const Version& version) {
  const Write* floor = seen_.of(key);
  if (floor != nullptr && version < floor->version()) {
    report(fmt::format("{}: {} after {} had been read", key, to_string(version.uuid),
                       to_string(floor->version().uuid)));
  }
  seen_.raise(history().find(version.uuid));
}

void MonotonicReads::got(const Reading& reading) {
  if (!reading.record) {
    return;
  }
  const std::string& key = reading.operation.key;
  if (const Record* const record = reading.found()) {
    see(key, record->header.version);
  } else if (seen_.of(key) != nullptr) {
    report(fmt::format("{}: nothing at all after a record had been read", key));
  }
}

void MonotonicReads::listed(const Listing& listing) {
  if (!listing.records) {
    return;
  }
  for (const auto& [key, header] : *listing.records) {
    see(key, header.version);
  }
}

void MonotonicReads::crashed(Crash crash) {
  power_lost_ = power_lost_ || crash == Crash::power_loss;
}

void MonotonicReads::recovered(const Image&) {
  if (std::exchange(power_lost_, false) && durability_ == Durability::os) {
    seen_.lower_to(history());
  }
}

void ReadYourWrites::answered(const Operation&, const WriteOutcome& outcome) {
  if (succeeded(outcome.status)) {
    acknowledged_.raise(history().find(outcome.uuid));
  }
}

void ReadYourWrites::got(const Reading& reading) {
  const Write* floor = acknowledged_.of(reading.operation.key);
  if (!reading.record || floor == nullptr) {
    return;
  }
  const Record* const record = reading.found();
  if (record == nullptr || record->header.version < floor->version()) {
    report(fmt::format("{}: a read does not show the acknowledged {}", reading.operation.key,
                       to_string(floor->version().uuid)));
  }
}

void ReadYourWrites::listed(const Listing& listing) {
  if (!listing.records) {
    return;
  }
  for (const auto& [key, floor] : acknowledged_.all()) {
    const auto it = std::ranges::find(
        *listing.records, key, [](const auto& entry) { return std::string_view(entry.first); });
    if (it != listing.records->end()) {
      if (it->second.version < floor->version()) {
        report(fmt::format("{}: a listing shows an older version than acknowledged", key));
      }
      continue;
    }
    const Write* newest = history().stored(key);
    const bool deleted =
        newest != nullptr && !newest->record.header.live() && newest->version() >= floor->version();
    if (!deleted) {
      report(fmt::format("{}: a listing lacks an acknowledged write", key));
    }
  }
}

void ReadYourWrites::recovered(const Image&) {
  acknowledged_.lower_to(history());  // P1 and P2 judge what is missing
}

void NothingDamagedServed::check_error(std::string_view key, Errc code, std::optional<Errc> fault) {
  const bool rotten = code == Errc::corrupt_data && history().rotten(key);
  if (code != fault && !rotten) {
    report(fmt::format("{}: a read failed with {} for no reason", key, to_string(code)));
  }
}

void NothingDamagedServed::got(const Reading& reading) {
  const std::string& key = reading.operation.key;
  if (!reading.record) {
    check_error(key, reading.record.error().code, reading.read_fault);
    return;
  }
  const Record* const record = reading.found();
  if (record == nullptr) {
    return;
  }
  const Write* write = history().find(record->header.version.uuid);
  if (write == nullptr || write->key != key || write->record != *record) {
    report(fmt::format("{}: what was served was never written", key));
  }
}

void NothingDamagedServed::listed(const Listing& listing) {
  if (!listing.records) {
    const auto keys = history().keys();
    const bool rotten =
        std::ranges::any_of(keys, [&](std::string_view key) { return history().rotten(key); });
    if (!rotten) {
      check_error("/", listing.records.error().code, listing.read_fault);
    }
    return;
  }
  for (const auto& [key, header] : *listing.records) {
    const Write* write = history().find(header.version.uuid);
    if (write == nullptr || write->key != key || write->record.header != header) {
      report(fmt::format("{}: what was listed was never written", key));
    }
  }
}

void NothingDamagedServed::damage_unnoticed() {
  report("the node started on damaged files");
}

void ReadsShowTheModel::got(const Reading& reading) {
  if (!reading.record) {
    return;
  }
  const Write* expected = history().stored(reading.operation.key);
  const Record* const record = reading.found();
  const bool equal = expected == nullptr ? record == nullptr
                                         : record != nullptr && record->header.version.uuid ==
                                                                    expected->version().uuid;
  if (!equal) {
    report(fmt::format("{}: read {}, the newest durable write is {}", reading.operation.key,
                       record != nullptr ? to_string(record->header.version.uuid) : "nothing",
                       expected != nullptr ? to_string(expected->version().uuid) : "none"));
  }
}

void ReadsShowTheModel::listed(const Listing& listing) {
  if (!listing.records) {
    return;
  }
  auto it = listing.records->begin();
  for (const std::string_view key : history().keys()) {
    const Write* expected = history().stored(key);
    if (expected == nullptr || !expected->record.header.live()) {
      continue;
    }
    if (it == listing.records->end() || it->first != key ||
        it->second.version.uuid != expected->version().uuid) {
      report(fmt::format("{}: the listing does not show its newest durable write", key));
      return;
    }
    ++it;
  }
  if (it != listing.records->end()) {
    report(fmt::format("{}: listed, and nothing live is stored there", it->first));
  }
}

}  // namespace kvs
