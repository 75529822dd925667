// What one side of a reconciliation says about a range of paths that differs: a list of its items
// if there are few, else fingerprints of parts (Meyer 2022, arXiv:2212.13567; negentropy's
// branching).
#pragma once

#include <set>
#include <string>
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

/// Bytes after which a message says no more than a range's own fingerprint.
inline constexpr std::size_t kReportBytesMax = std::size_t{2} << 20U;

/// Records that were found damaged, and for which K has been given up already: they count as
/// absent.
using DamagedPaths = std::set<std::string, std::less<>>;

/// Where a report takes what it says from.
struct RangeSource {
  const FingerprintTree& tree;
  const StoreView& store;
  const DamagedPaths& damaged;
};

/// Everything held in a range, tombstones included, in path order. Errors: corrupt_data, naming the
/// path, if a record is damaged that `damaged` does not name; io_error.
[[nodiscard]] Result<std::vector<PeerItem>> items_in(const RangeSource& source,
                                                     const KeyRange& range);

/// About what a range takes on the wire, in bytes.
[[nodiscard]] std::size_t wire_bytes(const PathRange& range);

/// Appends what this side says about `range`. Errors: syncing while fingerprints are being built;
/// those of items_in.
Result<void> report_range(const RangeSource& source, const KeyRange& range,
                          std::vector<PathRange>& out);

/// The answer to a peer's question: `skip` for what is equal. Errors: those of report_range.
[[nodiscard]] Result<Compared> answer_compare(const RangeSource& source, const Compare& asked);

}  // namespace kvs
