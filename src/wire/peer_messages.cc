#include "wire/peer_messages.h"

#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "wire/peer_members.h"
#include "wire/peer_records.h"

namespace kvs {

namespace {

/// The kinds of one direction and their numbers.
template <class T, std::uint8_t Number>
struct Kind {
  using Message = T;
  static constexpr std::uint8_t kNumber = Number;
};

template <class Variant, class... Kinds>
struct Table {
  /// The number of the kind that T is; does not compile if it has none.
  template <class T>
  static consteval std::uint8_t number_of() {
    static_assert((std::is_same_v<T, typename Kinds::Message> || ...));
    return static_cast<std::uint8_t>(
        ((std::is_same_v<T, typename Kinds::Message> ? Kinds::kNumber : 0) + ...));
  }

  static std::uint8_t number_of(const Variant& any) {
    return std::visit([]<class T>(const T& /*message*/) { return number_of<T>(); }, any);
  }

  static std::optional<Variant> take_any(std::uint8_t number, PeerReader& reader);
};

using Requests =
    Table<PeerRequest, Kind<Ping, 0x01>, Kind<PingOther, 0x02>, Kind<Join, 0x03>,
          Kind<CompareMembers, 0x04>, Kind<MemberRows, 0x05>, Kind<Push, 0x10>, Kind<Hello, 0x20>,
          Kind<AskDelta, 0x21>, Kind<Compare, 0x22>, Kind<Fetch, 0x23>, Kind<Settle, 0x24>,
          Kind<Finish, 0x25>, Kind<AskPage, 0x26>, Kind<AskVotes, 0x30>>;

using Answers =
    Table<PeerAnswer, Kind<Done, 0x80>, Kind<Refused, 0x81>, Kind<Pong, 0x82>, Kind<NoPong, 0x83>,
          Kind<MemberRows, 0x84>, Kind<Greeting, 0xa0>, Kind<Delta, 0xa1>, Kind<Compared, 0xa2>,
          Kind<Fetched, 0xa3>, Kind<Page, 0xa6>, Kind<Votes, 0xb0>>;

void put_paths(PeerWriter& writer, const std::vector<std::string>& paths) {
  writer.put_number(paths.size());
  for (const std::string& path : paths) {
    writer.put_path(path);
  }
}

std::vector<std::string> take_paths(PeerReader& reader) {
  return reader.take_list(kPeerPathBytesMin, [](PeerReader& from) { return from.take_key(); });
}

// Bits of the first byte of Fetched.
constexpr unsigned kFetchedCut = 1;
constexpr unsigned kFetchedPartial = 2;

/// The code of that name. A name that is not known here belongs to a later version.
Errc code_named(std::string_view name) {
  for (unsigned code = 0; code <= static_cast<unsigned>(Errc::address_unusable); ++code) {
    if (to_string(static_cast<Errc>(code)) == name) {
      return static_cast<Errc>(code);
    }
  }
  return Errc::not_implemented;
}

// --- a put and a take for each kind of message, in the order of core/peer_message.h

void put(PeerWriter& writer, const Ping& message) {
  put_members(writer, message.news);
}

void take(PeerReader& reader, Ping& message) {
  message.news = take_members(reader);
}

void put(PeerWriter& writer, const Pong& message) {
  put_members(writer, message.news);
}

void take(PeerReader& reader, Pong& message) {
  message.news = take_members(reader);
}

void put(PeerWriter& writer, const PingOther& message) {
  writer.put_word(message.target);
  writer.put_text(message.address);
  put_members(writer, message.news);
}

void take(PeerReader& reader, PingOther& message) {
  message.target = Instance{reader.take_word()};
  message.address = reader.take_text(kPeerAddressBytesMax);
  message.news = take_members(reader);
}

void put(PeerWriter& writer, const NoPong& message) {
  put_members(writer, message.news);
}

void take(PeerReader& reader, NoPong& message) {
  message.news = take_members(reader);
}

void put(PeerWriter& writer, const Join& message) {
  put_member(writer, message.joiner);
}

void take(PeerReader& reader, Join& message) {
  message.joiner = take_member(reader);
}

void put(PeerWriter& writer, const CompareMembers& message) {
  writer.put_number(message.bucket_hashes.size());
  for (const std::uint64_t hash : message.bucket_hashes) {
    writer.put_word(hash);
  }
}

void take(PeerReader& reader, CompareMembers& message) {
  message.bucket_hashes =
      reader.take_list(sizeof(std::uint64_t), [](PeerReader& from) { return from.take_word(); });
}

void put(PeerWriter& writer, const MemberRows& message) {
  put_members(writer, message.rows);
}

void take(PeerReader& reader, MemberRows& message) {
  message.rows = take_members(reader);
}

void put(PeerWriter& writer, const Push& message) {
  writer.put_flag(message.stretch.has_value());
  if (message.stretch) {
    writer.put_word(message.stretch->first);
    writer.put_word(message.stretch->last);
  }
  put_records(writer, message.records);
}

void take(PeerReader& reader, Push& message) {
  if (reader.take_flag()) {
    message.stretch = {.first = reader.take_word(), .last = reader.take_word()};
  }
  message.records = take_records(reader);
}

void put(PeerWriter& writer, const Hello& message) {
  put_digest(writer, message.digest);
  put_records(writer, message.latest);
  writer.put_flag(message.recount);
}

void take(PeerReader& reader, Hello& message) {
  message.digest = take_digest(reader);
  message.latest = take_records(reader);
  message.recount = reader.take_flag();
}

void put(PeerWriter& writer, const Greeting& message) {
  put_digest(writer, message.digest);
  writer.put_byte(static_cast<std::uint8_t>(message.mode));
  writer.put_flag(message.knowledge.has_value());
  if (message.knowledge) {
    put_knowledge(writer, *message.knowledge);
  }
  put_records(writer, message.latest);
}

void take(PeerReader& reader, Greeting& message) {
  message.digest = take_digest(reader);
  message.mode = take_mode(reader);
  if (reader.take_flag()) {
    message.knowledge = take_knowledge(reader);
  }
  message.latest = take_records(reader);
}

void put(PeerWriter& writer, const AskDelta& message) {
  put_knowledge(writer, message.knowledge);
}

void take(PeerReader& reader, AskDelta& message) {
  message.knowledge = take_knowledge(reader);
}

void put(PeerWriter& writer, const Delta& message) {
  writer.put_byte(static_cast<std::uint8_t>(message.extent));
  put_records(writer, message.records);
}

void take(PeerReader& reader, Delta& message) {
  constexpr std::uint8_t kExtents = 3;
  message.extent =
      static_cast<Delta::Extent>(reader.take_below(kExtents, "a delta has an unknown extent"));
  message.records = take_records(reader);
}

void put(PeerWriter& writer, const Compare& message) {
  writer.put_word(message.run);
  writer.put_path(message.begin);
  put_ranges(writer, message.ranges);
}

void take(PeerReader& reader, Compare& message) {
  message.run = reader.take_word();
  message.begin = reader.take_boundary();
  message.ranges = take_ranges(reader);
}

void put(PeerWriter& writer, const Compared& message) {
  writer.put_path(message.begin);
  put_ranges(writer, message.ranges);
}

void take(PeerReader& reader, Compared& message) {
  message.begin = reader.take_boundary();
  message.ranges = take_ranges(reader);
}

void put(PeerWriter& writer, const Fetch& message) {
  put_paths(writer, message.paths);
}

void take(PeerReader& reader, Fetch& message) {
  message.paths = take_paths(reader);
}

void put(PeerWriter& writer, const Fetched& message) {
  writer.put_byte(static_cast<std::uint8_t>((message.cut ? kFetchedCut : 0U) |
                                            (message.partial ? kFetchedPartial : 0U)));
  put_records(writer, message.records);
}

void take(PeerReader& reader, Fetched& message) {
  const unsigned bits = reader.take_below(4, "a Fetched has unknown bits");
  message.cut = (bits & kFetchedCut) != 0;
  message.partial = (bits & kFetchedPartial) != 0;
  message.records = take_records(reader);
}

void put(PeerWriter& writer, const Settle& message) {
  writer.put_word(message.run);
  put_records(writer, message.records);
  put_items(writer, message.drops);
}

void take(PeerReader& reader, Settle& message) {
  message.run = reader.take_word();
  message.records = take_records(reader);
  message.drops = take_items(reader);
}

void put(PeerWriter& writer, const Finish& message) {
  writer.put_word(message.run);
  put_knowledge(writer, message.knowledge);
  put_items(writer, message.drops);
}

void take(PeerReader& reader, Finish& message) {
  message.run = reader.take_word();
  message.knowledge = take_knowledge(reader);
  message.drops = take_items(reader);
}

void put(PeerWriter& writer, const AskPage& message) {
  writer.put_path(message.after);
  writer.put_word(message.oldest.bits);
  writer.put_number(message.bytes_max);
}

void take(PeerReader& reader, AskPage& message) {
  message.after = reader.take_boundary();
  message.oldest.bits = reader.take_word();
  message.bytes_max =
      static_cast<std::uint32_t>(reader.take_number(std::numeric_limits<std::uint32_t>::max()));
}

void put(PeerWriter& writer, const Page& message) {
  put_records(writer, message.records);
  writer.put_flag(message.next.has_value());
  if (message.next) {
    writer.put_path(*message.next);
  }
}

void take(PeerReader& reader, Page& message) {
  message.records = take_records(reader);
  if (reader.take_flag()) {
    message.next = reader.take_boundary();
  }
}

void put(PeerWriter& writer, const AskVotes& message) {
  put_paths(writer, message.paths);
  writer.put_flag(message.briefly);
}

/// Earlier nodes send no flag.
void take(PeerReader& reader, AskVotes& message) {
  message.paths = take_paths(reader);
  message.briefly = reader.ok() && !reader.rest().empty() && reader.take_flag();
}

void put(PeerWriter& writer, const Votes& message) {
  writer.put_number(message.votes.size());
  for (const CastVote& vote : message.votes) {
    put_vote(writer, vote);
  }
}

void take(PeerReader& reader, Votes& message) {
  message.votes = reader.take_list(1, take_vote);
}

void put(PeerWriter& /*writer*/, const Done& /*message*/) {}

void take(PeerReader& /*reader*/, Done& /*message*/) {}

void put(PeerWriter& writer, const Refused& message) {
  writer.put_text(to_string(message.code));
  writer.put_text(message.detail);
}

void take(PeerReader& reader, Refused& message) {
  message.code = code_named(reader.take_text(reader.rest().size()));
  message.detail = reader.take_text(reader.rest().size());
}

template <class K, class Variant>
bool take_if(std::uint8_t number, PeerReader& reader, std::optional<Variant>& out) {
  if (number != K::kNumber) {
    return false;
  }
  take(reader, out.emplace().template emplace<typename K::Message>());
  return true;
}

template <class Variant, class... Kinds>
std::optional<Variant> Table<Variant, Kinds...>::take_any(std::uint8_t number, PeerReader& reader) {
  std::optional<Variant> message;
  static_cast<void>((take_if<Kinds>(number, reader, message) || ...));
  return message;
}

}  // namespace

std::uint8_t kind_of(const PeerRequest& request) {
  return Requests::number_of(request);
}

std::uint8_t kind_of(const PeerAnswer& answer) {
  return Answers::number_of(answer);
}

void put_body(PeerWriter& writer, const PeerRequest& request) {
  std::visit([&](const auto& message) { put(writer, message); }, request);
}

void put_body(PeerWriter& writer, const PeerAnswer& answer) {
  std::visit([&](const auto& message) { put(writer, message); }, answer);
}

std::optional<PeerRequest> take_request(std::uint8_t kind, PeerReader& reader) {
  return Requests::take_any(kind, reader);
}

std::optional<PeerAnswer> take_answer(std::uint8_t kind, PeerReader& reader) {
  return Answers::take_any(kind, reader);
}

}  // namespace kvs
