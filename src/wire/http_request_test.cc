#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/parsed_head.h"
#include "wire/http.h"

namespace kvs {
namespace {

ParsedHead<RequestHead> parse(std::string_view text, const HttpLimits& limits = {}) {
  return parse_text(text, limits, parse_request_head);
}

/// A GET for `/` with these lines, each with its CRLF, after the request line.
std::string get_with(std::string_view lines) {
  return "GET / HTTP/1.1\r\n" + std::string(lines) + "\r\n";
}

std::string get_target(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

void expect_error(std::string_view input, Errc code) {
  const ParseResult result = parse(input).result;
  EXPECT_TRUE(result.failed()) << input;
  EXPECT_EQ(to_string(result.code), to_string(code)) << input << " " << result.detail;
  EXPECT_FALSE(result.detail.empty()) << input;
}

void expect_bad(std::string_view input) {
  expect_error(input, Errc::bad_request);
}

TEST(RequestHead, PlainGet) {
  const auto [result, head, input] =
      parse("GET /kv/a%2Fb?meta=true HTTP/1.1\r\nHost: x:1\r\nAccept: */* \r\n\r\n{");
  ASSERT_TRUE(result.complete()) << result.detail;
  EXPECT_EQ(result.consumed, input.size() - 1);
  EXPECT_EQ(head.method, Method::get);
  EXPECT_EQ(head.method_name, "GET");
  EXPECT_EQ(head.target, "/kv/a%2Fb?meta=true");
  EXPECT_EQ(head.path, "/kv/a%2Fb");
  EXPECT_EQ(head.query, "meta=true");
  EXPECT_EQ(head.host, "x:1");
  EXPECT_EQ(head.accept, "*/*");
  EXPECT_EQ(head.framing.minor_version, 1);
  EXPECT_TRUE(head.framing.keep_alive);
  EXPECT_FALSE(head.framing.content_length);
  EXPECT_FALSE(head.framing.chunked);
  EXPECT_EQ(head.fields.size(), 2U);
}

TEST(RequestHead, EveryFieldOfInterestInAnyCase) {
  const auto [result, head, input] = parse(
      "PUT /k HTTP/1.1\r\nhOST: h\r\ncontent-TYPE: application/json; charset=utf-8\r\n"
      "IF-MATCH: \"a\"\r\nif-none-match:*\r\nIf-Modified-Since:\t \tSun\t \r\n"
      "EXPECT: 100-Continue\r\nContent-length: 007\r\n\r\n");
  ASSERT_TRUE(result.complete()) << result.detail;
  EXPECT_EQ(head.content_type, "application/json; charset=utf-8");
  EXPECT_EQ(head.if_match, "\"a\"");
  EXPECT_EQ(head.if_none_match, "*");
  EXPECT_EQ(head.if_modified_since, "Sun");
  EXPECT_TRUE(head.expect_continue);
  EXPECT_EQ(head.framing.content_length, 7U);
}

TEST(RequestHead, AReusedHeadKeepsNothingOfTheLastRequest) {
  RequestHead head;
  HeadScan scan;
  ASSERT_TRUE(
      parse_request_head("PUT /a?q HTTP/1.1\r\nHost: h\r\nContent-Type: t\r\nIf-Match: m\r\n"
                         "If-None-Match: n\r\nIf-Modified-Since: s\r\nAccept: a\r\n"
                         "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n",
                         {}, scan, head)
          .complete());
  ASSERT_TRUE(parse_request_head("GET / HTTP/1.0\r\n\r\n", {}, scan, head).complete());
  EXPECT_FALSE(head.query || head.content_type || head.if_match || head.if_none_match ||
               head.if_modified_since || head.accept || head.framing.content_length);
  EXPECT_FALSE(head.expect_continue || head.framing.keep_alive || head.framing.chunked);
  EXPECT_EQ(head.host, "");
  EXPECT_EQ(head.fields.size(), 0U);
}

TEST(RequestHead, Methods) {
  const std::vector<std::pair<std::string, Method>> methods = {
      {"GET", Method::get},     {"HEAD", Method::head},  {"PUT", Method::put},
      {"POST", Method::post},   {"DELETE", Method::del}, {"OPTIONS", Method::options},
      {"PATCH", Method::other}, {"get", Method::other},  {"GETT", Method::other},
      {"X-!#$%", Method::other}};
  for (const auto& [name, method] : methods) {
    const auto [result, head, input] = parse(name + " /a HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(result.complete()) << name;
    EXPECT_EQ(head.method, method) << name;
    EXPECT_EQ(head.method_name, name);
  }
}

TEST(RequestHead, MalformedRequestLines) {
  for (const std::string_view line : {" GET / HTTP/1.1",
                                      "GET  / HTTP/1.1",
                                      "GET /  HTTP/1.1",
                                      "GET / HTTP/1.1 ",
                                      "GET /",
                                      "GET / ",
                                      "GET",
                                      "G\tET / HTTP/1.1",
                                      "GET\t/ HTTP/1.1",
                                      "GET /\tHTTP/1.1",
                                      "GET / HTTP/1.1\t",
                                      "G(T / HTTP/1.1",
                                      "GET / http/1.1",
                                      "GET / HTTP/11",
                                      "GET / HTTP/1.1x",
                                      "GET / HTTP/1.",
                                      "GET / HTTP/1",
                                      "GET / HTTP/+1.1",
                                      "GET / HTTP/1,1",
                                      "GET / XTTP/1.1",
                                      "GET /a b HTTP/1.1",
                                      "GET / HTTP/01.1"}) {
    expect_bad(std::string(line) + "\r\nHost: h\r\n\r\n");
  }
}

TEST(RequestHead, OtherVersionsAreNamedAsSuch) {
  for (const std::string_view version :
       {"HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/3.1"}) {
    expect_error("GET / " + std::string(version) + "\r\nHost: h\r\n\r\n",
                 Errc::http_version_not_supported);
  }
}

TEST(RequestHead, LineEndsAreCrLfOnly) {
  expect_bad("GET / HTTP/1.1\nHost: h\r\n\r\n");
  expect_bad("GET / HTTP/1.1\r\nHost: h\n\r\n");
  expect_bad("GET / HTTP/1.1\r\nHost: h\r\n\n");
  expect_bad("GET / HTTP/1.1\r\nHost: h\r\rX: y\n");
  expect_bad("GET / HTTP/1.1\r\nHost: h\r\n\rX\n");
  expect_bad("GET / HTTP/1.1\rHost: h\r\n\r\n");
  expect_bad("GET / HTTP/1.1\r\nX: a\rb\r\nHost: h\r\n\r\n");
}

TEST(RequestHead, OneEmptyLineBeforeTheRequestLineIsSkipped) {
  const std::string plain = get_target("/");
  const ParseResult result = parse("\r\n" + plain).result;
  EXPECT_TRUE(result.complete());
  EXPECT_EQ(result.consumed, plain.size() + 2);
  expect_bad("\r\n\r\n" + plain);
  expect_bad("\n" + plain);
  expect_bad("\r" + plain);
}

TEST(RequestHead, WhatIsNotHttpIsRefusedAtTheFirstByte) {
  for (const std::string_view start : {"\x16\x03\x01", "{", " ", "\x80", "\n"}) {
    expect_bad(start);
  }
  expect_bad(std::string_view("\0", 1));
}

TEST(RequestHead, OriginFormTargets) {
  const std::vector<std::array<std::string, 3>> targets = {
      {"/", "/", "none"},
      {"/a?", "/a", ""},
      {"/a?b?c", "/a", "b?c"},
      {"//a//", "//a//", "none"},
      {"/a%zz", "/a%zz", "none"},
      {"/a|b\"<>^`{}\\", "/a|b\"<>^`{}\\", "none"},
      {"/http://x/", "/http://x/", "none"},
      {"/?/", "/", "/"}};
  for (const auto& [target, path, query] : targets) {
    const auto [result, head, input] = parse(get_target(target));
    ASSERT_TRUE(result.complete()) << target << " " << result.detail;
    EXPECT_EQ(head.target, target);
    EXPECT_EQ(head.path, path);
    EXPECT_EQ(head.query.value_or("none"), query) << target;
  }
}

TEST(RequestHead, AbsoluteFormTargetsCountByTheirPath) {
  const std::vector<std::array<std::string, 3>> targets = {{"http://x/kv/a?b", "/kv/a", "b"},
                                                           {"HTTP://x:80", "/", "none"},
                                                           {"http://x?q", "/", "q"},
                                                           {"http://[::1]:8080/", "/", "none"}};
  for (const auto& [target, path, query] : targets) {
    const auto [result, head, input] = parse(get_target(target));
    ASSERT_TRUE(result.complete()) << target << " " << result.detail;
    EXPECT_EQ(head.target, target);
    EXPECT_EQ(head.path, path);
    EXPECT_EQ(head.query.value_or("none"), query) << target;
    EXPECT_EQ(head.host, "h");
  }
}

TEST(RequestHead, TargetsThatAreRefused) {
  for (const std::string_view target : {"",
                                        "a",
                                        "*",
                                        "?a",
                                        "x:80",
                                        "https://x/",
                                        "http:/x",
                                        "http://",
                                        "http:///a",
                                        "http://?a",
                                        "http://u@x/",
                                        "http://u:p@x/",
                                        "http://x\\y/",
                                        "/a#b",
                                        "/#",
                                        "http://x/#",
                                        "/\x01",
                                        "/\x7F",
                                        "/\x80",
                                        "/\xC3\xA9",
                                        "/a\tb"}) {
    expect_bad(get_target(target));
  }
  expect_bad(get_target(std::string_view("/a\0b", 4)));
}

TEST(RequestHead, AsteriskIsForOptions) {
  const auto [result, head, input] = parse("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(result.complete());
  EXPECT_EQ(head.path, "*");
  expect_bad("OPTIONS *a HTTP/1.1\r\nHost: h\r\n\r\n");
  expect_bad("CONNECT x:80 HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(RequestHead, MalformedFields) {
  for (const std::string_view line :
       {"X : a", "X\t: a", " X: a", "\tX: a", ": a", "X", "X a", "X(: a", "X\x80: a", "X: a\x01",
        "X: \x7F", "X: a\vb", "X: a\fb", "X\rY: a"}) {
    expect_bad(get_with("Host: h\r\n" + std::string(line) + "\r\n"));
    expect_bad(get_with(std::string(line) + "\r\nHost: h\r\n"));
  }
  expect_bad(get_with(std::string_view("Host: h\r\nX: a\0b\r\n", 17)));
}

TEST(RequestHead, FoldedLinesAreRefused) {
  expect_bad(get_with("Host: h\r\nX: a\r\n b\r\n"));
  expect_bad(get_with("Host: h\r\nX: a\r\n\tb\r\n"));
  expect_bad(get_with(" Host: h\r\n"));
}

TEST(RequestHead, FieldValuesMayHoldBlanksAndHighBytes) {
  const auto [result, head, input] =
      parse(get_with("Host: h\r\nX:\t a \t b\xFF \t\r\nY:\r\nZ:  \r\n"));
  ASSERT_TRUE(result.complete());
  EXPECT_EQ(head.fields.find("x"), "a \t b\xFF");
  EXPECT_EQ(head.fields.find("y"), "");
  EXPECT_EQ(head.fields.find("z"), "");
  EXPECT_EQ(head.fields.find("w"), std::nullopt);
}

TEST(RequestHead, HostIsThereExactlyOnceAndSound) {
  expect_bad(get_with(""));
  expect_bad(get_with("X: h\r\n"));
  expect_bad(get_with("Host: h\r\nhost: h\r\n"));
  for (const std::string_view value :
       {"a b", "a/b", "u@h", "h?", "h#", "\"h\"", "h\xC3\xA9", "<h>"}) {
    expect_bad(get_with("Host: " + std::string(value) + "\r\n"));
  }
  for (const std::string_view value : {"", "h", "h:80", "[::1]:80", "a_b.example", "1.2.3.4"}) {
    EXPECT_TRUE(parse(get_with("Host: " + std::string(value) + "\r\n")).result.complete()) << value;
  }
  EXPECT_TRUE(parse("GET / HTTP/1.0\r\n\r\n").result.complete());
  expect_bad("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n");
}

TEST(RequestHead, ContentLengthIsAPlainNumberOnce) {
  for (const std::string_view value :
       {"", "+1", "-1", "1 2", "1,1", "1, 1", "0x1", "1.0", "a", "1a", "9223372036854775808",
        "18446744073709551616", "1000000000000000000000", "\xD9\xA1"}) {
    expect_bad(get_with("Host: h\r\nContent-Length: " + std::string(value) + "\r\n"));
  }
  expect_bad(get_with("Host: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n"));
  expect_bad(get_with("Host: h\r\nContent-Length: 1\r\ncontent-length: 2\r\n"));
  const auto [result, head, input] = parse(get_with("Host: h\r\nContent-Length:  42\t\r\n"));
  ASSERT_TRUE(result.complete());
  EXPECT_EQ(head.framing.content_length, 42U);
}

TEST(RequestHead, TransferEncodingIsChunkedOrRefused) {
  const auto [result, head, input] = parse(get_with("Host: h\r\nTransfer-Encoding: CHUNKED\r\n"));
  ASSERT_TRUE(result.complete());
  EXPECT_TRUE(head.framing.chunked);
  EXPECT_FALSE(head.framing.content_length);
  for (const std::string_view value :
       {"gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "", "chunked;q=1",
        "xchunked", "chunkedx", "\"chunked\"", "chunked,", ",chunked"}) {
    expect_error(get_with("Host: h\r\nTransfer-Encoding: " + std::string(value) + "\r\n"),
                 Errc::not_implemented);
  }
  expect_bad(get_with("Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"));
  expect_bad("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(RequestHead, LengthAndTransferEncodingTogetherAreRefusedInEitherOrder) {
  expect_bad(get_with("Host: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"));
  expect_bad(get_with("Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n"));
  expect_bad(get_with("Host: h\r\nTransfer-Encoding: identity\r\nContent-Length: 0\r\n"));
}

TEST(RequestHead, KeepAliveFollowsVersionAndConnection) {
  struct Case {
    std::string version;
    std::string fields;
    bool keep_alive;
  };

  const std::vector<Case> cases = {
      {"1.1", "", true},
      {"1.0", "", false},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "Connection: CLOSE \t\r\n", false},
      {"1.1", "Connection: closed\r\n", true},
      {"1.1", "Connection: te, close\r\n", false},
      {"1.1", "Connection: te\r\nConnection: ,close,\r\n", false},
      {"1.0", "Connection: Keep-Alive\r\n", true},
      {"1.0", "Connection: te ,\tkeep-alive\r\n", true},
      {"1.0", "Connection: keep-alive, close\r\n", false},
      {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
      {"1.1", "X-Connect: close\r\n", true}};
  for (const Case& c : cases) {
    const auto [result, head, input] =
        parse("GET / HTTP/" + c.version + "\r\nHost: h\r\n" + c.fields + "\r\n");
    ASSERT_TRUE(result.complete()) << c.fields;
    EXPECT_EQ(head.framing.keep_alive, c.keep_alive) << c.version << " " << c.fields;
  }
}

TEST(RequestHead, ExpectIs100ContinueOrRefused) {
  expect_error(get_with("Host: h\r\nExpect: 200-ok\r\n"), Errc::expectation_failed);
  expect_error(get_with("Host: h\r\nExpect: 100-continue, x\r\n"), Errc::expectation_failed);
  const auto [result, head, input] = parse("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(result.complete());
  EXPECT_FALSE(head.expect_continue) << "RFC 9110, 10.1.1: ignored in HTTP/1.0";
}

TEST(RequestHead, FieldsThatDecideMayNotBeRepeated) {
  for (const std::string_view name :
       {"If-Match", "If-None-Match", "If-Modified-Since", "Content-Type"}) {
    const std::string line = std::string(name) + ": a\r\n";
    EXPECT_TRUE(parse(get_with("Host: h\r\n" + line)).result.complete());
    expect_bad(get_with("Host: h\r\n" + line + line));
  }
  EXPECT_TRUE(
      parse(get_with("Host: h\r\nAccept: a\r\nAccept: b\r\nX: 1\r\nX: 2\r\n")).result.complete());
}

TEST(RequestHead, LimitOfTheTarget) {
  const HttpLimits limits{.header_bytes = 1000, .target_bytes = 100, .headers = 10};
  EXPECT_TRUE(parse(get_target("/" + std::string(99, 'a')), limits).result.complete());
  EXPECT_EQ(parse(get_target("/" + std::string(100, 'a')), limits).result.code,
            Errc::key_too_large);
  const ParseResult endless = parse("GET /" + std::string(2000, 'a'), limits).result;
  EXPECT_TRUE(endless.failed());
  EXPECT_EQ(endless.code, Errc::key_too_large);
}

TEST(RequestHead, LimitOfTheHead) {
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  const HttpLimits limits{.header_bytes = 200, .target_bytes = 100, .headers = 10};
  const std::string exact = start + std::string(200 - start.size() - 4, 'x') + "\r\n\r\n";
  ASSERT_EQ(exact.size(), 200U);
  EXPECT_TRUE(parse(exact, limits).result.complete());
  EXPECT_TRUE(parse(exact + "body", limits).result.complete());
  const std::string over = start + std::string(201 - start.size() - 4, 'x') + "\r\n\r\n";
  EXPECT_EQ(parse(over, limits).result.code, Errc::headers_too_large);
  EXPECT_EQ(parse(over.substr(0, 199), limits).result.status, ParseResult::Status::need_more);
  EXPECT_EQ(parse(over.substr(0, 200), limits).result.code, Errc::headers_too_large);
}

TEST(RequestHead, LimitOfTheNumberOfFields) {
  std::string lines = "Host: h\r\n";
  for (int i = 1; i < 100; ++i) {
    lines += "X: 1\r\n";
  }
  EXPECT_TRUE(parse(get_with(lines)).result.complete());
  expect_error(get_with(lines + "X: 1\r\n"), Errc::headers_too_large);
  EXPECT_EQ(parse(get_with(lines + "X: 1\r\n"), {.headers = 1000}).result.code,
            Errc::headers_too_large)
      << "never more than HeaderFields holds";
  EXPECT_EQ(parse(get_with("Host: h\r\nX: 1\r\n"), {.headers = 1}).result.code,
            Errc::headers_too_large);
}

TEST(RequestHead, AnIncompleteLineIsNotJudged) {
  EXPECT_EQ(parse("").result.status, ParseResult::Status::need_more);
  for (const std::string_view input :
       {"GET / HTTP/9.9", "GET /#", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\nX : a",
        "GET / HTTP/1.1\r\nHost: h\r\n\r", "\r"}) {
    const ParseResult result = parse(input).result;
    EXPECT_EQ(result.status, ParseResult::Status::need_more) << input;
    EXPECT_EQ(result.consumed, 0U);
  }
}

TEST(RequestHead, BytesWithoutALineEndAreLookedAtOnce) {
  HeadScan scan;
  RequestHead head;
  const std::string input = get_target("/");
  for (std::size_t size = 1; size < input.size(); ++size) {
    EXPECT_EQ(parse_request_head(input.substr(0, size), {}, scan, head).status,
              ParseResult::Status::need_more);
    EXPECT_EQ(scan.seen, size);
  }
  EXPECT_TRUE(parse_request_head(input, {}, scan, head).complete());
  EXPECT_EQ(scan.seen, 0U) << "fresh for the next head";
}

TEST(RequestHead, ErrorsLeaveTheScanFresh) {
  HeadScan scan;
  RequestHead head;
  EXPECT_FALSE(parse_request_head("GET /#", {}, scan, head).failed());
  EXPECT_TRUE(parse_request_head("GET /# HTTP/1.1\r\n", {}, scan, head).failed());
  EXPECT_EQ(scan.seen, 0U);
}

TEST(FieldLine, IsJudgedLikeAHeaderField) {
  const std::optional<HeaderField> field = parse_field_line("X-Sum:\t a b ");
  ASSERT_TRUE(field);
  EXPECT_EQ(field->name, "X-Sum");
  EXPECT_EQ(field->value, "a b");
  for (const std::string_view line :
       {"", ":", "X", "X : a", " X: a", "X: a\r", "X\n: a", "X: \x01"}) {
    EXPECT_FALSE(parse_field_line(line)) << line;
  }
}

TEST(ListHasToken, TakesElementsWhole) {
  EXPECT_TRUE(list_has_token("a, Close ,b", "close"));
  EXPECT_TRUE(list_has_token("close", "close"));
  EXPECT_FALSE(list_has_token("closed, xclose, close x", "close"));
  EXPECT_FALSE(list_has_token("", "close"));
  EXPECT_FALSE(list_has_token("clo,se", "close"));
}

}  // namespace
}  // namespace kvs
