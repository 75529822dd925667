// The member table: for each instance the newest row that anybody told.
//
// Merging is a maximum in a total order of rows, so it commutes, associates and repeats: members
// that were told the same rows hold the same table, in whatever order they came. The digest, the
// mode and the accuser take no part in that order; of them the freshest stays.
// A row may be hidden: the member left, or failed long ago. It is not shown to anybody any more,
// but late news of it is still measured against it. Listed and hidden rows are bounded.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <ranges>
#include <span>
#include <vector>

#include "base/time.h"
#include "core/member.h"

namespace kvs {

inline constexpr std::size_t kMembersMax = 10'000;
inline constexpr std::size_t kHiddenMembersMax = 1024;
inline constexpr std::size_t kMemberBuckets = 64;
inline constexpr std::size_t kNodeIdBytesMax = 255;
inline constexpr std::size_t kMemberAddressBytesMax = 300;
inline constexpr std::uint64_t kIncarnationMax = 1ULL << 40U;

/// How many rows are kept.
struct MemberLimits {
  std::size_t listed_max = kMembersMax;
  std::size_t hidden_max = kHiddenMembersMax;
};

using BucketHashes = std::array<std::uint64_t, kMemberBuckets>;

/// True if `row` may be a row: sizes, ranges, a readable address, and an incarnation that its owner
/// can still outbid. Anything may come from a peer.
[[nodiscard]] bool is_plausible(const Member& row);

/// True if `row` is newer than `held`, a row of the same instance: by incarnation, then state, then
/// the process told of, then whatever else tells them apart but digest, mode and accuser.
[[nodiscard]] bool overrides(const Member& row, const Member& held);

/// Which bucket an instance is compared in.
[[nodiscard]] std::size_t bucket_of(Instance instance);

/// A row, and what this node itself knows of the member.
struct MemberEntry {
  Member member;
  bool listed = true;
  Instant since;                    // when its state came to be known here
  std::int64_t last_seen_ms = 0;    // this node's wall clock when the member last spoke; 0: never
  std::int64_t clock_ahead_ms = 0;  // how far its wall clock is ahead of this node's
  Duration round_trip;              // of the last answered ping; 0: none yet
};

/// The same for a row of which `held` is the held one, if there is one: most rows bear its names.
[[nodiscard]] bool is_plausible(const Member& row, const MemberEntry* held);

class MemberTable {
 public:
  enum class Merged : std::uint8_t {
    known,    // nothing new, or older
    fresher,  // only what takes no part in the order
    changed,  // a newer row of a member that was listed
    added,    // a member that was not known or not listed is listed now
    hidden,   // it is hidden now, or still is
    refused,  // the table is full
  };

  /// This node's own row; it is never hidden.
  MemberTable(const Member& own, Instant now, const MemberLimits& limits = {});

  /// Takes a plausible row in.
  Merged merge(const Member& row, Instant now);

  /// What a member told of itself: its digest and mode are taken, whatever the table holds, if it
  /// is the process that the table tells of. True if that changed something.
  bool spoken(const Member& row);

  /// Replaces this node's own row, whatever its rank. The instance may be another one.
  void set_own(const Member& own, Instant now);

  /// Takes a row out of the list. The longest hidden ones are forgotten beyond `hidden_max`.
  void hide(Instance instance, Instant now);

  /// The clocks of all others are so much further ahead of this node's, which was set.
  void shift_clocks(std::int64_t by_ms);

  [[nodiscard]] const MemberEntry* find(Instance instance) const;
  [[nodiscard]] MemberEntry* find(Instance instance);

  [[nodiscard]] const Member& own() const { return own_->member; }

  [[nodiscard]] Instance self() const { return self_; }

  /// In the order of instances; hidden ones too.
  [[nodiscard]] auto entries() const {
    return std::views::transform(
        known_, [](const Slot& slot) -> const MemberEntry& { return *slot.entry; });
  }

  [[nodiscard]] std::size_t listed_count() const { return known_.size() - hidden_; }

  [[nodiscard]] std::size_t hidden_count() const { return hidden_; }

  /// How many are alive or suspect, this node included.
  [[nodiscard]] std::size_t live_count() const { return live_; }

  /// All listed rows, this node's own first.
  [[nodiscard]] std::vector<Member> listed_rows() const;

  /// Of the listed rows of each bucket: instance, incarnation, state. The order of members does
  /// not matter.
  [[nodiscard]] const BucketHashes& bucket_hashes() const { return hashes_; }

  /// The rows held, hidden ones too, that are newer than those told. `rows` are plausible.
  [[nodiscard]] std::vector<Member> contradictions(std::span<const Member> rows) const;

 private:
  /// Entries stay where they are when others come and go.
  struct Slot {
    Instance instance{};
    std::unique_ptr<MemberEntry> entry;
  };

  using Slots = std::vector<Slot>;

  [[nodiscard]] Slots::const_iterator place_of(Instance instance) const;
  MemberEntry& insert(MemberEntry entry);
  void erase(Instance instance);
  void forget_oldest_hidden();
  Merged add(const Member& row, Instant now);
  Merged replace(MemberEntry& entry, const Member& row, Instant now);
  void count_in(const MemberEntry& entry);
  void leave_out(const MemberEntry& entry);

  MemberLimits limits_;
  Slots known_;  // by instance
  Instance self_;
  MemberEntry* own_ = nullptr;
  std::size_t hidden_ = 0;
  std::size_t live_ = 0;  // as hashes_, of listed rows: kept up with every change
  BucketHashes hashes_{};
};

}  // namespace kvs
