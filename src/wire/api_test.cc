#include "wire/api.h"

#include <string>

#include <gtest/gtest.h>

namespace kvs {
namespace {

/// A parsed head and what the API makes of it.
struct Asked {
  explicit Asked(std::string_view request, const ApiLimits& limits = {})
      : text(request), parser(limits) {
    HeadScan scan;
    const ParseResult result = parse_request_head(text, {}, scan, head);
    EXPECT_TRUE(result.complete()) << result.detail;
    body = std::string_view(text).substr(result.consumed);
  }

  std::expected<ApiRequest, ApiError> parse() { return parser.parse(head, body); }

  std::string text;
  ApiParser parser;
  RequestHead head;
  std::string_view body;
};

TEST(Api, ReadsAPut) {
  Asked asked("PUT /kv/users%2Fjohn HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}");
  const auto request = asked.parse();
  ASSERT_TRUE(request) << request.error().message;
  const auto& command = std::get<WriteCommand>(*request);
  EXPECT_EQ(command.key.text(), "users/john");
  EXPECT_EQ(command.value, "{}");
}

TEST(Api, ReadsAGet) {
  Asked asked("GET /kv/users/john?meta=true HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto request = asked.parse();
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(std::get<GetValue>(*request).key.text(), "users/john");
  EXPECT_EQ(std::get<GetValue>(*request).form, GetValue::Form::meta);
}

TEST(Api, AnswersAGet) {
  std::string out;
  const AnswerTarget target{.out = out,
                            .persistence = Persistence::implicit,
                            .stream_framing = StreamFraming::chunked,
                            .head_only = false};
  RecordView record;
  record.header.version.uuid = {.high = 0x0123456789abcdef, .low = 0x8123456789abcdef};
  record.header.version.stamp = Stamp::from_ms(784'111'777'000);
  record.value = "[1]";
  append_value_response(target, {.key = Key::from_store("a"), .if_match = {}, .if_none_match = {}},
                        record);
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: application/json\r\n"
            "ETag: \"01234567-89ab-cdef-8123-456789abcdef\"\r\n"
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "X-KVS-Timestamp: 784111777000\r\n"
            "Content-Length: 3\r\n\r\n[1]");
}

}  // namespace
}  // namespace kvs
