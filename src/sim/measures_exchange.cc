// What it costs two nodes with very many records to find out in what they differ.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "core/call.h"
#include "sim/measures.h"
#include "sim/meter.h"
#include "sim/spans.h"
#include "sim/trial.h"
#include "wire/record_codec.h"
#include "wire/store_keys.h"

namespace kvs {

namespace {

constexpr Origin kLoader{0x10ad};
constexpr Origin kChanger{0xc4a9};

/// One exchange, from its Hello to its end.
struct Session {
  std::uint64_t calls = 0;
  std::uint64_t comparisons = 0;
  std::uint64_t bytes = 0;
  std::uint64_t record_bytes = 0;  // of them
  bool waits = false;
  std::string outcome;
};

/// Exchanges by who began them. Two machines, no pushes.
class ExchangeWatch final : public NetworkMeter, public ClusterObserver {
 public:
  void request_leaves(std::uint32_t from, std::uint32_t /*to*/, const PeerSend& send) override {
    if (caller_of(send.id) != Caller::sync) {
      return;
    }
    Session& session = open_[from];
    if (std::holds_alternative<Hello>(*send.request)) {
      session = {};
    }
    ++session.calls;
    session.comparisons += std::holds_alternative<Compare>(*send.request) ? 1U : 0U;
    session.bytes += bytes_on_wire(send, Compression::none);
    if (const auto* settle = std::get_if<Settle>(send.request.get())) {
      session.record_bytes += bytes_of_records(settle->records);
    }
    session.waits = true;
  }

  void answer_leaves(std::uint32_t /*from*/, std::uint32_t to, const PeerReply& reply) override {
    Session& session = open_[to];
    const bool members = std::holds_alternative<Pong>(reply.answer) ||
                         std::holds_alternative<NoPong>(reply.answer) ||
                         std::holds_alternative<MemberRows>(reply.answer);
    if (!session.waits || members) {
      return;
    }
    session.waits = false;
    session.bytes += bytes_on_wire(reply, Compression::none);
    if (const auto* fetched = std::get_if<Fetched>(&reply.answer)) {
      session.record_bytes += bytes_of_records(fetched->records);
    }
  }

  void traced(Machine machine, const Trace& trace) override {
    if (trace.kind == Trace::Kind::exchange_ended) {
      open_[machine].outcome = trace.text;
      ended_.push_back(std::exchange(open_[machine], {}));
    }
  }

  /// Of the exchanges that were seen from their beginning and whose outcome has this word in it:
  /// the one that moved most. Where both sides begin one, the other finds its work done.
  [[nodiscard]] const Session* largest(std::string_view word) const {
    const Session* found = nullptr;
    for (const Session& session : ended_) {
      const bool meant = session.calls > 0 && session.outcome.find(word) != std::string::npos;
      if (meant && (found == nullptr || session.record_bytes > found->record_bytes)) {
        found = &session;
      }
    }
    return found;
  }

 private:
  Session open_[2];
  std::vector<Session> ended_;
};

std::string key_of(std::uint64_t number) {
  return fmt::format("people/{:07}/profile", number);
}

std::string stored(const std::string& key, Dot dot) {
  const std::string value = fmt::format(R"({{"name":"somebody","text":"{:066}"}})", dot.seq);
  const auto seq = dot.seq + (dot.origin == kChanger ? 1'000'000'000 : 0);
  const RecordHeader header{
      .version = {.stamp = {Stamp::from_ms(WallClock::kEpochMs - 86'400'000).bits + seq},
                  .verdict = {},
                  .uuid = {.high = seq * 0x9e3779b97f4a7c15U, .low = ~seq},
                  .dot = dot}};
  std::string bytes;
  encode_record(Key::from_store(key), {.header = header, .value = value}, bytes);
  return bytes;
}

/// A folder with `records` records, of which those in `changed` have a newer version.
Disk::Folder folder_with(std::uint64_t records, std::uint32_t machine,
                         const std::vector<std::uint64_t>& changed) {
  Disk::Folder folder;
  for (std::uint64_t i = 0; i < records; ++i) {
    const std::string key = key_of(i);
    folder.table.emplace_hint(folder.table.end(), key,
                              stored(key, {.origin = kLoader, .seq = i + 1}));
  }
  for (std::uint64_t i = 0; i < changed.size(); ++i) {
    const std::string key = key_of(changed[i]);
    folder.table[key] = stored(key, {.origin = kChanger, .seq = i + 1});
  }
  Knowledge known;
  known.add({.origin = kLoader, .first = 1, .last = records});
  known.add({.origin = kChanger, .first = 1, .last = changed.size()});
  for (const auto& [origin, part] : known.origins()) {
    folder.table[knowledge_key(origin)] = encode_knowledge(part);
  }
  folder.table[std::string(kIdentityKey)] = encode_identity(
      {.instance = machine + 1, .joined_ms = WallClock::kEpochMs + machine, .complete = true});
  return folder;
}

std::vector<std::uint64_t> scattered(std::uint64_t count, std::uint64_t records) {
  Prng prng(count);
  std::set<std::uint64_t> places;
  while (places.size() < count) {
    places.insert(prng.below(records));
  }
  return {places.begin(), places.end()};
}

struct Goal {
  std::uint64_t differences = 0;
  std::uint64_t round_trips = 0;
  std::uint64_t bytes = 0;
};

void compare(const Goal& goal, std::uint64_t records, const TakeFigure& take) {
  Trial trial({.machines = 2, .seed = 1 + goal.differences});
  ExchangeWatch watch;
  trial.watch(watch);
  trial.network().set_meter(&watch);
  trial.machine(0).swap_folder(folder_with(records, 0, {}), Swap::restored);
  trial.machine(1).swap_folder(folder_with(records, 1, scattered(goal.differences, records)),
                               Swap::restored);
  trial.gather();
  const Session* session = watch.largest("reconciled");
  KVS_CHECK(session != nullptr, "what an empty journal cannot tell is reconciled");
  const std::uint64_t beside = session->bytes - session->record_bytes;
  // Hello and the question for a delta come before the comparison.
  const std::uint64_t before = session->calls > 2 ? 2 : 0;
  const std::uint64_t trips = session->calls - before;
  const bool met = trips <= goal.round_trips && beside <= goal.bytes;
  take({.what = fmt::format("{} records, {} scattered differences", records, goal.differences),
        .wanted = fmt::format("≤ {} round trips, ≤ {:.0f} KiB beside the records", goal.round_trips,
                              static_cast<double>(goal.bytes) / 1024),
        .measured =
            fmt::format("{} round trips ({} comparisons; {} more to begin), {:.1f} KiB "
                        "beside {:.1f} KiB of records",
                        trips, session->comparisons, before, static_cast<double>(beside) / 1024,
                        static_cast<double>(session->record_bytes) / 1024),
        .met = met ? Figure::Met::yes : Figure::Met::no});
}

/// Both hold the same, the last of it written by clients a moment ago.
void compare_equal(std::uint64_t records, const TakeFigure& take) {
  Trial trial({.machines = 2, .seed = 1});
  ExchangeWatch watch;
  trial.watch(watch);
  trial.machine(0).swap_folder(folder_with(records, 0, {}), Swap::restored);
  trial.machine(1).swap_folder(folder_with(records, 1, {}), Swap::restored);
  trial.gather();
  for (std::uint64_t i = 0; i < 20; ++i) {
    trial.put(0, key_of(i), fmt::format(R"({{"name":"somebody else","text":"{:060}"}})", i));
  }
  trial.run_for(Duration::from_seconds(10));
  trial.network().set_meter(&watch);
  const auto regular = [&] {
    return watch.largest("regular") != nullptr;
  };
  KVS_CHECK(trial.run_until(regular, Duration::from_seconds(900), Duration::from_ms(500)),
            "nodes compare regularly");
  const Session& session = *watch.largest("regular");
  const bool met = session.calls == 1 && session.bytes <= 1024;
  take({.what = fmt::format("two equal nodes, {} records: the regular exchange", records),
        .wanted = "1 round trip, ≤ 1 KiB",
        .measured = fmt::format("{} round trip(s), {} bytes", session.calls, session.bytes),
        .met = met ? Figure::Met::yes : Figure::Met::no});
}

}  // namespace

void measure_exchange(const MeasureSize& size, const TakeFigure& take) {
  const std::uint64_t records = size.quick ? 20'000 : 1'000'000;
  compare_equal(records, take);
  constexpr std::uint64_t kKiB = 1024;
  compare({.differences = 1, .round_trips = 6, .bytes = 8 * kKiB}, records, take);
  compare({.differences = 100, .round_trips = 7, .bytes = 300 * kKiB}, records, take);
  if (!size.quick) {
    compare({.differences = 10'000, .round_trips = 8, .bytes = 10 * kKiB * kKiB}, records, take);
  }
}

}  // namespace kvs
