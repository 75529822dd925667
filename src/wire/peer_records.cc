#include "wire/peer_records.h"

#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace kvs {

namespace {

constexpr std::uint8_t kTombstone = 1;
constexpr std::uint8_t kVerdict = 2;
constexpr std::uint8_t kOriginAsBefore = 4;
constexpr std::uint8_t kReplaced = 8;
constexpr std::uint8_t kExpires = 16;
constexpr std::uint8_t kExpired = 32;  // and the value is gone
constexpr std::uint8_t kHeaderFlags = kTombstone | kVerdict | kOriginAsBefore | kExpires | kExpired;

constexpr std::uint64_t kNumberMax = std::numeric_limits<std::uint64_t>::max();

/// What an entry of a std::map takes beside its value.
constexpr std::size_t kMapEntryBytes = 48;

/// `more` are flags of what surrounds the header.
void put_header(PeerWriter& writer, const RecordHeader& header, unsigned more) {
  const Version& version = header.version;
  const bool decided = version.verdict.given();
  const bool repeats = writer.repeats(version.dot.origin);
  const bool expires = header.expires_ms != 0;
  const unsigned flags = (header.kind == RecordKind::tombstone ? kTombstone : 0U) |
                         (header.kind == RecordKind::expired ? kExpired : 0U) |
                         (decided ? kVerdict : 0U) | (repeats ? kOriginAsBefore : 0U) |
                         (expires ? kExpires : 0U) | more;
  writer.put_byte(static_cast<std::uint8_t>(flags));
  writer.put_word(version.stamp.bits);
  writer.put_word(version.uuid.high);
  writer.put_word(version.uuid.low);
  if (!repeats) {
    writer.put_word(version.dot.origin);
  }
  writer.put_number(version.dot.seq);
  if (decided) {
    writer.put_number(version.verdict.votes);
    writer.put_signed(version.verdict.oldest_join_ms);
    writer.put_word(version.verdict.voters_hash);
  }
  if (expires) {
    writer.put_number(static_cast<std::uint64_t>(header.expires_ms));
  }
}

RecordKind kind_of(unsigned flags) {
  return (flags & kTombstone) != 0 ? RecordKind::tombstone
         : (flags & kExpired) != 0 ? RecordKind::expired
                                   : RecordKind::value;
}

Verdict take_verdict(PeerReader& reader) {
  const Verdict verdict{.votes = static_cast<std::uint32_t>(
                            reader.take_number(std::numeric_limits<std::uint32_t>::max())),
                        .oldest_join_ms = reader.take_signed(),
                        .voters_hash = reader.take_word()};
  if (!verdict.given()) {
    reader.refuse("a verdict has no votes");
  }
  return verdict;
}

/// The header after its flags.
RecordHeader take_header(PeerReader& reader, unsigned flags) {
  if ((flags & ~unsigned{kHeaderFlags}) != 0) {
    reader.refuse("a record has unknown flags");
  }
  RecordHeader header;
  Version& version = header.version;
  header.kind = kind_of(flags);
  version.stamp.bits = reader.take_word();
  version.uuid.high = reader.take_word();
  version.uuid.low = reader.take_word();
  version.dot.origin =
      (flags & kOriginAsBefore) != 0 ? reader.origin_before() : reader.take_origin();
  version.dot.seq = reader.take_number();
  if (version.dot.origin == Origin{} || version.dot.seq == 0) {
    reader.refuse("a record is no write of any origin");
  }
  if ((flags & kVerdict) != 0) {
    version.verdict = take_verdict(reader);
  }
  if ((flags & kExpires) != 0) {
    header.expires_ms = static_cast<std::int64_t>(reader.take_number(kExpiresMsMax));
  }
  const bool expires = header.expires_ms != 0;
  if (expires != ((flags & kExpires) != 0) || (expires && header.kind == RecordKind::tombstone) ||
      (!expires && header.kind == RecordKind::expired)) {
    reader.refuse("a record expires in no way that records do");
  }
  return header;
}

/// The stretch of `dots` from `begin` on that has one origin: where it ends.
std::size_t end_of_run(const std::vector<Dot>& dots, std::size_t begin) {
  std::size_t end = begin;
  while (end < dots.size() && dots[end].origin == dots[begin].origin) {
    ++end;
  }
  return end;
}

/// Runs of one origin each, until an empty one: how many dots, the origin, the differences of
/// their seqs, which are mostly one.
void put_dots(PeerWriter& writer, const std::vector<Dot>& dots) {
  for (std::size_t begin = 0; begin < dots.size();) {
    const std::size_t end = end_of_run(dots, begin);
    writer.put_number(end - begin);
    writer.put_word(dots[begin].origin);
    std::uint64_t before = 0;
    for (; begin < end; ++begin) {
      writer.put_signed(static_cast<std::int64_t>(dots[begin].seq - before));
      before = dots[begin].seq;
    }
  }
  writer.put_number(0);
}

std::vector<Dot> take_dots(PeerReader& reader) {
  std::vector<Dot> dots;
  while (const std::size_t count = reader.take_count(1, sizeof(Dot))) {
    const Origin origin{reader.take_word()};
    std::uint64_t seq = 0;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
      seq += static_cast<std::uint64_t>(reader.take_signed());
      dots.push_back({.origin = origin, .seq = seq});
      if (seq == 0 || origin == Origin{}) {
        reader.refuse("a replaced dot is no write of any origin");
      }
    }
  }
  return dots;
}

void put_item(PeerWriter& writer, const PeerItem& item) {
  writer.put_path(item.path);
  put_header(writer, item.header, 0);
}

PeerItem take_item(PeerReader& reader) {
  PeerItem item{.path = reader.take_key(), .header = {}};
  item.header = take_header(reader, reader.take_byte());
  return item;
}

/// The ranges beyond `known.upto`, each as the distance from the end of the one before, less the
/// two that it is at least, and its length, less one.
void put_beyond(PeerWriter& writer, const OriginKnowledge& known) {
  writer.put_number(known.beyond.size());
  std::uint64_t before = known.upto;
  for (const auto& [first, last] : known.beyond) {
    writer.put_number(first - before - 2);
    writer.put_number(last - first);
    before = last;
  }
}

OriginKnowledge take_known(PeerReader& reader) {
  OriginKnowledge known{.upto = reader.take_number(), .beyond = {}};
  const std::size_t count = reader.take_count(2, kMapEntryBytes);
  std::uint64_t before = known.upto;
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    if (before > kNumberMax - 2) {
      reader.refuse("a range begins beyond all numbers");
      break;
    }
    const std::uint64_t first = before + 2 + reader.take_number(kNumberMax - 2 - before);
    before = first + reader.take_number(kNumberMax - first);
    known.beyond.emplace_hint(known.beyond.end(), first, before);
  }
  return known;
}

void put_hashes(PeerWriter& writer, const std::vector<ShortHash>& hashes) {
  writer.put_number(hashes.size());
  for (const ShortHash hash : hashes) {
    writer.put_half_word(hash);
  }
}

std::vector<ShortHash> take_hashes(PeerReader& reader) {
  return reader.take_list(sizeof(ShortHash),
                          [](PeerReader& from) { return from.take_half_word(); });
}

// What each kind of range says, in the order in which it stands.

bool tells_fingerprint(PathRange::Kind kind) {
  return kind == PathRange::Kind::fingerprint || kind == PathRange::Kind::difference;
}

bool tells_hashes(PathRange::Kind kind) {
  return kind == PathRange::Kind::hashes || kind == PathRange::Kind::difference;
}

bool tells_items(PathRange::Kind kind) {
  return kind == PathRange::Kind::items || kind == PathRange::Kind::difference;
}

void put_range(PeerWriter& writer, const PathRange& range) {
  writer.put_byte(static_cast<std::uint8_t>(range.kind));
  writer.put_path(range.end);
  if (tells_fingerprint(range.kind)) {
    put_fingerprint(writer, range.fingerprint);
  }
  if (tells_hashes(range.kind)) {
    put_hashes(writer, range.hashes);
  }
  if (tells_items(range.kind)) {
    put_items(writer, range.items);
  }
}

PathRange take_range(PeerReader& reader) {
  constexpr std::uint8_t kKinds = 5;
  PathRange range;
  range.kind =
      static_cast<PathRange::Kind>(reader.take_below(kKinds, "a range is of an unknown kind"));
  range.end = reader.take_boundary();
  if (tells_fingerprint(range.kind)) {
    range.fingerprint = take_fingerprint(reader);
  }
  if (tells_hashes(range.kind)) {
    range.hashes = take_hashes(reader);
  }
  if (tells_items(range.kind)) {
    range.items = take_items(reader);
  }
  return range;
}

}  // namespace

void put_record(PeerWriter& writer, const PeerRecord& record) {
  writer.put_path(record.path);
  put_header(writer, record.record.header, record.replaced.empty() ? 0U : kReplaced);
  if (record.record.header.live()) {
    writer.put_text(record.record.value);
  }
  if (!record.replaced.empty()) {
    put_dots(writer, record.replaced);
  }
}

PeerRecord take_record(PeerReader& reader) {
  PeerRecord record{.path = reader.take_key(), .record = {}, .replaced = {}};
  const unsigned flags = reader.take_byte();
  record.record.header = take_header(reader, flags & ~unsigned{kReplaced});
  if (record.record.header.live()) {
    record.record.value = reader.take_text(reader.rest().size());
  }
  if ((flags & kReplaced) != 0) {
    record.replaced = take_dots(reader);
  }
  return record;
}

void put_records(PeerWriter& writer, const std::vector<PeerRecord>& records) {
  writer.put_number(records.size());
  for (const PeerRecord& record : records) {
    put_record(writer, record);
  }
}

std::vector<PeerRecord> take_records(PeerReader& reader) {
  return reader.take_list(kPeerItemBytesMin, take_record);
}

void put_items(PeerWriter& writer, const std::vector<PeerItem>& items) {
  writer.put_number(items.size());
  for (const PeerItem& item : items) {
    put_item(writer, item);
  }
}

std::vector<PeerItem> take_items(PeerReader& reader) {
  return reader.take_list(kPeerItemBytesMin, take_item);
}

void put_vote(PeerWriter& writer, const CastVote& vote) {
  writer.put_byte(static_cast<std::uint8_t>(vote.index()));
  if (const auto* header = std::get_if<RecordHeader>(&vote)) {
    put_header(writer, *header, 0);
  } else if (const auto* hash = std::get_if<ShortHash>(&vote)) {
    writer.put_half_word(*hash);
  }
}

CastVote take_vote(PeerReader& reader) {
  constexpr std::uint8_t kHeader = 1;
  switch (reader.take_below(std::variant_size_v<CastVote>, "a vote is of an unknown kind")) {
    case 0:
      return std::monostate{};
    case kHeader:
      return take_header(reader, reader.take_byte());
    default:
      return reader.take_half_word();
  }
}

void put_fingerprint(PeerWriter& writer, const Fingerprint& fingerprint) {
  writer.put_word(fingerprint.high);
  writer.put_word(fingerprint.low);
  writer.put_number(fingerprint.count);
}

Fingerprint take_fingerprint(PeerReader& reader) {
  return {.high = reader.take_word(), .low = reader.take_word(), .count = reader.take_number()};
}

void put_knowledge(PeerWriter& writer, const Knowledge& knowledge) {
  writer.put_number(knowledge.origins().size());
  for (const auto& [origin, known] : knowledge.origins()) {
    writer.put_word(origin);
    writer.put_number(known.upto);
    put_beyond(writer, known);
  }
}

Knowledge take_knowledge(PeerReader& reader) {
  constexpr std::size_t kEntryBytesMin = 10;
  constexpr std::size_t kEntryMemory = kMapEntryBytes + sizeof(OriginKnowledge);
  Knowledge knowledge;
  Origin before{};
  const std::size_t count = reader.take_count(kEntryBytesMin, kEntryMemory);
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    const Origin origin{reader.take_word()};
    const OriginKnowledge known = take_known(reader);
    if (origin <= before || known.empty()) {
      reader.refuse("knowledge is not in its canonical form");
      break;
    }
    knowledge.set(origin, known);
    before = origin;
  }
  return knowledge;
}

void put_ranges(PeerWriter& writer, const std::vector<PathRange>& ranges) {
  writer.put_number(ranges.size());
  for (const PathRange& range : ranges) {
    put_range(writer, range);
  }
}

std::vector<PathRange> take_ranges(PeerReader& reader) {
  return reader.take_list(1 + kPeerPathBytesMin, take_range);
}

}  // namespace kvs
