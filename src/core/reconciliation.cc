#include "core/reconciliation.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/probe.h"
#include "core/merge.h"

namespace kvs {

namespace {

constexpr std::size_t kPathBytes = 32;  // unfolded, beside its text
constexpr std::size_t kItemBytes = 64;  // without its path

std::size_t bytes_of(const std::string& path) {
  return kPathBytes + path.size();
}

std::size_t bytes_of(const PeerItem& item) {
  return kItemBytes + item.path.size();
}

/// So many of the last ones as one message bears, taken out of `from`.
template <class T>
std::vector<T> take_some(std::vector<T>& from, std::size_t bytes_max) {
  auto begin = from.end();
  for (std::size_t bytes = 0; begin != from.begin() && bytes < bytes_max;) {
    --begin;
    bytes += bytes_of(*begin);
  }
  std::vector<T> some(std::make_move_iterator(begin), std::make_move_iterator(from.end()));
  from.erase(begin, from.end());
  return some;
}

Error nonsense(std::string_view what) {
  return {.code = Errc::bad_request,
          .detail = "a peer's answer makes no sense: " + std::string(what)};
}

/// True if `survivor` takes the place of `dead` when it crosses: until then the old one is read.
bool is_replaced_by(const PeerItem& dead, const PeerItem* survivor) {
  return survivor != nullptr &&
         merge(dead.header.version, survivor->header.version) == MergeOutcome::take;
}

bool ends_before(std::string_view end, std::string_view other) {
  return !end.empty() && (other.empty() || end < other);
}

}  // namespace

Reconciliation::Reconciliation(const Parts& parts, Start start)
    : parts_(parts), start_(std::move(start)) {
  open_.emplace(std::string(), Open{});
}

Result<std::optional<PeerRequest>> Reconciliation::next() {
  if (complete_) {
    return std::optional<PeerRequest>();
  }
  if (!finishing_ && drops_too_much()) {
    return fail(Errc::overloaded, "an exchange would drop too many live records");
  }
  ++figures_.round_trips;
  const std::size_t findings = wanted_.size() + given_.size();
  if (!open_.empty() && findings < parts_.limits.findings_max) {
    asked_ = Asked::compare;
    return std::optional<PeerRequest>(KVS_TRY(next_compare()));
  }
  if (!wanted_.empty()) {
    asked_ = Asked::fetch;
    return std::optional<PeerRequest>(next_fetch());
  }
  if (!given_.empty()) {
    asked_ = Asked::settle;
    return std::optional<PeerRequest>(KVS_TRY(next_settle()));
  }
  finishing_ = true;
  asked_ = Asked::finish;
  return std::optional<PeerRequest>(next_finish());
}

bool Reconciliation::drops_too_much() const {
  const std::uint64_t drops = figures_.drops_here + figures_.drops_there;
  return !start_.drops_confirmed && drops > parts_.limits.drops_max &&
         drops * 100 > parts_.source.tree.root().count;
}

// --- comparing

Result<Compare> Reconciliation::next_compare() {
  Compare compare{.run = start_.peer_run, .begin = open_.begin()->first, .ranges = {}};
  asked_ranges_.clear();
  std::string at = compare.begin;
  ReportSize size;
  while (!open_.empty() && !size.exceeds(parts_.source.limits.question_bytes_max)) {
    const auto node = open_.extract(open_.begin());
    const KeyRange range{.begin = node.key(), .end = node.mapped().end};
    const std::size_t first = compare.ranges.size();
    if (at < range.begin) {
      compare.ranges.push_back({.end = range.begin, .kind = PathRange::Kind::skip});
    }
    KVS_TRY(ask_about(range, node.mapped().ask, compare.ranges));
    for (std::size_t i = first; i < compare.ranges.size(); ++i) {
      const PathRange& asked = compare.ranges[i];
      size.add(asked);
      asked_ranges_.push_back(
          {.range = {.begin = std::exchange(at, asked.end), .end = asked.end}, .kind = asked.kind});
      figures_.ranges_compared += asked.kind == PathRange::Kind::skip ? 0 : 1;
    }
  }
  return compare;
}

Result<void> Reconciliation::ask_about(const KeyRange& range, Ask ask,
                                       std::vector<PathRange>& out) const {
  const RangeSource& source = parts_.source;
  if (ask == Ask::fingerprint) {
    out.push_back({.end = range.end,
                   .kind = PathRange::Kind::fingerprint,
                   .fingerprint = KVS_TRY(source.tree.of_range(range))});
    return {};
  }
  if ((start_.peer_features & kFeatureShortHashes) == 0) {
    return ask_by_fingerprints(range, out);
  }
  const auto items = KVS_TRY(few_items_in(source, range, source.limits.hashed_items_max));
  if (!items) {
    return report_range(source, range, out);
  }
  PathRange named{.end = range.end, .kind = PathRange::Kind::hashes};
  for (const PeerItem& item : *items) {
    named.hashes.push_back(short_hash(fingerprint_of(item.path, item.header)));
  }
  out.push_back(std::move(named));
  return {};
}

/// As an earlier node understands it: it lists what it holds in a range of few items.
Result<void> Reconciliation::ask_by_fingerprints(const KeyRange& range,
                                                 std::vector<PathRange>& out) const {
  const Fingerprint whole = KVS_TRY(parts_.source.tree.of_range(range));
  if (whole.count > parts_.source.limits.listed_items_max) {
    return report_range(parts_.source, range, out);
  }
  KVS_PROBE("reconciliation: a peer that reads no hashes is asked by a fingerprint");
  out.push_back({.end = range.end, .kind = PathRange::Kind::fingerprint, .fingerprint = whole});
  return {};
}

Result<void> Reconciliation::take_compared(const Compared& answer) {
  if (answer.begin != asked_ranges_.front().range.begin || answer.ranges.empty()) {
    return std::unexpected(nonsense("it speaks of other ranges"));
  }
  const std::string& end = answer.ranges.back().end;
  KVS_TRY(ask_again_from(end));
  std::string begin = answer.begin;
  for (const PathRange& theirs : answer.ranges) {
    const bool last = &theirs == &answer.ranges.back();
    if (!last && (theirs.end <= begin || !ends_before(theirs.end, end))) {
      return std::unexpected(nonsense("its ranges are not in order"));
    }
    KVS_TRY(take_range({.begin = std::exchange(begin, theirs.end), .end = theirs.end}, theirs));
  }
  return {};
}

/// The answer ends at `end`: what was asked beyond it is open still.
Result<void> Reconciliation::ask_again_from(std::string_view end) {
  const auto ends_there = std::ranges::find(
      asked_ranges_, end,
      [](const AskedRange& asked) -> const std::string& { return asked.range.end; });
  if (ends_there == asked_ranges_.end()) {
    return std::unexpected(nonsense("it speaks of other ranges"));
  }
  for (auto rest = ends_there + 1; rest != asked_ranges_.end(); ++rest) {
    KVS_PROBE("reconciliation: the rest of a question is asked again");
    if (rest->kind != PathRange::Kind::skip) {
      const bool named = rest->kind == PathRange::Kind::hashes;
      open_.emplace(rest->range.begin,
                    Open{.end = rest->range.end, .ask = named ? Ask::cheapest : Ask::fingerprint});
    }
  }
  return {};
}

// --- judging

Result<void> Reconciliation::take_range(const KeyRange& range, const PathRange& theirs) {
  const auto in_order = [](const PeerItem& a, const PeerItem& b) {
    return a.path < b.path;
  };
  const std::vector<PeerItem>& items = theirs.items;
  const bool inside = items.empty() || (items.front().path >= range.begin &&
                                        (range.end.empty() || items.back().path < range.end));
  if (!inside || !std::ranges::is_sorted(items, in_order)) {
    return std::unexpected(nonsense("its items are not in order"));
  }
  switch (theirs.kind) {
    case PathRange::Kind::skip:
      return {};
    case PathRange::Kind::fingerprint:
      if (KVS_TRY(parts_.source.tree.of_range(range)) != theirs.fingerprint) {
        open_.emplace(range.begin, Open{.end = range.end});
      }
      return {};
    case PathRange::Kind::items:
      judge_all(KVS_TRY(items_in(parts_.source, range)), items);
      return {};
    case PathRange::Kind::difference:
      return take_difference(range, theirs);
    case PathRange::Kind::hashes:
      break;
  }
  return std::unexpected(nonsense("it asks"));
}

/// Believed only if it explains the whole difference: the items here, without those that the peer
/// lacks, and with those that it told, must be all that the peer holds. They are not if two hashes
/// collided, or if the range was written to since it was asked about.
Result<void> Reconciliation::take_difference(const KeyRange& range, const PathRange& theirs) {
  const auto asked = std::ranges::lower_bound(
      asked_ranges_, range.begin, {},
      [](const AskedRange& each) -> const std::string& { return each.range.begin; });
  if (asked == asked_ranges_.end() || asked->range.begin != range.begin ||
      asked->range.end != range.end || asked->kind != PathRange::Kind::hashes) {
    return std::unexpected(nonsense("it compares with what was not told"));
  }
  std::vector<PeerItem> mine;
  Fingerprint both;
  for (PeerItem& item : KVS_TRY(items_in(parts_.source, range))) {
    const Fingerprint fingerprint = fingerprint_of(item.path, item.header);
    if (std::ranges::find(theirs.hashes, short_hash(fingerprint)) != theirs.hashes.end()) {
      mine.push_back(std::move(item));
    } else {
      both.add(fingerprint);
    }
  }
  both.add(fingerprint_of(theirs.items));
  if (both != theirs.fingerprint) {
    KVS_PROBE("reconciliation: a difference by hashes was not the whole one");
    open_.emplace(range.begin, Open{.end = range.end, .ask = Ask::fingerprint});
    return {};
  }
  judge_all(mine, theirs.items);
  return {};
}

void Reconciliation::judge_all(const std::vector<PeerItem>& mine,
                               const std::vector<PeerItem>& theirs) {
  auto x = mine.begin();
  auto y = theirs.begin();
  while (x != mine.end() || y != theirs.end()) {
    const bool only_mine = y == theirs.end() || (x != mine.end() && x->path < y->path);
    const bool only_theirs = x == mine.end() || (y != theirs.end() && y->path < x->path);
    judge({.mine = only_theirs ? nullptr : &*x, .theirs = only_mine ? nullptr : &*y});
    x += only_theirs ? 0 : 1;
    y += only_mine ? 0 : 1;
  }
}

void Reconciliation::judge(const Pair& pair) {
  const PeerItem* mine = pair.mine;
  const PeerItem* theirs = pair.theirs;
  if (mine != nullptr && theirs != nullptr && mine->header == theirs->header) {
    return;
  }
  if ((mine != nullptr && mine->header.live()) || (theirs != nullptr && theirs->header.live())) {
    ++figures_.live_differences;
  }
  // By what each side knew at the start, not by what this one has learnt since: that is what the
  // other joins.
  const bool judges = !KVS_MUTATED(newest_only_exchange);
  const PeerItem* const dead_there =
      judges && theirs != nullptr && start_.mine.covers(theirs->header.version.dot) ? theirs
                                                                                    : nullptr;
  const PeerItem* const dead_here =
      judges && mine != nullptr && start_.theirs.covers(mine->header.version.dot) ? mine : nullptr;
  theirs = dead_there != nullptr ? nullptr : theirs;
  mine = dead_here != nullptr ? nullptr : mine;
  if (dead_there != nullptr && is_replaced_by(*dead_there, mine)) {
    outlived_there_.insert_or_assign(dead_there->path, *dead_there);
  } else if (dead_there != nullptr) {
    drop_there(*dead_there);
  }
  if (dead_here != nullptr && is_replaced_by(*dead_here, theirs)) {
    outlived_here_.insert_or_assign(dead_here->path, *dead_here);
  } else if (dead_here != nullptr) {
    drop_here(*dead_here);
  }
  const bool both = mine != nullptr && theirs != nullptr;
  const MergeOutcome outcome =
      both ? merge(mine->header.version, theirs->header.version) : MergeOutcome::tie;
  if (theirs != nullptr && outcome != MergeOutcome::keep) {
    wanted_.push_back(theirs->path);
  }
  if (mine != nullptr && outcome != MergeOutcome::take) {
    given_.push_back(mine->path);
  }
}

void Reconciliation::drop_here(const PeerItem& dead) {
  if (dead.header.live()) {
    KVS_PROBE("reconciliation: a live record here was replaced or deleted elsewhere");
    ++figures_.drops_here;
  }
  remember_dead(dead, dead_here_);
}

void Reconciliation::drop_there(const PeerItem& dead) {
  if (dead.header.live()) {
    KVS_PROBE("reconciliation: a live record there was replaced or deleted here");
    ++figures_.drops_there;
  }
  remember_dead(dead, dead_there_);
}

/// One that is not remembered stays, under a K that covers it: the next exchange finds it dead
/// again.
void Reconciliation::remember_dead(const PeerItem& dead, std::vector<PeerItem>& side) {
  if (dead_here_.size() + dead_there_.size() >= parts_.limits.dead_max) {
    ++figures_.drops_left;
    return;
  }
  side.push_back(dead);
}

// --- fetching, giving, finishing

Fetch Reconciliation::next_fetch() {
  fetching_ = take_some(wanted_, parts_.limits.message_bytes_max);
  std::ranges::sort(fetching_);
  return {.paths = fetching_};
}

Result<void> Reconciliation::take_fetched(const Fetched& answer, const Replica::Terms& terms,
                                          Effects& effects) {
  for (const PeerRecord& record : answer.records) {
    parts_.replica.take(record, terms, effects);
    outlived_here_.erase(record.path);
    ++figures_.records_fetched;
  }
  const std::vector<std::string> asked = std::exchange(fetching_, {});
  if (answer.cut && answer.records.empty()) {
    return std::unexpected(nonsense("it is full and empty"));
  }
  // What lies behind the last path that came is asked for again.
  const auto rest =
      answer.cut ? std::ranges::upper_bound(asked, answer.records.back().path) : asked.end();
  wanted_.insert(wanted_.end(), rest, asked.end());
  for (auto path = asked.begin(); path != rest; ++path) {
    if (const auto outlived = outlived_here_.extract(*path)) {
      KVS_PROBE("reconciliation: what is newer was gone before it could be fetched");
      drop_here(outlived.mapped());
    }
  }
  return {};
}

Result<Settle> Reconciliation::next_settle() {
  Settle settle{.run = start_.peer_run, .records = {}};
  std::size_t bytes = 0;
  while (!given_.empty() && bytes < parts_.limits.message_bytes_max) {
    const std::string& path = given_.back();
    auto found = parts_.source.store.get_record(Key::from_store(path));
    if (!found && found.error().code == Errc::corrupt_data) {
      return fail(Errc::corrupt_data, path);
    }
    auto record = KVS_TRY(std::move(found));
    if (!record) {
      KVS_PROBE("reconciliation: a record was gone before it could be given");
      if (const auto outlived = outlived_there_.extract(path)) {
        drop_there(outlived.mapped());
      }
      given_.pop_back();
      continue;
    }
    bytes += path.size() + record->value.size() + sizeof(RecordHeader);
    if (bytes > parts_.limits.message_bytes_max && !settle.records.empty()) {
      KVS_PROBE("reconciliation: a record is given in the next message");
      break;
    }
    outlived_there_.erase(path);
    settle.records.push_back({.path = path, .record = *std::move(record), .replaced = {}});
    given_.pop_back();
    ++figures_.records_given;
  }
  return settle;
}

/// With many items to drop the end is told several times: each drop comes with its join.
Finish Reconciliation::next_finish() {
  const std::size_t bytes_max = parts_.limits.message_bytes_max;
  dropping_here_ = take_some(dead_here_, bytes_max);
  return {
      .run = start_.peer_run, .knowledge = start_.mine, .drops = take_some(dead_there_, bytes_max)};
}

void Reconciliation::take_finished(const Replica::Terms& terms, Effects& effects) {
  parts_.replica.join(start_.theirs, dropping_here_, terms, effects);
  complete_ = dead_here_.empty() && dead_there_.empty();
}

Result<void> Reconciliation::answered(const PeerAnswer& answer, const Replica::Terms& terms,
                                      Effects& effects) {
  if (const auto* refused = std::get_if<Refused>(&answer)) {
    // Damage over there is none here.
    const bool damage = refused->code == Errc::corrupt_data;
    return fail(damage ? Errc::io_error : refused->code, refused->detail);
  }
  const Asked asked = std::exchange(asked_, Asked::nothing);
  const auto* compared = std::get_if<Compared>(&answer);
  const auto* fetched = std::get_if<Fetched>(&answer);
  if (asked == Asked::compare && compared != nullptr) {
    return take_compared(*compared);
  }
  if (asked == Asked::fetch && fetched != nullptr) {
    return take_fetched(*fetched, terms, effects);
  }
  if (!std::holds_alternative<Done>(answer) || (asked != Asked::settle && asked != Asked::finish)) {
    return std::unexpected(nonsense("it answers something else"));
  }
  if (asked == Asked::finish) {
    take_finished(terms, effects);
  }
  return {};
}

}  // namespace kvs
