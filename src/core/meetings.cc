#include "core/meetings.h"

#include <algorithm>

#include "base/mutant.h"
#include "base/probe.h"
#include "core/view.h"

namespace kvs {

Meetings::Meetings(const MeetingOptions& options, const MemberTable& table, MemberCalls& calls,
                   Prng& prng)
    : options_(options), table_(table), calls_(calls), prng_(prng) {
  std::erase(options_.seeds, options_.address);
}

void Meetings::start(Instant now) {
  joined_ = options_.seeds.empty();
  refused_ = false;
  pause_ = kPauseMin;
  join_at_ = joined_ ? Instant::never() : now;
  compare_pause_ = kComparePauseMin;
  compare_at_ = now + next_compare_pause();
}

Duration Meetings::next_compare_pause() {
  if (compare_pause_ >= options_.interval_min) {
    return {prng_.between(options_.interval_min.ns, options_.interval_max.ns)};
  }
  const Duration pause = jittered(compare_pause_);
  compare_pause_ = compare_pause_ + compare_pause_;
  return pause;
}

void Meetings::differed(Instant now) {
  compare_pause_ = kComparePauseMin;
  compare_at_ = std::min(compare_at_, now + next_compare_pause());
}

Duration Meetings::jittered(Duration pause) {
  return {prng_.between(pause.ns / 2, pause.ns)};
}

void Meetings::tick(Instant now, Effects& effects) {
  if (join_at_ <= now) {
    ask_seeds(now, effects);
  }
  if (search_at_ <= now) {
    search_at_ = now < search_until_ ? now + kSearchInterval : Instant::never();
    // About one attempt for each lost member and interval, however many are left to make it.
    if (prng_.chance(std::min(lost_addresses().size(), table_.live_count()), table_.live_count())) {
      search(now, effects);
    }
  }
  if (compare_at_ <= now) {
    compare_at_ = now + next_compare_pause();
    compare_with_members(now, effects);
    search(now, effects);
  }
}

Instant Meetings::next_deadline() const {
  return std::min({join_at_, compare_at_, search_at_});
}

void Meetings::ask_seeds(Instant now, Effects& effects) {
  join_at_ = Instant::never();
  const std::size_t wave = std::min(kSeedsAtOnce, options_.seeds.size());
  for (std::size_t i = 0; i < wave; ++i) {
    const std::string& seed = options_.seeds[next_seed_++ % options_.seeds.size()];
    ++joins_open_;
    calls_.send(now, {.kind = MemberCall::Kind::join, .address = seed}, kCallTimeout,
                Join{.joiner = table_.own()}, effects);
  }
}

void Meetings::join_returned(Instant now, const MemberCall& call, Joined joined) {
  joins_open_ -= joins_open_ > 0 ? 1U : 0U;
  if (joined == Joined::itself) {
    forget_seed(call.address);
  }
  if (joined == Joined::let_in || options_.seeds.empty()) {
    joined_ = true;
    refused_ = false;
    join_at_ = Instant::never();
  }
  refused_ = refused_ || (joined == Joined::refused && !joined_);
  if (joined_ || joins_open_ > 0) {
    return;
  }
  KVS_PROBE("meetings: no seed let this node in");
  const bool more_in_this_pass = next_seed_ % options_.seeds.size() >= kSeedsAtOnce;
  if (more_in_this_pass && !refused_) {
    join_at_ = now;
    return;
  }
  join_at_ = now + jittered(refused_ ? kPauseMax : pause_);
  pause_ = std::min(pause_ + pause_, kPauseMax);
  refused_ = false;
}

void Meetings::forget_seed(const std::string& address) {
  std::erase(options_.seeds, address);
}

void Meetings::lost(Instant now) {
  search_until_ = now + kSearchTime;
  if (search_at_ == Instant::never()) {
    search_at_ = now + kSearchInterval;
  }
}

void Meetings::stop() {
  join_at_ = compare_at_ = search_at_ = Instant::never();
}

std::vector<const std::string*> Meetings::lost_addresses() const {
  std::vector<const std::string*> lost;
  for (const MemberEntry& entry : table_.entries()) {
    if (entry.member.state == MemberState::failed) {
      lost.push_back(&entry.member.address);
    }
  }
  for (const std::string& seed : options_.seeds) {
    const bool known = std::ranges::any_of(table_.entries(), [&](const MemberEntry& entry) {
      return entry.member.address == seed &&
             (is_live(entry.member.state) || entry.member.state == MemberState::failed);
    });
    if (!known) {
      lost.push_back(&seed);
    }
  }
  return lost;
}

void Meetings::search(Instant now, Effects& effects) {
  // A node that was not let in does not come in by another door.
  if (!joined_ || KVS_MUTATED(halves_never_meet)) {
    return;
  }
  const std::vector<const std::string*> lost = lost_addresses();
  if (!lost.empty()) {
    const auto pick = static_cast<std::size_t>(prng_.below(lost.size()));
    compare(now, Instance{}, *lost[pick], effects);
  }
}

void Meetings::compare_with_members(Instant now, Effects& effects) {
  std::vector<const Member*> peers;
  for (const MemberEntry& entry : table_.entries()) {
    if (entry.member.instance != table_.self() && entry.listed && is_live(entry.member.state)) {
      peers.push_back(&entry.member);
    }
  }
  const auto wanted = static_cast<std::size_t>(prng_.between(1, 3));
  for (std::size_t i = 0; i < std::min(wanted, peers.size()); ++i) {
    std::swap(peers[i], peers[i + static_cast<std::size_t>(prng_.below(peers.size() - i))]);
    compare(now, peers[i]->instance, peers[i]->address, effects);
  }
}

void Meetings::compare(Instant now, Instance target, const std::string& address, Effects& effects) {
  const BucketHashes& hashes = table_.bucket_hashes();
  calls_.send(now, {.kind = MemberCall::Kind::compare, .target = target, .address = address},
              kCallTimeout, CompareMembers{.bucket_hashes = {hashes.begin(), hashes.end()}},
              effects);
}

}  // namespace kvs
