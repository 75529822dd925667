#include "app/import_lines.h"

#include <gtest/gtest.h>

#include "wire/record_line.h"

namespace kvs {
namespace {

constexpr std::int64_t kNow = 1'672'531'200'000;

class ImportLines : public ::testing::Test {
 protected:
  static std::string line(std::string_view path, std::string_view value, std::int64_t ms = kNow) {
    RecordHeader header;
    header.version = {.stamp = Stamp::from_ms(ms),
                      .verdict = {},
                      .uuid = {.high = 1, .low = 2},
                      .dot = {.origin = Origin{7}, .seq = 9}};
    std::string text;
    append_record_line(text, path, {.header = header, .value = value});
    return text;
  }

  [[nodiscard]] Result<std::vector<PeerRecord>> read(std::string_view lines,
                                                     Mode mode = Mode::normal) const {
    return read_import(lines, {.config = config_, .mode = mode, .cluster_ms = kNow});
  }

  Config config_;
};

TEST_F(ImportLines, AreRecordsInTheirOrder) {
  const auto records = read(line("a", "1") + "\n \r\n" + line("b/c", "{}"));
  ASSERT_TRUE(records) << records.error().detail;
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ(records->at(0).path, "a");
  EXPECT_EQ(records->at(1).record.value, "{}");
  EXPECT_TRUE(read("")->empty());
  std::string last = line("a", "1");
  last.pop_back();  // the line break
  EXPECT_EQ(read(last)->size(), 1U);
}

TEST_F(ImportLines, OneThatIsWrongIsNamedAndNoneIsTaken) {
  const auto wrong = read(line("a", "1") + "\n{}\n" + line("b", "2"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Errc::invalid_json);
  EXPECT_TRUE(wrong.error().detail.starts_with("line 3: ")) << wrong.error().detail;
  EXPECT_EQ(read(R"({"path":"a","data":1})").error().code, Errc::bad_request);
}

TEST_F(ImportLines, KeepTheLimitsOfTheNode) {
  config_.max_value_bytes = 5;
  config_.max_key_bytes = 3;
  EXPECT_TRUE(read(line("abc", R"("abc")")));
  EXPECT_EQ(read(line("abc", R"("abcd")")).error().code, Errc::value_too_large);
  EXPECT_EQ(read(line("abcd", "1")).error().code, Errc::key_too_large);
}

TEST_F(ImportLines, WhatTheCoreMightPutOffIsRefusedForNow) {
  const std::int64_t skew = config_.max_clock_skew.ms();
  EXPECT_TRUE(read(line("a", "1", kNow + skew - 1000)));
  const auto early = read(line("a", "1", kNow + skew - 999));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Errc::overloaded);
}

TEST_F(ImportLines, AreRefusedWhereWritesAre) {
  EXPECT_EQ(read(line("a", "1"), Mode::read_only).error().code, Errc::read_only);
  EXPECT_EQ(read(line("a", "1"), Mode::syncing).error().code, Errc::syncing);
}

}  // namespace
}  // namespace kvs
