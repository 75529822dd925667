#include "wire/client_calls.h"

#include <gtest/gtest.h>

#include "wire/url.h"

namespace kvs {
namespace {

std::string request(const ClientCall& call) {
  std::string out;
  append_call(out, "127.0.0.1:8080", call);
  return out;
}

TEST(ClientCalls, Requests) {
  EXPECT_EQ(request({.target = "/health"}), "GET /health HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
  EXPECT_EQ(request({.method = "PUT", .target = "/kv/a", .body = "1"}),
            "PUT /kv/a HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\n"
            "Content-Length: 1\r\n\r\n1");
  EXPECT_EQ(request({.method = "POST", .target = "/members/leave"}),
            "POST /members/leave HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Length: 0\r\n\r\n");
}

TEST(ClientCalls, Conditions) {
  using Kind = CallCondition::Kind;
  const auto field = [](CallCondition condition) {
    const std::string text =
        request({.method = "DELETE", .target = "/kv/a", .condition = std::move(condition)});
    const std::size_t begin = text.find("8080\r\n") + 6;
    return text.substr(begin, text.find("\r\n", begin) - begin);
  };
  EXPECT_EQ(field({}), "");
  EXPECT_EQ(field({.kind = Kind::if_version, .uuid = "a-b"}), "If-Match: \"a-b\"");
  EXPECT_EQ(field({.kind = Kind::if_present}), "If-Match: *");
  EXPECT_EQ(field({.kind = Kind::if_absent}), "If-None-Match: *");
}

TEST(ClientCalls, TargetsDecodeToTheirKeys) {
  for (const std::string_view key : {"a", "users/john doe", "a?b=c&d#e%2F+/\u00e9\"<"}) {
    const std::string target = key_target(Key::from_store(key));
    std::string decoded;
    ASSERT_TRUE(percent_decode(target.substr(4), decoded));
    EXPECT_EQ(decoded, key);
    EXPECT_EQ(target.find_first_of("?#+ "), std::string::npos);
  }
}

TEST(ClientCalls, Listings) {
  EXPECT_EQ(list_target({}), "/kv/?limit=1000");
  EXPECT_EQ(list_target({.path = "a b/c",
                         .depth = ListCall::Depth::below,
                         .values = ListCall::Values::include,
                         .limit = 5,
                         .after = cursor_after("x?")}),
            "/kv/a%20b/c/?limit=5&recursive=true&values=true&after=eD8");
}

TEST(ClientCalls, ErrorsOfTheNode) {
  const Error error =
      error_of({.status = 412}, R"({"error":{"code":"version_mismatch","message":"it is \"x\""}})");
  EXPECT_EQ(error.code, Errc::version_mismatch);
  EXPECT_EQ(error.detail, "it is \"x\"");
  // A code of a later version.
  EXPECT_EQ(error_of({.status = 503}, R"({"error":{"code":"resting","message":"m"}})").code,
            Errc::overloaded);
}

TEST(ClientCalls, ErrorsOfSomethingElse) {
  for (const char* body : {"", "<html>", "{}", R"({"error":"x"})", R"({"error":{"code":1}})"}) {
    const Error error = error_of({.status = 502}, body);
    EXPECT_EQ(error.code, Errc::address_unusable) << body;
    EXPECT_NE(error.detail.find("502"), std::string::npos);
  }
  EXPECT_EQ(error_of({.status = 404}, "").code, Errc::not_found);
  EXPECT_EQ(error_of({.status = 418}, "").code, Errc::bad_request);
  EXPECT_EQ(error_of({.status = 500}, "").code, Errc::io_error);
}

TEST(ClientCalls, ARecursiveDeleteNamesWhatIsToGo) {
  EXPECT_EQ(delete_below_target("a b/c"), "/kv/a%20b/c/?recursive=true&progress=true");
  EXPECT_EQ(delete_below_target(""), "/kv/?recursive=true&everything=true&progress=true");
}

}  // namespace
}  // namespace kvs
