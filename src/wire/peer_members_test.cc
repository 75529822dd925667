#include "wire/peer_members.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/peer_samples.h"

namespace kvs {
namespace {

constexpr std::size_t kMemory = 1'000'000;

std::string bytes_of(const std::vector<Member>& members) {
  std::string bytes;
  PeerWriter writer(bytes);
  put_members(writer, members);
  return bytes;
}

std::string_view fault_of(std::string_view bytes) {
  PeerReader reader(bytes, kMemory);
  static_cast<void>(take_members(reader));
  return reader.fault();
}

/// The row of a member without its size.
std::string row_of(const Member& member) {
  std::string bytes;
  PeerWriter writer(bytes);
  put_member(writer, member);
  PeerReader reader(bytes, kMemory);
  return std::string(reader.take_text(bytes.size()));
}

Member usual_member() {
  Member member = PeerSamples(1).member();
  member.node_id = "node-17";
  member.address = "10.20.30.40:8080";
  member.joined_ms = 1'700'000'000'000;
  member.started_ms = 1'700'000'000'000;
  member.incarnation = 3;
  member.protocol = 1;
  member.features = 1;
  member.digest.root.count = 1'000'000;
  member.digest.seq = 50'000;
  return member;
}

TEST(PeerMembers, RowsComeBack) {
  PeerSamples samples(1);
  for (int i = 0; i < 300; ++i) {
    const std::vector<Member> members{samples.member(), samples.member()};
    const std::string bytes = bytes_of(members);
    PeerReader reader(bytes, kMemory);
    EXPECT_EQ(take_members(reader), members);
    EXPECT_TRUE(reader.ok() && reader.rest().empty()) << reader.fault();
  }
}

TEST(PeerMembers, TheSmallestRowIsNotTakenForTooSmall) {
  Member member;
  member.instance = Instance{1};
  const std::string bytes = bytes_of(std::vector<Member>(10, member));
  EXPECT_EQ(bytes.size(), 1U + 10U * 85U);
  PeerReader reader(bytes, kMemory);
  EXPECT_EQ(take_members(reader).size(), 10U);
  EXPECT_TRUE(reader.ok()) << reader.fault();
}

TEST(PeerMembers, AUsualRowIsSmall) {
  EXPECT_EQ(row_of(usual_member()).size(), 121U);
}

TEST(PeerMembers, WhatALaterVersionAddsToARowIsSkipped) {
  const std::string row = row_of(usual_member());
  std::string bytes;
  PeerWriter writer(bytes);
  writer.put_number(2);
  writer.put_text(row + "more");
  writer.put_text(row);
  PeerReader reader(bytes, kMemory);
  EXPECT_EQ(take_members(reader), std::vector<Member>(2, usual_member()));
  EXPECT_TRUE(reader.ok()) << reader.fault();
}

TEST(PeerMembers, AShortRowIsRefused) {
  const std::string row = row_of(usual_member());
  for (std::size_t size = 0; size < row.size(); ++size) {
    std::string bytes;
    PeerWriter writer(bytes);
    writer.put_number(1);
    writer.put_text(std::string_view(row).substr(0, size));
    bytes.append(200, '\0');
    EXPECT_FALSE(fault_of(bytes).empty()) << size;
  }
}

TEST(PeerMembers, RowsAreSound) {
  Member nobody = usual_member();
  nobody.instance = Instance{0};
  EXPECT_FALSE(fault_of(bytes_of({nobody})).empty());
  Member long_name = usual_member();
  long_name.node_id = std::string(kPeerNodeIdBytesMax + 1, 'n');
  EXPECT_FALSE(fault_of(bytes_of({long_name})).empty());
  Member long_address = usual_member();
  long_address.address = std::string(kPeerAddressBytesMax + 1, 'a');
  EXPECT_FALSE(fault_of(bytes_of({long_address})).empty());
  Member state = usual_member();
  state.state = static_cast<MemberState>(4);
  EXPECT_FALSE(fault_of(bytes_of({state})).empty());
  Member mode = usual_member();
  mode.mode = static_cast<Mode>(3);
  EXPECT_FALSE(fault_of(bytes_of({mode})).empty());
}

TEST(PeerMembers, DigestsComeBack) {
  PeerSamples samples(2);
  for (int i = 0; i < 100; ++i) {
    const StateDigest digest = samples.digest();
    std::string bytes;
    PeerWriter writer(bytes);
    put_digest(writer, digest);
    PeerReader reader(bytes, 0);
    EXPECT_EQ(take_digest(reader), digest);
    EXPECT_TRUE(reader.ok() && reader.rest().empty());
  }
}

}  // namespace
}  // namespace kvs
