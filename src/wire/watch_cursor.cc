#include "wire/watch_cursor.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"
#include "wire/base64url.h"
#include "wire/peer_bytes.h"

namespace kvs {

namespace {

constexpr std::uint8_t kForm = 1;
constexpr std::uint8_t kFormWithExpiry = 2;  // as 1, then the place up to which times are over
constexpr std::size_t kBytesMax = kWatchCursorTextMax / 4 * 3;
constexpr std::size_t kRangesMax = kBytesMax / 2;
constexpr std::uint64_t kSeqMax = std::uint64_t{1} << 62U;

std::uint32_t check_of(std::string_view bytes, std::string_view path) {
  const std::uint64_t seed = XXH3_64bits(path.data(), path.size());
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed));
}

/// How many ranges a K has: more than fit are not even written.
bool fits(const Knowledge& seen) {
  constexpr std::size_t kOriginBytes = 10;
  std::size_t bytes = 0;
  for (const auto& [origin, known] : seen.origins()) {
    bytes += kOriginBytes + 2 * known.beyond.size();
    if (bytes > kBytesMax) {
      return false;
    }
  }
  return true;
}

void put_knowledge(PeerWriter& writer, const Knowledge& seen) {
  writer.put_number(seen.origins().size());
  for (const auto& [origin, known] : seen.origins()) {
    writer.put_word(origin);
    writer.put_number(known.upto);
    writer.put_number(known.beyond.size());
    std::uint64_t last = known.upto;
    for (const auto& [from, to] : known.beyond) {
      writer.put_number(from - last);
      writer.put_number(to - from);
      last = to;
    }
  }
}

Knowledge take_knowledge(PeerReader& reader) {
  constexpr std::size_t kOriginBytesMin = 10;
  Knowledge seen;
  const std::size_t origins = reader.take_count(kOriginBytesMin, 0);
  for (std::size_t i = 0; i < origins && reader.ok(); ++i) {
    const Origin origin = reader.take_origin();
    OriginKnowledge known{.upto = reader.take_number(kSeqMax), .beyond = {}};
    std::uint64_t last = known.upto;
    const std::size_t ranges = reader.take_count(2, 0);
    for (std::size_t k = 0; k < ranges && reader.ok(); ++k) {
      const std::uint64_t from = last + reader.take_number(kSeqMax);
      last = from + reader.take_number(kSeqMax);
      if (from == 0 || last > kSeqMax) {
        reader.refuse("a range is out of bounds");
        return {};
      }
      known.beyond.insert_or_assign(known.beyond.end(), from, last);
    }
    seen.set(origin, known);
  }
  return seen;
}

}  // namespace

void append_watch_cursor(const WatchCursor& cursor, std::string_view path, std::string& out) {
  if (!fits(cursor.seen)) {
    out.append(kWatchCursorNone);
    return;
  }
  std::string bytes;
  PeerWriter writer(bytes);
  const bool expires = cursor.expired != ExpiryPlace{};
  writer.put_byte(expires ? kFormWithExpiry : kForm);
  writer.put_flag(cursor.partial);
  writer.put_word(cursor.place.run);
  writer.put_number(cursor.place.number);
  writer.put_number(cursor.place.index);
  writer.put_signed(cursor.made.ms);
  put_knowledge(writer, cursor.seen);
  if (expires) {
    writer.put_signed(cursor.expired.expires_ms);
    writer.put_word(cursor.expired.dot.origin);
    writer.put_word(cursor.expired.dot.seq);
  }
  put_le(bytes, check_of(bytes, path));
  if (bytes.size() > kBytesMax) {
    out.append(kWatchCursorNone);
    return;
  }
  encode_base64url(bytes, out);
}

std::optional<WatchCursor> parse_watch_cursor(std::string_view text, std::string_view path) {
  std::string bytes;
  if (text.size() > kWatchCursorTextMax || !decode_base64url(text, bytes) ||
      bytes.size() <= sizeof(std::uint32_t)) {
    return std::nullopt;
  }
  const std::string_view body =
      std::string_view(bytes).substr(0, bytes.size() - sizeof(std::uint32_t));
  if (get_le<std::uint32_t>(body.data() + body.size()) != check_of(body, path)) {
    return std::nullopt;
  }
  PeerReader reader(body, kRangesMax * sizeof(DotRange));
  const std::uint8_t form = reader.take_byte();
  WatchCursor cursor;
  cursor.partial = reader.take_flag();
  cursor.place.run = reader.take_word();
  cursor.place.number = reader.take_number();
  cursor.place.index = reader.take_number();
  cursor.made.ms = reader.take_signed();
  cursor.seen = take_knowledge(reader);
  if (form == kFormWithExpiry) {
    cursor.expired.expires_ms = reader.take_signed();
    cursor.expired.dot.origin = reader.take_origin();
    cursor.expired.dot.seq = reader.take_word();
  }
  if ((form != kForm && form != kFormWithExpiry) || !reader.ok() || !reader.rest().empty()) {
    return std::nullopt;
  }
  return cursor;
}

}  // namespace kvs
