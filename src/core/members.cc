#include "core/members.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/probe.h"

namespace kvs {

namespace {

Member own_row(const MembersOptions& options, const SelfIdentity& self) {
  Member own;
  own.instance = self.instance;
  own.node_id = options.node_id;
  own.address = options.address;
  own.joined_ms = self.joined_ms;
  own.started_ms = self.started_ms;
  own.run = self.run;
  own.incarnation = 1;
  own.protocol = options.protocol;
  own.features = options.features;
  return own;
}

/// How far the wall clock is ahead of the monotonic one: changes only if somebody sets it.
std::int64_t lead_ms(const Now& now) {
  return now.wall.ms - (now.instant - Instant{}).ms();
}

}  // namespace

std::uint64_t cluster_hash(std::string_view cluster_name) {
  return XXH3_64bits(cluster_name.data(), cluster_name.size());
}

Members::Members(const MembersOptions& options, const SelfIdentity& self, Prng& prng)
    : options_(options),
      cluster_(cluster_hash(options.cluster_name)),
      prng_(prng),
      ledger_(own_row(options, self), options.probe_interval, Instant{}, options.limits),
      detector_({.probe_interval = options.probe_interval, .probe_timeout = options.probe_timeout},
                ledger_.table(), ledger_.news(), calls_, prng),
      meetings_({.address = options.address,
                 .seeds = options.seeds,
                 .interval_min = options.gossip_interval_min,
                 .interval_max = options.gossip_interval_max},
                ledger_.table(), calls_, prng) {}

void Members::start(const Now& now, Effects& effects) {
  own_clock_lead_ms_ = lead_ms(now);
  detector_.start(cluster_time(now));
  meetings_.start(now.instant);
  last_spread_ = now.instant;
  meetings_.tick(now.instant, effects);
}

void Members::remember(const Now& now, const std::vector<Member>& roster) {
  std::vector<Member> rows = roster;
  for (Member& row : rows) {
    row.state = MemberState::failed;  // which a list makes a suspect
  }
  ledger_.take(now, rows,
               {.kind = NewsSource::Kind::list, .sender = ledger_.table().self(), .sender_run = 0});
}

Now Members::cluster_time(const Now& now) const {
  // Clocks of others may be anything; what is reckoned with them stays in range.
  constexpr std::int64_t kLatestMs = std::int64_t{1} << 52;
  const std::uint64_t ms = static_cast<std::uint64_t>(now.wall.ms) +
                           static_cast<std::uint64_t>(cluster_clock_ahead_ms());
  return {.instant = now.instant,
          .wall = {std::clamp<std::int64_t>(static_cast<std::int64_t>(ms), 0, kLatestMs)}};
}

bool Members::leaving() const {
  return ledger_.table().own().state == MemberState::left;
}

void Members::tick(const Now& now, Effects& effects) {
  ledger_.tick(now, options_.failed_kept);
  if (!leaving()) {
    detector_.tick(cluster_time(now), effects);
    meetings_.tick(now.instant, effects);
  }
  follow_up(now, effects);
  if (spread_at_ <= now.instant) {
    spread(now, effects);
  }
  show_changes(now);
}

/// When the changes so far are to be seen in a view.
void Members::plan_views(const Now& now) {
  const auto listed = static_cast<std::int64_t>(ledger_.table().listed_count());
  if (shows_at_once()) {
    list_shown_ = ledger_.version();
  } else if (list_step_at_ == Instant::never() && ledger_.version() != list_shown_) {
    list_step_at_ = now.instant + Duration::from_ms(std::min<std::int64_t>(listed, 1000));
  }
  if (digest_step_at_ == Instant::never() && ledger_.digest_version() != digests_shown_) {
    digest_step_at_ = now.instant + Duration{options_.probe_interval.ns * (1 + listed / 256)};
  }
}

void Members::show_changes(const Now& now) {
  if (list_step_at_ <= now.instant) {
    list_step_at_ = Instant::never();
    list_shown_ = ledger_.version();
  }
  if (digest_step_at_ <= now.instant) {
    digest_step_at_ = Instant::never();
    ++digest_steps_;
    digests_shown_ = ledger_.digest_version();
  }
}

Instant Members::next_deadline() const {
  const Instant rooms = leaving() ? ledger_.next_deadline()
                                  : std::min({ledger_.next_deadline(), detector_.next_deadline(),
                                              meetings_.next_deadline()});
  return std::min({rooms, spread_at_, digest_step_at_, list_step_at_});
}

/// Carries to the other rooms what the last news brought.
void Members::follow_up(const Now& now, Effects& effects) {
  for (const Instance accused : detector_.take_accused()) {
    ledger_.accuse(now, accused);
  }
  if (detector_.isolated() != was_isolated_) {
    was_isolated_ = detector_.isolated();
    if (was_isolated_) {
      ledger_.note({.kind = MemberEvent::Kind::isolated});
    }
  }
  const MemberLedger::Outcome outcome = ledger_.take_outcome();
  if (outcome.refutations > 0) {
    detector_.blame_self();
  }
  if (outcome.lost) {
    meetings_.lost(now.instant);
  }
  if (!outcome.twin_address.empty()) {
    look_for_twin(now, outcome.twin_address, effects);
  }
  if (spread_at_ == Instant::never() && has_news_for_others()) {
    spread_at_ = std::max(now.instant, last_spread_ + kSpreadInterval);
  }
  plan_views(now);
}

bool Members::is_peer(const MemberEntry& entry) const {
  const bool other = entry.member.instance != ledger_.table().self();
  return other && entry.listed && is_live(entry.member.state);
}

std::vector<const Member*> Members::some_peers(std::size_t most, Among among) {
  std::vector<const Member*> peers;
  for (const MemberEntry& entry : ledger_.table().entries()) {
    const bool wanted = among == Among::all || ledger_.news().has_for(entry.member.instance);
    if (wanted && is_peer(entry)) {
      peers.push_back(&entry.member);
    }
  }
  const std::size_t count = std::min(most, peers.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(peers[i], peers[i + static_cast<std::size_t>(prng_.below(peers.size() - i))]);
  }
  peers.resize(count);
  return peers;
}

bool Members::has_news_for_others() const {
  const auto is_to_hear = [this](const MemberEntry& entry) {
    return is_peer(entry) && ledger_.news().has_for(entry.member.instance);
  };
  return !ledger_.news().rumors().empty() &&
         std::ranges::any_of(ledger_.table().entries(), is_to_hear);
}

/// News do not wait for the next probe.
void Members::spread(const Now& now, Effects& effects) {
  last_spread_ = now.instant;
  for (const Member* peer : some_peers(kSpreadTargets, Among::those_to_hear_news)) {
    if (!ledger_.news().has_for(peer->instance)) {
      continue;  // the last telling of it was just used up
    }
    calls_.send(
        now.instant,
        {.kind = MemberCall::Kind::spread, .target = peer->instance, .address = peer->address},
        options_.probe_interval, Ping{.news = ledger_.news().for_ping(peer->instance)}, effects);
  }
  spread_at_ = has_news_for_others() ? now.instant + kSpreadInterval : Instant::never();
}

void Members::look_for_twin(const Now& now, const std::string& address, Effects& effects) {
  if (now.instant < twin_check_after_ || leaving()) {
    return;
  }
  twin_check_after_ = now.instant + kTwinCheckInterval;
  calls_.send(
      now.instant,
      {.kind = MemberCall::Kind::twin, .target = ledger_.table().self(), .address = address},
      options_.probe_interval, Ping{.news = {ledger_.table().own()}}, effects);
}

void Members::heard_from(const Now& now, const PeerEnvelope& envelope) {
  MemberEntry* entry = ledger_.table().find(envelope.sender);
  if (entry == nullptr || envelope.cluster != cluster_) {
    return;
  }
  clocks_moved_ += entry->last_seen_ms == 0 ? 1U : 0U;
  entry->last_seen_ms = now.wall.ms;
  if (entry->round_trip == Duration{}) {
    entry->clock_ahead_ms = envelope.wall_ms - now.wall.ms;
  }
}

bool Members::own_clock_was_set(const Now& now) {
  const std::int64_t moved_ms = lead_ms(now) - own_clock_lead_ms_;
  if (std::abs(moved_ms) <= kClockSetMs) {
    return false;
  }
  KVS_PROBE("members: this node's own clock was set");
  own_clock_lead_ms_ += moved_ms;
  ledger_.table().shift_clocks(-moved_ms);
  clocks_moved_ += clocks_heard_ + 1;  // all of them moved
  return true;
}

void Members::suspect_link(const Now& now, Instance instance, Effects& effects) {
  if (!leaving()) {
    detector_.probe_at_once(now.instant, instance, effects);
  }
}

void Members::leave(const Now& now, Effects& effects) {
  if (leaving()) {
    return;
  }
  ledger_.leave(now);
  meetings_.stop();
  for (const Member* peer : some_peers(kFarewells, Among::all)) {
    calls_.send(
        now.instant,
        {.kind = MemberCall::Kind::farewell, .target = peer->instance, .address = peer->address},
        options_.probe_interval, Ping{.news = ledger_.news().for_ping(peer->instance)}, effects);
  }
}

bool Members::has_left() const {
  return leaving() && calls_.count(MemberCall::Kind::farewell) == 0;
}

RemoveOutcome Members::remove(const Now& now, std::string_view node_id, Effects& effects) {
  std::vector<Instance> failed;
  for (const MemberEntry& entry : ledger_.table().entries()) {
    if (!entry.listed || entry.member.node_id != node_id) {
      continue;
    }
    if (entry.member.state != MemberState::failed) {
      return RemoveOutcome::alive;
    }
    failed.push_back(entry.member.instance);
  }
  for (const Instance instance : failed) {
    ledger_.retire(now, instance);
  }
  follow_up(now, effects);
  return failed.empty() ? RemoveOutcome::unknown : RemoveOutcome::removed;
}

void Members::become(const Now& now, const SelfIdentity& self, Effects& effects) {
  new_instance_wanted_ = false;
  ledger_.become(now, [&] {
    Member own = own_row(options_, self);
    own.mode = ledger_.table().own().mode;
    own.digest = ledger_.table().own().digest;
    return own;
  }());
  meetings_.start(now.instant);
  follow_up(now, effects);
}

const std::shared_ptr<const View>& Members::view() const {
  if (view_ == nullptr || viewed_version_ != view_version()) {
    View view{.members = {}, .self = ledger_.table().self()};
    view.members.reserve(ledger_.table().listed_count());
    for (const MemberEntry& entry : ledger_.table().entries()) {
      if (entry.listed) {
        view.members.push_back(entry.member);
      }
    }
    view_ = std::make_shared<const View>(std::move(view));
    viewed_version_ = view_version();
  }
  return view_;
}

const Member* Members::find(Instance instance) const {
  const MemberEntry* entry = ledger_.table().find(instance);
  return entry != nullptr && entry->listed ? &entry->member : nullptr;
}

std::optional<MemberContact> Members::contact(Instance instance) const {
  const MemberEntry* entry = ledger_.table().find(instance);
  if (entry == nullptr || !entry->listed) {
    return std::nullopt;
  }
  return MemberContact{.last_seen_ms = entry->last_seen_ms,
                       .clock_ahead_ms = entry->clock_ahead_ms,
                       .round_trip = entry->round_trip};
}

std::int64_t Members::cluster_clock_ahead_ms() const {
  // A few of many clocks move their median by a few ranks at most.
  if (clocks_moved_ > clocks_heard_ / 64 || clocked_version_ != list_version()) {
    clock_ahead_ms_ = median_clock_ahead_ms();
    clocked_version_ = list_version();
    clocks_moved_ = 0;
  }
  return clock_ahead_ms_;
}

std::int64_t Members::median_clock_ahead_ms() const {
  std::vector<std::int64_t> clocks{0};
  clocks.reserve(ledger_.table().listed_count());
  for (const MemberEntry& entry : ledger_.table().entries()) {
    const bool heard = entry.last_seen_ms != 0 && entry.round_trip != Duration{};
    const bool other = entry.member.instance != ledger_.table().self();
    if (heard && other && entry.listed && is_live(entry.member.state)) {
      clocks.push_back(entry.clock_ahead_ms);
    }
  }
  clocks_heard_ = clocks.size();
  // The lower of two in the middle: two nodes alone do not drift upwards.
  const auto middle = clocks.begin() + static_cast<std::ptrdiff_t>((clocks.size() - 1) / 2);
  std::ranges::nth_element(clocks, middle);
  return *middle;
}

MembersStats Members::stats() const {
  return {.ledger = ledger_.stats(),
          .detector = detector_.stats(),
          .awareness = detector_.awareness(),
          .isolated = detector_.isolated(),
          .rumors = ledger_.news().rumors().size(),
          .hidden = ledger_.table().hidden_count(),
          .calls_refused = calls_refused_};
}

}  // namespace kvs
