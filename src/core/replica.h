// The one door for records: every record that enters the store passes here, whoever sent it.
//
// The replica owns K, the clock and the writes in flight. A client's write gets a stamp and a dot;
// whatever comes is merged against what is held; what wins is written together with the K that
// covers it. No other room appends to effects.writes. Rules: docs/consistency.md.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "core/change.h"
#include "core/command.h"
#include "core/effects.h"
#include "core/expiry.h"
#include "core/knowledge.h"
#include "core/pending.h"
#include "core/stamper.h"
#include "core/store_view.h"

namespace kvs {

/// What a data folder tells of the run before.
struct Recovered {
  Knowledge knowledge;
  Stamp clock_reserve;
  std::optional<Identity> identity;  // nothing: a new folder
  std::optional<Fingerprint> root;   // of all records, as last stored
  std::vector<Member> roster;        // the other members, as last stored
  WallTime expiry_reserve;           // what had expired by then was hidden
};

struct ReplicaStats {
  std::uint64_t records_written = 0;
  std::uint64_t origins_taken = 0;
  std::uint64_t damaged_replaced = 0;
  std::uint64_t taken = 0;               // peers' records that won
  std::uint64_t known = 0;               // peers' records that K covered
  std::uint64_t older = 0;               // peers' records that lost
  std::uint64_t ties = 0;                // met, each time
  std::uint64_t new_ties = 0;            // of these, for the first time
  std::uint64_t deferred = 0;            // stamped too far ahead
  std::uint64_t dropped_live = 0;        // by the rule of exchange
  std::uint64_t dropped_tombstones = 0;  // likewise
  std::uint64_t collected = 0;           // tombstones that everybody has seen
  std::uint64_t freed = 0;               // values whose time was over
  std::uint64_t unsettled = 0;           // tied and deferred versions, at present
};

/// What became of a peer's record.
enum class Taken : std::uint8_t {
  stored,
  known,       // K covers it: nothing to do
  older,       // what is held is newer
  tied,        // equal stamps and no verdict: a ballot decides
  deferred,    // its stamp is too far ahead of the cluster's time: offered again later
  unreadable,  // what is held cannot be read: offered again later
};

/// Two versions of one path with equal stamps and no verdict.
struct TieMet {
  RecordHeader mine;
  PeerRecord theirs;
};

class Replica {
 public:
  /// Damaged records that are remembered by name.
  static constexpr std::size_t kGivenUpMax = 10'000;

  /// Versions whose tie or delay is remembered one by one; beyond, no exchange completes.
  static constexpr std::size_t kUnsettledMax = 100'000;

  /// `store` and `prng` outlive the replica.
  Replica(const Recovered& recovered, const StoreView& store, Prng& prng);

  /// A client's write that the mode lets pass: checks its condition, stamps it, writes it, answers
  /// it.
  void write(WallTime wall, const WriteCommand& command, Effects& effects);

  /// What the expiry clock shows from now on, and up to which place watchers were told of what has
  /// expired (core/expirer).
  void set_expiry(WallTime clock, const ExpiryPlace& told) {
    expiry_clock_ = clock;
    expiries_told_ = told;
  }

  /// The first place of a record that is stored in a batch under way; nothing: of none.
  [[nodiscard]] std::optional<ExpiryPlace> first_pending_expiry() const;

  /// The time of what this entry names has been over for long: the bytes of the value go, if it is
  /// still there, and the entry.
  void free_value(const ExpiryEntry& entry, Effects& effects);

  /// How a peer's record came, up to which stamp it may be taken, and from whom it came.
  struct Terms {
    Change::Cause cause = Change::Cause::exchange;
    Stamp newest_allowed{UINT64_MAX};
    Instance from{};
  };

  /// True if there is a record under `key`, a tombstone or a damaged one included.
  [[nodiscard]] bool holds(Key key) const;

  /// A peer's record: merged against what is held, unless K covers it. Its bytes stay alive as a
  /// command's do.
  Taken take(const PeerRecord& theirs, const Terms& terms, Effects& effects);

  /// The same for a record whose bytes nobody else keeps.
  Taken take_kept(const PeerRecord& theirs, const Terms& terms, Effects& effects);

  /// Ties that take() has met since this was last asked.
  std::vector<TieMet> take_ties() { return std::exchange(ties_met_, {}); }

  /// The outcome of a ballot: the winner with its verdict; gets a dot of this node. Dropped if what
  /// is held is newer. Its `replaced` names the versions that were tied.
  void settle(const PeerRecord& winner, Effects& effects);

  /// Drops a tombstone that every member has seen. False if something else is held, or if it is
  /// not durable yet.
  bool collect(const PeerItem& tombstone, Effects& effects);

  /// A complete exchange with `terms.from`: what its state reflected at the start (`theirs`) this
  /// state reflects too, but for tied versions; and what the exchange found dead goes in the same
  /// batch, if it is still held: from now on K refuses the older versions that it held off until
  /// now. A live one goes to lost+found. May be repeated, with more of the dead.
  ///
  /// Nothing is joined while a version that this peer offered waits for its time: its K may cover
  /// older versions of that path, which are not here either. Nor while damage that was found is not
  /// durably dealt with. Then nothing is dropped either. False if anything was held back from K.
  bool join(const Knowledge& theirs, std::span<const PeerItem> dead, const Terms& terms,
            Effects& effects);

  /// Changes when exchanges that began before must not end: what they found is void.
  [[nodiscard]] std::uint64_t era() const { return era_; }

  /// True once after more was unsettled than is remembered, as soon as that is over: exchanges that
  /// began before must not end, for what they brought was not remembered.
  [[nodiscard]] bool take_overflow_end() {
    return unsettled_.empty() && std::exchange(unsettled_overflow_, false);
  }

  /// A stamp seen elsewhere: later ones of this node will be larger. Before a join the largest one
  /// that the peer has met, because K may cover what was forgotten there.
  void observe(Stamp seen) { stamper_.observe(seen); }

  /// Records were lost: without K the node claims to know nothing, so nobody takes what is missing
  /// here for deleted, and everything is fetched again. `damaged` names the record, if it is known:
  /// what takes its place need not empty K once more.
  void forget_knowledge(std::string_view damaged = {});

  /// The fingerprint of all committed records has been counted, while no batch is under way. False
  /// if it differs from what was kept: damage.
  bool counted(const Fingerprint& root);

  /// Ends the open batch: adds the K and the clock reserve that its writes need. Call once a batch,
  /// last.
  void close_batch(Effects& effects);

  /// The oldest closed batch is durable: what it changed, in order.
  std::vector<Change> committed();

  /// How that batch has changed the durable K.
  std::vector<KnowledgeWrite> take_committed_knowledge() {
    return std::exchange(committed_knowledge_, {});
  }

  /// How often K was emptied.
  [[nodiscard]] std::uint64_t emptied() const { return emptied_; }

  /// The oldest closed batch failed. All that was decided since is void; the dots given are never
  /// used again, because some of them may reach the disk after all.
  void commit_failed();

  [[nodiscard]] const Knowledge& knowledge() const { return knowledge_; }

  /// The K of committed state: what peers are told.
  [[nodiscard]] const Knowledge& durable_knowledge() const { return durable_; }

  /// Its hash.
  [[nodiscard]] std::uint64_t durable_hash() const { return durable_figures().hash; }

  /// True if it has gaps: some write is missing here, and a later one of its origin is not.
  [[nodiscard]] bool durable_gaps() const { return durable_figures().gaps; }

  /// This run's origin and its last durable write; 0 before the first.
  [[nodiscard]] Dot last_durable_dot() const;

  [[nodiscard]] Stamp last_stamp() const { return stamper_.last(); }

  /// True while a closed batch is neither durable nor failed.
  [[nodiscard]] bool committing() const { return !closed_.empty(); }

  /// True if the open batch has something to store.
  [[nodiscard]] bool dirty() const {
    return forgetting_ || !changed_.empty() || !open_changes_.empty() || freed_;
  }

  /// How many changes the open batch has made so far.
  [[nodiscard]] std::size_t open_changes() const { return open_changes_.size(); }

  [[nodiscard]] ReplicaStats stats() const;

 private:
  /// A version that was offered under a path, and why it was not taken.
  struct Offered {
    Version version;
    Taken why{};
    std::vector<Instance> by;  // whose K may cover what it replaced there
  };

  using Unsettled = std::map<std::pair<std::string, Dot>, Offered>;

  struct ClosedBatch {
    std::vector<KnowledgeWrite> knowledge;
    std::vector<Change> changes;
    std::optional<Fingerprint> root;
    Unsettled settled;
    std::optional<ExpiryPlace> first_expiry;  // of what it stores
    bool forgets = false;                     // K was emptied while it was open
  };

  struct StoredRecord {
    Key key;
    RecordView record;
    const std::optional<RecordHeader>& before;
    Change::Cause cause;
    bool over_damage = false;
    std::span<const Dot> replaced;
  };

  /// What follows from a K, and is asked for oftener than it changes.
  struct KnowledgeFigures {
    std::uint64_t hash = 0;
    bool gaps = false;
  };

  [[nodiscard]] const KnowledgeFigures& durable_figures() const;

  /// What is held under a key, newest first: pending, then stored.
  Result<std::optional<RecordHeader>> held(Key key) const;

  /// A decision, and what it rests on.
  struct Decision {
    WriteStatus status{};
    std::optional<RecordHeader> held;
    bool over_damage = false;
  };

  Decision decide(const WriteCommand& command, Effects& effects);
  WriteOutcome accept(WallTime wall, const WriteCommand& command, const Decision& decision,
                      Effects& effects);
  Dot next_dot(Effects& effects);
  bool know(Dot dot);
  std::vector<Dot> know_all(std::span<const Dot> dots);
  void learn(const PeerRecord& theirs, Change::Cause cause);
  void store_record(const StoredRecord& stored, Effects& effects);
  bool index_expiry(const std::optional<RecordHeader>& before, const RecordHeader& header,
                    Effects& effects);
  void drop(const PeerItem& dead, Effects& effects);
  bool remove(const PeerItem& dead, RecordWrite::Kind kind, Effects& effects);
  bool remember_unsettled(const PeerRecord& theirs, Taken why, Instance from);
  [[nodiscard]] bool is_over(std::string_view path, const Offered& offered) const;
  void forget_beaten();
  [[nodiscard]] bool waits_for(const Terms& terms);
  [[nodiscard]] bool is_forgetting() const;
  void forget_offers();
  [[nodiscard]] Knowledge tied_dots(const Knowledge& theirs) const;
  std::vector<Dot> forget_unsettled(std::string_view path, const Version& now_held);
  void recount(const std::optional<RecordHeader>& before, const std::optional<RecordHeader>& after,
               std::string_view path);
  void note_damage();

  const StoreView& store_;
  Prng& prng_;
  Stamper stamper_;
  std::optional<Origin> origin_;  // taken at the first write
  Knowledge knowledge_;           // covers what is pending too
  Knowledge durable_;             // what the disk has, to return to when a batch fails
  mutable std::optional<KnowledgeFigures> durable_figures_;  // nothing: it has changed since
  std::set<Origin> changed_;         // origins whose knowledge the open batch changed
  std::set<Origin> forgotten_;       // by forget_knowledge
  std::set<Origin> unforgotten_;     // of those or of a failed batch: the disk may have another K
  std::optional<Fingerprint> root_;  // pending writes included; nothing: not known
  std::optional<Fingerprint> durable_root_;  // what the disk has
  std::vector<Change> open_changes_;         // of the open batch
  std::deque<ClosedBatch> closed_;
  Pending pending_;
  Unsettled unsettled_;  // neither taken nor beaten
  Unsettled settled_;    // by the open batch
  bool unsettled_overflow_ = false;
  bool forgetting_ = false;                  // K was emptied while the open batch was
  bool freed_ = false;                       // the open batch frees values
  std::optional<ExpiryPlace> first_expiry_;  // of what the open batch stores
  WallTime expiry_clock_;
  ExpiryPlace expiries_told_;
  std::set<std::string, std::less<>> given_up_;  // damaged records that K does not cover any more
  std::uint64_t era_ = 0;
  std::uint64_t emptied_ = 0;
  std::vector<KnowledgeWrite> committed_knowledge_;
  std::vector<TieMet> ties_met_;
  ReplicaStats stats_;
};

}  // namespace kvs
