#include "wire/peer_members.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "wire/peer_records.h"
#include "wire/peer_version.h"

namespace kvs {

namespace {

constexpr std::uint8_t kStates = 4;
constexpr std::uint8_t kModes = 3;

/// The fewest bytes of a row and its size: empty texts, numbers of one byte.
constexpr std::size_t kRowBytesMin = 85;

void put_row(PeerWriter& writer, const Member& member) {
  writer.put_word(member.instance);
  writer.put_text(member.node_id);
  writer.put_text(member.address);
  writer.put_signed(member.joined_ms);
  writer.put_signed(member.started_ms);
  writer.put_word(member.run);
  writer.put_number(member.incarnation);
  writer.put_byte(static_cast<std::uint8_t>(member.state));
  writer.put_byte(static_cast<std::uint8_t>(member.mode));
  writer.put_number(member.protocol);
  writer.put_number(member.features);
  writer.put_word(member.accuser);
  put_digest(writer, member.digest);
  writer.put_bytes(peer_additions());
}

Member take_row(PeerReader& reader) {
  Member member;
  member.instance = Instance{reader.take_word()};
  member.node_id = reader.take_text(kPeerNodeIdBytesMax);
  member.address = reader.take_text(kPeerAddressBytesMax);
  member.joined_ms = reader.take_signed();
  member.started_ms = reader.take_signed();
  member.run = reader.take_word();
  member.incarnation = reader.take_number();
  member.state =
      static_cast<MemberState>(reader.take_below(kStates, "a member is in an unknown state"));
  member.mode = take_mode(reader);
  member.protocol =
      static_cast<std::uint16_t>(reader.take_number(std::numeric_limits<std::uint16_t>::max()));
  member.features = reader.take_number();
  member.accuser = Instance{reader.take_word()};
  member.digest = take_digest(reader);
  if (member.instance == Instance{}) {
    reader.refuse("a member is no instance");
  }
  return member;
}

}  // namespace

Mode take_mode(PeerReader& reader) {
  return static_cast<Mode>(reader.take_below(kModes, "a member is in an unknown mode"));
}

void put_digest(PeerWriter& writer, const StateDigest& digest) {
  writer.put_word(digest.knowledge_hash);
  put_fingerprint(writer, digest.root);
  writer.put_flag(digest.counted);
  writer.put_word(digest.run);
  writer.put_word(digest.origin);
  writer.put_number(digest.seq);
  writer.put_word(digest.newest.bits);
}

StateDigest take_digest(PeerReader& reader) {
  return {.knowledge_hash = reader.take_word(),
          .root = take_fingerprint(reader),
          .counted = reader.take_flag(),
          .run = reader.take_word(),
          .origin = Origin{reader.take_word()},
          .seq = reader.take_number(),
          .newest = {reader.take_word()}};
}

void put_member(PeerWriter& writer, const Member& member) {
  std::string row;
  PeerWriter row_writer(row);
  put_row(row_writer, member);
  writer.put_text(row);
}

Member take_member(PeerReader& reader) {
  PeerReader row(reader.take_text(reader.rest().size()), 0);
  Member member = take_row(row);
  if (!row.ok()) {
    reader.refuse(row.fault());
  }
  return member;
}

void put_members(PeerWriter& writer, const std::vector<Member>& members) {
  writer.put_number(members.size());
  for (const Member& member : members) {
    put_member(writer, member);
  }
}

std::vector<Member> take_members(PeerReader& reader) {
  return reader.take_list(kRowBytesMin, take_member);
}

}  // namespace kvs
