#include "wire/http.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(RequestHead, PlainGet) {
  const std::string_view input =
      "GET /kv/a%2Fb?meta=true HTTP/1.1\r\nHost: x:1\r\nAccept: */* \r\n\r\n{";
  RequestHead head;
  HeadScan scan;
  const ParseResult result = parse_request_head(input, {}, scan, head);
  ASSERT_TRUE(result.complete()) << result.detail;
  EXPECT_EQ(result.consumed, input.size() - 1);
  EXPECT_EQ(head.method, Method::get);
  EXPECT_EQ(head.path, "/kv/a%2Fb");
  EXPECT_EQ(head.query, "meta=true");
  EXPECT_EQ(head.host, "x:1");
  EXPECT_EQ(head.accept, "*/*");
  EXPECT_TRUE(head.framing.keep_alive);
}

}  // namespace
}  // namespace kvs
