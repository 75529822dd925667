#include "core/range_report.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/probe.h"

namespace kvs {

namespace {

// What stands on the wire beside paths and hashes, about.
constexpr std::size_t kRangeBytes = 1;
constexpr std::size_t kPathBytes = 2;
constexpr std::size_t kFingerprintBytes = 18;
constexpr std::size_t kItemBytes = 29;
constexpr std::size_t kOriginBytes = 8;  // where it is not that of the item before
constexpr std::size_t kVerdictBytes = 16;
constexpr std::size_t kExpiryBytes = 6;

constexpr std::size_t kUnfoldedMax = 8;

bool within(std::string_view path, const KeyRange& range) {
  return range.end.empty() || path < range.end;
}

std::size_t common_prefix(std::string_view mine, std::string_view theirs) {
  return static_cast<std::size_t>(std::ranges::mismatch(mine, theirs).in1 - mine.begin());
}

/// What both need not speak of; joined with such a range before it.
void append_skip(std::string end, std::vector<PathRange>& out) {
  if (!out.empty() && out.back().kind == PathRange::Kind::skip) {
    out.back().end = std::move(end);
  } else {
    out.push_back({.end = std::move(end), .kind = PathRange::Kind::skip});
  }
}

std::vector<ShortHash> sorted(std::vector<ShortHash> hashes) {
  std::ranges::sort(hashes);
  return hashes;
}

/// What a side that holds `mine` answers to one that named its items by `theirs`.
PathRange difference(std::string end, std::vector<PeerItem> mine,
                     const std::vector<ShortHash>& theirs) {
  PathRange range{.end = std::move(end), .kind = PathRange::Kind::difference};
  const std::vector<ShortHash> named = sorted(theirs);
  std::vector<ShortHash> held;
  for (PeerItem& item : mine) {
    const Fingerprint fingerprint = fingerprint_of(item.path, item.header);
    range.fingerprint.add(fingerprint);
    held.push_back(short_hash(fingerprint));
    if (!std::ranges::binary_search(named, held.back())) {
      range.items.push_back(std::move(item));
    }
  }
  std::ranges::set_difference(named, sorted(std::move(held)), std::back_inserter(range.hashes));
  return range;
}

Result<void> answer_range(const RangeSource& source, const KeyRange& range, const PathRange& theirs,
                          std::vector<PathRange>& out) {
  if (theirs.kind == PathRange::Kind::skip) {
    append_skip(range.end, out);
    return {};
  }
  const std::size_t items_max = source.limits.hashed_items_max + source.limits.listed_items_max;
  if (theirs.kind == PathRange::Kind::hashes && source.tree.built()) {
    auto items = KVS_TRY(few_items_in(source, range, items_max));
    if (items) {
      out.push_back(difference(range.end, *std::move(items), theirs.hashes));
      return {};
    }
  } else if (theirs.kind == PathRange::Kind::fingerprint &&
             KVS_TRY(source.tree.of_range(range)) == theirs.fingerprint) {
    append_skip(range.end, out);
    return {};
  }
  return report_range(source, range, out);
}

/// As much as the asker said about the range, which it asked by a fingerprint.
Result<void> answer_briefly(const RangeSource& source, const KeyRange& range,
                            const PathRange& theirs, std::vector<PathRange>& out) {
  const bool skips = theirs.kind == PathRange::Kind::skip;
  const Fingerprint mine = skips ? Fingerprint{} : KVS_TRY(source.tree.of_range(range));
  if (skips || mine == theirs.fingerprint) {
    append_skip(range.end, out);
  } else {
    out.push_back({.end = range.end, .kind = PathRange::Kind::fingerprint, .fingerprint = mine});
  }
  return {};
}

/// How much of an answer may go into detail: a brief one takes as much as the question, and a frame
/// bears both. Earlier nodes ask more at once.
std::size_t detailed_bytes_max(const RangeLimits& limits, const Compare& asked) {
  ReportSize question;
  for (const PathRange& range : asked.ranges) {
    question.add(range);
  }
  const std::size_t both = limits.question_bytes_max + limits.report_bytes_max;
  return std::min(limits.report_bytes_max, both - std::min(both, question.wire_bytes()));
}

}  // namespace

Result<std::optional<std::vector<PeerItem>>> few_items_in(const RangeSource& source,
                                                          const KeyRange& range,
                                                          std::size_t items_max) {
  std::vector<PeerItem> items;
  const auto cursor = source.store.cursor();
  for (cursor->seek(range.begin); cursor->valid(); cursor->next()) {
    const std::string_view path = cursor->key().text();
    if (!within(path, range)) {
      break;
    }
    if (items.size() == items_max) {
      return std::optional<std::vector<PeerItem>>();
    }
    const auto record = cursor->record();
    if (record) {
      items.push_back({.path = std::string(path), .header = record->header});
    } else if (record.error().code != Errc::corrupt_data) {
      return std::unexpected(record.error());
    } else if (!source.damaged.contains(path)) {
      return fail(Errc::corrupt_data, std::string(path));
    }
  }
  KVS_TRY(cursor->status());
  return std::optional(std::move(items));
}

Result<std::vector<PeerItem>> items_in(const RangeSource& source, const KeyRange& range) {
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  auto items = KVS_TRY(few_items_in(source, range, kAll));
  return std::move(items).value_or(std::vector<PeerItem>());
}

Fingerprint fingerprint_of(const std::vector<PeerItem>& items) {
  Fingerprint sum;
  for (const PeerItem& item : items) {
    sum.add(fingerprint_of(item.path, item.header));
  }
  return sum;
}

void ReportSize::add_path(std::string_view path) {
  wire_ += kPathBytes + path.size() - common_prefix(path, path_before_);
  memory_ += path.size();
  path_before_ = path;
}

void ReportSize::add(const PathRange& range) {
  wire_ += kRangeBytes;
  memory_ += sizeof range;
  add_path(range.end);
  if (range.kind == PathRange::Kind::fingerprint || range.kind == PathRange::Kind::difference) {
    wire_ += kFingerprintBytes;
  }
  wire_ += range.hashes.size() * sizeof(ShortHash);
  memory_ += range.hashes.size() * sizeof(ShortHash);
  for (const PeerItem& item : range.items) {
    const Version& version = item.header.version;
    wire_ += kItemBytes + (version.verdict.given() ? kVerdictBytes : 0);
    wire_ += item.header.expires_ms != 0 ? kExpiryBytes : 0;
    wire_ +=
        std::exchange(origin_before_, version.dot.origin) != version.dot.origin ? kOriginBytes : 0;
    memory_ += sizeof item;
    add_path(item.path);
  }
}

bool ReportSize::exceeds(std::size_t bytes) const {
  return wire_ > bytes || memory_ > kUnfoldedMax * bytes;
}

Result<void> report_range(const RangeSource& source, const KeyRange& range,
                          std::vector<PathRange>& out) {
  const Fingerprint whole = KVS_TRY(source.tree.of_range(range));
  if (whole.count <= source.limits.listed_items_max) {
    auto items = KVS_TRY(items_in(source, range));
    out.push_back({.end = range.end, .kind = PathRange::Kind::items, .items = std::move(items)});
    return {};
  }
  for (RangePart& part : KVS_TRY(source.tree.split(range, source.limits.parts))) {
    out.push_back({.end = std::move(part.end),
                   .kind = PathRange::Kind::fingerprint,
                   .fingerprint = part.fingerprint});
  }
  return {};
}

Result<Compared> answer_compare(const RangeSource& source, const Compare& asked) {
  Compared answer{.begin = asked.begin, .ranges = {}};
  std::string begin = asked.begin;
  const std::size_t bytes_max = detailed_bytes_max(source.limits, asked);
  ReportSize size;
  for (const PathRange& theirs : asked.ranges) {
    const bool full = size.exceeds(bytes_max);
    if (full && theirs.kind == PathRange::Kind::hashes) {
      KVS_PROBE("range_report: an answer was full");
      break;
    }
    const KeyRange range{.begin = std::exchange(begin, theirs.end), .end = theirs.end};
    if (full) {
      KVS_TRY(answer_briefly(source, range, theirs, answer.ranges));
      continue;
    }
    const std::size_t first = answer.ranges.size();
    KVS_TRY(answer_range(source, range, theirs, answer.ranges));
    for (std::size_t i = first; i < answer.ranges.size(); ++i) {
      size.add(answer.ranges[i]);
    }
  }
  return answer;
}

}  // namespace kvs
