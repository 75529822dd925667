#include "core/replica.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "base/probe.h"
#include "core/merge.h"

namespace kvs {

namespace {

/// What a key holds, as clients see it.
struct Seen {
  const std::optional<RecordHeader>& held;
  bool live;
};

Seen seen(const std::optional<RecordHeader>& held, WallTime expiry_clock) {
  const bool shows = held && (held->shows(expiry_clock) ||
                              (held->live() && KVS_MUTATED(condition_ignores_expiry)));
  return {.held = held, .live = shows || (held && KVS_MUTATED(tombstone_is_live))};
}

bool holds(const Condition& condition, const Seen& seen) {
  switch (condition.kind) {
    case Condition::Kind::none:
      return true;
    case Condition::Kind::if_absent:
      return !seen.live;
    case Condition::Kind::if_exists:
      return seen.live;
    case Condition::Kind::if_match:
      return seen.live && seen.held && seen.held->version.uuid == condition.uuid;
  }
  return false;
}

WriteStatus status_of(const WriteCommand& command, const Seen& seen) {
  if (!holds(command.condition, seen) && !KVS_MUTATED(condition_ignored)) {
    return WriteStatus::version_mismatch;
  }
  if (command.kind == WriteCommand::Kind::put) {
    return seen.live ? WriteStatus::replaced : WriteStatus::created;
  }
  return seen.live ? WriteStatus::deleted : WriteStatus::not_found;
}

/// The fingerprint of what a folder holds; nothing if it was not kept.
std::optional<Fingerprint> root_of(const Recovered& recovered) {
  if (!recovered.identity) {
    return Fingerprint{};  // a new folder
  }
  return recovered.root == kUncounted ? std::nullopt : recovered.root;
}

}  // namespace

Replica::Replica(const Recovered& recovered, const StoreView& store, Prng& prng)
    : store_(store),
      prng_(prng),
      stamper_(recovered.clock_reserve),
      knowledge_(recovered.knowledge),
      durable_(recovered.knowledge),
      root_(root_of(recovered)),
      durable_root_(root_) {}

Result<std::optional<RecordHeader>> Replica::held(Key key) const {
  const Pending::Held* const pending = pending_.find(key);
  if (pending != nullptr && !KVS_MUTATED(pending_not_consulted)) {
    KVS_PROBE("replica: a command met a pending write");
    return *pending;
  }
  return store_.find(key);
}

bool Replica::holds(Key key) const {
  const auto found = held(key);
  return !found || found->has_value();
}

// --- clients' writes

Replica::Decision Replica::decide(const WriteCommand& command, Effects& effects) {
  const auto found = held(command.key);
  if (found) {
    const std::optional<RecordHeader>& held = *found;
    if (held) {
      // What replaces a record is above it, even if damage took the reserve and the wall clock was
      // set back.
      stamper_.observe(held->version.stamp);
    }
    return {.status = status_of(command, seen(held, expiry_clock_)), .held = held};
  }
  // A damaged record must not make its key unusable: an unconditional PUT replaces it. Its stamp is
  // below the clock's like every stored one, so the new version wins everywhere.
  const bool can_replace = found.error().code == Errc::corrupt_data &&
                           command.kind == WriteCommand::Kind::put &&
                           command.condition.kind == Condition::Kind::none;
  if (can_replace) {
    KVS_PROBE("replica: a damaged record was replaced");
    ++stats_.damaged_replaced;
    note_damage();
    effects.trace.push_back({.kind = Trace::Kind::damaged_record_replaced});
    return {.status = WriteStatus::created, .held = {}, .over_damage = true};
  }
  if (found.error().code == Errc::corrupt_data) {
    KVS_PROBE("replica: a damaged record refused a command");
    return {.status = KVS_MUTATED(damage_taken_for_absence)
                          ? status_of(command, seen(std::nullopt, expiry_clock_))
                          : WriteStatus::corrupt_data,
            .held = {}};
  }
  KVS_PROBE("replica: a record could not be read");
  return {.status = WriteStatus::io_error, .held = {}};
}

void Replica::write(WallTime wall, const WriteCommand& command, Effects& effects) {
  const Decision decision = decide(command, effects);
  const WriteOutcome outcome = succeeded(decision.status) ? accept(wall, command, decision, effects)
                                                          : WriteOutcome{.status = decision.status};
  if (KVS_MUTATED(refusal_without_reply) && decision.status == WriteStatus::version_mismatch) {
    return;
  }
  effects.replies.push_back({.ticket = command.ticket, .outcome = outcome});
}

WriteOutcome Replica::accept(WallTime wall, const WriteCommand& command, const Decision& decision,
                             Effects& effects) {
  const bool put = command.kind == WriteCommand::Kind::put;
  const Version version{.stamp = stamper_.next(wall),
                        .verdict = {},
                        .uuid = make_uuid(prng_),
                        .dot = next_dot(effects)};
  const bool expires = put && command.ttl > Duration{};
  const std::int64_t expires_ms = std::min(expiry_clock_.ms + command.ttl.ms(), kExpiresMsMax);
  const RecordHeader header{.version = version,
                            .kind = put ? RecordKind::value : RecordKind::tombstone,
                            .expires_ms = expires ? expires_ms : 0};
  if (!KVS_MUTATED(delete_writes_nothing) || put) {
    const RecordView record{.header = header, .value = put ? command.value : std::string_view{}};
    store_record({.key = command.key,
                  .record = record,
                  .before = decision.held,
                  .cause = Change::Cause::client,
                  .over_damage = decision.over_damage},
                 effects);
  }
  return {.status = decision.status,
          .uuid = version.uuid,
          .stamp = version.stamp,
          .expires_ms = header.expires_ms};
}

Dot Replica::next_dot(Effects& effects) {
  if (!origin_) {
    origin_ = KVS_MUTATED(origin_kept_across_restarts) ? Origin{1} : Origin{prng_.next() | 1U};
    ++stats_.origins_taken;
    effects.trace.push_back(
        {.kind = Trace::Kind::origin_taken, .number = static_cast<std::uint64_t>(*origin_)});
  }
  return {.origin = *origin_, .seq = knowledge_.of(*origin_).last() + 1};
}

// --- peers' records

Taken Replica::take(const PeerRecord& theirs, const Terms& terms, Effects& effects) {
  const Version& version = theirs.record.header.version;
  if (knowledge_.covers(version.dot) && !KVS_MUTATED(covered_record_taken)) {
    learn(theirs, terms.cause);
    ++stats_.known;
    return Taken::known;
  }
  if (version.stamp > terms.newest_allowed && !KVS_MUTATED(far_future_taken)) {
    KVS_PROBE("replica: a record was stamped too far ahead");
    ++stats_.deferred;
    remember_unsettled(theirs, Taken::deferred, terms.from);
    return Taken::deferred;
  }
  const Key key = Key::from_store(theirs.path);
  const auto found = held(key);
  if (!found && found.error().code != Errc::corrupt_data) {
    KVS_PROBE("replica: a peer's record met one that could not be read");
    remember_unsettled(theirs, Taken::unreadable, terms.from);
    return Taken::unreadable;
  }
  if (!found) {
    // What was there may have been newer: K must not cover it any more.
    KVS_PROBE("replica: a peer's record replaced a damaged one");
    ++stats_.damaged_replaced;
    note_damage();
    if (!given_up_.contains(theirs.path) && !KVS_MUTATED(damage_keeps_knowledge)) {
      forget_knowledge();
      effects.trace.push_back({.kind = Trace::Kind::damage_found, .text = theirs.path});
    }
  }
  const std::optional<RecordHeader> mine = found ? *found : std::nullopt;
  if (!KVS_MUTATED(clock_does_not_learn)) {
    stamper_.observe(version.stamp);
  }
  const MergeOutcome outcome = mine ? merge(mine->version, version) : MergeOutcome::take;
  if (mine && outcome == MergeOutcome::tie && !KVS_MUTATED(tie_broken_alone)) {
    ++stats_.ties;
    stats_.new_ties += remember_unsettled(theirs, Taken::tied, terms.from) ? 1U : 0U;
    ties_met_.push_back({.mine = *mine, .theirs = theirs});
    return Taken::tied;
  }
  if (outcome == MergeOutcome::keep) {
    learn(theirs, terms.cause);
    ++stats_.older;
    return Taken::older;
  }
  know_all(theirs.replaced);
  store_record({.key = key,
                .record = theirs.record.view(),
                .before = mine,
                .cause = terms.cause,
                .over_damage = !found,
                .replaced = theirs.replaced},
               effects);
  ++stats_.taken;
  return Taken::stored;
}

Taken Replica::take_kept(const PeerRecord& theirs, const Terms& terms, Effects& effects) {
  const Taken taken = take(theirs, terms, effects);
  if (taken == Taken::stored) {
    RecordWrite& write = effects.writes.back();
    write.key = Key::from_store(effects.kept.emplace_back(theirs.path));
    write.record.value = effects.kept.emplace_back(theirs.record.value);
  }
  return taken;
}

void Replica::settle(const PeerRecord& winner, Effects& effects) {
  const auto found = held(Key::from_store(winner.path));
  if (!found) {
    return;
  }
  Version version = winner.record.header.version;
  version.dot = {};
  const std::optional<RecordHeader>& mine = *found;
  if (mine && mine->version >= version) {
    KVS_PROBE("replica: a verdict came too late");
    return;
  }
  version.dot = next_dot(effects);
  RecordHeader header = winner.record.header;
  header.version = version;
  const RecordView record{.header = header,
                          .value = effects.kept.emplace_back(winner.record.value)};
  know_all(winner.replaced);
  store_record({.key = Key::from_store(effects.kept.emplace_back(winner.path)),
                .record = record,
                .before = mine,
                .cause = Change::Cause::verdict,
                .replaced = winner.replaced},
               effects);
}

void Replica::drop(const PeerItem& dead, Effects& effects) {
  const bool live = dead.header.shows(expiry_clock_);
  if (remove(dead, live ? RecordWrite::Kind::lose : RecordWrite::Kind::drop, effects)) {
    ++(live ? stats_.dropped_live : stats_.dropped_tombstones);
  }
}

bool Replica::collect(const PeerItem& tombstone, Effects& effects) {
  if (!remove(tombstone, RecordWrite::Kind::drop, effects)) {
    return false;
  }
  ++stats_.collected;
  return true;
}

bool Replica::remove(const PeerItem& dead, RecordWrite::Kind kind, Effects& effects) {
  if (pending_.find(Key::from_store(dead.path)) != nullptr) {
    KVS_PROBE("replica: a dead record was about to change");
    return false;
  }
  const Key key = Key::from_store(effects.kept.emplace_back(dead.path));
  const std::optional<RecordHeader> there = held(key).value_or(std::nullopt);
  if (!there || *there != dead.header) {
    return false;
  }
  const RecordHeader gone = *there;  // its value may have been freed since it was found dead
  effects.writes.push_back({.key = key, .record = {.header = gone, .value = {}}, .kind = kind});
  if (gone.expires_ms != 0) {
    effects.expired.push_back(place_of(gone));
  }
  pending_.add(key, std::nullopt);
  recount(gone, std::nullopt, dead.path);
  open_changes_.push_back(
      {.path = dead.path, .before = gone, .after = std::nullopt, .cause = Change::Cause::exchange});
  return true;
}

// --- values whose time is over

std::optional<ExpiryPlace> Replica::first_pending_expiry() const {
  std::optional<ExpiryPlace> first = first_expiry_;
  for (const ClosedBatch& batch : closed_) {
    if (batch.first_expiry && (!first || *batch.first_expiry < *first)) {
      first = batch.first_expiry;
    }
  }
  return first;
}

/// To merging, to fingerprints and to peers the record stays what it was.
void Replica::free_value(const ExpiryEntry& entry, Effects& effects) {
  const Key key = Key::from_store(entry.path);
  const auto found = store_.find(key);
  if (!found && found.error().code != Errc::corrupt_data) {
    KVS_PROBE("replica: a record that expired could not be read");
    return;  // its entry stays, for the next run
  }
  const Pending::Held* const coming = pending_.find(key);
  if (coming != nullptr && *coming && place_of(**coming) == entry.place) {
    return;  // it is stored anew, with its entry
  }
  freed_ = true;
  effects.expired.push_back(entry.place);
  const std::optional<RecordHeader> there = found.value_or(std::nullopt);
  if (!there || !there->live() || place_of(*there) != entry.place || coming != nullptr) {
    KVS_PROBE("replica: what expired had been replaced");
    return;
  }
  RecordHeader header = *there;
  header.kind = RecordKind::expired;
  const Key kept = Key::from_store(effects.kept.emplace_back(entry.path));
  effects.writes.push_back({.key = kept, .record = {.header = header, .value = {}}});
  pending_.add(kept, header);
  ++stats_.freed;
}

bool Replica::join(const Knowledge& theirs, std::span<const PeerItem> dead, const Terms& terms,
                   Effects& effects) {
  forget_beaten();
  if (unsettled_overflow_ || waits_for(terms) || is_forgetting()) {
    KVS_PROBE("replica: what is unsettled forbids to join");
    return false;
  }
  Knowledge reflected;
  for (const DotRange& range : theirs.minus(tied_dots(theirs))) {
    reflected.add(range);
  }
  const bool joins = dead.empty() || !KVS_MUTATED(dead_dropped_before_join);
  for (const DotRange& range : joins ? reflected.minus(knowledge_) : std::vector<DotRange>()) {
    knowledge_.add(range);
    changed_.insert(range.origin);
  }
  // What is held back under a path is tied with what is held there, and not while `theirs` covers
  // that: so nothing older than what goes is left out of K.
  for (const PeerItem& item : dead) {
    if (theirs.covers(item.header.version.dot)) {
      drop(item, effects);
    }
  }
  return knowledge_.covers(theirs);
}

/// True until a K that was emptied is durable: then every exchange under way is void once more.
/// Before, what was damaged may still be among the sums that exchanges compare, and something else
/// be about to take its place: a K that was joined on such sums would claim what is nowhere here,
/// and nothing would be left to tell that it is wrong.
bool Replica::is_forgetting() const {
  const bool forgetting = forgetting_ || std::ranges::any_of(closed_, &ClosedBatch::forgets);
  return forgetting && !KVS_MUTATED(join_while_forgetting);
}

/// True if a version that was not taken is beaten by now. A tie is over too if its other side was
/// replaced elsewhere: so was this side, or it is offered again.
bool Replica::is_over(std::string_view path, const Offered& offered) const {
  const auto found = held(Key::from_store(path));
  if (!found) {
    return false;
  }
  const std::optional<RecordHeader>& mine = *found;
  if (!mine) {
    return offered.why == Taken::tied;
  }
  const MergeOutcome outcome = merge(mine->version, offered.version);
  return outcome == MergeOutcome::keep ||
         (outcome == MergeOutcome::take && offered.why == Taken::tied);
}

void Replica::forget_beaten() {
  std::erase_if(unsettled_, [this](const auto& entry) {
    const auto& [path, dot] = entry.first;
    const bool changing = pending_.find(Key::from_store(path)) != nullptr;
    return !changing && (knowledge_.covers(dot) || is_over(path, entry.second));
  });
}

/// True if a version that this peer offered was put off. Where its time has come by now it is
/// forgotten, to be offered again: by later exchanges, for those under way have passed it.
bool Replica::waits_for(const Terms& terms) {
  bool waits = false;
  const std::size_t forgotten = std::erase_if(unsettled_, [&](const auto& entry) {
    const Offered& offered = entry.second;
    if (offered.why == Taken::tied ||
        std::ranges::find(offered.by, terms.from) == offered.by.end()) {
      return false;
    }
    waits = true;
    return offered.why == Taken::unreadable || offered.version.stamp <= terms.newest_allowed;
  });
  if (forgotten > 0) {
    KVS_PROBE("replica: the time of what was put off has come");
    ++era_;
  }
  return waits && !KVS_MUTATED(join_covers_deferred);
}

/// The dots that no join may cover. Those that a tied version replaced are older than the version
/// held, whose stamp is the same. Whoever covers both sides of a tie has seen it settled: what they
/// have instead came with the exchange, or the side that is held here is dropped with the join.
Knowledge Replica::tied_dots(const Knowledge& theirs) const {
  Knowledge dots;
  if (KVS_MUTATED(join_covers_ties)) {
    return dots;
  }
  for (const auto& [place, offered] : unsettled_) {
    if (offered.why != Taken::tied) {
      continue;
    }
    const auto found = held(Key::from_store(place.first));
    const std::optional<RecordHeader> mine = found ? *found : std::nullopt;
    const bool settled_there = mine && theirs.covers(mine->version.dot);
    if (!settled_there) {
      dots.add(place.second);
    }
  }
  return dots;
}

void Replica::forget_knowledge(std::string_view damaged) {
  if (!damaged.empty() && given_up_.size() < kGivenUpMax) {
    given_up_.emplace(damaged);
  }
  // Writes under way stay: without K they are like any other record that this node holds. Peers are
  // told at once; to know less than the disk says does no harm.
  for (const auto* const known : {&knowledge_, &durable_}) {
    for (const auto& [origin, entry] : known->origins()) {
      forgotten_.insert(origin);
    }
  }
  for (ClosedBatch& batch : closed_) {
    for (const KnowledgeWrite& write : batch.knowledge) {
      forgotten_.insert(write.origin);
    }
    batch.knowledge.clear();
  }
  changed_.insert(forgotten_.begin(), forgotten_.end());
  forgetting_ = true;
  ++emptied_;
  knowledge_ = {};
  durable_ = {};
  durable_figures_.reset();
  origin_.reset();
  ++era_;
  forget_offers();
}

/// As after a start: no exchange goes on, and later ones offer everything anew. What an offer
/// waits for may be gone: the side of a tie that was held here, if that is what was damaged.
void Replica::forget_offers() {
  if (KVS_MUTATED(tie_outlives_damage)) {
    return;
  }
  unsettled_.clear();
  settled_.clear();
  for (ClosedBatch& batch : closed_) {
    batch.settled.clear();
  }
}

bool Replica::know(Dot dot) {
  const bool news = knowledge_.add(dot);
  if (news) {
    changed_.insert(dot.origin);
  }
  return news;
}

/// Those of `dots` that K did not cover.
std::vector<Dot> Replica::know_all(std::span<const Dot> dots) {
  std::vector<Dot> news;
  for (const Dot dot : dots) {
    if (know(dot)) {
      news.push_back(dot);
    }
  }
  return news;
}

/// What is held reflects this record: K covers it with all that it replaced, and the journal can
/// tell of it.
void Replica::learn(const PeerRecord& theirs, Change::Cause cause) {
  const Version& version = theirs.record.header.version;
  const bool news = know(version.dot);
  std::vector<Dot> replaced = know_all(theirs.replaced);
  if (news || !replaced.empty()) {
    open_changes_.push_back({.path = theirs.path,
                             .before = std::nullopt,
                             .after = std::nullopt,
                             .cause = cause,
                             .replaced = std::move(replaced),
                             .learnt = version});
  }
}

/// What was replaced leaves the index of what expires: a value that is renewed all the time has one
/// entry, not one for each write. True if watchers were told of later times than this record's.
bool Replica::index_expiry(const std::optional<RecordHeader>& before, const RecordHeader& header,
                           Effects& effects) {
  if (before && before->expires_ms != 0 && before->version.dot != header.version.dot) {
    effects.expired.push_back(place_of(*before));
  }
  if (header.expires_ms == 0) {
    return false;
  }
  const ExpiryPlace place = place_of(header);
  if (!before) {
    std::erase(effects.expired, place);  // it went in this batch, and is here again
  }
  const bool overdue = place <= expiries_told_;
  if (!overdue) {
    first_expiry_ = std::min(first_expiry_.value_or(place), place);
  }
  return overdue;
}

void Replica::store_record(const StoredRecord& stored, Effects& effects) {
  const RecordHeader& header = stored.record.header;
  effects.writes.push_back({.key = stored.key, .record = stored.record});
  pending_.add(stored.key, header);
  know(header.version.dot);
  recount(stored.before, header, stored.key.text());
  if (stored.over_damage) {
    given_up_.erase(std::string(stored.key.text()));
  }
  std::vector<Dot> replaced(stored.replaced.begin(), stored.replaced.end());
  // It was not among K if K was emptied since it was stored.
  const bool replaces = stored.before && !KVS_MUTATED(replaced_stays_unknown);
  if (replaces && know(stored.before->version.dot)) {
    replaced.push_back(stored.before->version.dot);
  }
  const auto beaten = forget_unsettled(stored.key.text(), header.version);
  replaced.insert(replaced.end(), beaten.begin(), beaten.end());
  const bool overdue = index_expiry(stored.before, header, effects);
  open_changes_.push_back({.path = std::string(stored.key.text()),
                           .before = stored.before,
                           .after = header,
                           .cause = stored.cause,
                           .over_damage = stored.over_damage,
                           .replaced = std::move(replaced),
                           .learnt = std::nullopt,
                           .overdue = overdue});
  ++stats_.records_written;
}

// --- what is neither taken nor beaten

/// True if it was not remembered before.
bool Replica::remember_unsettled(const PeerRecord& theirs, Taken why, Instance from) {
  const Version& version = theirs.record.header.version;
  const auto it = unsettled_.find({theirs.path, version.dot});
  if (it == unsettled_.end() && unsettled_.size() >= kUnsettledMax) {
    unsettled_overflow_ = true;
    return false;
  }
  const bool news = it == unsettled_.end();
  Offered& offered = it != unsettled_.end() ? it->second : unsettled_[{theirs.path, version.dot}];
  offered.version = version;
  offered.why = why;
  if (std::ranges::find(offered.by, from) == offered.by.end()) {
    offered.by.push_back(from);
  }
  return news;
}

/// The dots of what the version held now beats, as far as K did not cover them. One that was put
/// off and ties with it is not beaten: whichever is larger, nobody has decided.
std::vector<Dot> Replica::forget_unsettled(std::string_view path, const Version& now_held) {
  std::vector<Dot> beaten;
  if (unsettled_.empty()) {
    return beaten;
  }
  auto it = unsettled_.lower_bound({std::string(path), Dot{}});
  while (it != unsettled_.end() && it->first.first == path) {
    const bool tied = !KVS_MUTATED(tie_beats_deferred) &&
                      merge(now_held, it->second.version) == MergeOutcome::tie;
    if (now_held >= it->second.version && !tied) {
      if (know(it->first.second)) {
        beaten.push_back(it->first.second);
      }
      settled_.insert(*it);
      it = unsettled_.erase(it);
    } else {
      ++it;
    }
  }
  return beaten;
}

// --- fingerprint of everything

void Replica::recount(const std::optional<RecordHeader>& before,
                      const std::optional<RecordHeader>& after, std::string_view path) {
  if (!root_) {
    return;
  }
  if (before) {
    root_->remove(fingerprint_of(path, *before));
  }
  if (after) {
    root_->add(fingerprint_of(path, *after));
  }
}

void Replica::note_damage() {
  root_.reset();
}

bool Replica::counted(const Fingerprint& root) {
  KVS_CHECK(!committing(), "records were counted while writes were under way");
  const bool as_kept = !durable_root_ || *durable_root_ == root;
  durable_root_ = root;
  root_ = root;
  for (const Change& change : open_changes_) {
    recount(change.before, change.after, change.path);
  }
  return as_kept;
}

// --- batches

void Replica::close_batch(Effects& effects) {
  if (dirty()) {
    changed_.merge(unforgotten_);
    unforgotten_.clear();
  }
  for (const Origin origin : changed_) {
    effects.knowledge.push_back({.origin = origin, .known = knowledge_.of(origin)});
    if (KVS_MUTATED(knowledge_runs_ahead)) {
      ++effects.knowledge.back().known.upto;
    }
  }
  if (KVS_MUTATED(knowledge_not_written)) {
    effects.knowledge.clear();
  }
  changed_.clear();
  if (!open_changes_.empty()) {
    effects.root = root_.value_or(kUncounted);
  }
  effects.clock_reserve = stamper_.take_due_reserve();
  if (KVS_MUTATED(reserve_not_written)) {
    effects.clock_reserve.reset();
  }
  closed_.push_back({.knowledge = effects.knowledge,
                     .changes = std::exchange(open_changes_, {}),
                     .root = root_,
                     .settled = std::exchange(settled_, {}),
                     .first_expiry = std::exchange(first_expiry_, std::nullopt),
                     .forgets = std::exchange(forgetting_, false)});
  freed_ = false;
  pending_.close_batch();
}

std::vector<Change> Replica::committed() {
  KVS_CHECK(!closed_.empty(), "a batch was committed that was never closed");
  ClosedBatch batch = std::move(closed_.front());
  closed_.pop_front();
  for (const KnowledgeWrite& change : batch.knowledge) {
    durable_.set(change.origin, change.known);
    durable_figures_.reset();
  }
  durable_root_ = batch.root;
  if (batch.forgets) {
    ++era_;  // what was compared until now may have counted what was damaged
  }
  if (!given_up_.empty()) {
    std::ranges::for_each(batch.changes, [this](const Change& change) {
      given_up_.erase(change.path);  // damage that was met while its replacement was under way
    });
  }
  pending_.commit_oldest();
  committed_knowledge_ = std::move(batch.knowledge);
  return std::move(batch.changes);
}

void Replica::commit_failed() {
  if (closed_.size() > 1) {
    KVS_PROBE("replica: a failed batch took later ones with it");
  }
  if (!KVS_MUTATED(knowledge_kept_after_failure)) {
    knowledge_ = durable_;
  }
  root_ = durable_root_;
  for (const ClosedBatch& batch : closed_) {
    settled_.insert(batch.settled.begin(), batch.settled.end());
  }
  unsettled_.insert(settled_.begin(), settled_.end());
  settled_.clear();
  changed_.clear();
  unforgotten_.insert(forgotten_.begin(), forgotten_.end());  // the next batch says it again
  for (const ClosedBatch& batch : closed_) {
    for (const KnowledgeWrite& write : batch.knowledge) {
      unforgotten_.insert(write.origin);  // the log may hold the K of a batch that failed
    }
  }
  forgetting_ = false;
  freed_ = false;
  first_expiry_.reset();
  open_changes_.clear();
  closed_.clear();
  pending_.clear();
  if (!KVS_MUTATED(dot_reused_after_failure)) {
    origin_.reset();
  }
  stamper_.forget_reserve();
}

const Replica::KnowledgeFigures& Replica::durable_figures() const {
  if (!durable_figures_) {
    const bool gaps = std::ranges::any_of(
        durable_.origins(), [](const auto& entry) { return !entry.second.beyond.empty(); });
    durable_figures_ = KnowledgeFigures{.hash = durable_.hash(), .gaps = gaps};
  }
  return *durable_figures_;
}

Dot Replica::last_durable_dot() const {
  return origin_ ? Dot{.origin = *origin_, .seq = durable_.of(*origin_).last()} : Dot{};
}

ReplicaStats Replica::stats() const {
  ReplicaStats stats = stats_;
  stats.unsettled = unsettled_.size();
  return stats;
}

}  // namespace kvs
