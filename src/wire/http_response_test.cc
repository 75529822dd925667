#include <string>

#include <gtest/gtest.h>

#include "support/parsed_head.h"
#include "wire/http.h"

namespace kvs {
namespace {

ParsedHead<ResponseHead> parse(std::string_view text, const HttpLimits& limits = {}) {
  return parse_text(text, limits, parse_response_head);
}

TEST(ResponseHead, StatusFieldsAndFraming) {
  const auto [result, head, input] =
      parse("HTTP/1.1 404 Not \xE4 Found\r\ncontent-length: 12\r\nETag: \"u\"\r\n\r\n{");
  ASSERT_TRUE(result.complete()) << result.detail;
  EXPECT_EQ(head.status, 404U);
  EXPECT_EQ(head.framing.content_length, 12U);
  EXPECT_TRUE(head.framing.keep_alive);
  EXPECT_EQ(head.fields.find("etag"), "\"u\"");
}

TEST(ResponseHead, ReasonMayBeEmpty) {
  EXPECT_TRUE(parse("HTTP/1.1 204 \r\n\r\n").result.complete());
}

TEST(ResponseHead, Chunked) {
  const auto [result, head, input] =
      parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(result.complete());
  EXPECT_TRUE(head.framing.chunked);
  EXPECT_FALSE(head.framing.keep_alive);
}

TEST(ResponseHead, MalformedStatusLines) {
  for (const std::string_view line :
       {"HTTP/1.1 200", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 OK", "HTTP/1.1  200 OK",
        "HTTP/1.1 2x0 OK", "HTTP/1.1200 OK", "HTTP/1.1 200 O\x01K", "http/1.1 200 OK", "ICY 200 OK",
        " HTTP/1.1 200 OK", ""}) {
    const ParseResult result = parse(std::string(line) + "\r\nContent-Length: 0\r\n\r\n").result;
    EXPECT_TRUE(result.failed()) << line;
    EXPECT_EQ(result.code, Errc::bad_request) << line;
  }
  EXPECT_EQ(parse("HTTP/2.0 200 OK\r\n\r\n").result.code, Errc::http_version_not_supported);
}

TEST(ResponseHead, DoubtfulFramingIsRefused) {
  for (const std::string_view lines :
       {"Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: x\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "X : 1\r\n", "X: 1\n"}) {
    EXPECT_TRUE(parse("HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\n").result.failed())
        << lines;
  }
}

TEST(ResponseHead, LimitsHold) {
  const std::string line = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(parse(line + "X: " + std::string(500, 'x'), {.header_bytes = 400}).result.code,
            Errc::headers_too_large);
  EXPECT_EQ(parse(line + "X: 1\r\nY: 2\r\n\r\n", {.headers = 1}).result.code,
            Errc::headers_too_large);
}

TEST(ResponseHead, ByteByByte) {
  const std::string input =
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n";
  HeadScan scan;
  ResponseHead head;
  for (std::size_t size = 0; size < input.size(); ++size) {
    ASSERT_EQ(parse_response_head(input.substr(0, size), {}, scan, head).status,
              ParseResult::Status::need_more);
  }
  ASSERT_TRUE(parse_response_head(input, {}, scan, head).complete());
  EXPECT_TRUE(head.framing.keep_alive);
}

}  // namespace
}  // namespace kvs
