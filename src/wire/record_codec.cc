#include "wire/record_codec.h"

#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/mutant.h"
#include "wire/store_keys.h"

namespace kvs {

namespace {

constexpr std::uint8_t kRecordFormat = 1;
constexpr std::uint8_t kStateFormat = 1;
constexpr std::uint8_t kFlagTombstone = 1;
constexpr std::uint8_t kFlagVerdict = 2;
constexpr std::uint8_t kFlagExpires = 4;
constexpr std::uint8_t kFlagExpired = 8;  // and the value is gone
constexpr std::uint8_t kFlagsKnown = kFlagTombstone | kFlagVerdict | kFlagExpires | kFlagExpired;

/// Slicing-by-8 tables for the reflected Castagnoli polynomial (Kounavis and Berry 2005).
using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr CrcTables make_crc_tables() {
  constexpr std::uint32_t kPolynomial = 0x82f63b78U;
  CrcTables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1U) != 0 ? (crc >> 1U) ^ kPolynomial : crc >> 1U;
    }
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < tables.size(); ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8U) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}

constexpr CrcTables kCrcTables = make_crc_tables();

std::uint32_t crc_word(std::uint32_t crc, std::uint64_t word) {
  const std::uint64_t mixed = word ^ crc;
  std::uint32_t result = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    result ^= kCrcTables[7 - i][(mixed >> (8 * i)) & 0xffU];
  }
  return result;
}

#if defined(__x86_64__)

/// By the processor's own instruction, for processors that have it.
__attribute__((target("sse4.2"))) std::uint32_t crc_by_instruction(std::string_view bytes,
                                                                   std::uint32_t crc) {
  std::uint64_t wide = crc;
  while (bytes.size() >= 8) {
    wide = __builtin_ia32_crc32di(wide, get_le<std::uint64_t>(bytes.data()));
    bytes.remove_prefix(8);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (const char c : bytes) {
    crc = __builtin_ia32_crc32qi(crc, static_cast<unsigned char>(c));
  }
  return crc;
}

#endif

Error damaged(std::string_view what) {
  return {.code = Errc::corrupt_data, .detail = fmt::format("a stored {} is damaged", what)};
}

/// format byte, CRC-32C over `salt` and body, body.
void seal(std::uint8_t format, std::string_view salt, std::string_view body, std::string& out) {
  out.push_back(static_cast<char>(format));
  put_le<std::uint32_t>(out, crc32c(body, crc32c(salt)));
  out.append(body);
}

Result<std::string_view> unseal(std::uint8_t format, std::string_view salt, std::string_view bytes,
                                std::string_view what) {
  ByteReader reader(bytes);
  const auto found_format = reader.take<std::uint8_t>();
  const auto crc = reader.take<std::uint32_t>();
  const bool sound = crc == crc32c(reader.rest(), crc32c(salt)) || KVS_MUTATED(damage_served);
  if (!reader.ok() || found_format != format || !sound) {
    return std::unexpected(damaged(what));
  }
  return reader.rest();
}

void put_verdict(std::string& out, const Verdict& verdict) {
  put_le(out, verdict.votes);
  put_le(out, static_cast<std::uint64_t>(verdict.oldest_join_ms));
  put_le(out, verdict.voters_hash);
}

Verdict take_verdict(ByteReader& reader) {
  Verdict verdict;
  verdict.votes = reader.take<std::uint32_t>();
  verdict.oldest_join_ms = static_cast<std::int64_t>(reader.take<std::uint64_t>());
  verdict.voters_hash = reader.take<std::uint64_t>();
  return verdict;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
#if defined(__x86_64__)
  static const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
  if (kHasInstruction) {
    return ~crc_by_instruction(bytes, ~crc);
  }
#endif
  return crc32c_by_tables(bytes, crc);
}

std::uint32_t crc32c_by_tables(std::string_view bytes, std::uint32_t crc) {
  crc = ~crc;
  while (bytes.size() >= 8) {
    crc = crc_word(crc, get_le<std::uint64_t>(bytes.data()));
    bytes.remove_prefix(8);
  }
  for (const char c : bytes) {
    crc = (crc >> 8U) ^ kCrcTables[0][(crc ^ static_cast<unsigned char>(c)) & 0xffU];
  }
  return ~crc;
}

namespace {

std::uint8_t flags_of(const RecordHeader& header) {
  unsigned flags = header.version.verdict.given() ? kFlagVerdict : 0U;
  flags |= header.kind == RecordKind::tombstone ? kFlagTombstone : 0U;
  flags |= header.kind == RecordKind::expired ? kFlagExpired : 0U;
  flags |= header.expires_ms != 0 ? kFlagExpires : 0U;
  return static_cast<std::uint8_t>(flags);
}

RecordKind kind_of(unsigned flags) {
  return (flags & kFlagTombstone) != 0 ? RecordKind::tombstone
         : (flags & kFlagExpired) != 0 ? RecordKind::expired
                                       : RecordKind::value;
}

/// What is not live has no value, and only a value can expire.
bool flags_make_sense(unsigned flags) {
  const bool tombstone = (flags & kFlagTombstone) != 0;
  const bool expires = (flags & kFlagExpires) != 0;
  const bool expired = (flags & kFlagExpired) != 0;
  return (flags & ~unsigned{kFlagsKnown}) == 0 && !(tombstone && expires) && (expires || !expired);
}

}  // namespace

void encode_record(Key key, const RecordView& record, std::string& out) {
  const Version& version = record.header.version;
  const std::size_t begin = out.size();
  out.append(1 + sizeof(std::uint32_t), '\0');  // format and checksum, filled in below
  out.push_back(static_cast<char>(flags_of(record.header)));
  put_le(out, version.stamp.bits);
  put_le(out, version.uuid.high);
  put_le(out, version.uuid.low);
  put_le(out, static_cast<std::uint64_t>(version.dot.origin));
  put_le(out, version.dot.seq);
  if (version.verdict.given()) {
    put_verdict(out, version.verdict);
  }
  if (record.header.expires_ms != 0) {
    put_le(out, static_cast<std::uint64_t>(record.header.expires_ms));
  }
  out.append(record.value);

  const std::string_view body = std::string_view(out).substr(begin + 1 + sizeof(std::uint32_t));
  std::string head(1, static_cast<char>(kRecordFormat));
  put_le(head, crc32c(body, crc32c(key.text())));
  out.replace(begin, head.size(), head);
}

Result<RecordView> decode_record(Key key, std::string_view bytes) {
  ByteReader reader(KVS_TRY(unseal(kRecordFormat, key.text(), bytes, "record")));
  const auto flags = reader.take<std::uint8_t>();
  RecordView record;
  Version& version = record.header.version;
  record.header.kind = kind_of(flags);
  version.stamp.bits = reader.take<std::uint64_t>();
  version.uuid.high = reader.take<std::uint64_t>();
  version.uuid.low = reader.take<std::uint64_t>();
  version.dot.origin = Origin{reader.take<std::uint64_t>()};
  version.dot.seq = reader.take<std::uint64_t>();
  if ((flags & kFlagVerdict) != 0) {
    version.verdict = take_verdict(reader);
  }
  const bool expires = (flags & kFlagExpires) != 0;
  if (expires) {
    record.header.expires_ms = static_cast<std::int64_t>(reader.take<std::uint64_t>());
  }
  const bool says_verdict = (flags & kFlagVerdict) != 0;
  if (!reader.ok() || !flags_make_sense(flags) || says_verdict != version.verdict.given() ||
      expires != (record.header.expires_ms > 0) || record.header.expires_ms > kExpiresMsMax) {
    return std::unexpected(damaged("record"));
  }
  record.value = reader.rest();
  return record;
}

std::string encode_expiry(const ExpiryEntry& entry) {
  std::string out;
  seal(kStateFormat, expiry_key(entry.place), entry.path, out);
  return out;
}

Result<ExpiryEntry> decode_expiry(std::string_view key, std::string_view bytes) {
  const auto place = parse_expiry_key(key);
  const std::string_view path = KVS_TRY(unseal(kStateFormat, key, bytes, "expiry entry"));
  if (!place) {
    return std::unexpected(damaged("expiry entry"));
  }
  return ExpiryEntry{.place = *place, .path = std::string(path)};
}

std::string encode_expiry_reserve(WallTime reserve) {
  std::string body;
  put_le(body, static_cast<std::uint64_t>(reserve.ms));
  std::string out;
  seal(kStateFormat, "expired", body, out);
  return out;
}

Result<WallTime> decode_expiry_reserve(std::string_view bytes) {
  ByteReader reader(KVS_TRY(unseal(kStateFormat, "expired", bytes, "expiry reserve")));
  const WallTime reserve{static_cast<std::int64_t>(reader.take<std::uint64_t>())};
  if (!reader.finished()) {
    return std::unexpected(damaged("expiry reserve"));
  }
  return reserve;
}

std::string encode_knowledge(const OriginKnowledge& known) {
  std::string body;
  put_le(body, known.upto);
  for (const auto& [first, last] : known.beyond) {
    put_le(body, first);
    put_le(body, last);
  }
  std::string out;
  seal(kStateFormat, "knowledge", body, out);
  return out;
}

Result<OriginKnowledge> decode_knowledge(std::string_view bytes) {
  ByteReader reader(KVS_TRY(unseal(kStateFormat, "knowledge", bytes, "knowledge entry")));
  OriginKnowledge known{.upto = reader.take<std::uint64_t>()};
  while (reader.ok() && !reader.rest().empty()) {
    const auto first = reader.take<std::uint64_t>();
    known.beyond.emplace(first, reader.take<std::uint64_t>());
  }
  if (!reader.finished()) {
    return std::unexpected(damaged("knowledge entry"));
  }
  return known;
}

std::string encode_identity(const Identity& identity) {
  std::string body;
  put_le(body, identity.instance);
  put_le(body, static_cast<std::uint64_t>(identity.joined_ms));
  put_le(body, static_cast<std::uint8_t>(identity.complete ? 1 : 0));
  std::string out;
  seal(kStateFormat, "identity", body, out);
  return out;
}

Result<Identity> decode_identity(std::string_view bytes) {
  ByteReader reader(KVS_TRY(unseal(kStateFormat, "identity", bytes, "identity")));
  Identity identity{.instance = reader.take<std::uint64_t>(),
                    .joined_ms = static_cast<std::int64_t>(reader.take<std::uint64_t>())};
  const auto complete = reader.take<std::uint8_t>();
  if (!reader.finished() || complete > 1) {
    return std::unexpected(damaged("identity"));
  }
  identity.complete = complete == 1;
  return identity;
}

std::string encode_fingerprint(const Fingerprint& root) {
  std::string body;
  put_le(body, root.high);
  put_le(body, root.low);
  put_le(body, root.count);
  std::string out;
  seal(kStateFormat, "fingerprint", body, out);
  return out;
}

Result<Fingerprint> decode_fingerprint(std::string_view bytes) {
  ByteReader reader(KVS_TRY(unseal(kStateFormat, "fingerprint", bytes, "fingerprint")));
  const Fingerprint root{.high = reader.take<std::uint64_t>(),
                         .low = reader.take<std::uint64_t>(),
                         .count = reader.take<std::uint64_t>()};
  if (!reader.finished()) {
    return std::unexpected(damaged("fingerprint"));
  }
  return root;
}

std::string encode_roster(const std::vector<Member>& roster) {
  std::string body;
  for (const Member& member : roster) {
    put_le(body, static_cast<std::uint64_t>(member.instance));
    put_le(body, static_cast<std::uint64_t>(member.joined_ms));
    put_le(body, static_cast<std::uint64_t>(member.started_ms));
    put_le(body, member.run);
    put_le(body, member.incarnation);
    for (const std::string* text : {&member.node_id, &member.address}) {
      put_le(body, static_cast<std::uint16_t>(text->size()));
      body += *text;
    }
  }
  std::string out;
  seal(kStateFormat, "roster", body, out);
  return out;
}

Result<std::vector<Member>> decode_roster(std::string_view bytes) {
  ByteReader reader(KVS_TRY(unseal(kStateFormat, "roster", bytes, "list of members")));
  std::vector<Member> roster;
  while (reader.ok() && !reader.rest().empty()) {
    Member member;
    member.instance = Instance{reader.take<std::uint64_t>()};
    member.joined_ms = static_cast<std::int64_t>(reader.take<std::uint64_t>());
    member.started_ms = static_cast<std::int64_t>(reader.take<std::uint64_t>());
    member.run = reader.take<std::uint64_t>();
    member.incarnation = reader.take<std::uint64_t>();
    for (std::string* text : {&member.node_id, &member.address}) {
      *text = reader.take_bytes(reader.take<std::uint16_t>());
    }
    roster.push_back(std::move(member));
  }
  if (!reader.finished()) {
    return std::unexpected(damaged("list of members"));
  }
  return roster;
}

std::string encode_stamp(Stamp stamp) {
  std::string body;
  put_le(body, stamp.bits);
  std::string out;
  seal(kStateFormat, "stamp", body, out);
  return out;
}

Result<Stamp> decode_stamp(std::string_view bytes) {
  ByteReader reader(KVS_TRY(unseal(kStateFormat, "stamp", bytes, "clock reserve")));
  const Stamp stamp{.bits = reader.take<std::uint64_t>()};
  if (!reader.finished()) {
    return std::unexpected(damaged("clock reserve"));
  }
  return stamp;
}

}  // namespace kvs
