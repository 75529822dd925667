// What one side of a reconciliation says about a range of paths that differs: fingerprints of parts
// if it holds many items there (Meyer 2022, arXiv:2212.13567; negentropy's branching), else the
// items.
//
// Most items of a small range that differs are the same on both sides, and an item takes some 40
// bytes. So the side that asks names its own by short hashes, and the answer tells only what they
// do not name, and which of them name nothing there. Short hashes may collide: the answer carries
// the fingerprint of all that the answerer holds in the range, and the asker believes it only if
// its own items, corrected by the answer, have that very fingerprint. Otherwise the range is asked
// for again without hashes.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/fingerprint_tree.h"
#include "core/key.h"
#include "core/peer_message.h"
#include "core/store_view.h"

namespace kvs {

/// A range with at most so many items is listed.
inline constexpr std::uint64_t kListedItemsMax = 32;

/// A wider one is cut into so many parts.
inline constexpr std::size_t kRangeParts = 16;

/// The asker names its items in a range with at most so many. Cut into parts it would take as much
/// to find one difference among about 200.
inline constexpr std::uint64_t kHashedItemsMax = 128;

/// Sizes from which on a message takes no further range. The rest of a question, and a last range
/// of long paths, still fit into a frame beside such an answer.
inline constexpr std::size_t kQuestionBytesMax = std::size_t{1} << 20U;
inline constexpr std::size_t kReportBytesMax = std::size_t{2} << 20U;

/// Records that were found damaged, and for which K has been given up already: they count as
/// absent.
using DamagedPaths = std::set<std::string, std::less<>>;

/// How much is said at once; see the constants above.
struct RangeLimits {
  std::uint64_t listed_items_max = kListedItemsMax;
  std::size_t parts = kRangeParts;                   // at least 2
  std::uint64_t hashed_items_max = kHashedItemsMax;  // not below listed_items_max
  std::size_t question_bytes_max = kQuestionBytesMax;
  std::size_t report_bytes_max = kReportBytesMax;
};

/// Where a report takes what it says from.
struct RangeSource {
  const FingerprintTree& tree;
  const StoreView& store;
  const DamagedPaths& damaged;
  RangeLimits limits = {};
};

/// Everything held in a range, tombstones included, in path order. Errors: corrupt_data, naming the
/// path, if a record is damaged that `damaged` does not name; io_error.
[[nodiscard]] Result<std::vector<PeerItem>> items_in(const RangeSource& source,
                                                     const KeyRange& range);

/// The same if there are no more than `items_max`, else nothing, after as many were read.
[[nodiscard]] Result<std::optional<std::vector<PeerItem>>> few_items_in(const RangeSource& source,
                                                                        const KeyRange& range,
                                                                        std::size_t items_max);

/// The sum of the fingerprints of these items.
[[nodiscard]] Fingerprint fingerprint_of(const std::vector<PeerItem>& items);

/// About what the ranges of one message take. Paths share their beginnings with those before them
/// on the wire, but are counted whole against what a frame may unfold to, 8 times its size.
class ReportSize {
 public:
  void add(const PathRange& range);

  /// True if the ranges take more than `bytes` on the wire, or more than 8 times as much unfolded.
  [[nodiscard]] bool exceeds(std::size_t bytes) const;

  [[nodiscard]] std::size_t wire_bytes() const { return wire_; }

 private:
  void add_path(std::string_view path);

  std::size_t wire_ = 0;
  std::size_t memory_ = 0;
  std::string path_before_;
  Origin origin_before_{};
};

/// Appends what this side says about `range`. Errors: syncing while fingerprints are being built;
/// those of items_in.
Result<void> report_range(const RangeSource& source, const KeyRange& range,
                          std::vector<PathRange>& out);

/// The answer to a peer's question: `skip` for what is equal, one for neighbours together. Once it
/// is full it tells only fingerprints: earlier nodes take an answer for nonsense that leaves any of
/// the question out. A range that was asked by hashes ends it instead. Errors: those of
/// report_range.
[[nodiscard]] Result<Compared> answer_compare(const RangeSource& source, const Compare& asked);

}  // namespace kvs
