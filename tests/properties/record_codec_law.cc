// What is stored comes back, and damage does not come back as something else.
#include <gtest/gtest.h>

#include "properties/generators.h"
#include "wire/record_codec.h"

namespace kvs {
namespace {

Record some_record() {
  Record record;
  record.header.version = *versions();
  record.header.version.stamp.bits = *rc::gen::arbitrary<std::uint64_t>();
  record.header.version.dot.seq = *rc::gen::arbitrary<std::uint64_t>();
  record.header.kind =
      *rc::gen::element(RecordKind::value, RecordKind::tombstone, RecordKind::expired);
  const bool may_expire = record.header.kind == RecordKind::value && *rc::gen::arbitrary<bool>();
  if (may_expire || record.header.kind == RecordKind::expired) {
    record.header.expires_ms = *rc::gen::inRange<std::int64_t>(1, kExpiresMsMax + 1);
  }
  if (record.header.live()) {
    record.value = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  }
  return record;
}

std::string encoded(const std::string& key, const Record& record) {
  std::string bytes;
  encode_record(Key::from_store(key), record.view(), bytes);
  return bytes;
}

TEST(law_record_codec, RecordsComeBack) {
  EXPECT_TRUE(rc::check([] {
    const std::string key = *path_texts();
    const Record record = some_record();
    const std::string bytes = encoded(key, record);
    const auto read = decode_record(Key::from_store(key), bytes);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->header == record.header);
    RC_ASSERT(read->header.kind == record.header.kind);
    RC_ASSERT(read->value == record.value);
  }));
}

// CRC-32C finds every error of up to three bits in records of this size, and every burst of 32.
TEST(law_record_codec, AnyFlippedBitIsRefused) {
  EXPECT_TRUE(rc::check([] {
    const std::string key = *path_texts();
    std::string bytes = encoded(key, some_record());
    const std::uint64_t bit = *below(8 * bytes.size());
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    RC_ASSERT(!decode_record(Key::from_store(key), bytes).has_value());
  }));
}

TEST(law_record_codec, ADamagedStretchIsRefused) {
  EXPECT_TRUE(rc::check([] {
    const std::string key = *path_texts();
    const std::string bytes = encoded(key, some_record());
    const std::uint64_t at = *below(bytes.size() - 3);
    std::string damaged = bytes;
    for (std::uint64_t i = at; i < at + 4; ++i) {
      damaged[i] = *rc::gen::arbitrary<char>();
    }
    RC_PRE(damaged != bytes);
    RC_PRE(at >= 5);  // within what the checksum covers; its own bytes are in the law above
    RC_ASSERT(!decode_record(Key::from_store(key), damaged).has_value());
  }));
}

TEST(law_record_codec, ARecordUnderAnotherKeyIsRefused) {
  EXPECT_TRUE(rc::check([] {
    const std::string key = "k" + *path_texts();
    std::string other = key + *rc::gen::element(std::string(), std::string("a"));
    if (other == key) {
      const std::uint64_t bit = *below(8 * key.size());
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    }
    RC_ASSERT(!decode_record(Key::from_store(other), encoded(key, some_record())).has_value());
  }));
}

TEST(law_record_codec, KnowledgeComesBack) {
  EXPECT_TRUE(rc::check([] {
    const Knowledge knowledge = knowledge_of(*dot_sets());
    for (const auto& [origin, known] : knowledge.origins()) {
      const auto read = decode_knowledge(encode_knowledge(known));
      RC_ASSERT(read.has_value());
      RC_ASSERT(*read == known);
    }
  }));
}

}  // namespace
}  // namespace kvs
