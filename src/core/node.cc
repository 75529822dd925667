#include "core/node.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/mutant.h"
#include "base/probe.h"
#include "core/call.h"
#include "core/watch_feed.h"

namespace kvs {

namespace {

constexpr Duration kCollectInterval = Duration::from_seconds(1);
constexpr Duration kCollectIntervalAtRest = Duration::from_seconds(5);
constexpr Duration kCollectPatience = Duration::from_seconds(1);  // for another cause to wake
constexpr std::size_t kCollectRecords = 1000;

template <class... Kinds>
bool holds_any(const PeerRequest& request) {
  return (std::holds_alternative<Kinds>(request) || ...);
}

bool is_membership(const PeerRequest& request) {
  return holds_any<Ping, PingOther, Join, CompareMembers, MemberRows>(request);
}

Trace::Kind trace_kind(MemberEvent::Kind kind) {
  switch (kind) {
    case MemberEvent::Kind::appeared:
      return Trace::Kind::member_joined;
    case MemberEvent::Kind::suspected:
      return Trace::Kind::member_suspected;
    case MemberEvent::Kind::cleared:
    case MemberEvent::Kind::restarted:
      return Trace::Kind::member_back;
    case MemberEvent::Kind::failed:
      return Trace::Kind::member_failed;
    case MemberEvent::Kind::left:
      return Trace::Kind::member_left;
    case MemberEvent::Kind::removed:
      return Trace::Kind::member_removed;
    case MemberEvent::Kind::accused_self:
      return Trace::Kind::accused;
    case MemberEvent::Kind::id_in_use:
    case MemberEvent::Kind::cluster_mismatch:
      return Trace::Kind::join_refused;
    case MemberEvent::Kind::twin:
      return Trace::Kind::identity_replaced;
    case MemberEvent::Kind::isolated:
      return Trace::Kind::isolated;
  }
  return Trace::Kind::member_back;
}

bool is_there_again(MemberEvent::Kind kind) {
  return kind == MemberEvent::Kind::appeared || kind == MemberEvent::Kind::cleared ||
         kind == MemberEvent::Kind::restarted;
}

/// One that has told nothing of itself yet is given the benefit of the doubt: it would refuse the
/// message.
bool reads_expiry(const Member& member) {
  return member.features == 0 || (member.features & kFeatureExpiry) != 0 ||
         member.state == MemberState::left;
}

std::string describe(const MemberEvent& event) {
  if (event.kind == MemberEvent::Kind::id_in_use) {
    const std::string said = event.detail.empty() ? "" : fmt::format(" ({})", event.detail);
    return fmt::format("node_id {} is in use, as {} tells{}: give this node another one",
                       event.node_id, event.address, said);
  }
  if (event.kind == MemberEvent::Kind::cluster_mismatch) {
    return fmt::format("{} belongs to another cluster: check cluster_name and seed_nodes",
                       event.address);
  }
  return fmt::format("{} at {}", event.node_id, event.address);
}

std::uint64_t count_dots(const std::vector<DotRange>& ranges) {
  std::uint64_t dots = 0;
  for (const DotRange& range : ranges) {
    dots += range.last - range.first + 1;
  }
  return dots;
}

}  // namespace

Node::Node(const NodeOptions& options, const Recovered& recovered, const StoreView& store,
           std::uint64_t seed)
    : options_(options),
      prng_(seed),
      replica_(recovered, store, prng_),
      holdings_(replica_, store, prng_, options.holdings),
      sync_answers_(holdings_, replica_, options.sync_answers),
      sync_(options.sync, {.holdings = holdings_, .replica = replica_, .prng = prng_}),
      outbox_(options.outbox, store),
      ballots_(options.ballot, store, prng_),
      collector_(options.tombstone_min_age),
      expirer_(store, options.expired_kept_for),
      remote_reads_(replica_, prng_, options.remote_reads),
      clock_(options.clock_skew_ms_max),
      identity_(recovered.identity),
      recovered_roster_(recovered.roster),
      recovered_expiry_(recovered.expiry_reserve),
      cluster_(cluster_hash(options.members.cluster_name)) {}

void Node::start(const Now& now, Effects& effects) {
  if (!identity_ || KVS_MUTATED(identity_made_anew)) {
    identity_ = Identity{.instance = prng_.next() | 1U,
                         .joined_ms = now.wall.ms,
                         .complete = options_.members.seeds.empty()};
    effects.identity = identity_;
  }
  self_ = {.instance = Instance{identity_->instance},
           .joined_ms = identity_->joined_ms,
           .run = prng_.next() | 1U,
           .started_ms = now.wall.ms};
  holdings_.set_complete(identity_->complete);
  members_.emplace(options_.members, self_, prng_);
  sync_.start(now, identity_->complete ? Sync::Fill::complete : Sync::Fill::none);
  members_->update_self(holdings_.digest(), mode());
  members_->start(now, effects);
  members_->remember(now, recovered_roster_);
  next_collect_ = now.instant + kCollectInterval;
  expirer_.start(now, recovered_expiry_);
  replica_.set_expiry(expirer_.clock(), expirer_.told());
  if (expirer_.in_use()) {
    effects.watched.push_back(
        std::make_shared<const WatchNews>(WatchNews{.expired = expirer_.told()}));
  }
  finish_step(now, effects);
}

Mode Node::mode() const {
  const Sync::Fill fill = sync_.fill();
  const bool syncing = fill == Sync::Fill::none || fill == Sync::Fill::paging;
  return syncing ? Mode::syncing : options_.mode;
}

// --- inputs

Now Node::cluster_time(const Now& now) const {
  return {.instant = now.instant, .wall = {now.wall.ms + clock_.offset_ms()}};
}

/// Whoever sets this node's clock does not set the cluster's, nor what may be stamped and taken.
void Node::follow_clocks(const Now& now) {
  if (members().own_clock_was_set(now)) {
    clock_.set_offset_ms(members().cluster_clock_ahead_ms());
  }
  expirer_.look(cluster_time(now));
  replica_.set_expiry(expirer_.clock(), expirer_.told());
}

void Node::step(const Now& now, const WriteCommand& command, Effects& effects) {
  follow_clocks(now);
  if (const auto refusal = refusal_for(command)) {
    effects.replies.push_back({.ticket = command.ticket, .outcome = {.status = *refusal}});
    return;
  }
  replica_.write(clock_.for_stamps(now.wall), command, effects);
}

/// A write whose outcome rests on what is held waits until it is known that nothing is missing.
std::optional<WriteStatus> Node::refusal_for(const WriteCommand& command) const {
  if (leaving_) {
    return WriteStatus::shutting_down;
  }
  if (const auto refusal = write_refusal(mode())) {
    return refusal;
  }
  if (command.ttl > Duration{} && !takes_expiry_) {
    return WriteStatus::ttl_unsupported;
  }
  const bool rests_on_record =
      command.kind == WriteCommand::Kind::del || command.condition.kind != Condition::Kind::none;
  if (rests_on_record && may_lack_records() && !replica_.holds(command.key)) {
    KVS_PROBE("node: a write rests on a record that may be missing here");
    return WriteStatus::syncing;
  }
  return std::nullopt;
}

Replica::Terms Node::terms(const Now& now, Change::Cause cause, Instance from) const {
  return {.cause = cause, .newest_allowed = clock_.newest_allowed(now.wall), .from = from};
}

/// Why a peer's call is not listened to; nullptr if it is.
const Refused* Node::objection(const PeerEnvelope& envelope) const {
  static const Refused kOtherCluster{.code = Errc::cluster_mismatch,
                                     .detail = "this node belongs to another cluster"};
  static const Refused kOtherInstance{.code = Errc::not_found,
                                      .detail = "another instance lives at this address"};
  if (envelope.cluster != cluster_) {
    KVS_PROBE("node: a call from another cluster");
    return &kOtherCluster;
  }
  if (envelope.receiver != Instance{} && envelope.receiver != self_.instance) {
    KVS_PROBE("node: a call for another instance");
    return &kOtherInstance;
  }
  return nullptr;
}

void Node::heard(const Now& now, const PeerEnvelope& envelope) {
  if (envelope.cluster != cluster_ || envelope.sender == self_.instance) {
    return;
  }
  members().heard_from(now, envelope);
  outbox_.peer_heard(envelope.sender);
}

void Node::heard_digest(const Now& now, const Member& sender, Effects& effects) {
  if (outbox_.take_missed(sender.instance)) {
    sync_.met(now, sender, effects);
  } else {
    sync_.heard(now, sender.instance, sender.digest);
  }
  compare_knowledge(sender);
}

void Node::reply(const PeerCall& call, PeerAnswer answer, Effects& effects) {
  effects.answers.push_back({.ticket = call.ticket, .envelope = {}, .answer = std::move(answer)});
}

void Node::step(const Now& now, const PeerCall& call, Effects& effects) {
  follow_clocks(now);
  if (const Refused* const refused = objection(call.envelope)) {
    reply(call, *refused, effects);
    return finish_step(now, effects);
  }
  heard(now, call.envelope);
  if (is_membership(call.request)) {
    members().called(now, call, effects);
    if (const Member* const sender = members().find(call.envelope.sender)) {
      heard_digest(now, *sender, effects);
    }
  } else if (const auto* push = std::get_if<Push>(&call.request)) {
    take_push(now, call, *push, effects);
  } else if (const auto* ask = std::get_if<AskVotes>(&call.request)) {
    reply(call, ballots_.answer(now, *ask), effects);
  } else if (SyncAnswers::answers(call.request)) {
    const std::size_t before = effects.writes.size();
    sync_answers_.called(call, mode(), terms(now, Change::Cause::exchange, call.envelope.sender),
                         effects);
    note_learnt(std::span(effects.writes).subspan(before));
  } else {
    reply(call, Refused{.code = Errc::not_implemented, .detail = "unknown call"}, effects);
  }
  finish_step(now, effects);
}

void Node::note_learnt(std::span<const RecordWrite> writes) {
  for (const RecordWrite& write : writes) {
    if (write.kind == RecordWrite::Kind::store) {
      learnt_.add(write.record.header.version.dot);
    }
  }
}

/// What changed this node is handed on once it is durable, and so is what an exchange had brought
/// just before: those below this delegate have not got it from here.
void Node::take_push(const Now& now, const PeerCall& call, const Push& push, Effects& effects) {
  const std::size_t first = replica_.open_changes();
  std::vector<Change> known;
  for (const PeerRecord& record : push.records) {
    const Taken taken =
        replica_.take(record, terms(now, Change::Cause::push, call.envelope.sender), effects);
    const RecordHeader& header = record.record.header;
    if (taken == Taken::known && push.stretch && learnt_.take(header.version.dot)) {
      KVS_PROBE("node: an exchange was faster than a push that is to be handed on");
      known.push_back({.path = record.path,
                       .before = {},
                       .after = header,
                       .cause = Change::Cause::push,
                       .replaced = record.replaced,
                       .learnt = {}});
    }
  }
  const std::size_t last = replica_.open_changes();
  if (push.stretch && (last > first || !known.empty())) {
    open_onward_.push_back(
        {.stretch = *push.stretch, .first = first, .last = last, .known = std::move(known)});
  }
  effects.peer_replies.push_back({.ticket = call.ticket, .envelope = {}, .answer = Done{}});
}

void Node::step(const Now& now, const PeerReturn& returned, Effects& effects) {
  follow_clocks(now);
  if (returned.failure == PeerReturn::Failure::none) {
    heard(now, returned.envelope);
  }
  switch (caller_of(returned.id)) {
    case Caller::members:
      members().returned(now, returned, effects);
      if (const Member* const sender = members().find(returned.envelope.sender)) {
        heard_digest(now, *sender, effects);
      }
      break;
    case Caller::outbox:
      if (const auto refused = outbox_.returned(now, returned, effects)) {
        members().suspect_link(now, *refused, effects);
      }
      break;
    case Caller::sync: {
      const std::size_t before = effects.writes.size();
      sync_.returned(now, returned, terms(now, Change::Cause::exchange, returned.envelope.sender),
                     effects);
      note_learnt(std::span(effects.writes).subspan(before));
      break;
    }
    case Caller::ballot:
      ballots_.returned(now, returned, effects);
      break;
    case Caller::reads:
      remote_reads_.returned(
          returned, terms(now, Change::Cause::exchange, returned.envelope.sender), effects);
      break;
  }
  finish_step(now, effects);
}

void Node::tick(const Now& now, Effects& effects) {
  follow_clocks(now);
  members().tick(now, effects);
  sync_.tick(now, effects);
  ballots_.tick(now, effects);
  outbox_.tick(now, effects);
  holdings_.count_some();
  if (now.instant >= next_collect_) {
    collect_tombstones(now, effects);
  }
  tell_expired(effects);
  free_expired(effects);
  finish_step(now, effects);
}

Instant Node::next_deadline() const {
  if (holdings_.wants_to_count()) {
    return {};
  }
  return std::min({members().next_deadline(), sync_.next_deadline(), ballots_.next_deadline(),
                   outbox_.next_deadline(), next_collect_ + kCollectPatience,
                   expirer_.next_deadline()});
}

void Node::found_damage(const Now& now, std::string_view path, Effects& effects) {
  holdings_.found_damage(path);
  finish_step(now, effects);
}

bool Node::may_lack_records() const {
  const bool alone = view_ == nullptr || view_->members.size() == 1;
  return !holdings_.complete() && (mode() == Mode::syncing || !alone);
}

void Node::read_elsewhere(const Now& now, Ticket ticket, std::string path, Effects& effects) {
  remote_reads_.ask(ticket, std::move(path), effects);
  finish_step(now, effects);
}

Members& Node::members() {
  KVS_CHECK(members_.has_value(), "a node is used from start() on");
  return *members_;
}

const Members& Node::members() const {
  KVS_CHECK(members_.has_value(), "a node is used from start() on");
  return *members_;
}

Identity& Node::identity() {
  KVS_CHECK(identity_.has_value(), "a node is used from start() on");
  return *identity_;
}

// --- what follows from a step

void Node::finish_step(const Now& now, Effects& effects) {
  note_damage(effects);
  open_ballots(now);
  carry_out_rulings(now, effects);
  if (leaving_ && !outbox_.owes_anything()) {
    members().leave(now, effects);
  }
  follow_members(now, effects);
  note_fill(effects);
  tell_watchers_if_emptied(effects);
  if (auto report = sync_.take_report()) {
    collector_.report(report->peer,
                      std::make_shared<const Knowledge>(std::move(report->knowledge)));
  }
  stamp_envelopes(now, effects);
}

void Node::open_ballots(const Now& now) {
  for (const TieMet& tie : replica_.take_ties()) {
    ballots_.opened(now, tie.theirs.path, tie.mine, tie.theirs);
  }
  if (sync_.take_ties_met_alone()) {
    ballots_.hurry(now);
  }
}

void Node::carry_out_rulings(const Now& now, Effects& effects) {
  const std::vector<Ruling> rulings = ballots_.take_rulings();
  verdicts_.note(now, rulings);
  for (const Ruling& ruling : rulings) {
    if (ruling.kind == Ruling::Kind::found) {
      replica_.take_kept(ruling.winner, terms(now, Change::Cause::exchange, Instance{}), effects);
      continue;
    }
    effects.trace.push_back({.kind = Trace::Kind::conflict_settled, .text = describe(ruling)});
    replica_.settle(ruling.winner, effects);
  }
}

void Node::follow_members(const Now& now, Effects& effects) {
  if (members().new_instance_wanted()) {
    replace_identity(now, effects);
  }
  for (const MemberEvent& event : members().take_events()) {
    effects.trace.push_back({.kind = trace_kind(event.kind), .text = describe(event)});
    if (is_there_again(event.kind)) {
      there_again_.insert(event.instance);
    }
  }
  clock_.set_offset_ms(members().cluster_clock_ahead_ms());
  ballots_.set_mode(mode());
  if (view_ != nullptr && members().view_version() == view_version_) {
    return;
  }
  view_version_ = members().view_version();
  view_ = members().view();
  takes_expiry_ = std::ranges::all_of(view_->members, reads_expiry);
  sync_.set_view(view_);
  outbox_.set_view(view_);
  ballots_.set_view(view_);
  remote_reads_.set_view(view_);
  collector_.set_view(*view_);
  note_roster(effects);
  for (const Instance instance : std::exchange(there_again_, {})) {
    if (const Member* const member = view_->find(instance)) {
      sync_.met(now, *member, effects);
    }
  }
}

/// Another process lives on a copy of this data folder: this one becomes another member. Its data
/// stay; its origin is its own already.
void Node::replace_identity(const Now& now, Effects& effects) {
  KVS_PROBE("node: a copied data folder took another identity");
  identity_ = Identity{
      .instance = prng_.next() | 1U, .joined_ms = now.wall.ms, .complete = identity().complete};
  effects.identity = identity_;
  self_.instance = Instance{identity().instance};
  self_.joined_ms = identity().joined_ms;
  self_.run = prng_.next() | 1U;
  members().become(now, self_, effects);
  sync_.identity_replaced(now, effects);
}

/// Damage shows in many rooms: to a client, to an exchange on either side, to a count.
void Node::note_damage(Effects& effects) {
  for (std::string& path : holdings_.take_found()) {
    effects.trace.push_back({.kind = Trace::Kind::damage_found, .text = std::move(path)});
  }
}

/// Keeps the list of members on disk: after a restart this node must not take itself for the only
/// one, or it would forget deletions that others have not seen.
void Node::note_roster(Effects& effects) {
  std::uint64_t hash = 0;
  for (const Member& member : view_->members) {
    if (member.instance != view_->self) {
      hash = hash * 31 + static_cast<std::uint64_t>(member.instance) + member.run;
    }
  }
  if (hash == roster_hash_) {
    return;
  }
  roster_hash_ = hash;
  effects.roster.emplace();
  std::ranges::copy_if(view_->members, std::back_inserter(*effects.roster),
                       [&](const Member& member) { return member.instance != view_->self; });
}

void Node::note_fill(Effects& effects) {
  if (sync_.fill() == Sync::Fill::none && members().without_seeds() && view_->members.size() == 1) {
    KVS_PROBE("node: a new node is its own only seed");
    sync_.serve_alone();
  }
  if (!identity().complete && sync_.fill() == Sync::Fill::complete) {
    identity().complete = true;
    effects.identity = identity_;
    members().update_self(holdings_.digest(), mode());
  }
}

/// A member whose K is this node's has told all of it.
void Node::compare_knowledge(const Member& member) {
  if (member.instance != self_.instance &&
      member.digest.knowledge_hash == replica_.durable_hash()) {
    collector_.report(member.instance, told());
  }
}

/// The durable K, for reports to share.
const std::shared_ptr<const Knowledge>& Node::told() {
  const std::uint64_t hash = replica_.durable_hash();
  if (told_ == nullptr || hash != told_hash_ || holdings_.run() != told_run_) {
    told_ = std::make_shared<const Knowledge>(replica_.durable_knowledge());
    told_hash_ = hash;
    told_run_ = holdings_.run();
  }
  return told_;
}

void Node::collect_tombstones(const Now& now, Effects& effects) {
  next_collect_ = now.instant + kCollectInterval;
  if (!members().joined()) {
    KVS_PROBE("node: who the members are is not known yet: nothing is collected");
    return;
  }
  if (told() != compared_ || view_ != compared_view_) {
    compared_ = told();
    compared_view_ = view_;
    std::ranges::for_each(view_->members, [this](const Member& m) { compare_knowledge(m); });
  }
  collector_.look(told(), now.wall);
  for (const PeerItem& item : collector_.next(holdings_.store(), now.wall, kCollectRecords)) {
    replica_.collect(item, effects);
  }
  if (collector_.at_rest()) {
    next_collect_ = now.instant + kCollectIntervalAtRest;
  } else if (collector_.sweeping()) {
    next_collect_ = now.instant + Duration::from_ms(10);
  }
}

/// What has expired since watchers were last told so. Nothing has changed but the time.
void Node::tell_expired(Effects& effects) {
  if (expirer_.take_set_back()) {
    effects.watched.push_back(
        std::make_shared<const WatchNews>(WatchNews{.changes = {},
                                                    .knowledge = {},
                                                    .emptied = false,
                                                    .whole = holdings_.whole(),
                                                    .expired = expirer_.told(),
                                                    .clock_set_back = true}));
  }
  std::vector<Change> changes = expirer_.tell(replica_.first_pending_expiry());
  for (const std::string& path : expirer_.take_damaged()) {
    holdings_.found_damage(path);
  }
  tell_watchers_if_emptied(effects);
  replica_.set_expiry(expirer_.clock(), expirer_.told());
  if (!changes.empty()) {
    effects.watched.push_back(
        std::make_shared<const WatchNews>(WatchNews{.changes = std::move(changes),
                                                    .knowledge = {},
                                                    .emptied = false,
                                                    .whole = holdings_.whole(),
                                                    .expired = expirer_.told()}));
  }
}

void Node::free_expired(Effects& effects) {
  for (const ExpiryEntry& entry : expirer_.begin_freeing()) {
    replica_.free_value(entry, effects);
    open_frees_ = true;
  }
}

/// Rooms leave the envelopes of what they say to the hall.
void Node::stamp_envelopes(const Now& now, Effects& effects) const {
  const auto fill_in = [&](PeerEnvelope& envelope) {
    envelope.cluster = cluster_;
    envelope.sender = self_.instance;
    envelope.sender_run = self_.run;
    envelope.wall_ms = now.wall.ms;
  };
  for (auto it = effects.sends.rbegin(); it != effects.sends.rend(); ++it) {
    if (it->envelope.sender_run != 0) {
      break;
    }
    fill_in(it->envelope);
  }
  for (auto* const replies : {&effects.answers, &effects.peer_replies}) {
    for (auto it = replies->rbegin(); it != replies->rend(); ++it) {
      if (it->envelope.sender_run != 0) {
        break;
      }
      fill_in(it->envelope);
    }
  }
}

// --- leaving

void Node::leave(const Now& now, Effects& effects) {
  leaving_ = true;
  outbox_.flush(now, effects);
  finish_step(now, effects);
}

bool Node::may_stop() const {
  return leaving_ && !outbox_.owes_anything() && members().has_left();
}

RemoveOutcome Node::remove_member(const Now& now, std::string_view node_id, Effects& effects) {
  const RemoveOutcome outcome = members().remove(now, node_id, effects);
  finish_step(now, effects);
  return outcome;
}

// --- batches

void Node::close_batch(const Now& now, Effects& effects) {
  watch_clock(now, effects);
  replica_.close_batch(effects);
  effects.expiry_reserve = expirer_.take_due_reserve();
  effects.closed_at = now.wall;
  closed_.push_back({.onwards = std::exchange(open_onward_, {}),
                     .complete = identity().complete,
                     .frees = std::exchange(open_frees_, false)});
}

void Node::committed(const Now& now, Effects& effects) {
  std::vector<Change> changes = replica_.committed();
  holdings_.apply(changes);
  outbox_.add(changes);
  const ClosedBatch batch = std::move(closed_.front());
  closed_.pop_front();
  holdings_.set_complete(batch.complete);
  for (const Onward& onward : batch.onwards) {
    outbox_.forward(onward.stretch,
                    std::span(changes).subspan(onward.first, onward.last - onward.first));
    outbox_.forward(onward.stretch, onward.known);
  }
  ballots_.settled(changes);
  if (batch.frees) {
    expirer_.freed();
  }
  expirer_.committed(changes);
  tell_watchers(std::move(changes), effects);
  tell_expired(effects);
  holdings_.count_some();
  tell_watchers_if_emptied(effects);
  note_damage(effects);
  members().update_self(holdings_.digest(), mode());
  outbox_.flush(now, effects);
  stamp_envelopes(now, effects);
}

void Node::tell_watchers(std::vector<Change> changes, Effects& effects) {
  std::vector<KnowledgeWrite> knowledge = replica_.take_committed_knowledge();
  if (!changes.empty() || !knowledge.empty()) {
    effects.watched.push_back(std::make_shared<const WatchNews>(WatchNews{
        .changes = std::move(changes),
        .knowledge = std::move(knowledge),
        .emptied = false,
        .whole = holdings_.whole(),
        .expired = expirer_.in_use() ? expirer_.told() : ExpiryPlace{},
    }));
  }
}

/// In the step that emptied it: nothing that was stored because of that may be read before.
void Node::tell_watchers_if_emptied(Effects& effects) {
  if (std::exchange(emptied_told_, replica_.emptied()) != replica_.emptied()) {
    effects.watched.push_back(std::make_shared<const WatchNews>(
        WatchNews{.changes = {}, .knowledge = {}, .emptied = true, .whole = false}));
  }
}

void Node::commit_failed(const Now& now, Effects& effects) {
  replica_.commit_failed();
  expirer_.commit_failed();
  open_frees_ = false;
  roster_hash_ = 0;
  view_version_ = 0;  // the roster is stored again
  open_onward_.clear();
  closed_.clear();
  if (identity().complete && !holdings_.complete()) {
    KVS_PROBE("node: the batch that completes the fill failed");
    identity().complete = false;
    sync_.fill_failed();
  }
  sync_.commit_failed(now, effects);
}

void Node::watch_clock(const Now& now, Effects& effects) {
  clock_ahead_ms_ = std::max<std::int64_t>(0, replica_.last_stamp().ms() - now.wall.ms);
  const bool behind = clock_ahead_ms_ > options_.clock_skew_ms_max;
  if (behind && !clock_warned_) {
    KVS_PROBE("node: stamps run far ahead of the wall clock");
    effects.trace.push_back(
        {.kind = Trace::Kind::clock_behind, .number = static_cast<std::uint64_t>(clock_ahead_ms_)});
  }
  clock_warned_ = behind;
  const bool held_back = clock_.holds_back(now.wall);
  if (held_back && !held_back_) {
    KVS_PROBE("node: this clock is far ahead of the cluster's");
    effects.trace.push_back({.kind = Trace::Kind::clock_far_off,
                             .number = static_cast<std::uint64_t>(-clock_.offset_ms())});
  }
  held_back_ = held_back;
}

// --- what others may see

NodeStatus Node::status() const {
  NodeStatus status{.mode = mode(),
                    .fill = sync_.fill(),
                    .identity = identity_.value_or(Identity{}),
                    .clock_ahead_ms = clock_ahead_ms_,
                    .cluster_ahead_ms = clock_.offset_ms(),
                    .stamps_held_back = held_back_,
                    .may_stop = may_stop(),
                    .may_lack_records = may_lack_records(),
                    .takes_expiry = takes_expiry_,
                    .expired = expirer_.expired(),
                    .digest = holdings_.digest(),
                    .tree_bytes = holdings_.tree().memory_bytes(),
                    .journal_bytes = holdings_.journal().bytes(),
                    .journal_writes = holdings_.journal().dots(),
                    .damage_found = holdings_.damage_count(),
                    .open_ties = ballots_.open_ties(),
                    .replica = replica_.stats(),
                    .members = members_ ? members_->stats() : MembersStats{},
                    .outbox = outbox_.stats(),
                    .sync = sync_.stats(),
                    .sync_answers = sync_answers_.stats(),
                    .ballots = ballots_.stats(),
                    .remote_reads = remote_reads_.stats(),
                    .verdicts = verdicts_.all()};
  return status;
}

std::vector<PeerStanding> Node::standings() const {
  std::vector<PeerStanding> standings;
  const std::vector<PeerLag> lags = outbox_.lags();
  const Knowledge& mine = replica_.durable_knowledge();
  const std::uint64_t hash = replica_.durable_hash();
  for (const Member& member : view_->members) {
    if (member.instance == view_->self) {
      continue;
    }
    PeerStanding& standing = standings.emplace_back();
    standing.instance = member.instance;
    const auto told = collector_.reported(member.instance);
    const bool equal = member.digest.knowledge_hash == hash;
    standing.knowledge_told = equal || told != nullptr;
    standing.writes_behind = equal || !told ? 0 : count_dots(mine.minus(*told));
    const auto lag = std::ranges::find(lags, member.instance, &PeerLag::peer);
    standing.writes_owed = lag == lags.end() ? 0 : lag->writes;
    if (const auto contact = members().contact(member.instance)) {
      standing.clock_ahead_ms = contact->clock_ahead_ms;
      standing.last_seen_ms = contact->last_seen_ms;
      standing.round_trip = contact->round_trip;
    }
  }
  return standings;
}

void refuse(std::span<Reply> replies, WriteStatus why) {
  for (Reply& reply : replies) {
    const WriteStatus status = reply.outcome.status;
    const bool refusal_stands = KVS_MUTATED(refusal_rests_on_failure) && !succeeded(status);
    const bool stands = !rests_on_state(status) || KVS_MUTATED(failure_acknowledged);
    if (!stands && !refusal_stands) {
      reply.outcome = {.status = why};
    }
  }
}

void refuse(std::span<PeerReply> replies, Errc why) {
  for (PeerReply& reply : replies) {
    reply.answer = Refused{.code = why, .detail = "the batch of this call could not be stored"};
  }
}

}  // namespace kvs
