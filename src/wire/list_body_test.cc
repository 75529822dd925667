#include "wire/list_body.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/memory_store.h"
#include "wire/base64url.h"
#include "wire/json.h"

namespace kvs {
namespace {

/// What a listing sends, its body unframed.
struct Answer {
  std::string head;
  std::string body;
  Handled::Kind kind = Handled::Kind::answered;
  BodySource::Status end = BodySource::Status::done;
  std::size_t longest_piece = 0;
};

ListSource source_of(const StoreView& store, std::function<void(Key)> damaged = nullptr) {
  return {.cursor = [&store] { return store.cursor(); }, .damaged = std::move(damaged)};
}

Answer ask(const MemoryStore& store, const ListKeys& keys, std::size_t budget = 1000) {
  Answer answer;
  const AnswerTarget target{.out = answer.head,
                            .persistence = Persistence::implicit,
                            .stream_framing = StreamFraming::chunked,
                            .head_only = false};
  Handled handled = answer_listing(target, keys, source_of(store), Instant{});
  answer.kind = handled.kind;
  if (handled.kind == Handled::Kind::answered) {
    const std::size_t split = answer.head.find("\r\n\r\n") + 4;
    answer.body = answer.head.substr(split);
    answer.head.resize(split);
    return answer;
  }
  answer.end = BodySource::Status::more;
  while (answer.end == BodySource::Status::more) {
    std::string piece;
    answer.end = handled.source->fill(piece, budget, Instant{});
    answer.longest_piece = std::max(answer.longest_piece, piece.size());
    answer.body += piece;
  }
  return answer;
}

ListKeys keys_of(const ListRequest& list, ListKeys::Values values = ListKeys::Values::omit) {
  return {.list = list, .values = values};
}

MemoryStore large_store(int records) {
  MemoryStore store;
  for (int i = 0; i < records; ++i) {
    store.put("u/" + std::to_string(100'000 + i), 1, "[" + std::to_string(i) + "]");
  }
  return store;
}

TEST(ListBody, WhatExpiresSaysWhenAndIsGoneThen) {
  MemoryStore store;
  store.set("u/a",
            {.header = {.version = MemoryStore::version_of(1), .expires_ms = 1000}, .value = "1"});
  store.set("u/b/c",
            {.header = {.version = MemoryStore::version_of(2), .expires_ms = 900}, .value = "2"});
  const auto entries = [&](std::int64_t clock_ms) {
    ListKeys keys = keys_of({.path = "u"});
    keys.list.expiry_clock = {clock_ms};
    const std::string body = ask(store, keys).body;
    return body.substr(body.find("\"entries\""));
  };
  EXPECT_EQ(entries(899),
            "\"entries\":[{\"name\":\"a\",\"uuid\":"
            "\"00000000-0000-0001-0000-000000000001\",\"timestamp\":1,"
            "\"expires\":1000},{\"name\":\"b/\"}]}");
  EXPECT_EQ(entries(900).find("b/"), std::string::npos) << "nothing is left below it";
  EXPECT_EQ(entries(1000), "\"entries\":[]}");
}

TEST(ListBody, NothingBelow) {
  const Answer answer = ask({}, keys_of({.path = "users"}));
  EXPECT_EQ(answer.body, R"({"path":"users/","entries":[]})");
  EXPECT_EQ(answer.head,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n");
  EXPECT_EQ(ask({}, keys_of({})).body, R"({"path":"","entries":[]})");
}

TEST(ListBody, KeysAndFolders) {
  MemoryStore store;
  store.put("u/john/a", 1);
  store.put("u/mary", 0x1234, R"({"age": 7})");
  EXPECT_EQ(ask(store, keys_of({.path = "u"})).body,
            R"({"path":"u/","entries":[{"name":"john/"},{"name":"mary",)"
            R"("uuid":"00000000-0000-1234-0000-000000001234","timestamp":4660}]})");
  EXPECT_EQ(ask(store, keys_of({.path = "u"}, ListKeys::Values::include)).body,
            R"({"path":"u/","entries":[{"name":"john/"},{"name":"mary",)"
            R"("uuid":"00000000-0000-1234-0000-000000001234","timestamp":4660,)"
            R"("data":{"age": 7}}]})");
}

TEST(ListBody, NamesAreEscaped) {
  MemoryStore store;
  store.put("say \"\\hi\xc3\xa4", 1);
  const std::string body = ask(store, keys_of({})).body;
  EXPECT_TRUE(JsonChecker().check(body)) << body;
  EXPECT_NE(body.find(R"("say \"\\hi)"), std::string::npos) << body;
}

TEST(ListBody, NextIsTheNameThatTheNextPageFollows) {
  MemoryStore store;
  store.put("a/x", 1);
  store.put("b", 1);
  EXPECT_EQ(ask(store, keys_of({.limit = 1})).body,
            R"({"path":"","entries":[{"name":"a/"}],"next":"YS8"})");
  std::string after;
  ASSERT_TRUE(decode_base64url("YS8", after));
  const std::string second = ask(store, keys_of({.limit = 1, .after = after})).body;
  EXPECT_TRUE(second.starts_with(R"({"path":"","entries":[{"name":"b",)")) << second;
  EXPECT_EQ(second.find("next"), std::string::npos);
}

TEST(ListBody, ALongPageIsStreamedInPieces) {
  const MemoryStore store = large_store(5000);
  const Answer answer = ask(store, keys_of({.path = "u", .limit = 10'000}));
  EXPECT_EQ(answer.kind, Handled::Kind::streaming);
  EXPECT_NE(answer.head.find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_TRUE(JsonChecker().check(answer.body));
  EXPECT_LT(answer.longest_piece, 40'000U) << "the first slice is the longest";
  std::size_t entries = 0;
  for (std::size_t at = answer.body.find("\"name\""); at != std::string::npos;
       at = answer.body.find("\"name\"", at + 1)) {
    ++entries;
  }
  EXPECT_EQ(entries, 5000U);
}

TEST(ListBody, TombstonesCostNoMoreThanASlice) {
  MemoryStore store;
  for (int i = 0; i < 5000; ++i) {
    store.put_tombstone("gone/" + std::to_string(i), 1);
  }
  const Answer answer = ask(store, keys_of({}));
  EXPECT_EQ(answer.kind, Handled::Kind::streaming) << "the first slice could not know";
  EXPECT_EQ(answer.body, R"({"path":"","entries":[]})");
}

TEST(ListBody, DamageInTheFirstSliceIsAnError) {
  MemoryStore store = large_store(10);
  store.damage("u/100005", Errc::corrupt_data);
  const Answer answer = ask(store, keys_of({.path = "u"}));
  EXPECT_EQ(answer.kind, Handled::Kind::answered);
  EXPECT_TRUE(answer.head.starts_with("HTTP/1.1 500 ")) << answer.head;
  EXPECT_TRUE(answer.body.starts_with(R"({"error":{"code":"corrupt_data",)")) << answer.body;
}

TEST(ListBody, LaterDamageBreaksTheStreamOff) {
  MemoryStore store = large_store(5000);
  store.damage("u/104000", Errc::corrupt_data);
  const Answer answer = ask(store, keys_of({.path = "u", .limit = 10'000}));
  EXPECT_EQ(answer.kind, Handled::Kind::streaming);
  EXPECT_EQ(answer.end, BodySource::Status::failed);
  EXPECT_FALSE(JsonChecker().check(answer.body)) << "nobody takes it for whole";
}

/// The keys of which a listing says that they are damaged.
std::vector<std::string> damage_met(const MemoryStore& store, const ListKeys& keys) {
  std::vector<std::string> met;
  std::string out;
  const AnswerTarget target{.out = out};
  const auto note = [&met](Key key) {
    met.emplace_back(key.text());
  };
  Handled handled = answer_listing(target, keys, source_of(store, note), Instant{});
  auto status = BodySource::Status::more;
  while (handled.source && status == BodySource::Status::more) {
    status = handled.source->fill(out, 1000, Instant{});
  }
  return met;
}

TEST(ListBody, DamageIsReportedWithItsKey) {
  const std::vector<std::string> first{"u/100005"};
  MemoryStore store = large_store(10);
  EXPECT_TRUE(damage_met(store, keys_of({.path = "u"})).empty());
  store.damage(first[0], Errc::corrupt_data);
  EXPECT_EQ(damage_met(store, keys_of({.path = "u"})), first);
  const std::vector<std::string> later{"u/104000"};
  MemoryStore large = large_store(5000);
  large.damage(later[0], Errc::corrupt_data);
  EXPECT_EQ(damage_met(large, keys_of({.path = "u", .limit = 10'000})), later);
}

TEST(ListBody, AnErrorOfTheDiskIsNoDamage) {
  MemoryStore store = large_store(10);
  store.damage("u/100005", Errc::io_error);
  EXPECT_TRUE(damage_met(store, keys_of({.path = "u"})).empty());
}

/// A store whose cursors keep their moment, as RocksDB's do.
class StoreOfMoments final : public StoreView {
 public:
  explicit StoreOfMoments(const MemoryStore& store) : store_(store) {}

  [[nodiscard]] Result<std::optional<RecordHeader>> find(Key key) const override {
    return store_.find(key);
  }

  [[nodiscard]] Result<std::optional<Record>> get_record(Key key) const override {
    return store_.get_record(key);
  }

  [[nodiscard]] Result<std::vector<ExpiryEntry>> expiries(const ExpiryPlace& after,
                                                          std::size_t max) const override {
    return store_.expiries(after, max);
  }

  [[nodiscard]] std::unique_ptr<RecordCursor> cursor() const override {
    moments_.push_back(std::make_unique<MemoryStore>(store_));
    return moments_.back()->cursor();
  }

 private:
  const MemoryStore& store_;
  mutable std::vector<std::unique_ptr<MemoryStore>> moments_;
};

/// The body of a listing of all 5000 records below `u`, to which somebody adds "u/103000!" and
/// "u/100000!", and from which "u/103500" goes, after the first pieces, read at these moments.
std::string read_while_written(const ListKeys& keys, std::span<const Instant> moments) {
  MemoryStore store = large_store(5000);
  const StoreOfMoments view(store);
  std::string head;
  const AnswerTarget target{.out = head,
                            .persistence = Persistence::implicit,
                            .stream_framing = StreamFraming::chunked,
                            .head_only = false};
  const Handled handled = answer_listing(target, keys, source_of(view), moments.front());
  std::string body;
  EXPECT_EQ(handled.source->fill(body, 1000, moments.front()), BodySource::Status::more);
  store.put("u/103000!", 1);
  store.put("u/100000!", 1);
  store.erase("u/103500");
  auto status = BodySource::Status::more;
  for (std::size_t n = 0; status == BodySource::Status::more; ++n) {
    status = handled.source->fill(body, 1000, moments[std::min(n, moments.size() - 1)]);
  }
  EXPECT_EQ(status, BodySource::Status::done);
  EXPECT_TRUE(JsonChecker().check(body));
  return body;
}

TEST(ListBody, APageIsOfOneMoment) {
  const std::array moments{Instant{0}, Instant{0} + kListCursorAge - Duration{1}};
  const std::string body = read_while_written(keys_of({.path = "u", .limit = 10'000}), moments);
  EXPECT_EQ(body.find("103000!"), std::string::npos);
  EXPECT_NE(body.find("103500"), std::string::npos);
}

TEST(ListBody, ASlowClientGetsTheRestOfALaterMomentEachNameOnce) {
  const std::array moments{Instant{0}, Instant{0} + kListCursorAge,
                           Instant{0} + kListCursorAge + kListCursorAge};
  for (const ListRequest::Depth depth : {ListRequest::Depth::children, ListRequest::Depth::below}) {
    const std::string body =
        read_while_written(keys_of({.path = "u", .depth = depth, .limit = 10'000}), moments);
    std::vector<std::string> names;
    constexpr std::string_view kName = R"("name":")";
    for (std::size_t at = body.find(kName); at != std::string::npos; at = body.find(kName, at)) {
      at += kName.size();
      names.push_back(body.substr(at, body.find('"', at) - at));
    }
    EXPECT_TRUE(std::ranges::is_sorted(names));
    EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
    EXPECT_EQ(names.size(), 5000U) << "one came, one went";
    EXPECT_NE(body.find("\"103000!\""), std::string::npos);
    EXPECT_EQ(body.find("\"100000!\""), std::string::npos) << "its place had been passed";
    EXPECT_EQ(body.find("\"103500\""), std::string::npos);
  }
}

TEST(ListBody, ASlowClientsPageHasItsLimitAndItsNext) {
  const std::array moments{Instant{0}, Instant{0} + kListCursorAge};
  const std::string body = read_while_written(keys_of({.path = "u", .limit = 3002}), moments);
  EXPECT_TRUE(body.ends_with(R"("next":"MTAzMDAwIQ"})")) << body.substr(body.size() - 200);
}

TEST(ListBody, HeadSendsNoBody) {
  std::string out;
  const AnswerTarget target{.out = out,
                            .persistence = Persistence::implicit,
                            .stream_framing = StreamFraming::chunked,
                            .head_only = true};
  const MemoryStore store;
  EXPECT_EQ(answer_listing(target, keys_of({}), source_of(store), Instant{}).kind,
            Handled::Kind::answered);
  EXPECT_TRUE(out.ends_with("Content-Length: 24\r\n\r\n")) << out;
}

}  // namespace
}  // namespace kvs
