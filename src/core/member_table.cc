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
  bytes.reserve(2 * sizeof(std::uint64_t) + sizeof(std::uint8_t));
  put_le(bytes, static_cast<std::uint64_t>(row.instance));
  put_le(bytes, row.incarnation);
  put_le(bytes, static_cast<std::uint8_t>(row.state));
  return XXH3_64bits(bytes.data(), bytes.size());
}

auto rank(const Member& row) {
  return std::tie(row.incarnation, row.state, row.started_ms, row.run, row.joined_ms, row.node_id,
                  row.address, row.protocol, row.features);
}

bool has_plausible_names(const Member& row) {
  return !row.node_id.empty() && row.node_id.size() <= kNodeIdBytesMax && is_utf8(row.node_id) &&
         row.address.size() <= kMemberAddressBytesMax && parse_address(row.address).has_value();
}

bool has_plausible_numbers(const Member& row) {
  const bool ranges = row.state <= MemberState::left && row.mode <= Mode::syncing &&
                      row.joined_ms >= 0 && row.started_ms >= 0 && row.protocol >= 1;
  // Only an alive row may have the last incarnation: every accusation can be refuted.
  const std::uint64_t top = row.state == MemberState::alive ? kIncarnationMax : kIncarnationMax - 1;
  return row.instance != Instance{} && row.incarnation >= 1 && row.incarnation <= top && ranges;
}

/// Both are digests of one run.
bool is_fresher(const StateDigest& digest, const StateDigest& held) {
  return std::tie(digest.newest, digest.seq) > std::tie(held.newest, held.seq);
}

}  // namespace

bool is_plausible(const Member& row) {
  return has_plausible_numbers(row) && has_plausible_names(row);
}

bool is_plausible(const Member& row, const MemberEntry* held) {
  const bool known_names =
      held != nullptr && held->member.node_id == row.node_id && held->member.address == row.address;
  return has_plausible_numbers(row) && (known_names || has_plausible_names(row));
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

MemberTable::MemberTable(const Member& own, Instant now, const MemberLimits& limits)
    : limits_(limits), self_(own.instance) {
  own_ = &insert({.member = own, .since = now});
}

MemberTable::Slots::const_iterator MemberTable::place_of(Instance instance) const {
  return std::ranges::lower_bound(known_, instance, {}, &Slot::instance);
}

/// The instance is not known yet.
MemberEntry& MemberTable::insert(MemberEntry entry) {
  const Instance instance = entry.member.instance;
  const auto added = known_.insert(
      place_of(instance),
      {.instance = instance, .entry = std::make_unique<MemberEntry>(std::move(entry))});
  count_in(*added->entry);
  return *added->entry;
}

/// Of an instance that is known. Its entry is counted no more.
void MemberTable::erase(Instance instance) {
  known_.erase(place_of(instance));
}

void MemberTable::count_in(const MemberEntry& entry) {
  if (entry.listed) {
    live_ += is_live(entry.member.state) ? 1U : 0U;
    hashes_[bucket_of(entry.member.instance)] += row_hash(entry.member);
  }
}

void MemberTable::leave_out(const MemberEntry& entry) {
  if (entry.listed) {
    live_ -= is_live(entry.member.state) ? 1U : 0U;
    hashes_[bucket_of(entry.member.instance)] -= row_hash(entry.member);
  }
}

MemberTable::Merged MemberTable::merge(const Member& row, Instant now) {
  MemberEntry* const held = find(row.instance);
  if (held == nullptr) {
    return add(row, now);
  }
  MemberEntry& entry = *held;
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
  if (row.state != MemberState::left && listed_count() >= limits_.listed_max) {
    KVS_PROBE("members: the table is full");
    return Merged::refused;
  }
  insert({.member = row, .since = now});
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
  leave_out(entry);
  entry.member = row;
  entry.member.digest = digest;
  entry.member.mode = mode;
  entry.since = now;
  if (reborn) {
    entry.listed = true;
    --hidden_;
  }
  count_in(entry);
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
  leave_out(*own_);
  if (own.instance == self_) {
    own_->since = now;
    own_->member = own;
    return count_in(*own_);
  }
  erase(self_);
  if (const MemberEntry* const held = find(own.instance); held != nullptr) {
    hidden_ -= held->listed ? 0U : 1U;
    leave_out(*held);
    erase(own.instance);
  }
  self_ = own.instance;
  own_ = &insert({.member = own, .since = now});
}

void MemberTable::hide(Instance instance, Instant now) {
  MemberEntry* entry = find(instance);
  KVS_CHECK(entry != nullptr && instance != self_, "only another member is hidden");
  if (!entry->listed) {
    return;
  }
  leave_out(*entry);
  entry->listed = false;
  entry->since = now;
  ++hidden_;
  if (hidden_ > limits_.hidden_max) {
    forget_oldest_hidden();
  }
}

void MemberTable::forget_oldest_hidden() {
  const MemberEntry* oldest = nullptr;
  for (const MemberEntry& entry : entries()) {
    if (!entry.listed && (oldest == nullptr || entry.since < oldest->since)) {
      oldest = &entry;
    }
  }
  KVS_PROBE("members: a hidden member is forgotten");
  erase(oldest->member.instance);
  --hidden_;
}

void MemberTable::shift_clocks(std::int64_t by_ms) {
  for (const Slot& slot : known_) {
    slot.entry->clock_ahead_ms += by_ms;
  }
}

const MemberEntry* MemberTable::find(Instance instance) const {
  const auto it = place_of(instance);
  return it == known_.end() || it->instance != instance ? nullptr : it->entry.get();
}

MemberEntry* MemberTable::find(Instance instance) {
  const auto it = place_of(instance);
  return it == known_.end() || it->instance != instance ? nullptr : it->entry.get();
}

std::vector<Member> MemberTable::listed_rows() const {
  std::vector<Member> rows{own()};
  rows.reserve(listed_count());
  for (const MemberEntry& entry : entries()) {
    if (entry.listed && &entry != own_) {
      rows.push_back(entry.member);
    }
  }
  return rows;
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
