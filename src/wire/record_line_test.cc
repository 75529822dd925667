#include "wire/record_line.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "wire/client_calls.h"

namespace kvs {
namespace {

constexpr std::size_t kKeyMax = 1024;

RecordHeader header(RecordKind kind = RecordKind::value) {
  return {.version = {.stamp = {(1'672'531'200'000ULL << 16U) + 3},
                      .verdict = {},
                      .uuid = {.high = 1, .low = 2},
                      .dot = {.origin = Origin{77}, .seq = 5}},
          .kind = kind};
}

std::string line_of(std::string_view path, const RecordView& record) {
  std::string line;
  append_record_line(line, path, record);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  line.pop_back();
  return line;
}

Result<PeerRecord> record_in(std::string_view line) {
  auto read = RecordLineReader(kKeyMax).read(line);
  EXPECT_TRUE(read) << line;
  return read ? record_of(*std::move(read)) : std::unexpected(read.error());
}

TEST(RecordLine, IsAnObjectThatPeopleCanRead) {
  const std::string line = line_of("a/\"b", {.header = header(), .value = R"({"x":1})"});
  EXPECT_TRUE(line.starts_with(
      R"({"path":"a/\"b","uuid":"00000000-0000-0001-0000-000000000002","timestamp":1672531200000,)"
      R"("version":")"));
  EXPECT_TRUE(line.ends_with(R"(","data":{"x":1}})"));
  const std::string gone = line_of("a", {.header = header(RecordKind::tombstone), .value = {}});
  EXPECT_TRUE(gone.ends_with(R"(","deleted":true})"));
}

TEST(RecordLine, WhatExpiresSaysWhen) {
  RecordHeader expiring = header();
  expiring.expires_ms = 1'672'531'260'000;
  const std::string line = line_of("a", {.header = expiring, .value = "1"});
  EXPECT_NE(line.find(R"("timestamp":1672531200000,"expires":1672531260000,"version":")"),
            std::string::npos);
  const auto read = RecordLineReader(kKeyMax).read(line);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->expires_ms, expiring.expires_ms);
  EXPECT_EQ(record_in(line)->record.header, expiring);
  EXPECT_EQ(RecordLineReader(kKeyMax).read(R"({"path":"a","data":1,"expires":"x"})")->expires_ms,
            0);
  EXPECT_EQ(RecordLineReader(kKeyMax).read(R"({"path":"a","data":1,"expires":-5})")->expires_ms, 0);
}

TEST(RecordLine, EveryRecordComesBackWhole) {
  Prng prng(7);
  for (const std::string value :
       {"1", "null", "\"\\u00e9\"", "[ 1 , 2 ]", " 1", "{} ", "\t\"a\"\r\n", "{\r\n\t\"a\":\n[]}\n",
        "{\"path\":\"z\",\"version\":\"x\"}", "\"}\\\"\"", "1.50e+1"}) {
    RecordHeader head = header();
    head.version.stamp.bits = prng.next() >> 1U;
    head.version.uuid = make_uuid(prng);
    head.version.dot = {.origin = Origin{prng.next() | 1U}, .seq = prng.next() | 1U};
    if (prng.chance(1, 2)) {
      head.version.verdict = {.votes = 3, .oldest_join_ms = 5, .voters_hash = prng.next()};
    }
    const auto record = record_in(line_of("\u00e9 \\/x", {.header = head, .value = value}));
    ASSERT_TRUE(record) << value;
    EXPECT_EQ(record->path, "\u00e9 \\/x");
    EXPECT_EQ(record->record.header, head);
    EXPECT_EQ(record->record.value, value);
    EXPECT_TRUE(record->replaced.empty());
  }
  const RecordHeader gone = header(RecordKind::tombstone);
  const auto record = record_in(line_of("a", {.header = gone, .value = {}}));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->record.header, gone);
}

/// What `line` says once `from` is replaced by `to`.
Errc error_after(std::string line, std::string_view from, std::string_view to) {
  const std::size_t at = line.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  const auto record = record_in(line.replace(at, from.size(), to));
  EXPECT_FALSE(record) << line;
  return record ? Errc::not_found : record.error().code;
}

TEST(RecordLine, AnEditedLineIsNotTakenForTheVersionThatItNames) {
  const std::string line = line_of("a/b", {.header = header(), .value = R"({"x":1})"});
  EXPECT_EQ(error_after(line, R"({"x":1})", R"({"x":2})"), Errc::bad_request);
  EXPECT_EQ(error_after(line, "a/b", "a/c"), Errc::bad_request);
  EXPECT_EQ(error_after(line, R"("data":{"x":1})", R"("deleted":true)"), Errc::bad_request);
  EXPECT_EQ(error_after(line, R"("version":")", R"("version":"AA)"), Errc::bad_request);
  EXPECT_EQ(error_after(line, R"("version":")",
                        R"("version":"")"
                        ",\"x\":\""),
            Errc::bad_request);
  EXPECT_EQ(error_after(line, R"("version")", R"("uversion")"), Errc::bad_request);
  const std::string gone = line_of("a", {.header = header(RecordKind::tombstone), .value = {}});
  EXPECT_EQ(error_after(gone, R"("deleted":true)", R"("data":1)"), Errc::bad_request);
}

TEST(RecordLine, AFlippedBitInTheVersionIsNoticed) {
  const std::string line = line_of("a", {.header = header(), .value = "1"});
  const std::size_t begin = line.find(R"("version":")") + 11;
  const std::size_t end = line.find('"', begin);
  for (std::size_t at = begin; at + 1 < end; ++at) {
    std::string other = line;
    other[at] = other[at] == 'A' ? 'B' : 'A';
    const auto record = record_in(other);
    EXPECT_FALSE(record) << at;
  }
}

TEST(RecordLine, AVersionThatNamesNoWriteIsRefused) {
  RecordHeader nobody = header();
  nobody.version.dot.origin = Origin{};
  EXPECT_FALSE(record_in(line_of("a", {.header = nobody, .value = "1"})));
  RecordHeader none = header();
  none.version.dot.seq = 0;
  EXPECT_FALSE(record_in(line_of("a", {.header = none, .value = "1"})));
}

}  // namespace
}  // namespace kvs
