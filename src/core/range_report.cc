#include "core/range_report.h"

#include <utility>

#include "base/probe.h"

namespace kvs {

namespace {

constexpr std::size_t kFingerprintBytes = 20;
constexpr std::size_t kItemBytes = 50;

bool within(std::string_view path, const KeyRange& range) {
  return range.end.empty() || path < range.end;
}

PathRange fingerprint_range(std::string end, const Fingerprint& fingerprint) {
  return {.end = std::move(end),
          .kind = PathRange::Kind::fingerprint,
          .fingerprint = fingerprint,
          .items = {}};
}

}  // namespace

Result<std::vector<PeerItem>> items_in(const RangeSource& source, const KeyRange& range) {
  std::vector<PeerItem> items;
  const auto cursor = source.store.cursor();
  for (cursor->seek(range.begin); cursor->valid(); cursor->next()) {
    const std::string_view path = cursor->key().text();
    if (!within(path, range)) {
      return items;
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
  return items;
}

std::size_t wire_bytes(const PathRange& range) {
  std::size_t bytes = kFingerprintBytes + range.end.size();
  for (const PeerItem& item : range.items) {
    bytes += kItemBytes + item.path.size();
  }
  return bytes;
}

Result<void> report_range(const RangeSource& source, const KeyRange& range,
                          std::vector<PathRange>& out) {
  const Fingerprint whole = KVS_TRY(source.tree.of_range(range));
  if (whole.count <= kListedItemsMax) {
    auto items = KVS_TRY(items_in(source, range));
    out.push_back({.end = range.end,
                   .kind = PathRange::Kind::items,
                   .fingerprint = {},
                   .items = std::move(items)});
    return {};
  }
  for (RangePart& part : KVS_TRY(source.tree.split(range, kRangeParts))) {
    out.push_back(fingerprint_range(std::move(part.end), part.fingerprint));
  }
  return {};
}

Result<Compared> answer_compare(const RangeSource& source, const Compare& asked) {
  Compared answer{.begin = asked.begin, .ranges = {}};
  std::string begin = asked.begin;
  std::size_t bytes = 0;
  for (const PathRange& theirs : asked.ranges) {
    const KeyRange range{.begin = std::exchange(begin, theirs.end), .end = theirs.end};
    const std::size_t first = answer.ranges.size();
    const Fingerprint mine = theirs.kind == PathRange::Kind::skip
                                 ? theirs.fingerprint
                                 : KVS_TRY(source.tree.of_range(range));
    if (theirs.kind == PathRange::Kind::skip || mine == theirs.fingerprint) {
      answer.ranges.push_back({.end = range.end, .kind = PathRange::Kind::skip});
    } else if (bytes > kReportBytesMax) {
      KVS_PROBE("range_report: an answer was full");
      answer.ranges.push_back(fingerprint_range(range.end, mine));
    } else {
      KVS_TRY(report_range(source, range, answer.ranges));
    }
    for (std::size_t i = first; i < answer.ranges.size(); ++i) {
      bytes += wire_bytes(answer.ranges[i]);
    }
  }
  return answer;
}

}  // namespace kvs
