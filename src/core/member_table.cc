#include "core/member_table.h"

#include <algorithm>
#include <string>
#include <tuple>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/mutant.h"
#include "base/probe.h"
#include "base/utf8.h"
#include "core/address.h"
#include "core/view.h"

namespace kvs {

namespace {

std::uint64_t row_hash(const Member& row) {
  std::string bytes;
  put_le(bytes, static_cast<std::uint64_t>(row.instance));
  put_le(bytes, row.incarnation);
  put_le(bytes, static_cast<std::uint8_t>(row.state));
  return XXH3_64bits(bytes.data(), bytes.size());
}

auto rank(const Member& row) {
  return std::tie(row.incarnation, row.state, row.started_ms, row.run, row.joined_ms, row.node_id,
                  row.address, row.protocol, row.features);
}

/// Both are digests of one run.
bool is_fresher(const StateDigest& digest, const StateDigest& held) {
  return std::tie(digest.newest, digest.seq) > std::tie(held.newest, held.seq);
}

}  // namespace

bool is_plausible(const Member& row) {
  const bool ranges = row.state <= MemberState::left && row.mode <= Mode::syncing &&
                      row.joined_ms >= 0 && row.started_ms >= 0 && row.protocol >= 1;
  const bool name = !row.node_id.empty() && row.node_id.size() <= kNodeIdBytesMax &&
                    is_utf8(row.node_id) && row.address.size() <= kMemberAddressBytesMax &&
                    parse_address(row.address).has_value();
  // Only an alive row may have the last incarnation: every accusation can be refuted.
  const std::uint64_t top = row.state == MemberState::alive ? kIncarnationMax : kIncarnationMax - 1;
  return row.instance != Instance{} && row.incarnation >= 1 && row.incarnation <= top && ranges &&
         name;
}

bool overrides(const Member& row, const Member& held) {
  if (KVS_MUTATED(member_state_ignores_incarnation) && row.state != held.state) {
    return row.state > held.state;
  }
  return rank(row) > rank(held);
}

std::size_t bucket_of(Instance instance) {
  const auto number = static_cast<std::uint64_t>(instance);
  return XXH3_64bits(&number, sizeof number) % kMemberBuckets;
}

MemberTable::MemberTable(const Member& own, Instant now) : self_(own.instance) {
  known_.emplace(self_, MemberEntry{.member = own, .since = now});
  live_ = 1;
}

bool MemberTable::counts_as_live(const MemberEntry& entry) {
  return entry.listed && is_live(entry.member.state);
}

MemberTable::Merged MemberTable::merge(const Member& row, Instant now) {
  const auto held = known_.find(row.instance);
  if (held == known_.end()) {
    return add(row, now);
  }
  MemberEntry& entry = held->second;
  if (overrides(row, entry.member)) {
    return replace(entry, row, now);
  }
  if (row.run != entry.member.run || !is_fresher(row.digest, entry.member.digest)) {
    return Merged::known;
  }
  entry.member.digest = row.digest;
  entry.member.mode = row.mode;
  return Merged::fresher;
}

MemberTable::Merged MemberTable::add(const Member& row, Instant now) {
  if (row.state != MemberState::left && listed_count() >= kMembersMax) {
    KVS_PROBE("members: the table is full");
    return Merged::refused;
  }
  const MemberEntry& entry =
      known_.emplace(row.instance, MemberEntry{.member = row, .since = now}).first->second;
  live_ += counts_as_live(entry) ? 1U : 0U;
  if (row.state != MemberState::left) {
    return Merged::added;
  }
  hide(row.instance, now);
  return Merged::hidden;
}

MemberTable::Merged MemberTable::replace(MemberEntry& entry, const Member& row, Instant now) {
  const bool keeps_digest =
      row.run == entry.member.run && !is_fresher(row.digest, entry.member.digest);
  const StateDigest digest = keeps_digest ? entry.member.digest : row.digest;
  const Mode mode = keeps_digest ? entry.member.mode : row.mode;
  const bool reborn = !entry.listed && row.state != MemberState::left;
  live_ -= counts_as_live(entry) ? 1U : 0U;
  entry.member = row;
  entry.member.digest = digest;
  entry.member.mode = mode;
  entry.since = now;
  if (reborn) {
    entry.listed = true;
    --hidden_;
  }
  live_ += counts_as_live(entry) ? 1U : 0U;
  if (reborn) {
    return Merged::added;
  }
  if (row.state == MemberState::left && row.instance != self_) {
    hide(row.instance, now);
    return Merged::hidden;
  }
  return entry.listed ? Merged::changed : Merged::hidden;
}

bool MemberTable::spoken(const Member& row) {
  MemberEntry* entry = find(row.instance);
  if (entry == nullptr || entry->member.run != row.run ||
      (entry->member.digest == row.digest && entry->member.mode == row.mode)) {
    return false;
  }
  entry->member.digest = row.digest;
  entry->member.mode = row.mode;
  return true;
}

void MemberTable::set_own(const Member& own, Instant now) {
  MemberEntry& old = known_.at(self_);
  live_ -= counts_as_live(old) ? 1U : 0U;
  if (own.instance != self_) {
    known_.erase(self_);
    if (const auto held = known_.find(own.instance); held != known_.end()) {
      hidden_ -= held->second.listed ? 0U : 1U;
      live_ -= counts_as_live(held->second) ? 1U : 0U;
      known_.erase(held);
    }
    self_ = own.instance;
  }
  MemberEntry& entry = known_[self_];
  entry.since = now;
  entry.member = own;
  live_ += counts_as_live(entry) ? 1U : 0U;
}

void MemberTable::hide(Instance instance, Instant now) {
  MemberEntry* entry = find(instance);
  KVS_CHECK(entry != nullptr && instance != self_, "only another member is hidden");
  if (!entry->listed) {
    return;
  }
  live_ -= counts_as_live(*entry) ? 1U : 0U;
  entry->listed = false;
  entry->since = now;
  ++hidden_;
  if (hidden_ > kHiddenMembersMax) {
    forget_oldest_hidden();
  }
}

void MemberTable::forget_oldest_hidden() {
  auto oldest = known_.end();
  for (auto it = known_.begin(); it != known_.end(); ++it) {
    if (!it->second.listed && (oldest == known_.end() || it->second.since < oldest->second.since)) {
      oldest = it;
    }
  }
  KVS_PROBE("members: a hidden member is forgotten");
  known_.erase(oldest);
  --hidden_;
}

void MemberTable::shift_clocks(std::int64_t by_ms) {
  for (auto& [instance, entry] : known_) {
    entry.clock_ahead_ms += by_ms;
  }
}

const MemberEntry* MemberTable::find(Instance instance) const {
  const auto it = known_.find(instance);
  return it == known_.end() ? nullptr : &it->second;
}

MemberEntry* MemberTable::find(Instance instance) {
  const auto it = known_.find(instance);
  return it == known_.end() ? nullptr : &it->second;
}

std::vector<Member> MemberTable::listed_rows() const {
  std::vector<Member> rows{own()};
  rows.reserve(listed_count());
  for (const auto& [instance, entry] : known_) {
    if (entry.listed && instance != self_) {
      rows.push_back(entry.member);
    }
  }
  return rows;
}

BucketHashes MemberTable::bucket_hashes() const {
  BucketHashes hashes{};
  for (const auto& [instance, entry] : known_) {
    if (entry.listed) {
      hashes[bucket_of(instance)] += row_hash(entry.member);
    }
  }
  return hashes;
}

std::vector<Member> MemberTable::contradictions(std::span<const Member> rows) const {
  std::vector<Member> newer;
  for (const Member& row : rows) {
    const MemberEntry* held = find(row.instance);
    if (held != nullptr && overrides(held->member, row)) {
      newer.push_back(held->member);
    }
  }
  return newer;
}

}  // namespace kvs
