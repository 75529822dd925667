// What this node holds, as peers are told: fingerprints, journal, digest. All of it is of committed
// state.
//
// After a start the fingerprints are counted in slices; when they are there, they are compared with
// the one that was stored last, because a difference means that records were lost or altered. Any
// damage empties K (nobody may take what is missing here for deleted) and begins a new run of
// exchanges: those under way end.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "core/change.h"
#include "core/fingerprint_tree.h"
#include "core/journal.h"
#include "core/member.h"
#include "core/range_report.h"
#include "core/replica.h"

namespace kvs {

struct HoldingsOptions {
  JournalOptions journal;
  BlockLimits blocks;
  RangeLimits ranges;
};

class Holdings {
 public:
  /// All but the options outlive it.
  Holdings(Replica& replica, const StoreView& store, Prng& prng,
           const HoldingsOptions& options = {});

  /// The changes of a batch that has become durable. Call it for every batch, in order, at once.
  void apply(std::span<const Change> batch);

  /// Goes on counting, if there is something to count and no batch is under way.
  void count_some();

  /// True if count_some() would do something.
  [[nodiscard]] bool wants_to_count() const;

  /// A record, or the whole (no path), turned out to be damaged. True if that is news.
  bool found_damage(std::string_view path);

  /// What found_damage() took for news since this was last asked, wherever it was met.
  std::vector<std::string> take_found() { return std::exchange(found_, {}); }

  /// Counts everything anew, to see whether records were lost unnoticed.
  void recount();

  [[nodiscard]] StateDigest digest() const;

  /// Names the exchanges that may go on: changes with every start and every damage found.
  [[nodiscard]] std::uint64_t run() const { return run_ + replica_.era(); }

  [[nodiscard]] RangeSource source() const {
    return {.tree = tree_, .store = store_, .damaged = damaged_, .limits = ranges_};
  }

  [[nodiscard]] const FingerprintTree& tree() const { return tree_; }

  [[nodiscard]] const Journal& journal() const { return journal_; }

  [[nodiscard]] const StoreView& store() const { return store_; }

  /// False while the first fill of this folder from the cluster is not durable: what is absent
  /// here may exist.
  [[nodiscard]] bool complete() const { return complete_; }

  void set_complete(bool complete) { complete_ = complete; }

  /// True if K is known to cover every record held: it was found to after K was last emptied.
  [[nodiscard]] bool whole() const {
    return tree_.built() && tree_.stats().uncovered == 0 && counted_after_ == replica_.emptied();
  }

  /// Damaged records found since the start.
  [[nodiscard]] std::uint64_t damage_count() const { return damage_count_; }

 private:
  void leave_out_suspects();

  Replica& replica_;
  const StoreView& store_;
  Prng& prng_;
  FingerprintTree tree_;
  Journal journal_;
  RangeLimits ranges_;
  DamagedPaths damaged_;
  std::vector<std::string> suspects_;  // damaged, and still among the sums
  std::vector<std::string> found_;     // and not yet told
  std::uint64_t damage_count_ = 0;
  std::uint64_t run_;
  bool complete_ = false;
  std::uint64_t counted_after_ = 0;  // Replica::emptied() when the count began
  bool checked_ = false;             // the count was compared with what was stored
};

}  // namespace kvs
