#include "wire/export_body.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/memory_store.h"
#include "wire/json_view.h"
#include "wire/record_line.h"

namespace kvs {
namespace {

RecordHeader header(std::uint64_t seq, RecordKind kind = RecordKind::value) {
  return {.version = {.stamp = Stamp::from_ms(1000),
                      .verdict = {},
                      .uuid = {.high = seq, .low = seq},
                      .dot = {.origin = Origin{7}, .seq = seq}},
          .kind = kind};
}

class ExportBodyTest : public ::testing::Test {
 protected:
  void put(const std::string& path, RecordKind kind = RecordKind::value) {
    store_.set(path, {.header = header(++seq_, kind),
                      .value = kind == RecordKind::value ? std::to_string(seq_) : std::string()});
  }

  /// What comes of a request, with `turn` called before each fill.
  std::string answer(const ExportRecords& request, const std::function<void()>& turn = [] {}) {
    std::string out;
    cursors_ = 0;
    Handled handled =
        answer_export({.out = out,
                       .persistence = Persistence::implicit,
                       .stream_framing = StreamFraming::chunked},
                      request,
                      {.cursor =
                           [this] {
                             ++cursors_;
                             return store_.cursor();
                           },
                       .damaged = [this](Key key) { damaged_.emplace_back(key.text()); },
                       .expiry_clock = expiry_clock_},
                      now_);
    if (handled.kind != Handled::Kind::streaming) {
      return out;
    }
    std::string body;
    for (auto status = BodySource::Status::more; status == BodySource::Status::more;) {
      turn();
      status = handled.source->fill(body, 100, now_);
      if (status == BodySource::Status::failed) {
        return body + "FAILED";
      }
    }
    return body;
  }

  static std::vector<std::string> paths_in(std::string_view body) {
    std::vector<std::string> paths;
    while (!body.empty()) {
      const std::size_t end = body.find('\n');
      paths.push_back(json_string_member(body.substr(0, end), "path").value_or("?"));
      body.remove_prefix(end + 1);
    }
    return paths;
  }

  using Paths = std::vector<std::string>;

  WallTime expiry_clock_;
  MemoryStore store_;
  std::uint64_t seq_ = 0;
  Instant now_;
  std::size_t cursors_ = 0;
  Paths damaged_;
};

TEST_F(ExportBodyTest, GivesWhatIsBelowAPathInOrder) {
  for (const char* const path : {"b", "a/2", "a/1", "a", "a!", "a/1/x", "c/1"}) {
    put(path);
  }
  EXPECT_EQ(paths_in(answer({.path = "", .after = ""})),
            (Paths{"a", "a!", "a/1", "a/1/x", "a/2", "b", "c/1"}));
  EXPECT_EQ(paths_in(answer({.path = "a", .after = ""})), (Paths{"a/1", "a/1/x", "a/2"}));
  EXPECT_EQ(paths_in(answer({.path = "a", .after = "a/1"})), (Paths{"a/1/x", "a/2"}));
  EXPECT_EQ(paths_in(answer({.path = "a", .after = "a/1/w"})), (Paths{"a/1/x", "a/2"}));
  EXPECT_EQ(paths_in(answer({.path = "a", .after = "a/2"})), Paths{});
  EXPECT_EQ(paths_in(answer({.path = "none", .after = ""})), Paths{});
}

TEST_F(ExportBodyTest, GivesDeletionsOnlyOnRequest) {
  put("a");
  put("b", RecordKind::tombstone);
  EXPECT_EQ(paths_in(answer({.path = "", .after = ""})), Paths{"a"});
  const std::string all =
      answer({.path = "", .after = "", .deletions = ExportRecords::Deletions::include});
  EXPECT_EQ(paths_in(all), (Paths{"a", "b"}));
  EXPECT_NE(all.find(R"("deleted":true)"), std::string::npos);
}

TEST_F(ExportBodyTest, WhatHasExpiredIsADeletion) {
  put("a");
  RecordHeader expiring = header(++seq_);
  expiring.expires_ms = 5000;
  store_.set("b", {.header = expiring, .value = "2"});
  expiry_clock_ = {4999};
  const std::string before = answer({});
  EXPECT_NE(before.find(R"("path":"b")"), std::string::npos);
  EXPECT_NE(before.find(R"("expires":5000,)"), std::string::npos);
  expiry_clock_ = {5000};
  EXPECT_EQ(answer({}).find(R"("path":"b")"), std::string::npos);
  const std::string gone = answer({.deletions = ExportRecords::Deletions::include});
  EXPECT_NE(gone.find(R"("deleted":true)"), std::string::npos);
  EXPECT_EQ(gone.find("\"data\":2"), std::string::npos);
  const std::string line = gone.substr(gone.find(R"({"path":"b")"));
  auto read = RecordLineReader(1024).read(line.substr(0, line.find('\n')));
  ASSERT_TRUE(read);
  const auto record = record_of(*std::move(read));
  ASSERT_TRUE(record) << "and names the version in full";
  EXPECT_EQ(record->record.header, expiring);
  EXPECT_EQ(record->record.header.kind, RecordKind::expired);
}

TEST_F(ExportBodyTest, TakesNewCursorsAtTheSamePlace) {
  Paths expected;
  for (int number = 1000; number < 4000; ++number) {
    expected.push_back("k/" + std::to_string(number));
    put(expected.back());
  }
  const std::string body =
      answer({.path = "k", .after = ""}, [this] { now_ = now_ + Duration::from_seconds(1); });
  EXPECT_EQ(paths_in(body), expected);
  EXPECT_GT(cursors_, 3U);
}

TEST_F(ExportBodyTest, KeepsItsMomentForAnHourAtMost) {
  for (int number = 1000; number < 4000; ++number) {
    put("k/" + std::to_string(number));
  }
  const std::string body =
      answer({.path = "", .after = ""}, [this] { now_ = now_ + Duration::from_seconds(1000); });
  EXPECT_TRUE(body.ends_with("FAILED"));
}

TEST_F(ExportBodyTest, BreaksOffWhereARecordIsDamaged) {
  for (int number = 1000; number < 3000; ++number) {
    put("k/" + std::to_string(number));
  }
  store_.damage("k/2500", Errc::corrupt_data);
  EXPECT_TRUE(answer({.path = "", .after = ""}).ends_with("FAILED"));
  EXPECT_EQ(damaged_, Paths{"k/2500"});
  store_.damage("k/1000", Errc::corrupt_data);
  EXPECT_TRUE(answer({.path = "", .after = ""}).starts_with("HTTP/1.1 500"));
}

}  // namespace
}  // namespace kvs
