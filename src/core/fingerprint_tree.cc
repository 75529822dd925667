#include "core/fingerprint_tree.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/probe.h"

namespace kvs {

namespace {

/// A range that touches no more blocks than this is cut to the record.
constexpr std::size_t kFewBlocks = 4;

bool is_before(std::string_view path, std::string_view end) {
  return end.empty() || path < end;
}

bool is_empty(const KeyRange& range) {
  return !is_before(range.begin, range.end);
}

/// The smaller of two ends.
const std::string& smaller_end(const std::string& a, const std::string& b) {
  return is_before(a, b) && !a.empty() ? a : b;
}

/// Shows each readable record of a range to `visit`; gives the number of damaged ones.
template <class Visit>
Result<std::size_t> scan(const StoreView& store, const KeyRange& range, const Visit& visit) {
  std::size_t damaged = 0;
  const auto cursor = store.cursor();
  for (cursor->seek(range.begin); cursor->valid(); cursor->next()) {
    const std::string_view path = cursor->key().text();
    if (!is_before(path, range.end)) {
      return damaged;
    }
    if (const auto record = cursor->record()) {
      visit(path, fingerprint_of(path, record->header));
    } else {
      ++damaged;
    }
  }
  KVS_TRY(cursor->status());
  return damaged;
}

/// Cuts a sequence of units (blocks or records) with a known total into parts of about equal
/// counts. Each cut stands before a unit, and neither side of it is empty.
class Cutter {
 public:
  Cutter(std::uint64_t total, std::size_t parts) : rest_(total), parts_left_(parts) { set_goal(); }

  /// True if a part should end before the next unit.
  [[nodiscard]] bool due() const {
    return open_.count >= goal_ && parts_left_ > 1 && rest_ > open_.count;
  }

  void cut(std::string_view end) {
    rest_ -= open_.count;
    --parts_left_;
    parts_.push_back({.end = std::string(end), .fingerprint = std::exchange(open_, {})});
    set_goal();
  }

  void add(const Fingerprint& unit) { open_.add(unit); }

  /// How many records the open part lacks.
  [[nodiscard]] std::uint64_t missing() const {
    return open_.count < goal_ ? goal_ - open_.count : BlockIndex::kAll;
  }

  std::vector<RangePart> finish(std::string_view end) {
    parts_.push_back({.end = std::string(end), .fingerprint = open_});
    return std::move(parts_);
  }

 private:
  void set_goal() { goal_ = std::max<std::uint64_t>(1, (rest_ + parts_left_ - 1) / parts_left_); }

  std::vector<RangePart> parts_;
  Fingerprint open_;
  std::uint64_t rest_ = 0;  // records from the begin of the open part on
  std::size_t parts_left_ = 0;
  std::uint64_t goal_ = 0;
};

}  // namespace

FingerprintTree::FingerprintTree(const StoreView& store, const BlockLimits& limits)
    : store_(store), index_(limits) {}

void FingerprintTree::rebuild() {
  index_.clear();
  position_.clear();
  built_ = false;
  stats_.uncovered = 0;
}

// --- following writes

void FingerprintTree::apply(std::span<const Change> batch) {
  for (const Change& change : batch) {
    if (covers(change.path) && !change.learnt) {
      count(change);
    }
  }
  // Not sooner: the store shows all changes of the batch, and now the sums do.
  for (const std::string& path : uneven_) {
    even_out(path);
  }
  uneven_.clear();
}

void FingerprintTree::count(const Change& change) {
  const Spot spot = index_.find(change.path);
  const Block& block = index_.at(spot);
  Fingerprint difference;
  if (change.after) {
    difference.add(fingerprint_of(change.path, *change.after));
  }
  if (change.before && block.sum.count == 0) {
    KVS_PROBE("fingerprint tree: a change away from a record that was not counted");
    ++stats_.unknown;
  } else if (change.before) {
    difference.remove(fingerprint_of(change.path, *change.before));
  }
  index_.add(spot, difference);
  const bool shrank = change.before && !change.after;
  if (block.sum.count > block.split_above || (shrank && block.sum.count < index_.limits().min())) {
    uneven_.push_back(change.path);
  }
}

void FingerprintTree::even_out(std::string_view path) {
  const Spot spot = index_.find(path);
  const Block& block = index_.at(spot);
  if (block.sum.count <= block.split_above) {
    index_.join_small(path);
  } else if (!reread(spot)) {
    KVS_PROBE("fingerprint tree: a large block could not be read");
    ++stats_.splits_failed;
    index_.postpone_split(spot);
  }
}

Result<void> FingerprintTree::reread(Spot spot) {
  const Fingerprint sum = index_.at(spot).sum;
  const BlockLimits& limits = index_.limits();
  const std::uint64_t parts = sum.count / limits.fill;
  const std::uint64_t goal =
      sum.count > limits.max ? (sum.count + parts - 1) / parts : BlockIndex::kAll;
  std::vector<Block> pieces{{.begin = {}, .sum = {}, .split_above = limits.max}};
  Fingerprint difference;
  std::string previous;
  const auto add = [&](std::string_view path, const Fingerprint& record) {
    if (pieces.back().sum.count == goal) {
      pieces.push_back(
          {.begin = std::string(separator(previous, path)), .sum = {}, .split_above = limits.max});
    }
    pieces.back().sum.add(record);
    difference.add(record);
    previous = path;
  };
  const std::size_t damaged = KVS_TRY(scan(store_, range_of(spot), add));
  difference.remove(sum);
  if (difference != Fingerprint{}) {
    KVS_PROBE("fingerprint tree: a sum was corrected");
    ++stats_.corrected;
    stats_.damaged += damaged;  // else they were left out before
    index_.add(spot, difference);
  }
  index_.replace(spot, std::move(pieces));
  return {};
}

// --- building

Result<void> FingerprintTree::build_some(std::size_t records_max) {
  if (built_) {
    return {};
  }
  const auto cursor = store_.cursor();
  cursor->seek(position_);
  for (std::size_t n = 0; n < records_max && cursor->valid(); ++n, cursor->next()) {
    const std::string_view path = cursor->key().text();
    if (const auto record = cursor->record()) {
      count_next(path, fingerprint_of(path, record->header));
      const bool covered = known_ == nullptr || known_->covers(record->header.version.dot);
      stats_.uncovered += covered ? 0U : 1U;
    } else {
      KVS_PROBE("fingerprint tree: a damaged record met in building");
      ++stats_.damaged;
    }
    position_.assign(path).push_back('\0');  // the smallest text above the path
  }
  KVS_TRY(cursor->status());
  built_ = !cursor->valid();
  return {};
}

void FingerprintTree::count_next(std::string_view path, const Fingerprint& fingerprint) {
  if (index_.at(index_.last()).sum.count >= index_.limits().fill) {
    index_.append(separator(position_, path));
  }
  index_.add(index_.last(), fingerprint);
}

Result<void> FingerprintTree::recount(std::string_view path) {
  if (!covers(path)) {
    return {};
  }
  KVS_TRY(reread(index_.find(path)));
  index_.join_small(path);
  return {};
}

// --- ranges

KeyRange FingerprintTree::range_of(Spot spot) const {
  const bool open = !built_ && spot == index_.last();
  return {.begin = index_.at(spot).begin,
          .end = open ? position_ : std::string(index_.end_of(spot))};
}

Result<Fingerprint> FingerprintTree::sum_within(Spot spot, const KeyRange& range) const {
  const KeyRange block = range_of(spot);
  const KeyRange common{.begin = std::max(block.begin, range.begin),
                        .end = smaller_end(block.end, range.end)};
  if (common.begin == block.begin && common.end == block.end) {
    return index_.at(spot).sum;
  }
  Fingerprint sum;
  const auto add = [&](std::string_view, const Fingerprint& record) {
    sum.add(record);
  };
  static_cast<void>(KVS_TRY(scan(store_, common, add)));
  return sum;
}

Result<Fingerprint> FingerprintTree::of_range(const KeyRange& range) const {
  if (!built_) {
    return fail(Errc::syncing, "fingerprints are still being built");
  }
  if (is_empty(range)) {
    return Fingerprint{};
  }
  const Spot first = index_.find(range.begin);
  const Spot last = index_.find_before(range.end);
  Fingerprint sum = KVS_TRY(sum_within(first, range));
  if (first != last) {
    sum.add(index_.take(index_.next(first), last, BlockIndex::kAll).sum);
    sum.add(KVS_TRY(sum_within(last, range)));
  }
  return sum;
}

Result<std::vector<RangePart>> FingerprintTree::split(const KeyRange& range,
                                                      std::size_t parts) const {
  KVS_CHECK(parts > 0, "a range cannot be cut into no parts");
  if (!built_) {
    return fail(Errc::syncing, "fingerprints are still being built");
  }
  if (is_empty(range)) {
    return std::vector{RangePart{.end = range.end, .fingerprint = {}}};
  }
  if (spans_few_blocks(index_.find(range.begin), index_.find_before(range.end))) {
    return split_between_records(range, parts);
  }
  auto cut = KVS_TRY(split_between_blocks(range, parts));
  if (cut.size() == 1 && parts > 1 && cut.front().fingerprint.count > 1) {
    KVS_PROBE("fingerprint tree: all records of a wide range in one block");
    return split_between_records(range, parts);
  }
  return cut;
}

bool FingerprintTree::spans_few_blocks(Spot first, Spot last) const {
  for (std::size_t n = 1; n < kFewBlocks && first != last; ++n) {
    first = index_.next(first);
  }
  return first == last;
}

Result<std::vector<RangePart>> FingerprintTree::split_between_blocks(const KeyRange& range,
                                                                     std::size_t parts) const {
  const Spot first = index_.find(range.begin);
  const Spot last = index_.find_before(range.end);
  const Fingerprint head = KVS_TRY(sum_within(first, range));
  const Fingerprint tail = KVS_TRY(sum_within(last, range));
  Spot next = index_.next(first);
  const Fingerprint middle = index_.take(next, last, BlockIndex::kAll).sum;
  Cutter cutter(head.count + middle.count + tail.count, parts);
  cutter.add(head);
  while (next != last) {
    if (cutter.due()) {
      cutter.cut(index_.at(next).begin);
    }
    const auto stretch = index_.take(next, last, cutter.missing());
    cutter.add(stretch.sum);
    next = stretch.next;
  }
  if (cutter.due()) {
    cutter.cut(index_.at(last).begin);
  }
  cutter.add(tail);
  return cutter.finish(range.end);
}

Result<std::vector<RangePart>> FingerprintTree::split_between_records(const KeyRange& range,
                                                                      std::size_t parts) const {
  std::vector<std::pair<std::string, Fingerprint>> records;
  const auto add = [&](std::string_view path, const Fingerprint& fingerprint) {
    records.emplace_back(path, fingerprint);
  };
  static_cast<void>(KVS_TRY(scan(store_, range, add)));
  Cutter cutter(records.size(), parts);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (cutter.due()) {
      cutter.cut(separator(records[i - 1].first, records[i].first));
    }
    cutter.add(records[i].second);
  }
  return cutter.finish(range.end);
}

}  // namespace kvs
