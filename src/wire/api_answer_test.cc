#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/api.h"

namespace kvs {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Collects one answer.
struct Out {
  std::string text;

  AnswerTarget target(Persistence persistence = Persistence::implicit) {
    return {.out = text,
            .persistence = persistence,
            .stream_framing = StreamFraming::chunked,
            .head_only = false};
  }

  AnswerTarget head() {
    return {.out = text,
            .persistence = Persistence::implicit,
            .stream_framing = StreamFraming::chunked,
            .head_only = true};
  }

  [[nodiscard]] std::string body() const { return text.substr(text.find("\r\n\r\n") + 4); }
};

constexpr Uuid kUuid{.high = 0x0123456789ab4def, .low = 0x8123456789abcdef};
constexpr std::string_view kUuidText = "01234567-89ab-4def-8123-456789abcdef";

RecordView record_of(std::string_view value) {
  RecordView record;
  record.header.version.uuid = kUuid;
  record.header.version.stamp = Stamp::from_ms(784'111'777'123);
  record.value = value;
  return record;
}

GetValue get_of(std::string_view if_none_match = {}, const Condition& if_match = {}) {
  return {.key = Key::from_store("users/j\"ohn"),
          .form = GetValue::Form::bytes,
          .if_match = if_match,
          .if_none_match = if_none_match};
}

constexpr std::string_view kValueFields =
    "ETag: \"01234567-89ab-4def-8123-456789abcdef\"\r\n"
    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "X-KVS-Timestamp: 784111777123\r\n";

TEST(ApiAnswer, AValueGoesOutAsItCame) {
  Out out;
  append_value_response(out.target(), get_of(), record_of(" [1 ] "));
  EXPECT_EQ(out.text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" +
                          std::string(kValueFields) + "Content-Length: 6\r\n\r\n [1 ] ");
}

TEST(ApiAnswer, AValueThatExpiresSaysWhen) {
  RecordView record = record_of("[1]");
  record.header.expires_ms = 784'111'837'500;
  Out out;
  append_value_response(out.target(), get_of(), record);
  EXPECT_EQ(out.text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" +
                          std::string(kValueFields) +
                          "Expires: Sun, 06 Nov 1994 08:50:37 GMT\r\n"
                          "X-KVS-Expires: 784111837500\r\n"
                          "Cache-Control: no-cache\r\n"
                          "Content-Length: 3\r\n\r\n[1]");
  Out meta;
  GetValue request = get_of();
  request.form = GetValue::Form::meta;
  append_value_response(meta.target(), request, record);
  EXPECT_THAT(meta.body(), HasSubstr(R"("timestamp":784111777123,"expires":784111837500,"data")"));
  Out written;
  append_write_response(written.target(), {.status = WriteStatus::created,
                                           .uuid = kUuid,
                                           .stamp = Stamp::from_ms(784'111'777'123),
                                           .expires_ms = 784'111'837'500});
  EXPECT_THAT(written.body(), EndsWith(R"("timestamp":784111777123,"expires":784111837500})"));
  Out refused;
  append_write_response(refused.target(),
                        {.status = WriteStatus::ttl_unsupported, .uuid = {}, .stamp = {}});
  EXPECT_THAT(refused.text, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refused.text, HasSubstr("Retry-After: 60\r\n"));
}

TEST(ApiAnswer, HeadHasTheHeadOfGet) {
  Out get;
  append_value_response(get.target(), get_of(), record_of("[1]"));
  Out head;
  append_value_response(head.head(), get_of(), record_of("[1]"));
  EXPECT_EQ(head.text + "[1]", get.text);
}

TEST(ApiAnswer, NotModified) {
  const std::string ours = '"' + std::string(kUuidText) + '"';
  for (const std::string& tags : {std::string("*"), ours, "W/" + ours, "\"x\", " + ours,
                                  ours + ",\"x\"", "\"x\" ,W/" + ours}) {
    Out out;
    append_value_response(out.target(), get_of(tags), record_of("[1]"));
    EXPECT_EQ(out.text, "HTTP/1.1 304 Not Modified\r\n" + std::string(kValueFields) + "\r\n")
        << tags;
  }
  for (const char* tags : {"\"x\"", "\"x\", \"y\"", "\"01234567-89ab-4def-8123-456789abcdee\""}) {
    Out out;
    append_value_response(out.target(), get_of(tags), record_of("[1]"));
    EXPECT_THAT(out.text, StartsWith("HTTP/1.1 200 ")) << tags;
  }
}

TEST(ApiAnswer, IfMatchOfARead) {
  Out same;
  append_value_response(same.target(),
                        get_of({}, {.kind = Condition::Kind::if_match, .uuid = kUuid}),
                        record_of("1"));
  EXPECT_THAT(same.text, StartsWith("HTTP/1.1 200 "));
  Out any;
  append_value_response(any.target(), get_of({}, {.kind = Condition::Kind::if_exists, .uuid = {}}),
                        record_of("1"));
  EXPECT_THAT(any.text, StartsWith("HTTP/1.1 200 "));
  Out other;
  append_value_response(other.target(), get_of({}, {.kind = Condition::Kind::if_match, .uuid = {}}),
                        record_of("1"));
  EXPECT_THAT(other.text, StartsWith("HTTP/1.1 412 "));
  EXPECT_THAT(other.body(), HasSubstr("\"version_mismatch\""));
}

TEST(ApiAnswer, MetaWrapsTheValue) {
  Out out;
  GetValue get = get_of();
  get.form = GetValue::Form::meta;
  append_value_response(out.target(), get, record_of("{\"a\" :1}"));
  EXPECT_EQ(out.body(), R"({"path":"users/j\"ohn","uuid":"01234567-89ab-4def-8123-456789abcdef",)"
                        R"("timestamp":784111777123,"data":{"a" :1}})");
  EXPECT_THAT(out.text, HasSubstr(std::string(kValueFields)));
}

TEST(ApiAnswer, NoValue) {
  Out out;
  append_no_value_response(out.target());
  EXPECT_THAT(out.text, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_TRUE(JsonChecker().check(out.body()));
  EXPECT_THAT(out.body(), StartsWith(R"({"error":{"code":"not_found","message":")"));
}

TEST(ApiAnswer, WritesThatSucceeded) {
  const auto answer = [](WriteStatus status) {
    Out out;
    append_write_response(
        out.target(), {.status = status, .uuid = kUuid, .stamp = Stamp::from_ms(1672531200000)});
    return out.text;
  };
  const std::string rest =
      "Content-Type: application/json\r\nContent-Length: 73\r\n\r\n"
      R"({"uuid":"01234567-89ab-4def-8123-456789abcdef","timestamp":1672531200000})";
  EXPECT_EQ(answer(WriteStatus::created), "HTTP/1.1 201 Created\r\n" + rest);
  EXPECT_EQ(answer(WriteStatus::replaced), "HTTP/1.1 200 OK\r\n" + rest);
  EXPECT_EQ(answer(WriteStatus::deleted),
            "HTTP/1.1 204 No Content\r\nX-KVS-Timestamp: 1672531200000\r\n\r\n");
}

TEST(ApiAnswer, TheLargestStampFits) {
  Out out;
  append_write_response(out.target(), {.status = WriteStatus::created,
                                       .uuid = {.high = ~0ULL, .low = ~0ULL},
                                       .stamp = {.bits = ~0ULL}});
  EXPECT_THAT(out.body(), HasSubstr("\"timestamp\":281474976710655}"));
  Out read;
  RecordView record = record_of("1");
  record.header.version.stamp.bits = ~0ULL;
  append_value_response(read.target(), get_of(), record);
  EXPECT_THAT(read.text, HasSubstr("Last-Modified: Fri, 31 Dec 9999 23:59:59 GMT\r\n"));
}

TEST(ApiAnswer, WritesThatDidNot) {
  struct Case {
    WriteStatus status;
    std::string_view head;
    std::string_view code;
    std::string_view retry_after;
  };

  for (const Case& c : std::vector<Case>{
           {WriteStatus::not_found, "404 Not Found", "not_found", ""},
           {WriteStatus::version_mismatch, "412 Precondition Failed", "version_mismatch", ""},
           {WriteStatus::read_only, "503 Service Unavailable", "read_only", "60"},
           {WriteStatus::syncing, "503 Service Unavailable", "syncing", "5"},
           {WriteStatus::overloaded, "503 Service Unavailable", "overloaded", "1"},
           {WriteStatus::shutting_down, "503 Service Unavailable", "shutting_down", "5"},
           {WriteStatus::disk_full, "507 Insufficient Storage", "disk_full", "10"},
           {WriteStatus::corrupt_data, "500 Internal Server Error", "corrupt_data", ""},
           {WriteStatus::io_error, "500 Internal Server Error", "io_error", ""}}) {
    Out out;
    append_write_response(out.target(), {.status = c.status, .uuid = {}, .stamp = {}});
    EXPECT_THAT(out.text, StartsWith("HTTP/1.1 " + std::string(c.head) + "\r\n"));
    EXPECT_THAT(out.body(), StartsWith(R"({"error":{"code":")" + std::string(c.code) + '"'));
    EXPECT_TRUE(JsonChecker().check(out.body())) << out.body();
    const std::string retry = "\r\nRetry-After: " + std::string(c.retry_after);
    EXPECT_EQ(out.text.find("Retry-After") == std::string::npos, c.retry_after.empty());
    EXPECT_TRUE(c.retry_after.empty() || out.text.find(retry + "\r\n") != std::string::npos);
    EXPECT_EQ(http_status(errc_of(c.status)), std::stoul(std::string(c.head.substr(0, 3))));
  }
}

TEST(ApiAnswer, TheTableOfStatuses) {
  using enum Errc;
  const std::vector<std::pair<unsigned, std::vector<Errc>>> table{
      {400, {invalid_key, invalid_json, invalid_query, bad_request}},
      {404, {not_found}},
      {405, {method_not_allowed}},
      {408, {request_timeout}},
      {409, {id_in_use, cluster_mismatch}},
      {411, {length_required}},
      {412, {version_mismatch}},
      {413, {value_too_large}},
      {414, {key_too_large}},
      {415, {unsupported_media_type}},
      {417, {expectation_failed}},
      {431, {headers_too_large}},
      {500, {corrupt_data, io_error, invalid_config, data_dir_unusable, format_too_new}},
      {501, {not_implemented}},
      {503, {read_only, syncing, overloaded, shutting_down}},
      {505, {http_version_not_supported}},
      {507, {disk_full}}};
  for (const auto& [status, codes] : table) {
    for (const Errc code : codes) {
      EXPECT_EQ(http_status(code), status) << to_string(code);
    }
  }
}

TEST(ApiAnswer, ErrorsAreJsonWhateverTheMessageHolds) {
  Out out;
  append_error_response(out.target(), Error{.code = Errc::invalid_query,
                                            .detail = "unknown parameter `\"\\\x01\xff`"});
  EXPECT_TRUE(JsonChecker().check(out.body())) << out.body();
  EXPECT_THAT(out.text, StartsWith("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json"));
}

TEST(ApiAnswer, MethodNotAllowedTellsWhichAre) {
  Out out;
  append_error_response(out.target(),
                        {Error{.code = Errc::method_not_allowed, .detail = "no"}, "GET, HEAD"});
  EXPECT_THAT(out.text, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_THAT(out.text, StartsWith("HTTP/1.1 405 "));
}

TEST(ApiAnswer, ErrorsToHeadHaveNoBody) {
  Out out;
  append_error_response(out.head(), Error{.code = Errc::invalid_key, .detail = "x"});
  EXPECT_EQ(out.body(), "");
  EXPECT_THAT(out.text, HasSubstr("Content-Length: 46\r\n"));
}

TEST(ApiAnswer, TheConnectionFieldIsTheTargets) {
  Out close;
  append_no_value_response(close.target(Persistence::close));
  EXPECT_THAT(close.text, HasSubstr("\r\nConnection: close\r\n"));
  Out keep;
  append_write_response(keep.target(Persistence::keep_alive),
                        {.status = WriteStatus::deleted, .uuid = {}, .stamp = {}});
  EXPECT_THAT(keep.text, HasSubstr("\r\nConnection: keep-alive\r\n"));
}

TEST(ApiAnswer, Options) {
  Out out;
  append_options_response(out.target(), {.allow = "GET, OPTIONS"});
  EXPECT_EQ(out.text, "HTTP/1.1 204 No Content\r\nAllow: GET, OPTIONS\r\n\r\n");
}

TEST(ApiAnswer, Members) {
  Out none;
  append_members_response(none.target(), {});
  EXPECT_EQ(none.body(), "[]");
  const std::vector<MemberView> members{{.id = "node-\"a\"",
                                         .address = "192.168.1.10:8080",
                                         .last_seen_ms = 1672531200000,
                                         .joined_ms = 1672530000000,
                                         .mode = "normal",
                                         .version = "0.1.0"},
                                        {.id = "b", .address = "[::1]:1", .state = "suspect"}};
  Out two;
  append_members_response(two.target(), members);
  EXPECT_EQ(two.body(),
            R"([{"id":"node-\"a\"","address":"192.168.1.10:8080","last_seen":1672531200000,)"
            R"("joined_timestamp":1672530000000,"state":"alive","mode":"normal",)"
            R"("version":"0.1.0"},{"id":"b","address":"[::1]:1","last_seen":0,)"
            R"("joined_timestamp":0,"state":"suspect","mode":""}])");
}

TEST(ApiAnswer, Leaving) {
  Out left;
  append_leave_response(left.target(), Handover::complete);
  EXPECT_THAT(left.text, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"));
  EXPECT_EQ(left.body(), R"({"left":true,"handed_over":true})");
  Out hurried;
  append_leave_response(hurried.target(), Handover::cut_short);
  EXPECT_EQ(hurried.body(), R"({"left":true,"handed_over":false})");
  Out removed;
  append_removed_response(removed.target(), "node-\"a\"");
  EXPECT_EQ(removed.body(), R"({"removed":"node-\"a\""})");
}

TEST(ApiAnswer, Convergence) {
  ConvergenceView view{
      .converged = false, .summary = "b \"lacks\" 2 writes", .fingerprint = {}, .rows = {}};
  view.rows.push_back({.id = "a",
                       .state = "alive",
                       .writes_behind = 2,
                       .writes_owed = 1,
                       .fingerprints_agree = false,
                       .as_of_ms = 40});
  view.rows.push_back({.id = "b",
                       .state = "failed",
                       .writes_behind = {},
                       .writes_owed = 0,
                       .fingerprints_agree = {},
                       .as_of_ms = {}});
  Out out;
  append_convergence_response(out.target(), view);
  EXPECT_EQ(out.body(),
            R"({"converged":false,"summary":"b \"lacks\" 2 writes","fingerprint":null,"members":[)"
            R"({"id":"a","state":"alive","writes_behind":2,"writes_owed":1,)"
            R"("fingerprints_agree":false,"as_of_ms":40},)"
            R"({"id":"b","state":"failed","writes_behind":null,"writes_owed":0,)"
            R"("fingerprints_agree":null,"as_of_ms":null}]})");
}

TEST(ApiAnswer, LostRecords) {
  LostView view{.rows = {}, .next = "ab"};
  RecordView record;
  record.header.version.stamp = Stamp::from_ms(1000);
  record.value = R"({"x":1})";
  view.rows.push_back({.path = "a/b", .lost_ms = 2000, .record = record});
  Out out;
  append_lost_response(out.target(), view);
  EXPECT_EQ(out.body(), R"({"lost":[{"path":"a/b",)"
                        R"("uuid":"00000000-0000-0000-0000-000000000000","timestamp":1000,)"
                        R"("lost_timestamp":2000,"data":{"x":1}}],"next":"YWI"})");
  Out none;
  append_lost_response(none.target(), {});
  EXPECT_EQ(none.body(), R"({"lost":[]})");
}

TEST(ApiAnswer, Sources) {
  RecordView record;
  record.value = "1";
  const GetValue get{.key = Key::from_store("a")};
  for (const auto& [source, name] :
       {std::pair(AnswerSource::proxy, "X-KVS-Source: proxy\r\n"),
        std::pair(AnswerSource::partial, "X-KVS-Source: partial\r\n")}) {
    Out value;
    AnswerTarget target = value.target();
    target.source = source;
    append_value_response(target, get, record);
    append_no_value_response(target);
    append_list_response(target, "{}");
    append_list_head(target);
    std::size_t marks = 0;
    for (std::size_t at = 0; (at = value.text.find(name, at)) != std::string::npos; ++at) {
      ++marks;
    }
    EXPECT_EQ(marks, 4U) << value.text;
  }
  Out here;
  append_value_response(here.target(), get, record);
  append_list_head(here.target());
  EXPECT_EQ(here.text.find("X-KVS-Source"), std::string::npos);
}

TEST(ApiAnswer, Health) {
  HealthView health{.node_id = "node-alpha", .version = "0.1.0", .uptime_ms = 12};
  Out ok;
  append_health_response(ok.target(), health);
  EXPECT_THAT(ok.text, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"));
  EXPECT_EQ(ok.body(), R"({"status":"ok","mode":"normal","member_count":1,"node_id":"node-alpha",)"
                       R"("version":"0.1.0","uptime_ms":12,"clock_ahead_ms":0})");
  const std::vector<std::string> warnings{"the clock is \"off\"", "two"};
  health.warnings = warnings;
  Out warned;
  append_health_response(warned.target(), health);
  EXPECT_THAT(warned.text, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(warned.body(), EndsWith(R"("warnings":["the clock is \"off\"","two"]})"));
  health.status = HealthView::Status::degraded;
  health.mode = Mode::read_only;
  health.reason = "disk_full: \"no space\"";
  Out degraded;
  append_health_response(degraded.target(), health);
  EXPECT_THAT(degraded.text, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(degraded.body(),
              StartsWith(R"({"status":"degraded","reason":"disk_full: \"no space\"",)"
                         R"("mode":"read-only",)"));
}

TEST(ApiAnswer, Metrics) {
  Out out;
  append_metrics_response(out.target(), "a 1\n");
  EXPECT_EQ(out.text,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            "Content-Length: 4\r\n\r\na 1\n");
}

TEST(ApiAnswer, Verdicts) {
  Out out;
  const std::vector<VerdictView> verdicts{
      {.path = "a\"b",
       .settled_ms = 7,
       .rule = "majority",
       .winner = kUuid,
       .timestamp_ms = 5,
       .candidates = {{.uuid = kUuid, .votes = 2}, {.uuid = {.high = 1, .low = 2}, .votes = 1}}}};
  append_verdicts_response(out.target(), verdicts);
  EXPECT_EQ(out.body(), R"({"verdicts":[{"path":"a\"b","settled_timestamp":7,"rule":"majority",)"
                        R"("winner":"01234567-89ab-4def-8123-456789abcdef","timestamp":5,)"
                        R"("versions":[{"uuid":"01234567-89ab-4def-8123-456789abcdef","votes":2},)"
                        R"({"uuid":"00000000-0000-0001-0000-000000000002","votes":1}]}]})");
}

}  // namespace
}  // namespace kvs
