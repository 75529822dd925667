#include "wire/record_codec.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/prng.h"
#include "wire/store_keys.h"

namespace kvs {
namespace {

Record some_record() {
  return {.header = {.version = {.stamp = {0x0102030405060708},
                                 .verdict = {},
                                 .uuid = {.high = 0x1112131415161718, .low = 0x2122232425262728},
                                 .dot = {.origin = Origin{0x3132333435363738}, .seq = 0x41}},
                     .kind = RecordKind::value},
          .value = "{\"a\":1}"};
}

std::string encoded(Key key, const Record& record) {
  std::string out;
  encode_record(key, record.view(), out);
  return out;
}

Record decoded(Key key, std::string_view bytes) {
  const auto record = decode_record(key, bytes);
  EXPECT_TRUE(record);
  return record ? Record{.header = record->header, .value = std::string(record->value)} : Record{};
}

const Key kKey = Key::from_store("users/john");

// RFC 3720, B.4.
TEST(Crc32c, KnownAnswers) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  std::string rising;
  for (char c = 0; c < 32; ++c) {
    rising.push_back(c);
  }
  EXPECT_EQ(crc32c(rising), 0x46dd794eU);
}

TEST(Crc32c, TheInstructionAndTheTablesAgree) {
  Prng prng(2);
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(crc32c(bytes), crc32c_by_tables(bytes)) << i;
    EXPECT_EQ(crc32c(bytes, 7), crc32c_by_tables(bytes, 7)) << i;
    bytes.push_back(static_cast<char>(prng.next()));
  }
}

TEST(Crc32c, ContinuesWhereItStopped) {
  Prng prng(1);
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    bytes.push_back(static_cast<char>(prng.next()));
  }
  const std::string_view all = bytes;
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    EXPECT_EQ(crc32c(all.substr(cut), crc32c(all.substr(0, cut))), crc32c(all)) << cut;
  }
}

TEST(RecordCodec, RecordsComeBack) {
  EXPECT_EQ(decoded(kKey, encoded(kKey, some_record())), some_record());
  Record tombstone = some_record();
  tombstone.header.kind = RecordKind::tombstone;
  tombstone.value.clear();
  EXPECT_EQ(decoded(kKey, encoded(kKey, tombstone)), tombstone);
  Record verdict = some_record();
  verdict.header.version.verdict = {.votes = 3, .oldest_join_ms = -1, .voters_hash = ~0ULL};
  EXPECT_EQ(decoded(kKey, encoded(kKey, verdict)), verdict);
  Record empty = some_record();
  empty.value.clear();
  EXPECT_EQ(decoded(kKey, encoded(kKey, empty)), empty);
}

// The layout on disk: data folders in use depend on it.
TEST(RecordCodec, TheLayoutIsFrozen) {
  const std::string bytes = encoded(kKey, some_record());
  const std::string body = std::string("\x00\x08\x07\x06\x05\x04\x03\x02\x01", 9) +
                           "\x18\x17\x16\x15\x14\x13\x12\x11\x28\x27\x26\x25\x24\x23\x22\x21"
                           "\x38\x37\x36\x35\x34\x33\x32\x31" +
                           std::string("\x41\x00\x00\x00\x00\x00\x00\x00", 8) + "{\"a\":1}";
  ASSERT_EQ(bytes.size(), 5 + body.size());
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes.substr(5), body);
}

TEST(RecordCodec, AppendsToWhatIsThere) {
  std::string out = "before";
  encode_record(kKey, some_record().view(), out);
  EXPECT_EQ(out, "before" + encoded(kKey, some_record()));
}

TEST(RecordCodec, EveryFlippedBitIsNoticed) {
  Record record = some_record();
  record.header.version.verdict = {.votes = 3, .oldest_join_ms = 5, .voters_hash = 7};
  std::string bytes = encoded(kKey, record);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << (bit % 8)));
    const auto read = decode_record(kKey, bytes);
    ASSERT_FALSE(read) << "bit " << bit;
    EXPECT_EQ(read.error().code, Errc::corrupt_data);
    bytes[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << (bit % 8)));
  }
  EXPECT_TRUE(decode_record(kKey, bytes));
}

TEST(RecordCodec, ATornTailIsNoticed) {
  const std::string bytes = encoded(kKey, some_record());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_record(kKey, std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_record(kKey, bytes + '\0'));
}

TEST(RecordCodec, ARecordUnderAnothersKeyIsNoticed) {
  const std::string bytes = encoded(kKey, some_record());
  for (const char* other : {"users/joho", "users/joh", "users/johnn", "", "Users/john"}) {
    EXPECT_FALSE(decode_record(Key::from_store(other), bytes)) << other;
  }
}

/// `bytes` with the checksum that belongs to the rest of them.
std::string sealed(std::string bytes) {
  std::string crc;
  put_le(crc, crc32c(std::string_view(bytes).substr(5), crc32c(kKey.text())));
  return bytes.replace(1, crc.size(), crc);
}

std::string with_flags(std::uint8_t flags) {
  std::string bytes = encoded(kKey, some_record());
  bytes[5] = static_cast<char>(flags);
  return sealed(bytes);
}

/// `bytes` of a record with a verdict, of so many votes.
std::string with_votes(std::string bytes, std::uint32_t votes) {
  std::string number;
  put_le(number, votes);
  return sealed(bytes.replace(46, number.size(), number));
}

TEST(RecordCodec, UnknownFlagsAreRefused) {
  EXPECT_TRUE(decode_record(kKey, with_flags(0)));
  for (unsigned flags = 16; flags < 256; flags += 16) {
    EXPECT_FALSE(decode_record(kKey, with_flags(static_cast<std::uint8_t>(flags)))) << flags;
  }
}

Record expiring(RecordKind kind = RecordKind::value) {
  Record record = some_record();
  record.header.kind = kind;
  record.header.expires_ms = 0x0000010203040506;
  if (kind != RecordKind::value) {
    record.value.clear();
  }
  return record;
}

TEST(RecordCodec, WhatExpiresComesBack) {
  EXPECT_EQ(decoded(kKey, encoded(kKey, expiring())), expiring());
  const Record gone = decoded(kKey, encoded(kKey, expiring(RecordKind::expired)));
  EXPECT_EQ(gone, expiring(RecordKind::expired));
  EXPECT_EQ(gone.header.kind, RecordKind::expired);
  Record decided = expiring();
  decided.header.version.verdict = {.votes = 3, .oldest_join_ms = -1, .voters_hash = 7};
  EXPECT_EQ(decoded(kKey, encoded(kKey, decided)), decided);
}

TEST(RecordCodec, TheLayoutOfWhatExpiresIsFrozen) {
  const std::string plain = encoded(kKey, some_record());
  const std::string bytes = encoded(kKey, expiring());
  constexpr std::size_t kHead = 5 + 41;
  EXPECT_EQ(bytes[5], 4);
  EXPECT_EQ(bytes.substr(6, kHead - 6), plain.substr(6, kHead - 6));
  EXPECT_EQ(bytes.substr(kHead, 8), std::string("\x06\x05\x04\x03\x02\x01\x00\x00", 8));
  EXPECT_EQ(bytes.substr(kHead + 8), plain.substr(kHead));
}

TEST(RecordCodec, FlagsOfWhatExpiresThatMakeNoSenseAreRefused) {
  EXPECT_FALSE(decode_record(kKey, with_flags(8))) << "it has expired, and nobody knows when";
  EXPECT_FALSE(decode_record(kKey, with_flags(5))) << "a tombstone does not expire";
  Record record = expiring();
  record.header.expires_ms = kExpiresMsMax;
  EXPECT_TRUE(decode_record(kKey, encoded(kKey, record)));
  for (const std::int64_t never : {kExpiresMsMax + 1, std::int64_t{-1}}) {
    record.header.expires_ms = never;
    EXPECT_FALSE(decode_record(kKey, encoded(kKey, record))) << never;
  }
}

TEST(RecordCodec, ExpiryEntriesComeBackUnderTheirKeysInTheirOrder) {
  const ExpiryEntry entry{.place = {.expires_ms = 0x010203, .dot = {.origin = Origin{5}, .seq = 9}},
                          .path = "users/john"};
  const std::string key = expiry_key(entry.place);
  EXPECT_EQ(decode_expiry(key, encode_expiry(entry)), entry);
  EXPECT_TRUE(is_state_key(key));
  EXPECT_EQ(parse_expiry_key(key), entry.place);
  std::string flipped = encode_expiry(entry);
  flipped.back() = 'm';
  EXPECT_FALSE(decode_expiry(key, flipped));
  EXPECT_FALSE(
      decode_expiry(expiry_key({.expires_ms = 1, .dot = entry.place.dot}), encode_expiry(entry)));
  Prng prng(3);
  for (int i = 0; i < 200; ++i) {
    const auto some = [&prng] {
      return ExpiryPlace{.expires_ms = prng.between(1, 300),
                         .dot = {.origin = Origin{prng.below(300)}, .seq = prng.below(300)}};
    };
    const ExpiryPlace a = some();
    const ExpiryPlace b = some();
    EXPECT_EQ(expiry_key(a) < expiry_key(b), a < b);
  }
}

TEST(RecordCodec, AnExpiryReserveComesBack) {
  EXPECT_EQ(decode_expiry_reserve(encode_expiry_reserve({1234567})), WallTime{1234567});
  EXPECT_FALSE(decode_expiry_reserve(encode_stamp({1})));
}

TEST(RecordCodec, AVerdictThatIsNotThereIsRefused) {
  EXPECT_FALSE(decode_record(kKey, with_flags(2))) << "7 bytes of value are no verdict";
  Record record = some_record();
  record.header.version.verdict = {.votes = 1, .oldest_join_ms = 5, .voters_hash = 7};
  const std::string one_vote = encoded(kKey, record);
  EXPECT_TRUE(decode_record(kKey, with_votes(one_vote, 1)));
  EXPECT_FALSE(decode_record(kKey, with_votes(one_vote, 0))) << "a verdict of nobody";
}

TEST(RecordCodec, RandomBytesAreRefused) {
  Prng prng(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(1, '\1');
    for (std::uint64_t i = prng.below(80); i > 0; --i) {
      bytes.push_back(static_cast<char>(prng.next()));
    }
    ASSERT_FALSE(decode_record(kKey, bytes));
    ASSERT_FALSE(decode_knowledge(bytes));
    ASSERT_FALSE(decode_identity(bytes));
    ASSERT_FALSE(decode_stamp(bytes));
  }
}

/// All single-bit flips and cuts of `bytes` must be refused.
template <class Decode>
void expect_damage_noticed(std::string bytes, Decode decode) {
  EXPECT_TRUE(decode(bytes));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << (bit % 8)));
    EXPECT_FALSE(decode(bytes)) << "bit " << bit;
    bytes[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << (bit % 8)));
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode(bytes + '\0'));
}

TEST(RecordCodec, KnowledgeComesBack) {
  for (const OriginKnowledge& known :
       {OriginKnowledge{}, OriginKnowledge{.upto = 5, .beyond = {}},
        OriginKnowledge{.upto = 5, .beyond = {{7, 7}, {9, 12}, {~0ULL, ~0ULL}}}}) {
    EXPECT_EQ(decode_knowledge(encode_knowledge(known)), known);
    expect_damage_noticed(encode_knowledge(known), decode_knowledge);
  }
}

TEST(RecordCodec, IdentityComesBack) {
  const Identity identity{.instance = ~0ULL, .joined_ms = -3};
  EXPECT_EQ(decode_identity(encode_identity(identity)), identity);
  expect_damage_noticed(encode_identity(identity), decode_identity);
}

TEST(RecordCodec, StampsComeBack) {
  EXPECT_EQ(decode_stamp(encode_stamp({77})), Stamp{77});
  expect_damage_noticed(encode_stamp({77}), decode_stamp);
}

TEST(RecordCodec, StatesAreNotTakenForOneAnother) {
  EXPECT_FALSE(decode_knowledge(encode_stamp({77})));
  EXPECT_FALSE(decode_stamp(encode_knowledge({.upto = 77, .beyond = {}})));
  EXPECT_FALSE(decode_identity(encode_knowledge({.upto = 77, .beyond = {{99, 99}}})));
}

TEST(RecordCodec, ARosterComesBack) {
  std::vector<Member> roster(2);
  roster[0].instance = Instance{7};
  roster[0].node_id = "n1";
  roster[0].address = "10.0.0.1:8080";
  roster[0].joined_ms = 5;
  roster[0].started_ms = 6;
  roster[0].run = 8;
  roster[0].incarnation = 9;
  roster[1].instance = Instance{~0ULL};
  const auto decoded = decode_roster(encode_roster(roster));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, roster);
  EXPECT_TRUE(decode_roster(encode_roster({}))->empty());
  EXPECT_FALSE(decode_roster(encode_stamp({.bits = 1})));
  std::string cut = encode_roster(roster);
  cut.pop_back();
  EXPECT_FALSE(decode_roster(cut));
}

}  // namespace
}  // namespace kvs
