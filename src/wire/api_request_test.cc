#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/api.h"
#include "wire/base64url.h"
#include "wire/watch_cursor.h"

namespace kvs {
namespace {

/// One request and what the API makes of it.
class Asked {
 public:
  explicit Asked(std::string_view request, const ApiLimits& limits = {})
      : text_(request), parser_(limits) {
    HeadScan scan;
    const ParseResult result = parse_request_head(text_, {}, scan, head_);
    EXPECT_TRUE(result.complete()) << result.detail << ": " << request;
    answer_ = parser_.parse(head_, std::string_view(text_).substr(result.consumed));
  }

  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  [[nodiscard]] const RequestHead& head() const { return head_; }

  [[nodiscard]] const ApiParser& parser() const { return parser_; }

  template <class Request>
  [[nodiscard]] const Request& get() const {
    EXPECT_TRUE(answer_) << text_ << answer_.error().message;
    EXPECT_TRUE(std::holds_alternative<Request>(*answer_)) << text_;
    return std::get<Request>(*answer_);
  }

  /// The error's code, or nothing.
  [[nodiscard]] std::optional<Errc> error() const {
    return answer_ ? std::nullopt : std::optional(answer_.error().code);
  }

  [[nodiscard]] std::string message() const { return answer_ ? "" : answer_.error().message; }

  [[nodiscard]] std::string_view allow() const {
    return answer_ ? std::string_view() : answer_.error().allow;
  }

 private:
  std::string text_;
  ApiParser parser_;
  RequestHead head_;
  std::expected<ApiRequest, ApiError> answer_ = std::unexpected(Error{Errc::bad_request, ""});
};

/// `METHOD target` with header lines, no body.
std::string request(std::string_view line, std::string_view fields = {}) {
  return std::string(line) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

std::string put(std::string_view target, std::string_view body, std::string_view fields = {}) {
  return "PUT " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

constexpr std::string_view kUuid = "a1b2c3d4-e5f6-4890-9234-567890abcdef";

std::string quoted_uuid() {
  return '"' + std::string(kUuid) + '"';
}

// Keys

TEST(ApiRequest, OneKeyHoweverItIsWritten) {
  for (const char* target :
       {"/kv/users/john", "/kv/users%2Fjohn", "/kv/%75sers%2fjohn", "http://h/kv/users/john"}) {
    const Asked asked(request(std::string("GET ") + target));
    EXPECT_EQ(asked.get<GetValue>().key.text(), "users/john") << target;
  }
}

TEST(ApiRequest, KeysAreDecodedOnceAndPlusStaysPlus) {
  EXPECT_EQ(Asked(request("GET /kv/a+b%20c%252F")).get<GetValue>().key.text(), "a+b c%2F");
  EXPECT_EQ(Asked(request("GET /kv/%C3%A4/%E2%82%AC")).get<GetValue>().key.text(),
            "\xc3\xa4/\xe2\x82\xac");
  EXPECT_EQ(Asked(request("GET /kv/_ts:1:x")).get<GetValue>().key.text(), "_ts:1:x");
}

TEST(ApiRequest, BadKeysAreRefusedByEveryMethod) {
  for (const char* path : {"a//b", "/a", "a/./b", "..", "a/%2E%2E", "%00", "a%0Ab", "%7F", "%FF",
                           "%C3", "%ED%A0%80", "%2Fa", "%zz", "a%2", "a%"}) {
    for (const char* method : {"GET", "HEAD", "DELETE"}) {
      const Asked asked(request(std::string(method) + " /kv/" + path));
      EXPECT_EQ(asked.error(), Errc::invalid_key) << method << " " << path;
    }
    EXPECT_EQ(Asked(put(std::string("/kv/") + path, "1")).error(), Errc::invalid_key) << path;
  }
}

TEST(ApiRequest, ATrailingSlashIsNoKeyToWrite) {
  for (const char* target : {"/kv/", "/kv/a/", "/kv/a%2F"}) {
    EXPECT_EQ(Asked(put(target, "1")).error(), Errc::invalid_key) << target;
    EXPECT_EQ(Asked(request(std::string("DELETE ") + target)).error(), Errc::invalid_key) << target;
  }
}

TEST(ApiRequest, KeysUpToTheLimit) {
  const ApiLimits limits{.key_bytes_max = 10, .value_bytes_max = 100};
  EXPECT_EQ(Asked(request("GET /kv/0123456789"), limits).error(), std::nullopt);
  EXPECT_EQ(Asked(request("GET /kv/012345678%C3%A4"), limits).error(), Errc::key_too_large);
  EXPECT_EQ(Asked(put("/kv/0123456789a", "1"), limits).error(), Errc::key_too_large);
  EXPECT_EQ(Asked(request("GET /kv/0123456789/"), limits).error(), std::nullopt);
  EXPECT_EQ(Asked(request("GET /kv/0123456789a/"), limits).error(), Errc::key_too_large);
}

// Routes and methods

TEST(ApiRequest, UnknownRoutesSayWhatThereIs) {
  for (const char* path : {"/", "/kvs/a", "/KV/a", "/health/", "/metrics/x", "/members/x",
                           "/internal/v1/x", "//kv/a"}) {
    const Asked asked(request(std::string("GET ") + path));
    EXPECT_EQ(asked.error(), Errc::not_found) << path;
    EXPECT_NE(asked.message().find("/kv/{path}"), std::string::npos) << asked.message();
  }
  EXPECT_NE(Asked(request("GET /kv")).message().find("/kv/ with a slash"), std::string::npos);
  EXPECT_EQ(Asked(request("GET /members")).error(), Errc::not_found);
}

TEST(ApiRequest, FilesOfTheConsole) {
  EXPECT_EQ(Asked(request("GET /ui/")).get<GetConsole>().name, "");
  EXPECT_EQ(Asked(request("HEAD /ui/main.js")).get<GetConsole>().name, "main.js");
  EXPECT_EQ(Asked(request("GET /ui")).get<Moved>().location, "/ui/");
  const std::string known = "If-None-Match: \"a\", W/\"b\"\r\n";
  EXPECT_EQ(Asked(request("GET /ui/", known)).get<GetConsole>().if_none_match, "\"a\", W/\"b\"");
  EXPECT_EQ(Asked(request("GET /ui/", "If-None-Match: a\r\n")).error(), Errc::bad_request);
  EXPECT_EQ(Asked(request("GET /ui/?a=1")).error(), Errc::invalid_query);
  EXPECT_EQ(Asked(request("PUT /ui/main.js")).error(), Errc::method_not_allowed);
}

TEST(ApiRequest, Verdicts) {
  EXPECT_EQ(Asked(request("GET /cluster/verdicts")).error(), std::nullopt);
  EXPECT_EQ(Asked(request("GET /cluster/verdicts?limit=1")).error(), Errc::invalid_query);
}

TEST(ApiRequest, PagesOfOtherSitesMayNotPost) {
  const std::string other = "Origin: http://evil.example\r\n";
  EXPECT_EQ(Asked(request("POST /members/leave", other)).error(), Errc::bad_request);
  const std::string own = "Origin: http://h\r\n";
  EXPECT_EQ(Asked(request("POST /members/leave", own)).get<LeaveCluster>().id, "");
}

TEST(ApiRequest, MethodsThatATargetDoesNotHave) {
  const std::vector<std::pair<std::string, std::string_view>> cases{
      {"POST /kv/a", "GET, HEAD, PUT, DELETE, OPTIONS"},
      {"PATCH /kv/a", "GET, HEAD, PUT, DELETE, OPTIONS"},
      {"PATCH /kv/a/", "GET, HEAD, POST, DELETE, OPTIONS"},
      {"TRACE /kv/", "GET, HEAD, POST, DELETE, OPTIONS"},
      {"DELETE /health", "GET, HEAD, OPTIONS"},
      {"PUT /metrics", "GET, HEAD, OPTIONS"},
      {"POST /members/", "GET, HEAD, OPTIONS"},
      {"GET /members/join", "POST, OPTIONS"},
      {"DELETE /members/join", "POST, OPTIONS"},
      {"GET /members/leave", "POST, DELETE, OPTIONS"},
      {"PO /members/leave", "POST, DELETE, OPTIONS"},
      {"GET /backup", "POST, OPTIONS"},
      {"DELETE /backup", "POST, OPTIONS"}};
  for (const auto& [line, allow] : cases) {
    const Asked asked(request(line));
    EXPECT_EQ(asked.error(), Errc::method_not_allowed) << line;
    EXPECT_EQ(asked.allow(), allow) << line;
  }
}

TEST(ApiRequest, OptionsTellsTheMethods) {
  const std::vector<std::pair<std::string, std::string_view>> cases{
      {"OPTIONS /kv/a", "GET, HEAD, PUT, DELETE, OPTIONS"},
      {"OPTIONS /kv/", "GET, HEAD, POST, DELETE, OPTIONS"},
      {"OPTIONS /health", "GET, HEAD, OPTIONS"},
      {"OPTIONS /members/leave", "POST, DELETE, OPTIONS"},
      {"OPTIONS /backup", "POST, OPTIONS"},
      {"OPTIONS *", "GET, HEAD, PUT, POST, DELETE, OPTIONS"}};
  for (const auto& [line, allow] : cases) {
    EXPECT_EQ(Asked(request(line)).get<GetOptions>().allow, allow) << line;
  }
  EXPECT_EQ(Asked(request("OPTIONS /nothing")).error(), Errc::not_found);
}

constexpr std::string_view kFrameFields =
    "Content-Type: application/x-kvs\r\nContent-Length: 3\r\n";

TEST(ApiRequest, FramesComeOnFourPaths) {
  for (const char* path : {"gossip", "push", "sync", "ballot"}) {
    const std::string line = std::string("POST /internal/v1/") + path;
    EXPECT_EQ(Asked(request(line, kFrameFields) + "abc").get<PeerFrame>().bytes, "abc");
    EXPECT_EQ(Asked(request(line, "Content-Length: 3\r\n") + "abc").error(),
              Errc::unsupported_media_type);
    EXPECT_EQ(Asked(request(std::string("GET /internal/v1/") + path)).error(),
              Errc::method_not_allowed);
  }
}

TEST(ApiRequest, AMemberJoins) {
  const auto join = [](std::string_view body) {
    return Asked(
        request("POST /members/join", "Content-Length: " + std::to_string(body.size()) + "\r\n") +
        std::string(body));
  };
  const Asked sound =
      join(R"({"id":"n\u0031","address":"[::1]:80","last_seen":2,"joined_timestamp":7,"more":[]})");
  EXPECT_EQ(sound.get<JoinCluster>().id, "n1");
  EXPECT_EQ(sound.get<JoinCluster>().address, "[::1]:80");
  EXPECT_EQ(sound.get<JoinCluster>().joined_ms, 7);
  EXPECT_EQ(join(R"({"id":"n","address":"h:1"})").get<JoinCluster>().joined_ms, 0);
  EXPECT_EQ(join("").error(), Errc::invalid_json);
  EXPECT_EQ(join("{").error(), Errc::invalid_json);
  EXPECT_EQ(join(R"({"id":"n","id":"n","address":"h:1"})").error(), Errc::invalid_json);
  for (const char* body :
       {"[]", "1", "{}", R"({"id":"n"})", R"({"address":"h:1"})", R"({"id":"","address":"h:1"})",
        R"({"id":1,"address":"h:1"})", R"({"id":"n","address":"h"})",
        R"({"id":"n","address":"h:0"})", R"({"id":"n","address":"h:1","joined_timestamp":-1})",
        R"({"id":"n","address":"h:1","joined_timestamp":"1"})"}) {
    EXPECT_EQ(join(body).error(), Errc::bad_request) << body;
  }
  EXPECT_EQ(join(std::string(100, '[') + std::string(100, ']')).error(), Errc::bad_request);
}

TEST(ApiRequest, LeavingIsOfThisNodeOrOfANamedOne) {
  const auto leave = [](std::string_view method, std::string_view body) {
    return Asked(request(std::string(method) + " /members/leave",
                         "Content-Length: " + std::to_string(body.size()) + "\r\n") +
                 std::string(body));
  };
  for (const char* method : {"POST", "DELETE"}) {
    EXPECT_EQ(Asked(request(std::string(method) + " /members/leave")).get<LeaveCluster>().id, "");
    EXPECT_EQ(leave(method, " \t").get<LeaveCluster>().id, "");
    EXPECT_EQ(leave(method, R"({"id":"n\u0031","more":1})").get<LeaveCluster>().id, "n1");
    EXPECT_EQ(leave(method, "{").error(), Errc::invalid_json);
    for (const char* body : {"{}", "[]", "null", R"({"id":""})", R"({"id":1})", R"("n")"}) {
      EXPECT_EQ(leave(method, body).error(), Errc::bad_request) << body;
    }
  }
  const std::string long_id = R"({"id":")" + std::string(256, 'n') + R"("})";
  EXPECT_EQ(leave("POST", long_id).error(), Errc::bad_request);
  EXPECT_EQ(Asked(request("POST /members/leave?id=n")).error(), Errc::invalid_query);
}

TEST(ApiRequest, ReadsTheOtherViews) {
  static_cast<void>(Asked(request("GET /health")).get<GetHealth>());
  static_cast<void>(Asked(request("HEAD /health")).get<GetHealth>());
  static_cast<void>(Asked(request("GET /metrics")).get<GetMetrics>());
  static_cast<void>(Asked(request("GET /cluster/convergence")).get<GetConvergence>());
  EXPECT_EQ(Asked(request("GET /cluster/convergence?a=1")).error(), Errc::invalid_query);
  EXPECT_EQ(Asked(request("POST /cluster/convergence")).allow(), "GET, HEAD, OPTIONS");
  EXPECT_EQ(Asked(request("GET /cluster/lost")).get<GetLost>().limit, 100U);
  Asked lost(request("GET /cluster/lost?limit=7&after=YQBi"));
  EXPECT_EQ(lost.get<GetLost>().limit, 7U);
  EXPECT_EQ(lost.get<GetLost>().after, std::string_view("a\0b", 3));
  EXPECT_EQ(Asked(request("GET /cluster/lost?limit=0")).error(), Errc::invalid_query);
  EXPECT_EQ(Asked(request("GET /cluster/lost?after=!")).error(), Errc::invalid_query);
  EXPECT_EQ(Asked(request("GET /cluster/lost?values=true")).error(), Errc::invalid_query);
  EXPECT_EQ(Asked(request("GET /members/")).get<GetMembers>().which, GetMembers::Which::live);
  EXPECT_EQ(Asked(request("GET /members/?all=true")).get<GetMembers>().which,
            GetMembers::Which::all);
}

// Queries

TEST(ApiRequest, QueriesAreStrict) {
  for (const char* line : {"GET /kv/a?x=1",          "GET /kv/a?meta",
                           "GET /kv/a?meta=",        "GET /kv/a?meta=1",
                           "GET /kv/a?meta=TRUE",    "GET /kv/a?meta=true&meta=true",
                           "GET /kv/a?&meta=true",   "GET /kv/a?limit=1",
                           "GET /kv/?meta=true",     "GET /kv/?limit=0",
                           "GET /kv/?limit=10001",   "GET /kv/?limit=-1",
                           "GET /kv/?limit=1x",      "GET /kv/?limit=",
                           "GET /kv/?limit=+1",      "GET /kv/?limit=99999999999999999999",
                           "GET /kv/?recursive=yes", "GET /kv/?values=",
                           "GET /kv/?after=",        "GET /kv/?after=!",
                           "GET /kv/?after=YQ==",    "GET /kv/?after=Y",
                           "GET /kv/?after=YR",      "GET /kv/?limit=1&limit=2",
                           "GET /kv/?%zz=1",         "GET /kv/?limit=%3",
                           "DELETE /kv/a?x=1",       "GET /health?x=1",
                           "GET /metrics?meta=true", "GET /members/?all=1"}) {
    EXPECT_EQ(Asked(request(line)).error(), Errc::invalid_query) << line;
  }
  EXPECT_EQ(Asked(put("/kv/a?meta=true", "1")).error(), Errc::invalid_query);
}

TEST(ApiRequest, AnEmptyQueryIsNone) {
  EXPECT_EQ(Asked(request("GET /kv/a?")).error(), std::nullopt);
  EXPECT_EQ(Asked(request("GET /health?")).error(), std::nullopt);
  EXPECT_EQ(Asked(put("/kv/a?", "1")).error(), std::nullopt);
}

TEST(ApiRequest, ReadsMeta) {
  EXPECT_EQ(Asked(request("GET /kv/a")).get<GetValue>().form, GetValue::Form::bytes);
  EXPECT_EQ(Asked(request("GET /kv/a?meta=false")).get<GetValue>().form, GetValue::Form::bytes);
  EXPECT_EQ(Asked(request("GET /kv/a?%6Deta=t%72ue")).get<GetValue>().form, GetValue::Form::meta);
}

TEST(ApiRequest, Watches) {
  const Asked plain(request("GET /kv/users/?watch=true"));
  EXPECT_EQ(plain.get<WatchKeys>().watch.path, "users");
  EXPECT_EQ(plain.get<WatchKeys>().watch.begin, WatchRequest::Begin::now);
  EXPECT_EQ(plain.get<WatchKeys>().watch.values, WatchRequest::Values::omit);
  EXPECT_FALSE(plain.get<WatchKeys>().wait);
  const Asked full(request("GET /kv/?watch=true&values=true&snapshot=true&wait=30"));
  EXPECT_EQ(full.get<WatchKeys>().watch.path, "");
  EXPECT_EQ(full.get<WatchKeys>().watch.begin, WatchRequest::Begin::all);
  EXPECT_EQ(full.get<WatchKeys>().watch.values, WatchRequest::Values::include);
  EXPECT_EQ(full.get<WatchKeys>().wait, Duration::from_seconds(30));
}

TEST(ApiRequest, AWatchGoesOnAtACursor) {
  WatchCursor cursor{.seen = {}, .place = {.run = 5, .number = 6, .index = 7}, .made = {8}};
  cursor.seen.add(DotRange{.origin = Origin{9}, .first = 1, .last = 10});
  std::string text;
  append_watch_cursor(cursor, "users", text);
  const Asked query(request("GET /kv/users/?watch=true&since=" + text));
  EXPECT_EQ(query.get<WatchKeys>().watch.begin, WatchRequest::Begin::cursor);
  EXPECT_EQ(query.get<WatchKeys>().watch.cursor, cursor);
  const Asked field("GET /kv/users/?watch=true&since=0 HTTP/1.1\r\nHost: a\r\nLast-Event-ID: " +
                    text + "\r\n\r\n");
  EXPECT_EQ(field.get<WatchKeys>().watch.cursor, cursor);
  EXPECT_EQ(Asked(request("GET /kv/users/?watch=true&since=0")).get<WatchKeys>().watch.begin,
            WatchRequest::Begin::all);
  EXPECT_EQ(Asked(request("GET /kv/?watch=true&since=" + text)).error(), Errc::invalid_query);
}

TEST(ApiRequest, WhatIsNoWatchIsRefused) {
  for (const char* const query :
       {"watch=yes", "watch=true&since=abc", "watch=true&wait=301", "watch=true&wait=x",
        "watch=true&recursive=true", "watch=true&limit=1", "watch=true&after=eA", "since=0",
        "wait=1", "snapshot=true", "watch=false&since=0"}) {
    EXPECT_EQ(Asked(request(std::string("GET /kv/?") + query)).error(), Errc::invalid_query)
        << query;
  }
}

TEST(ApiRequest, ReadsAListing) {
  const Asked plain(request("GET /kv/users/"));
  EXPECT_EQ(plain.get<ListKeys>().list.path, "users");
  EXPECT_EQ(plain.get<ListKeys>().list.depth, ListRequest::Depth::children);
  EXPECT_EQ(plain.get<ListKeys>().list.limit, 1000U);
  EXPECT_EQ(plain.get<ListKeys>().list.after, "");
  EXPECT_EQ(plain.get<ListKeys>().values, ListKeys::Values::omit);
  EXPECT_EQ(Asked(request("GET /kv/")).get<ListKeys>().list.path, "");

  const Asked full(request("GET /kv/a%2Fb%2F?after=YS8&limit=10000&values=true&recursive=true"));
  const ListKeys& keys = full.get<ListKeys>();
  EXPECT_EQ(keys.list.path, "a/b");
  EXPECT_EQ(keys.list.depth, ListRequest::Depth::below);
  EXPECT_EQ(keys.list.limit, 10'000U);
  EXPECT_EQ(keys.list.after, "a/");
  EXPECT_EQ(keys.values, ListKeys::Values::include);
}

TEST(ApiRequest, ALongCursorComesBackWhole) {
  const std::string name(1024, 'n');
  std::string cursor;
  encode_base64url(name, cursor);
  const Asked asked(request("GET /kv/a/?limit=5&after=" + cursor));
  EXPECT_EQ(asked.get<ListKeys>().list.after, name);
  EXPECT_EQ(asked.get<ListKeys>().list.path, "a");
}

// Values

TEST(ApiRequest, ReadsAPut) {
  const Asked asked(put("/kv/a", " {\"b\": [1]}\n", "Content-Type: application/json\r\n"));
  const auto& command = asked.get<WriteCommand>();
  EXPECT_EQ(command.kind, WriteCommand::Kind::put);
  EXPECT_EQ(command.key.text(), "a");
  EXPECT_EQ(command.value, " {\"b\": [1]}\n") << "the bytes as sent";
  EXPECT_EQ(command.condition.kind, Condition::Kind::none);
}

TEST(ApiRequest, APutMayHaveATimeToLive) {
  EXPECT_EQ(Asked(put("/kv/a?ttl=60", "1")).get<WriteCommand>().ttl, Duration::from_seconds(60));
  EXPECT_EQ(Asked(put("/kv/a", "1")).get<WriteCommand>().ttl, Duration{});
  EXPECT_EQ(Asked(put("/kv/a?", "1")).get<WriteCommand>().ttl, Duration{});
  EXPECT_EQ(Asked(put("/kv/a%20b?ttl=1", "[1]")).get<WriteCommand>().key.text(), "a b");
}

TEST(ApiRequest, WhatIsNoTimeToLiveIsRefused) {
  for (const char* query : {"ttl=0", "ttl=-1", "ttl=", "ttl", "ttl=1.5", "ttl=1s", "ttl=315360001",
                            "ttl=1&ttl=1", "TTL=1", "ttl=1&x=1"}) {
    EXPECT_EQ(Asked(put("/kv/a?" + std::string(query), "1")).error(), Errc::invalid_query) << query;
  }
  EXPECT_EQ(Asked(request("DELETE /kv/a?ttl=60")).error(), Errc::invalid_query);
  EXPECT_EQ(Asked(request("GET /kv/a?ttl=60")).error(), Errc::invalid_query);
}

TEST(ApiRequest, ADeleteHasNoValue) {
  const Asked asked("DELETE /kv/a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n{]!");
  EXPECT_EQ(asked.get<WriteCommand>().kind, WriteCommand::Kind::del);
  EXPECT_EQ(asked.get<WriteCommand>().value, "");
}

TEST(ApiRequest, AnyJsonValueIsAValue) {
  for (const char* body : {"{}", "[]", "\"\"", "0", "-1.5e3", "true", "false", "null"}) {
    EXPECT_EQ(Asked(put("/kv/a", body)).error(), std::nullopt) << body;
  }
}

TEST(ApiRequest, WhatIsNoJsonIsRefused) {
  for (const char* body : {"", " ", "{", "{} {}", "nul", "'a'", "{\"a\":1,\"a\":2}", "\"\xff\"",
                           "\xef\xbb\xbf{}", "[1,]"}) {
    EXPECT_EQ(Asked(put("/kv/a", body)).error(), Errc::invalid_json) << body;
  }
}

TEST(ApiRequest, NestingIsBounded) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(Asked(put("/kv/a", nested(512))).error(), std::nullopt);
  EXPECT_EQ(Asked(put("/kv/a", nested(513))).error(), Errc::invalid_json);
}

TEST(ApiRequest, ContentTypes) {
  for (const char* type : {"application/json", "Application/JSON", "application/json;charset=utf-8",
                           "application/json ; x=y"}) {
    EXPECT_EQ(Asked(put("/kv/a", "1", "Content-Type: " + std::string(type) + "\r\n")).error(),
              std::nullopt)
        << type;
  }
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonx",
                           "application/json, text/plain", "", "json"}) {
    EXPECT_EQ(Asked(put("/kv/a", "1", "Content-Type: " + std::string(type) + "\r\n")).error(),
              Errc::unsupported_media_type)
        << type;
  }
}

TEST(ApiRequest, FieldsThatChangeTheMeaningAreNotIgnored) {
  EXPECT_EQ(Asked(put("/kv/a", "1", "Content-Encoding: gzip\r\n")).error(),
            Errc::unsupported_media_type);
  EXPECT_EQ(Asked(put("/kv/a", "1", "Content-Encoding: identity\r\n")).error(), std::nullopt);
  EXPECT_EQ(Asked(put("/kv/a", "1", "Content-Range: bytes 0-0/1\r\n")).error(), Errc::bad_request);
  const std::string date = "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
  EXPECT_EQ(Asked(put("/kv/a", "1", date)).error(), Errc::bad_request);
  EXPECT_EQ(Asked(request("DELETE /kv/a", date)).error(), Errc::bad_request);
}

TEST(ApiRequest, AValueNeedsALength) {
  EXPECT_EQ(Asked(request("PUT /kv/a")).error(), Errc::length_required);
}

TEST(ApiRequest, ValuesUpToTheLimit) {
  const ApiLimits limits{.key_bytes_max = 10, .value_bytes_max = 4};
  EXPECT_EQ(Asked(put("/kv/a", "1234"), limits).error(), std::nullopt);
  EXPECT_EQ(Asked(put("/kv/a", "12345"), limits).error(), Errc::value_too_large);
}

TEST(ApiRequest, KnowsWritesAndTheirBodiesByTheHead) {
  const ApiLimits limits{.key_bytes_max = 10, .value_bytes_max = std::size_t{1} << 20U};
  const Asked write(put("/kv/a", "1"), limits);
  EXPECT_TRUE(is_write(write.head()));
  EXPECT_EQ(write.parser().body_bytes_max(write.head()), limits.value_bytes_max);
  for (const char* line : {"GET /kv/a", "PUT /health", "POST /kv/a", "DELETE /members/leave"}) {
    EXPECT_FALSE(is_write(Asked(request(line)).head())) << line;
  }
  EXPECT_FALSE(is_write(Asked(request("DELETE /kv/a/?recursive=true")).head()))
      << "it waits for the writes before it";
  const Asked batch(request("POST /kv/a/?batch"), limits);
  EXPECT_EQ(batch.parser().body_bytes_max(batch.head()), kBatchBytesMax);
  const Asked large(request("POST /kv/?batch"), {.value_bytes_max = 2 * kBatchBytesMax});
  EXPECT_GT(large.parser().body_bytes_max(large.head()), 2 * kBatchBytesMax);
  const Asked remove(request("DELETE /kv/a"), limits);
  EXPECT_TRUE(is_write(remove.head()));
  EXPECT_LT(remove.parser().body_bytes_max(remove.head()), limits.value_bytes_max);
}

// Many keys at once

std::string post(std::string_view target, std::string_view body,
                 std::string_view fields = "Content-Type: application/json\r\n") {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST(ApiRequest, ReadsABatch) {
  const Asked root(post("/kv/?batch", R"({"operations":[]})"));
  EXPECT_EQ(root.get<RunBatch>().below, "");
  EXPECT_EQ(root.get<RunBatch>().body, R"({"operations":[]})");
  EXPECT_EQ(Asked(post("/kv/a/b%2Fc/?batch=true", "{}")).get<RunBatch>().below, "a/b/c");
}

TEST(ApiRequest, WhatIsNoBatch) {
  for (const char* target : {"/kv/", "/kv/?batch=false", "/kv/?batch&batch", "/kv/?batch&x=1"}) {
    EXPECT_EQ(Asked(post(target, "{}")).error(), Errc::invalid_query) << target;
  }
  EXPECT_EQ(Asked(post("/kv//?batch", "{}")).error(), Errc::invalid_key);
  EXPECT_EQ(Asked(post("/kv/?batch", "{")).error(), Errc::invalid_json);
  EXPECT_EQ(Asked(post("/kv/?batch", R"({"operations":[],"operations":[]})")).error(),
            Errc::invalid_json);
  EXPECT_EQ(Asked(post("/kv/?batch", "{}", "")).error(), Errc::unsupported_media_type)
      << "a page of another origin may send a body without a type";
  EXPECT_EQ(Asked(post("/kv/?batch", "{}", "Content-Type: text/plain\r\n")).error(),
            Errc::unsupported_media_type);
  EXPECT_EQ(
      Asked(post("/kv/?batch", "{}", "Content-Type: application/json\r\nIf-Match: *\r\n")).error(),
      Errc::bad_request);
  EXPECT_EQ(Asked(request("POST /kv/?batch", "Content-Type: application/json\r\n")).error(),
            Errc::length_required);
}

TEST(ApiRequest, ReadsARecursiveDelete) {
  const Asked below(request("DELETE /kv/a/b/?recursive=true"));
  EXPECT_EQ(below.get<DeleteBelow>().path, "a/b");
  EXPECT_EQ(below.get<DeleteBelow>().report, DeleteBelow::Report::count);
  const Asked all(request("DELETE /kv/?recursive=true&everything=true&progress=true"));
  EXPECT_EQ(all.get<DeleteBelow>().path, "");
  EXPECT_EQ(all.get<DeleteBelow>().report, DeleteBelow::Report::progress);
}

TEST(ApiRequest, NothingIsDeletedRecursivelyByAccident) {
  for (const char* target :
       {"/kv/?recursive=true", "/kv/?recursive=true&everything=false", "/kv/a?recursive=true",
        "/kv/a/?recursive=true&everything=true", "/kv/a/?recursive=1", "/kv/a/?recursive=true&x"}) {
    EXPECT_EQ(Asked(request(std::string("DELETE ") + target)).error(), Errc::invalid_query)
        << target;
  }
  for (const char* target : {"/kv/a%2F?recursive=true", "/kv/a/", "/kv/a/?recursive=false",
                             "/kv/a//?recursive=true", "/kv/?everything=true"}) {
    const auto error = Asked(request(std::string("DELETE ") + target)).error();
    EXPECT_TRUE(error == Errc::invalid_key) << target;
  }
  EXPECT_EQ(Asked(request("DELETE /kv/a/?recursive=true", "If-Match: *\r\n")).error(),
            Errc::bad_request);
}

// Conditions

TEST(ApiRequest, ConditionsOfWrites) {
  using enum Condition::Kind;
  const auto condition = [](const std::string& field) {
    const Asked asked(put("/kv/a", "1", field + "\r\n"));
    return asked.get<WriteCommand>().condition;
  };
  EXPECT_EQ(condition("If-Match: *").kind, if_exists);
  EXPECT_EQ(condition("If-None-Match: *").kind, if_absent);
  EXPECT_EQ(condition("If-Match: " + quoted_uuid()).kind, if_match);
  EXPECT_EQ(condition("If-Match: " + quoted_uuid()).uuid, parse_uuid(kUuid));
  const Asked remove(request("DELETE /kv/a", "If-Match: " + quoted_uuid() + "\r\n"));
  EXPECT_EQ(remove.get<WriteCommand>().condition.uuid, parse_uuid(kUuid));
}

TEST(ApiRequest, TagsThatAreNoVersionMatchNothing) {
  for (const std::string& tag : {"W/" + quoted_uuid(), std::string("\"x\""), std::string("\"\""),
                                 std::string("\"00000000-0000-0000-0000-000000000000\"")}) {
    const Asked asked(put("/kv/a", "1", "If-Match: " + tag + "\r\n"));
    EXPECT_EQ(asked.get<WriteCommand>().condition.kind, Condition::Kind::if_match) << tag;
    EXPECT_EQ(asked.get<WriteCommand>().condition.uuid, Uuid{}) << tag;
  }
}

TEST(ApiRequest, MalformedConditions) {
  for (const std::string& field :
       {"If-Match: " + std::string(kUuid), std::string("If-Match: "), std::string("If-Match: \""),
        std::string("If-Match: w/\"x\""), std::string("If-Match: \"a\" x"),
        std::string("If-Match: \"a\", \"b\""), std::string("If-Match: *, \"a\""),
        std::string("If-Match: \"a b\""), std::string("If-None-Match: \"a\""),
        std::string("If-None-Match: "), std::string("If-Match: *\r\nIf-None-Match: *")}) {
    EXPECT_EQ(Asked(put("/kv/a", "1", field + "\r\n")).error(), Errc::bad_request) << field;
  }
}

TEST(ApiRequest, ConditionsOfReads) {
  const auto get = [](const std::string& fields) {
    return request("GET /kv/a", fields + "\r\n");
  };
  for (const char* list : {"*", "\"a\"", "W/\"a\"", "\"a\", \"b\"", "\"a\",W/\"b\" , \"c\""}) {
    const Asked asked(get("If-None-Match: " + std::string(list)));
    EXPECT_EQ(asked.get<GetValue>().if_none_match, list);
  }
  for (const char* list :
       {"", "a", "\"a", "\"a\" \"b\"", "\"a\",", "\"a\",,\"b\"", "*,\"a\"", ",\"a\"", "\"a\";"}) {
    EXPECT_EQ(Asked(get("If-None-Match: " + std::string(list))).error(), Errc::bad_request) << list;
  }
  EXPECT_EQ(Asked(get("If-Match: " + quoted_uuid())).get<GetValue>().if_match.uuid,
            parse_uuid(kUuid));
  EXPECT_EQ(Asked(get("If-Match: x")).error(), Errc::bad_request);
  EXPECT_EQ(Asked(get("If-Modified-Since: whenever")).error(), std::nullopt) << "ignored";
}

TEST(ApiRequest, ThePointersOfARequestAreGoodUntilTheNext) {
  ApiParser parser({});
  const std::string text = request("GET /kv/first%20key");
  HeadScan scan;
  RequestHead head;
  ASSERT_TRUE(parse_request_head(text, {}, scan, head).complete());
  for (int i = 0; i < 3; ++i) {
    const auto asked = parser.parse(head, {});
    ASSERT_TRUE(asked);
    EXPECT_EQ(std::get<GetValue>(*asked).key.text(), "first key");
  }
}

TEST(ApiRequest, ABackupHasANameThatLeadsNowhere) {
  const auto order = [](std::string_view body, std::string_view type = "application/json") {
    const std::string field =
        type.empty() ? std::string() : "Content-Type: " + std::string(type) + "\r\n";
    return Asked(
        request("POST /backup", field + "Content-Length: " + std::to_string(body.size()) + "\r\n") +
        std::string(body));
  };
  EXPECT_EQ(order(R"({"name":"m\u0061y-1"})").get<TakeBackup>().name, "may-1");
  for (const std::string_view body :
       {"{}", R"({"name":1})", R"({"name":""})", R"({"name":"../a"})", R"({"name":"a/b"})",
        R"({"name":".a"})", R"({"name":"a","folder":"/"})", R"(["a"])", R"("a")"}) {
    EXPECT_EQ(order(body).error(), Errc::bad_request) << body;
  }
  EXPECT_EQ(order("").error(), Errc::invalid_json);
  EXPECT_EQ(order(R"({"name":"a"})", "").error(), Errc::unsupported_media_type);
  EXPECT_EQ(order(R"({"name":"a"})", "text/plain").error(), Errc::unsupported_media_type);
  EXPECT_EQ(Asked(request("POST /backup?x=1")).error(), Errc::invalid_query);
}

}  // namespace
}  // namespace kvs
