// What this node holds, range by range: fingerprints of all records in path order, for range-based
// set reconciliation (Meyer 2022, arXiv:2212.13567).
//
// Sums are kept for blocks of about 128 records (core/block_index) and follow every durable write;
// single records are read from the store where a range ends within a block. After a start the sums
// are built by one scan in slices. Invariant, whenever every closed batch has been applied: the sum
// of a block is that of its records in the store, except for records found damaged, which count as
// absent. Between the commit of a batch and apply() a range that ends within a block may be off by
// that batch: reconciliation bears it, because a range that seems to differ is looked at again
// record by record, and a write that one of two equal sums misses is on its way in a push. The
// thread that runs the node owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/block_index.h"
#include "core/change.h"
#include "core/fingerprint.h"
#include "core/key.h"
#include "core/knowledge.h"
#include "core/store_view.h"

namespace kvs {

/// A part of a range, from the end of the part before it (the first one's is the range's begin).
struct RangePart {
  std::string end;  // not part of it; empty: to the end of all paths
  Fingerprint fingerprint;

  bool operator==(const RangePart&) const = default;
};

/// Counters since the start.
struct FingerprintTreeStats {
  std::uint64_t damaged = 0;        // records found to be unreadable, and left out
  std::uint64_t corrected = 0;      // blocks whose sum was not that of their records
  std::uint64_t splits_failed = 0;  // large blocks that could not be read, and stayed large
  std::uint64_t unknown = 0;        // changes away from a record that was not counted
  std::uint64_t uncovered = 0;      // records met in the last building that K did not cover
};

class FingerprintTree {
 public:
  /// `store` outlives the tree. Nothing is built yet.
  explicit FingerprintTree(const StoreView& store, const BlockLimits& limits = {});

  /// The changes of a batch, which is durable: the store shows the state after it, and after no
  /// later one. What lies beyond the part that is built is left to build_some. Blocks that grew
  /// large are read and split; from then on they count what was read (see recount).
  void apply(std::span<const Change> batch);

  /// Reads up to `records_max` further records, more than 0. Call it only while every closed batch
  /// has been applied. Damaged records are left out and counted: whoever finds stats().damaged
  /// raised has lost them and must not go on claiming to know them. Errors: the store's; call again
  /// later.
  Result<void> build_some(std::size_t records_max);

  /// True as soon as the whole store is covered.
  [[nodiscard]] bool built() const { return built_; }

  /// Building shall look whether this K covers what it meets. It outlives the tree.
  void hold_against(const Knowledge& known) { known_ = &known; }

  /// Forgets everything; building begins again.
  void rebuild();

  /// Sums up the records around `path` anew: after a damaged record was found or replaced there,
  /// whose fingerprint nobody could take away. Damaged records are left out, as in build_some.
  /// Call it only while every closed batch has been applied. Errors: the store's; nothing has
  /// changed then.
  Result<void> recount(std::string_view path);

  /// Of all records (until built(): of those covered so far).
  [[nodiscard]] const Fingerprint& root() const { return index_.total(); }

  /// Of the records in a range of paths, tombstones included. Reads the records of two blocks at
  /// most. Errors: syncing until built(); the store's.
  [[nodiscard]] Result<Fingerprint> of_range(const KeyRange& range) const;

  /// Cuts a range into at most `parts` (more than 0) parts of about equal counts. One part only if
  /// it holds at most one record or `parts` is 1; otherwise none is empty. Wide ranges are cut
  /// between blocks, and the records of two are read at most; narrow ones are cut to the record,
  /// and those of four are read. Errors: syncing until built(); the store's.
  [[nodiscard]] Result<std::vector<RangePart>> split(const KeyRange& range,
                                                     std::size_t parts) const;

  [[nodiscard]] std::size_t blocks() const { return index_.size(); }

  /// About what the tree has allocated.
  [[nodiscard]] std::size_t memory_bytes() const { return index_.memory_bytes(); }

  [[nodiscard]] const FingerprintTreeStats& stats() const { return stats_; }

 private:
  using Spot = BlockIndex::Spot;

  [[nodiscard]] bool covers(std::string_view path) const { return built_ || path < position_; }

  [[nodiscard]] KeyRange range_of(Spot spot) const;
  [[nodiscard]] Result<Fingerprint> sum_within(Spot spot, const KeyRange& range) const;
  [[nodiscard]] bool spans_few_blocks(Spot first, Spot last) const;
  [[nodiscard]] Result<std::vector<RangePart>> split_between_blocks(const KeyRange& range,
                                                                    std::size_t parts) const;
  [[nodiscard]] Result<std::vector<RangePart>> split_between_records(const KeyRange& range,
                                                                     std::size_t parts) const;
  void count(const Change& change);
  void count_next(std::string_view path, const Fingerprint& fingerprint);
  void even_out(std::string_view path);

  /// Takes what the store holds for the sum of a block, and splits it if it is large.
  Result<void> reread(Spot spot);

  const StoreView& store_;
  const Knowledge* known_ = nullptr;
  BlockIndex index_;
  std::string position_;  // until built: paths below it are covered
  bool built_ = false;
  std::vector<std::string> uneven_;  // paths in blocks that this batch made too large or too small
  FingerprintTreeStats stats_;
};

}  // namespace kvs
