#include "sim/oracle_state.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/probe.h"
#include "core/merge.h"
#include "wire/record_codec.h"

namespace kvs {

namespace {

std::string name(Dot dot) {
  return fmt::format("dot {:x}:{}", static_cast<std::uint64_t>(dot.origin), dot.seq);
}

/// The stored bytes of all records.
std::string encoded(const std::map<std::string, Record>& contents) {
  std::string bytes;
  for (const auto& [key, record] : contents) {
    bytes += key;
    encode_record(Key::from_store(key), record.view(), bytes);
  }
  return bytes;
}

}  // namespace

void KnowledgeIsExact::closed(const Batch& batch) {
  for (const RecordWrite& write : batch.effects.writes) {
    given_.insert(write.record.header.version.dot);
  }
  // A node that met damage gives its K up: what it holds then K need not cover.
  if (history().gives_up_knowledge(batch)) {
    if (!may_meet_damage_ && left_over_.empty()) {
      report("K was given up, and nothing was damaged");
    }
    given_up_ = given_;
  }
  for (const KnowledgeWrite& write : batch.effects.knowledge) {
    disown(write);
  }
  voiding_ = false;
}

/// What may be on the disk, and this leaves out of K.
void KnowledgeIsExact::disown(const KnowledgeWrite& write) {
  Knowledge known;
  known.set(write.origin, write.known);
  for (const Dot dot : refused_) {
    if (dot.origin == write.origin && !known.covers(dot)) {
      disowned_.insert(dot);
    }
  }
}

void KnowledgeIsExact::durable(const Batch& batch) {
  for (const RecordWrite& write : batch.effects.writes) {
    durable_.insert(write.record.header.version.dot);
  }
  if (history().gives_up_knowledge(batch)) {
    disk_knows_more_ = false;
  }
  committed_ = true;
}

void KnowledgeIsExact::failed(const Batch& batch, Errc /*why*/) {
  if (!std::exchange(voiding_, true)) {
    for (const RecordWrite& write : batch.effects.writes) {
      refused_.insert(write.record.header.version.dot);
    }
  }
  committed_ = false;
  disk_knows_more_ = disk_knows_more_ || history().gives_up_knowledge(batch);
}

void KnowledgeIsExact::idle(const Knowledge& knowledge, const Disk& disk) {
  const Knowledge& stored = disk.state().knowledge;
  if (knowledge != stored && !(disk_knows_more_ && knowledge.minus(stored).empty())) {
    report("K in memory is not K on disk, and nothing is in flight");
  }
  check_noticed();
}

/// A node whose last batch is durable has counted its records. Where there was damage, perhaps no
/// sum was stored to compare with; the record is then just one that K does not cover.
void KnowledgeIsExact::check_noticed() {
  if (committed_ && !may_meet_damage_ && !std::ranges::includes(given_up_, left_over_)) {
    report(
        fmt::format("{} is of a batch that failed, and nobody noticed", name(*left_over_.begin())));
  }
}

void KnowledgeIsExact::crashed(Crash crash) {
  power_lost_ = power_lost_ || crash == Crash::power_loss;
  disk_knows_more_ = false;
}

void KnowledgeIsExact::recovered(const Image& image) {
  find_left_over(image);
  check_known(image.state.knowledge);
  check_reflected(image);
  const bool may_have_lost = power_lost_ && durability_ == Durability::os;
  if (may_have_lost) {
    durable_.clear();
  }
  power_lost_ = false;
  check_complete(image);
}

/// What the start did not find will not come back.
void KnowledgeIsExact::find_left_over(const Image& image) {
  std::set<Dot> found;
  for (const auto& [key, record] : image.records) {
    const Dot dot = record ? record->header.version.dot : Dot{};
    const bool refused = disowned_.contains(dot) || left_over_.contains(dot);
    if (refused && !image.state.knowledge.covers(dot)) {
      KVS_PROBE("oracle: a start found what a failed batch left");
      found.insert(dot);
    }
  }
  left_over_ = std::move(found);
  refused_.clear();
  disowned_.clear();
}

/// K names only dots that were given.
void KnowledgeIsExact::check_known(const Knowledge& knowledge) {
  for (const auto& [origin, known] : knowledge.origins()) {
    const auto begin = given_.lower_bound({.origin = origin, .seq = 1});
    const auto end = given_.upper_bound({.origin = origin, .seq = known.upto});
    if (static_cast<std::uint64_t>(std::distance(begin, end)) != known.upto) {
      report(fmt::format("K covers {}, which was never given",
                         name({.origin = origin, .seq = known.upto})));
    }
    for (const auto& [first, last] : known.beyond) {
      for (std::uint64_t seq = first; seq <= last; ++seq) {
        if (!given_.contains({.origin = origin, .seq = seq})) {
          report(fmt::format("K covers {}, which was never given",
                             name({.origin = origin, .seq = seq})));
        }
      }
    }
  }
}

/// What K covers is there, or something newer is.
void KnowledgeIsExact::check_reflected(const Image& image) {
  for (const Write& write : history().writes()) {
    if (!image.state.knowledge.covers(write.version().dot)) {
      continue;
    }
    const auto it = image.records.find(write.key);
    const bool damaged = it != image.records.end() && !it->second;
    const bool reflected =
        damaged || (it != image.records.end() && it->second->header.version >= write.version());
    if (!reflected) {
      report(fmt::format("{}: K covers {}, which the state does not reflect", write.key,
                         name(write.version().dot)));
    }
  }
}

/// What is there K covers, and so it does what was durable and was replaced since.
void KnowledgeIsExact::check_complete(const Image& image) {
  for (const auto& [key, record] : image.records) {
    const Dot dot = record ? record->header.version.dot : Dot{};
    const bool excused = given_up_.contains(dot) || left_over_.contains(dot);
    if (record && !excused && !image.state.knowledge.covers(dot)) {
      report(fmt::format("{}: K does not cover the record's {}", key, name(dot)));
    }
  }
  for (const Dot dot : durable_) {
    if (!given_up_.contains(dot) && !image.state.knowledge.covers(dot)) {
      report(fmt::format("K does not cover {}, which was durable", name(dot)));
    }
  }
}

OneOutcome::Contents OneOutcome::merged(const Deliveries& deliveries) {
  Contents contents;
  // Half as many again as there are: each at least once, some again, in a random order.
  std::vector<std::size_t> order;
  order.reserve(deliveries.size() * 3 / 2);
  for (std::size_t i = 0; i < deliveries.size() * 3 / 2; ++i) {
    order.push_back(i < deliveries.size() ? i : prng_.below(deliveries.size()));
  }
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[prng_.below(i)]);
  }
  for (const std::size_t i : order) {
    const auto& [key, record] = deliveries[i];
    const auto [held, inserted] = contents.try_emplace(key, record);
    const bool takes = !inserted && merge(held->second.header.version, record.header.version) ==
                                        MergeOutcome::take;
    if (takes) {
      held->second = record;
    }
  }
  return contents;
}

/// Versions that differ in everything but their stamp, as ballots produce them.
OneOutcome::Deliveries OneOutcome::tied_versions() {
  Deliveries deliveries;
  for (std::uint64_t i = 0; i < 6; ++i) {
    const Verdict verdict{.votes = static_cast<std::uint32_t>(1 + prng_.below(2)),
                          .oldest_join_ms = prng_.between(0, 1),
                          .voters_hash = prng_.below(2)};
    const Version version{.stamp = {7},
                          .verdict = i == 0 ? Verdict{} : verdict,
                          .uuid = {.high = 0, .low = prng_.below(3)},
                          .dot = {.origin = Origin{1}, .seq = i + 1}};
    deliveries.emplace_back("tied", Record{.header = {.version = version}, .value = "1"});
  }
  return deliveries;
}

void OneOutcome::ended(const Image& image) {
  constexpr int kOrders = 3;
  Contents held;
  for (const auto& [key, record] : image.records) {
    if (record) {
      held.emplace(key, *record);
    }
  }
  Deliveries deliveries;
  for (const Write& write : history().writes()) {
    if (write.fate == Fate::durable) {
      deliveries.emplace_back(write.key, write.record);
    }
  }
  const Deliveries ties = tied_versions();
  const std::string tie_winner = encoded(merged(ties));
  for (int i = 0; i < kOrders; ++i) {
    if (encoded(merged(deliveries)) != encoded(held)) {
      report("the writes merge into something that the node does not hold");
    }
    if (encoded(merged(ties)) != tie_winner) {
      report("tied versions merge differently in another order");
    }
  }
}

void IdentityStays::see(const Identity& identity) {
  if (identity_ && *identity_ != identity) {
    report("the folder's identity changed");
  }
  identity_ = identity;
}

void IdentityStays::durable(const Batch& batch) {
  if (batch.effects.identity) {
    see(*batch.effects.identity);
  }
}

void IdentityStays::recovered(const Image& image) {
  if (image.state.identity) {
    see(*image.state.identity);
  } else if (identity_) {
    report("the folder's identity is lost");
  }
}

void EndsAsTheModel::ended(const Image& image) {
  for (const std::string_view key : history().keys()) {
    const Write* expected = history().stored(key);
    const auto it = image.records.find(key);
    const bool equal = expected == nullptr ? it == image.records.end()
                                           : it != image.records.end() && it->second &&
                                                 *it->second == expected->record;
    if (!equal) {
      report(fmt::format("{}: the folder does not hold the newest durable write", key));
    }
  }
  for (const auto& [key, record] : image.records) {
    if (history().stored(key) == nullptr) {
      report(fmt::format("{}: held, and nobody wrote it", key));
    }
  }
}

}  // namespace kvs
