#include "core/sync.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/mutant.h"
#include "base/probe.h"
#include "core/call.h"
#include "core/own_part.h"
#include "core/sync_answers.h"

namespace kvs {

namespace {

constexpr Duration kLookInterval = Duration::from_ms(250);
constexpr Duration kBackoffMin = Duration::from_seconds(1);
constexpr Duration kPatienceMin = Duration::from_seconds(1);
constexpr std::int64_t kPatienceFactor = 4;

// A greeting is small: one that was not answered for so long is lost, or its receiver is busy.
constexpr Duration kGreetingTime = Duration::from_ms(500);

// Ballots on many ties take about as long, and then there is less to compare.
constexpr Duration kTiesPause = Duration::from_ms(500);

// A new node that reaches none of its seeds: with data of its own it serves soon, without it later.
constexpr Duration kAloneWithData = Duration::from_seconds(10);
constexpr Duration kAloneWithout = Duration::from_seconds(60);

// A page of at most 1 MiB comes in this many fetches.
constexpr std::uint64_t kFetchesPerPage = 4;
constexpr std::uint32_t kFetchBytes = (std::uint32_t{1} << 20U) / kFetchesPerPage;

SyncFailure failure_of(Errc code) {
  switch (code) {
    case Errc::request_timeout:
      return SyncFailure::no_answer;
    case Errc::corrupt_data:
      return SyncFailure::damage;
    case Errc::io_error:
      return SyncFailure::disk;
    default:
      return SyncFailure::refused;
  }
}

}  // namespace

std::string_view to_string(SyncKind kind) {
  switch (kind) {
    case SyncKind::regular:
      return "regular";
    case SyncKind::catch_up:
      return "catch-up";
    case SyncKind::bootstrap:
      return "bootstrap";
  }
  return "unknown";
}

std::string_view to_string(SyncFailure failure) {
  switch (failure) {
    case SyncFailure::no_answer:
      return "no_answer";
    case SyncFailure::refused:
      return "refused";
    case SyncFailure::damage:
      return "damage";
    case SyncFailure::disk:
      return "disk";
  }
  return "unknown";
}

Sync::Sync(const SyncOptions& options, const Parts& parts)
    : options_(options), parts_(parts), patience_(std::min(kPatienceMin, options.call_timeout)) {}

void Sync::start(const Now& now, Fill fill) {
  fill_ = fill;
  fill_since_ = now.instant;
  // The first comparison soon, and not all nodes at once.
  next_regular_ = now.instant + Duration::from_ms(parts_.prng.between(500, 2000));
  next_look_ = now.instant + kLookInterval;
}

// --- what is missing

/// Nothing is missing as far as is known: there is nothing to look after until a peer is heard.
bool Sync::at_rest() const {
  return fill_ == Fill::complete && awaited_.empty() && differing_.empty() &&
         gaps_since_ == Instant::never() && !has_gaps();
}

/// True for a peer that may answer.
bool Sync::is_peer(Instance instance) const {
  const Member* const member = view_ != nullptr ? view_->find(instance) : nullptr;
  return member != nullptr && is_live(member->state);
}

void Sync::heard(const Now& now, Instance peer, const StateDigest& digest) {
  refreshed_ = refreshed_ && is_peer(peer);
  const Dot last{.origin = digest.origin, .seq = digest.seq};
  if (last.seq == 0 || parts_.replica.durable_knowledge().covers(last)) {
    awaited_.erase(peer);
  } else {
    awaited_.try_emplace(peer, Awaited{.dot = last, .since = now.instant});
    late_at_ = std::min(late_at_, now.instant + options_.behind_grace);
  }
  // K may differ by writes of earlier runs too. While a peer takes writes its K changes anyway.
  if (digest.knowledge_hash == parts_.replica.durable_hash()) {
    differing_.erase(peer);
    return;
  }
  const Differing differs{.knowledge_hash = digest.knowledge_hash, .since = now.instant};
  const auto [known, first] = differing_.try_emplace(peer, differs);
  if (first || known->second.knowledge_hash != digest.knowledge_hash) {
    known->second = differs;
    late_at_ = std::min(late_at_, now.instant + options_.behind_grace);
  }
}

void Sync::met(const Now& now, const Member& member, Effects& effects) {
  heard(now, member.instance, member.digest);
  const auto awaited = awaited_.find(member.instance);
  const auto differs = differing_.find(member.instance);
  const bool filling = fill_ == Fill::none || fill_ == Fill::paging;
  if (member.mode == Mode::syncing || filling || differs == differing_.end()) {
    return;
  }
  KVS_PROBE("sync: a member that was met again holds something else");
  const Instant long_ago = now.instant - options_.behind_grace - options_.behind_grace;
  differs->second.since = std::min(differs->second.since, long_ago);
  differs->second.met = true;
  if (awaited != awaited_.end()) {
    awaited->second.since = std::min(awaited->second.since, long_ago);
  }
  begin_anew(now, effects);
}

/// The next look comes at once, and nothing of what could not be reached holds it up.
void Sync::begin_anew(const Now& now, Effects& effects) {
  const bool unanswered = session_ && session_->stage == Stage::greeting &&
                          session_->called_at + kGreetingTime < now.instant;
  if (unanswered) {
    KVS_PROBE("sync: a greeting that was lost is given up");
    fail(now, {.code = Errc::request_timeout, .detail = "no answer"}, effects);
  }
  backoff_ = {};
  next_catch_up_ = std::min(next_catch_up_, now.instant);
  next_look_ = std::min(next_look_, now.instant);
  late_at_ = std::min(late_at_, now.instant);
}

void Sync::refresh_awaited() {
  const Knowledge& known = parts_.replica.durable_knowledge();
  const std::uint64_t hash = parts_.replica.durable_hash();
  if (refreshed_ && hash == refreshed_hash_) {
    return;  // nothing was added that would have to go
  }
  refreshed_ = true;
  refreshed_hash_ = hash;
  std::erase_if(awaited_, [&](const auto& entry) {
    return known.covers(entry.second.dot) || !is_peer(entry.first);
  });
  std::erase_if(differing_, [&](const auto& entry) {
    return entry.second.knowledge_hash == hash || !is_peer(entry.first);
  });
}

/// Those whose writes have been missing for longer than pushes take.
std::vector<Instance> Sync::late_peers(const Now& now) const {
  const Instant before = now.instant - options_.behind_grace;
  std::vector<Instance> late;
  for (const auto& [peer, awaited] : awaited_) {
    if (awaited.since <= before) {
      late.push_back(peer);
    }
  }
  if (!late.empty()) {
    return late;
  }
  for (const auto& [peer, differs] : differing_) {
    if (differs.since <= before - options_.behind_grace) {
      late.push_back(peer);
    }
  }
  return late;
}

/// A peer whose writes have been missing for longer than pushes take; with gaps, any peer.
const Member* Sync::lagging_behind(const Now& now) {
  const Duration grace = options_.behind_grace;
  if (late_at_ <= now.instant) {
    const std::vector<Instance> late = late_peers(now);
    if (!late.empty()) {
      return view_->find(late[parts_.prng.below(late.size())]);
    }
    late_at_ = Instant::never();
    for (const auto& [peer, awaited] : awaited_) {
      late_at_ = std::min(late_at_, awaited.since + grace);
    }
    for (const auto& [peer, differs] : differing_) {
      late_at_ = std::min(late_at_, differs.since + grace + grace);
    }
  }
  return gaps_since_ <= now.instant - grace ? choose_peer() : nullptr;
}

/// What an exchange could not bring, the next one at once cannot bring either. But one whose peer
/// had become equal meanwhile says nothing of others that were met again.
void Sync::be_patient(const Now& now) {
  const bool was_equal = session_->theirs == session_->mine;
  const Instant late = now.instant - options_.behind_grace;
  const Instant later = late + options_.catchup_interval;
  for (auto& [peer, awaited] : awaited_) {
    if (awaited.since <= late) {
      awaited.since = later;
    }
  }
  for (auto& [peer, differs] : differing_) {
    const bool still_due = was_equal && differs.met && peer != session_->peer;
    if (differs.since <= late && !still_due) {
      differs.since = later;
    }
  }
  if (gaps_since_ <= late) {
    gaps_since_ = later;
  }
}

const Member* Sync::choose_peer() const {
  std::vector<const Member*> peers = view_->peers();
  std::erase_if(peers, [](const Member* peer) { return peer->state != MemberState::alive; });
  return peers.empty() ? nullptr : peers[parts_.prng.below(peers.size())];
}

// --- when

Instant Sync::next_deadline() const {
  const Instant next_look = at_rest() ? Instant::never() : next_look_;
  return std::min({next_look, next_regular_, page_due_});
}

void Sync::tick(const Now& now, Effects& effects) {
  if (now.instant >= page_due_ && session_) {
    page_due_ = Instant::never();
    ask_page(now, effects);
  }
  if (now.instant < next_look_ && now.instant < next_regular_) {
    return;
  }
  next_look_ = now.instant + kLookInterval;
  const bool regular_due = now.instant >= next_regular_;
  if (regular_due) {
    next_regular_ = now.instant + options_.sync_interval;
  }
  if (view_ == nullptr) {
    return;
  }
  refresh_awaited();
  if (!has_gaps()) {
    gaps_since_ = Instant::never();
  } else if (gaps_since_ == Instant::never()) {
    gaps_since_ = now.instant;
  }
  if (session_) {
    return;
  }
  if (fill_ == Fill::none) {
    return look_for_donor(now, effects);
  }
  const Member* const late = now.instant >= next_catch_up_ ? lagging_behind(now) : nullptr;
  if (late != nullptr) {
    return begin(now, *late, SyncKind::catch_up, effects);
  }
  if (fill_ == Fill::recent && now.instant >= next_catch_up_) {
    if (const Member* const peer = choose_peer()) {
      return begin(now, *peer, SyncKind::bootstrap, effects);
    }
  }
  if (regular_due) {
    if (const Member* const peer = choose_peer()) {
      begin(now, *peer, SyncKind::regular, effects);
    }
  }
}

// --- an exchange

void Sync::begin(const Now& now, const Member& peer, SyncKind kind, Effects& effects) {
  session_ = std::make_unique<Session>();
  session_->peer = peer.instance;
  session_->address = peer.address;
  session_->node_id = peer.node_id;
  session_->kind = kind;
  greet(now, effects);
  if (Knowledge told = std::exchange(told_already_, {}); told_already_in_ == session_->run) {
    session_->received = std::move(told);
  }
}

/// True if the peer is known to hold just what this node holds: then news tell it nothing.
bool Sync::told_the_same() const {
  const Member* const peer = view_->find(session_->peer);
  const StateDigest& mine = session_->digest;
  return peer != nullptr && mine.counted && peer->digest.counted &&
         peer->digest.knowledge_hash == mine.knowledge_hash && peer->digest.root == mine.root;
}

void Sync::greet(const Now& now, Effects& effects) {
  session_->stage = Stage::greeting;
  session_->run = parts_.holdings.run();
  session_->mine = parts_.replica.durable_knowledge();
  session_->digest = parts_.holdings.digest();
  const std::size_t news = told_the_same() ? 0 : kLatestRecords;
  auto latest = parts_.holdings.journal().latest(news, parts_.holdings.store());
  stats_.records_sent += latest.size();
  const bool doubted = drops_doubted_with_ == session_->peer;
  call(now,
       Hello{.digest = session_->digest,
             .latest = std::move(latest),
             .recount = doubted && !recount_told_},
       effects);
}

void Sync::call(const Now& now, const PeerRequest& request, Effects& effects) {
  session_->called_at = now.instant;
  session_->call = make_call_id(Caller::sync, ++calls_);
  effects.sends.push_back({.id = session_->call,
                           .address = session_->address,
                           .channel = Channel::bulk,
                           .timeout = patience_,
                           .envelope = {.receiver = session_->peer},
                           .request = std::make_shared<const PeerRequest>(request)});
}

void Sync::end(const Now& now, std::string_view outcome, Effects& effects) {
  if (parts_.replica.knowledge() == session_->mine) {
    be_patient(now);
  }
  close(now, outcome, effects);
}

/// Nothing was joined: the exchange is as one that broke off, but nothing is wrong. What it has met
/// is put to the ballot, and comes back as verdicts; the next one finds less.
void Sync::end_for_ties(const Now& now, Effects& effects) {
  ++stats_.sessions[static_cast<std::size_t>(session_->kind)].ties;
  ties_met_alone_ = true;
  told_already_ = std::move(session_->received);
  told_already_in_ = session_->run;
  if (session_->compares_records) {
    next_regular_ = std::min(next_regular_, now.instant + kTiesPause);
  }
  close(now, fmt::format("{} ties are settled first", session_->ties), effects);
  next_catch_up_ = now.instant + kTiesPause;
}

void Sync::close(const Now& now, std::string_view outcome, Effects& effects) {
  effects.trace.push_back({.kind = Trace::Kind::exchange_ended,
                           .text = fmt::format("{} with {}: {}", to_string(session_->kind),
                                               session_->node_id, outcome)});
  patience_ = std::clamp(Duration{session_->slowest.ns * kPatienceFactor},
                         std::min(kPatienceMin, options_.call_timeout), options_.call_timeout);
  session_.reset();
  backoff_ = {};
  next_catch_up_ = now.instant;
}

void Sync::fail(const Now& now, const Error& why, Effects& effects) {
  KVS_PROBE("sync: an exchange broke off");
  ++stats_.sessions[static_cast<std::size_t>(session_->kind)].failed;
  ++stats_.failed_for[static_cast<std::size_t>(failure_of(why.code))];
  effects.trace.push_back(
      {.kind = Trace::Kind::exchange_ended,
       .text = fmt::format("{} with {} broke off: {}", to_string(session_->kind), session_->node_id,
                           why.detail)});
  session_.reset();
  page_due_ = Instant::never();
  if (fill_ == Fill::paging) {
    fill_ = Fill::none;
  }
  backoff_ = std::clamp(Duration{backoff_.ns * 2}, kBackoffMin, options_.catchup_interval);
  next_catch_up_ = now.instant + backoff_;
}

void Sync::commit_failed(const Now& now, Effects& effects) {
  told_already_ = {};
  if (session_) {
    fail(now, {.code = Errc::io_error, .detail = "this node's disk refused a write"}, effects);
  }
}

void Sync::identity_replaced(const Now& now, Effects& effects) {
  if (session_) {
    KVS_PROBE("sync: another identity in the middle of an exchange");
    fail(now, {.code = Errc::id_in_use, .detail = "this node took another identity"}, effects);
  }
}

void Sync::returned(const Now& now, const PeerReturn& returned, const Replica::Terms& terms,
                    Effects& effects) {
  if (!session_ || returned.id != session_->call) {
    KVS_PROBE("sync: an answer came after its exchange had ended");
    return;
  }
  session_->call = {};
  if (returned.failure != PeerReturn::Failure::none) {
    patience_ = std::min(patience_ + patience_, options_.call_timeout);
    return fail(now, {.code = Errc::request_timeout, .detail = "no answer"}, effects);
  }
  session_->slowest = std::max(session_->slowest, now.instant - session_->called_at);
  const Error damage{.code = Errc::corrupt_data, .detail = "damage was found here"};
  if (session_->run != parts_.holdings.run()) {
    KVS_PROBE("sync: damage was found here while an answer was on its way");
    return fail(now, damage, effects);
  }
  Session& session = *session_;
  if (session.stage == Stage::reconciling && session.reconciliation) {
    const auto taken = session.reconciliation->answered(returned.answer, terms, effects);
    if (!taken && taken.error().code == Errc::corrupt_data) {
      parts_.holdings.found_damage(taken.error().detail);
    }
    if (!taken) {
      return fail(now, taken.error().code == Errc::corrupt_data ? damage : taken.error(), effects);
    }
    return go_on_reconciling(now, *session.reconciliation, effects);
  }
  if (const auto* refused = std::get_if<Refused>(&returned.answer)) {
    return fail(now, {.code = refused->code, .detail = refused->detail}, effects);
  }
  const auto* greeting = std::get_if<Greeting>(&returned.answer);
  const auto* delta = std::get_if<Delta>(&returned.answer);
  const auto* page = std::get_if<Page>(&returned.answer);
  if (session_->stage == Stage::greeting && greeting != nullptr) {
    take_greeting(now, *greeting, terms, effects);
  } else if (session_->stage == Stage::asking && delta != nullptr) {
    take_delta(now, *delta, terms, effects);
  } else if (session_->stage == Stage::giving && std::holds_alternative<Done>(returned.answer)) {
    give(now, effects);
  } else if (session_->stage == Stage::paging && page != nullptr) {
    take_page(now, *page, terms, effects);
  } else {
    fail(now, {.code = Errc::bad_request, .detail = "its answer makes no sense"}, effects);
  }
}

void Sync::take_greeting(const Now& now, const Greeting& greeting, const Replica::Terms& terms,
                         Effects& effects) {
  // Not the digest of now: writes since would look like records that the peer lost.
  const StateDigest& mine = session_->digest;
  recount_told_ = recount_told_ || drops_doubted_with_ == session_->peer;
  session_->peer_run = greeting.digest.run;
  session_->theirs = greeting.knowledge.value_or(session_->mine);
  session_->told = session_->theirs;
  report_ = Report{.peer = session_->peer, .knowledge = session_->theirs};
  parts_.replica.observe(std::min(greeting.digest.newest, terms.newest_allowed));
  for (const PeerRecord& record : greeting.latest) {
    parts_.replica.take(record, terms, effects);
  }
  stats_.records_received += greeting.latest.size();
  const bool equal_knowledge = session_->theirs == session_->mine;
  const bool countable = mine.counted && greeting.digest.counted;
  if (equal_knowledge && countable && mine.root == greeting.digest.root) {
    ++stats_.sessions[static_cast<std::size_t>(session_->kind)].equal;
    if (fill_ == Fill::recent) {
      fill_ = Fill::complete;
    }
    return end(now, "equal", effects);
  }
  session_->equal_at_start = equal_knowledge && countable;
  session_->compares_records = session_->kind == SyncKind::regular && countable;
  if (equal_knowledge || session_->kind == SyncKind::bootstrap) {
    return reconcile(now, effects);
  }
  session_->stage = Stage::asking;
  if (session_->mine.covers(session_->theirs)) {
    return give(now, effects);
  }
  const std::vector<DotRange> missing = session_->theirs.minus(session_->mine);
  session_->left_out = beyond_own_part(missing, own_share(*view_));
  ask_delta(now, effects);
}

/// Claims to know what is not to be told: nothing is joined at the end of a delta.
void Sync::ask_delta(const Now& now, Effects& effects) {
  AskDelta ask{.knowledge = parts_.replica.knowledge()};
  ask.knowledge.join(session_->received);
  ask.knowledge.join(session_->left_out);
  call(now, ask, effects);
}

void Sync::take_delta(const Now& now, const Delta& delta, const Replica::Terms& terms,
                      Effects& effects) {
  const bool impossible = delta.extent == Delta::Extent::impossible;
  const bool news = !impossible && take_records(delta, terms, effects);
  const bool more = delta.extent == Delta::Extent::part && news;
  const bool in_own_part = !session_->left_out.empty() && more;
  if (session_->ties >= kManyTies && !in_own_part && !KVS_MUTATED(many_ties_are_told)) {
    return end_for_ties(now, effects);
  }
  if (impossible) {
    KVS_PROBE("sync: the peer's journal did not reach back");
    return reconcile(now, effects);
  }
  if (!more && session_->left_out.empty()) {
    return give(now, effects);
  }
  if (!more) {
    session_->left_out = {};
  }
  ask_delta(now, effects);
}

/// True if any of what the peer had when it was greeted is told for the first time: then there may
/// be more of that. What it has written since is the next exchange's, or this one would not end.
bool Sync::take_records(const Delta& delta, const Replica::Terms& terms, Effects& effects) {
  const std::uint64_t ties_before = parts_.replica.stats().new_ties;
  bool news = false;
  for (const PeerRecord& record : delta.records) {
    parts_.replica.take(record, terms, effects);
    news |= session_->note_told(record.record.header.version.dot);
    for (const Dot dot : record.replaced) {
      news |= session_->note_told(dot);
    }
  }
  session_->ties += parts_.replica.stats().new_ties - ties_before;
  stats_.records_received += delta.records.size();
  return news;
}

/// What the peer lacks, from this node's journal.
void Sync::give(const Now& now, Effects& effects) {
  session_->stage = Stage::giving;
  const Knowledge& known = parts_.replica.durable_knowledge();
  Delta delta = parts_.holdings.journal().answer(known, session_->told, parts_.holdings.store());
  if (delta.extent == Delta::Extent::impossible) {
    return reconcile(now, effects);
  }
  if (delta.records.empty() && session_->compares_records) {
    // K may stay different for long: writes go on, or one of them waits for its time. What K does
    // not tell of (a record whose dot damage took out of K) shows in the records only.
    KVS_PROBE("sync: records are compared although the journals had everything");
    session_->from_journals = true;
    return reconcile(now, effects);
  }
  if (delta.records.empty()) {
    ++stats_.sessions[static_cast<std::size_t>(session_->kind)].delta;
    return end(now, "caught up from journals", effects);
  }
  for (const PeerRecord& record : delta.records) {
    session_->told.add(record.record.header.version.dot);
    for (const Dot& dot : record.replaced) {
      session_->told.add(dot);
    }
  }
  stats_.records_sent += delta.records.size();
  call(now, Settle{.run = session_->peer_run, .records = std::move(delta.records)}, effects);
}

void Sync::reconcile(const Now& now, Effects& effects) {
  session_->stage = Stage::reconciling;
  const bool confirmed = drops_doubted_with_ == session_->peer;
  const Member* const peer = view_->find(session_->peer);
  Reconciliation& reconciliation = session_->reconciliation.emplace(
      Reconciliation::Parts{.source = parts_.holdings.source(),
                            .replica = parts_.replica,
                            .limits = options_.reconciliation},
      Reconciliation::Start{.peer_run = session_->peer_run,
                            .mine = session_->mine,
                            .theirs = session_->theirs,
                            .peer_features = peer != nullptr ? peer->features : 0,
                            .drops_confirmed = confirmed});
  go_on_reconciling(now, reconciliation, effects);
}

void Sync::go_on_reconciling(const Now& now, Reconciliation& reconciliation, Effects& effects) {
  auto next = reconciliation.next();
  if (!next) {
    if (next.error().code == Errc::corrupt_data) {
      parts_.holdings.found_damage(next.error().detail);
    } else if (next.error().code == Errc::overloaded) {
      const ReconciliationFigures& figures = reconciliation.figures();
      ++stats_.drops_doubted;
      drops_doubted_with_ = session_->peer;
      recount_told_ = false;
      parts_.holdings.recount();
      effects.trace.push_back({.kind = Trace::Kind::drops_doubted,
                               .number = figures.drops_here + figures.drops_there,
                               .text = session_->node_id});
    }
    return fail(now, next.error(), effects);
  }
  std::optional<PeerRequest> request = *std::move(next);
  if (!request) {
    return end_reconciled(now, reconciliation.figures(), effects);
  }
  call(now, *std::move(request), effects);
}

void Sync::end_reconciled(const Now& now, const ReconciliationFigures& figures, Effects& effects) {
  stats_.records_received += figures.records_fetched;
  stats_.records_sent += figures.records_given;
  SyncStats::Sessions& sessions = stats_.sessions[static_cast<std::size_t>(session_->kind)];
  const bool journals_had_all =
      session_->from_journals && figures.records_fetched + figures.records_given == 0;
  ++(journals_had_all ? sessions.delta : sessions.reconciled);
  const bool left_before = std::exchange(drops_left_, figures.drops_left > 0);
  if (session_->equal_at_start && figures.live_differences > 0 && !left_before) {
    KVS_PROBE("sync: equal K, and different records");
    ++stats_.divergences;
    effects.trace.push_back({.kind = Trace::Kind::divergence,
                             .number = figures.live_differences,
                             .text = session_->node_id});
  }
  if (drops_doubted_with_ == session_->peer && !drops_left_) {
    drops_doubted_with_.reset();
  }
  if (fill_ == Fill::recent) {
    fill_ = Fill::complete;
  }
  if (journals_had_all) {
    return end(now, "caught up from journals", effects);
  }
  std::string outcome =
      fmt::format("reconciled in {} round trips, {} records fetched, {} given", figures.round_trips,
                  figures.records_fetched, figures.records_given);
  if (drops_left_) {
    outcome += fmt::format(", {} to drop are left to the next", figures.drops_left);
  }
  end(now, outcome, effects);
}

// --- bootstrap

void Sync::look_for_donor(const Now& now, Effects& effects) {
  std::vector<const Member*> donors = view_->peers();
  const bool alone = donors.empty();
  std::erase_if(donors, [](const Member* peer) { return peer->mode == Mode::syncing; });
  if (!donors.empty() && now.instant >= next_catch_up_) {
    const Member& donor = *donors[parts_.prng.below(donors.size())];
    session_ = std::make_unique<Session>();
    session_->peer = donor.instance;
    session_->address = donor.address;
    session_->node_id = donor.node_id;
    session_->kind = SyncKind::bootstrap;
    session_->run = parts_.holdings.run();
    fill_ = Fill::paging;
    effects.trace.push_back({.kind = Trace::Kind::bootstrap_began, .text = donor.node_id});
    return ask_page(now, effects);
  }
  if (!donors.empty()) {
    return;
  }
  // Everybody is new, or nobody answers: the eldest begins, whoever is alone does after a while.
  const auto older = [](const Member& a, const Member& b) {
    return std::pair(a.joined_ms, a.instance) < std::pair(b.joined_ms, b.instance);
  };
  const auto peers = view_->peers();
  const Member& own = view_->own();
  const bool eldest =
      std::ranges::all_of(peers, [&](const Member* peer) { return older(own, *peer); });
  const bool has_data = parts_.holdings.tree().root().count > 0;
  const Duration waited = now.instant - fill_since_;
  if (alone ? waited >= (has_data ? kAloneWithData : kAloneWithout)
            : eldest && waited >= options_.behind_grace) {
    KVS_PROBE("sync: a new node found nobody to fetch from");
    fill_ = Fill::recent;
    become_recent(effects);
    if (!alone) {
      fill_ = Fill::complete;
    }
  }
}

void Sync::ask_page(const Now& now, Effects& effects) {
  session_->stage = Stage::paging;
  const Stamp oldest = Stamp::from_ms(now.wall.ms - options_.bootstrap_max_age.ms());
  call(now, AskPage{.after = page_after_, .oldest = oldest, .bytes_max = kFetchBytes}, effects);
}

void Sync::take_page(const Now& now, const Page& page, const Replica::Terms& terms,
                     Effects& effects) {
  for (const PeerRecord& record : page.records) {
    parts_.replica.take(record, terms, effects);
  }
  stats_.records_received += page.records.size();
  page_records_ += page.records.size();
  ++stats_.pages;
  if (!page.next || *page.next <= page_after_) {
    become_recent(effects);
    return greet(now, effects);
  }
  page_after_ = *page.next;
  const bool page_done = ++fetches_ % kFetchesPerPage == 0;
  const Duration pause = page_done ? options_.throttle_delay : options_.fetch_delay;
  page_due_ = now.instant + pause;
  if (pause.ns == 0) {
    page_due_ = Instant::never();
    ask_page(now, effects);
  }
}

void Sync::become_recent(Effects& effects) {
  fill_ = Fill::recent;
  effects.trace.push_back({.kind = Trace::Kind::bootstrap_ended, .number = page_records_});
}

}  // namespace kvs
