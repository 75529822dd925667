#include "core/outbox.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <tuple>
#include <utility>

#include "base/mutant.h"
#include "base/probe.h"
#include "core/call.h"

namespace kvs {

namespace {

constexpr std::size_t kFramesKept = 2;
constexpr std::size_t kReferencesMax = 4096;  // in a frame: bounds the reads of one step

bool is_own(const Change& change) {
  return change.after &&
         (change.cause == Change::Cause::client || change.cause == Change::Cause::verdict);
}

bool is_pushed(const Change& change) {
  return change.after && change.cause == Change::Cause::push;
}

bool delivered(const PeerReturn& back) {
  return back.failure == PeerReturn::Failure::none && std::holds_alternative<Done>(back.answer);
}

}  // namespace

bool Outbox::StretchOrder::operator()(const RingStretch& a, const RingStretch& b) const {
  return std::tie(a.first, a.last) < std::tie(b.first, b.last);
}

std::uint64_t Outbox::Lane::owed() const {
  // Where nobody else could be sent a failed frame, it is not kept.
  return flight && part.members.size() > 1 ? flight->begin : next;
}

// --- members

void Outbox::set_view(std::shared_ptr<const View> view) {
  view_ = std::move(view);
  auto roster = view_->members | std::views::filter([this](const Member& member) {
                  return is_live(member.state) || member.instance == view_->self;
                }) |
                std::views::transform(&Member::instance);
  if (!std::ranges::equal(roster, roster_)) {
    roster_.assign(roster.begin(), roster.end());
    ring_ = Ring(roster_, view_->self);
    lay_lanes(own_);
    std::ranges::for_each(forwards_, [this](auto& entry) { lay_lanes(entry.second); });
    std::erase_if(forwards_, [](const auto& entry) { return entry.second.lanes.empty(); });
    std::erase_if(missed_,
                  [this](Instance member) { return !std::ranges::binary_search(roster_, member); });
    std::erase_if(paused_, [this](const auto& entry) {
      return !std::ranges::binary_search(roster_, entry.first);
    });
  }
  free_lost_lanes(own_);
  std::ranges::for_each(forwards_, [this](auto& entry) { free_lost_lanes(entry.second); });
}

/// A new lane begins where the lane stood that served its first member; without one, at the end.
/// Where parts changed their borders, some members miss a frame or get it twice.
void Outbox::lay_lanes(Queue& queue) const {
  const auto parts = queue.stretch ? ring_.below(*queue.stretch, options_.parts)
                                   : ring_.others(direct() ? ring_.size() : options_.parts);
  std::vector<Lane> old = std::exchange(queue.lanes, {});
  for (const RingPart& part : parts) {
    Lane& lane = queue.lanes.emplace_back(Lane{.part = part, .next = queue.end(), .flight = {}});
    const std::uint64_t position = ring_position(part.members.front());
    const auto before = std::ranges::find_if(
        old, [&](const Lane& candidate) { return contains(candidate.part.stretch(), position); });
    if (before != old.end()) {
      lane.next = before->next;
      lane.flight = std::exchange(before->flight, {});
    }
  }
  trim(queue);
}

/// Does not wait for answers of members that are lost, or will be, where another can take the
/// frame.
void Outbox::free_lost_lanes(Queue& queue) {
  for (Lane& lane : queue.lanes) {
    const Member* target = lane.flight ? view_->find(lane.flight->target) : nullptr;
    const bool alive = target != nullptr && target->state == MemberState::alive;
    if (!lane.flight || alive) {
      continue;
    }
    const Member* other = target_of(lane.part);
    const bool replaceable = other != nullptr && other->instance != lane.flight->target;
    if (replaceable) {
      KVS_PROBE("outbox: a frame on its way to a lost delegate goes to the next one");
      lane.next = std::max(lane.flight->begin, queue.first);
    }
    if (replaceable || target == nullptr || !is_live(target->state)) {
      stats_.dropped += lane.next - std::min(lane.next, lane.flight->begin);
      lane.flight.reset();
    }
  }
  trim(queue);
}

/// The first of a part that is not paused, suspects last.
const Member* Outbox::target_of(const RingPart& part) const {
  const Member* suspect = nullptr;
  for (const Instance instance : part.members) {
    const Member* member = view_->find(instance);
    if (member == nullptr || paused_.contains(instance)) {
      continue;
    }
    if (member->state == MemberState::alive) {
      return member;
    }
    if (suspect == nullptr && is_live(member->state)) {
      suspect = member;
    }
  }
  return suspect;
}

// --- queues

void Outbox::add(std::span<const Change> changes) {
  for (const Change& change : changes) {
    if (is_own(change)) {
      append(own_, change);
    }
  }
}

void Outbox::forward(const RingStretch& stretch, std::span<const Change> changes) {
  const auto pushed = std::ranges::count_if(changes, is_pushed);
  Queue* queue = pushed == 0 ? nullptr : forward_queue(stretch);
  if (queue == nullptr) {
    return;
  }
  for (const Change& change : changes) {
    if (is_pushed(change)) {
      append(*queue, change);
    }
  }
}

/// Nothing if there is nobody to hand on to, or no room.
Outbox::Queue* Outbox::forward_queue(const RingStretch& stretch) {
  const auto trimmed = ring_.trimmed(stretch);
  if (!trimmed) {
    return nullptr;
  }
  if (const auto it = forwards_.find(*trimmed); it != forwards_.end()) {
    return &it->second;
  }
  Queue queue{.stretch = trimmed};
  lay_lanes(queue);
  if (queue.lanes.empty()) {
    return nullptr;
  }
  if (forwards_.size() >= options_.queues_max) {
    KVS_PROBE("outbox: too many different stretches");
    ++stats_.overflowed;
    return nullptr;
  }
  return &forwards_.emplace(*trimmed, std::move(queue)).first->second;
}

void Outbox::append(Queue& queue, const Change& change) {
  if (queue.lanes.empty()) {
    return;
  }
  queue.refs.push_back(ref_of(change));
  queue.bytes += memory_of(queue.refs.back());
  while (queue.bytes > options_.queue_bytes_max) {
    drop_oldest(queue);
  }
}

void Outbox::drop_oldest(Queue& queue) {
  KVS_PROBE("outbox: a queue overflowed");
  queue.bytes -= memory_of(queue.refs.front());
  queue.refs.pop_front();
  ++queue.first;
  for (Lane& lane : queue.lanes) {
    if (lane.next < queue.first) {
      lane.next = queue.first;
      ++stats_.dropped;
      ++stats_.overflowed;
    }
  }
}

/// Forgets what no lane needs any more.
void Outbox::trim(Queue& queue) {
  std::uint64_t owed = queue.end();
  std::uint64_t next = queue.end();
  for (const Lane& lane : queue.lanes) {
    owed = std::min(owed, lane.owed());
    next = std::min(next, lane.next);
  }
  while (queue.first < owed) {
    queue.bytes -= memory_of(queue.refs.front());
    queue.refs.pop_front();
    ++queue.first;
  }
  std::erase_if(queue.frames, [&](const Frame& frame) { return frame.begin < next; });
}

// --- frames

void Outbox::flush(const Now& now, Effects& effects) {
  std::erase_if(paused_, [&](const auto& entry) { return entry.second <= now.instant; });
  flush_queue(now, own_, effects);
  for (auto& [stretch, queue] : forwards_) {
    flush_queue(now, queue, effects);
  }
  std::erase_if(forwards_, [](const auto& entry) {
    const Queue& queue = entry.second;
    return queue.refs.empty() && std::ranges::none_of(queue.lanes, [](const Lane& lane) {
             return lane.flight.has_value();
           });
  });
}

void Outbox::flush_queue(const Now& now, Queue& queue, Effects& effects) {
  bool moved = false;
  for (Lane& lane : queue.lanes) {
    while (!lane.flight && lane.next < queue.end() && send_next(now, queue, lane, effects)) {
      moved = true;
    }
  }
  if (moved) {
    trim(queue);
  }
}

/// False if there is nobody to send to. The frame may turn out to be empty: then nothing is sent.
bool Outbox::send_next(const Now& now, Queue& queue, Lane& lane, Effects& effects) {
  const Member* target = target_of(lane.part);
  if (target == nullptr) {
    return false;
  }
  const Frame& frame = frame_at(queue, lane.next);
  if (frame.count > 0) {
    const CallId call = make_call_id(Caller::outbox, ++calls_);
    effects.sends.push_back({.id = call,
                             .address = target->address,
                             .channel = Channel::push,
                             .timeout = timeout_of(frame),
                             .envelope = {.receiver = target->instance},
                             .request = addressed(queue, lane, frame)});
    lane.flight = {
        .call = call, .target = target->instance, .begin = lane.next, .sent = now.instant};
    ++stats_.frames;
    stats_.records += frame.count;
  }
  lane.next = frame.end;
  return true;
}

/// What answers usually take, and what the frame needs on a slow link.
Duration Outbox::timeout_of(const Frame& frame) const {
  constexpr std::int64_t kSlowestLink = 64 << 10U;  // bytes a second
  constexpr std::int64_t kSecond = Duration::from_seconds(1).ns;
  const Duration on_its_way{static_cast<std::int64_t>(frame.bytes) * (kSecond / kSlowestLink)};
  return std::min(patience_.span() + on_its_way, options_.timeout_max);
}

const Outbox::Frame& Outbox::frame_at(Queue& queue, std::uint64_t begin) {
  const auto built = std::ranges::find(queue.frames, begin, &Frame::begin);
  if (built != queue.frames.end()) {
    return *built;
  }
  if (queue.frames.size() == kFramesKept) {
    queue.frames.pop_front();
  }
  return queue.frames.emplace_back(build(queue, begin));
}

Outbox::Frame Outbox::build(const Queue& queue, std::uint64_t begin) const {
  RecordGatherer gatherer(store_);
  const std::uint64_t end_max = std::min(queue.end(), begin + kReferencesMax);
  std::uint64_t at = begin;
  for (; at < end_max && gatherer.bytes() < options_.frame_bytes; ++at) {
    const WriteRef& ref = queue.refs[static_cast<std::size_t>(at - queue.first)];
    if (gatherer.add(ref, ref.dot)) {
      std::ranges::for_each(ref.replaced, [&](Dot dot) { gatherer.add(ref, dot); });
    }
  }
  const std::size_t count = gatherer.count();
  const std::size_t bytes = gatherer.bytes();
  return {.begin = begin,
          .end = at,
          .count = count,
          .bytes = bytes,
          .request = std::make_shared<const PeerRequest>(
              Push{.records = gatherer.take(), .stretch = std::nullopt})};
}

/// The frame as this lane's peer gets it: with the stretch that it answers for, if it does.
std::shared_ptr<const PeerRequest> Outbox::addressed(const Queue& queue, const Lane& lane,
                                                     const Frame& frame) const {
  if (!queue.stretch && direct()) {
    return frame.request;
  }
  Push push = std::get<Push>(*frame.request);
  push.stretch = lane.part.stretch();
  return std::make_shared<const PeerRequest>(std::move(push));
}

// --- answers

std::optional<Instance> Outbox::returned(const Now& now, const PeerReturn& back, Effects& effects) {
  Queue* queue = &own_;
  Lane* lane = lane_of(own_, back.id);
  for (auto it = forwards_.begin(); lane == nullptr && it != forwards_.end(); ++it) {
    queue = &it->second;
    lane = lane_of(*queue, back.id);
  }
  if (lane == nullptr || !lane->flight) {
    KVS_PROBE("outbox: an answer that no lane waits for");
    return std::nullopt;
  }
  const Flight flight = *lane->flight;
  if (delivered(back)) {
    patience_.answered(now.instant - flight.sent);
    paused_.erase(flight.target);
  } else {
    if (back.failure == PeerReturn::Failure::timed_out) {
      patience_.unanswered();
    }
    give_up(*queue, *lane, flight, now);
  }
  if (delivered(back) || !KVS_MUTATED(lost_frame_stays_in_flight)) {
    lane->flight.reset();
  }
  flush_queue(now, *queue, effects);
  trim(*queue);
  const bool refused = back.failure == PeerReturn::Failure::refused_connection;
  return refused ? std::optional(flight.target) : std::nullopt;
}

Outbox::Lane* Outbox::lane_of(Queue& queue, CallId call) {
  const auto it = std::ranges::find_if(
      queue.lanes, [&](const Lane& lane) { return lane.flight && lane.flight->call == call; });
  return it == queue.lanes.end() ? nullptr : &*it;
}

/// The frame on its way was not delivered: it goes to the next member of the part, or is lost.
void Outbox::give_up(const Queue& queue, Lane& lane, const Flight& flight, const Now& now) {
  ++stats_.failed;
  paused_[flight.target] = now.instant + options_.pause;
  if (target_of(lane.part) != nullptr) {
    KVS_PROBE("outbox: a failed frame goes to the next delegate");
    lane.next = std::min(lane.next, std::max(flight.begin, queue.first));
  } else {
    KVS_PROBE("outbox: a failed frame is lost");
    missed_.insert(flight.target);
    stats_.dropped += lane.next - std::min(lane.next, flight.begin);
  }
}

void Outbox::peer_heard(Instance peer) {
  if (const auto it = paused_.find(peer); it != paused_.end()) {
    it->second = Instant{INT64_MIN};
  }
}

Instant Outbox::next_deadline() const {
  Instant next = Instant::never();
  for (const auto& [peer, until] : paused_) {
    next = std::min(next, until);
  }
  return next;
}

void Outbox::tick(const Now& now, Effects& effects) {
  if (next_deadline() <= now.instant) {
    flush(now, effects);
  }
}

// --- what it tells

bool Outbox::owes_anything() const {
  const auto owes = [](const Queue& queue) {
    return std::ranges::any_of(
        queue.lanes, [&](const Lane& lane) { return lane.flight || lane.next < queue.end(); });
  };
  return owes(own_) ||
         std::ranges::any_of(forwards_, [&](const auto& entry) { return owes(entry.second); });
}

OutboxStats Outbox::stats() const {
  OutboxStats stats = stats_;
  stats.bytes = own_.bytes;
  for (const auto& [stretch, queue] : forwards_) {
    stats.bytes += queue.bytes;
  }
  return stats;
}

std::vector<PeerLag> Outbox::lags() const {
  std::map<Instance, std::uint64_t> writes;
  const auto count = [&](const Queue& queue) {
    for (const Lane& lane : queue.lanes) {
      const Instance peer = lane.flight ? lane.flight->target : lane.part.members.front();
      const std::uint64_t from = lane.flight ? lane.flight->begin : lane.next;
      writes[peer] += queue.end() - from;
    }
  };
  count(own_);
  std::ranges::for_each(forwards_, [&](const auto& entry) { count(entry.second); });
  std::vector<PeerLag> lags;
  for (const auto& [peer, behind] : writes) {
    if (behind > 0) {
      lags.push_back({.peer = peer, .writes = behind});
    }
  }
  return lags;
}

}  // namespace kvs
