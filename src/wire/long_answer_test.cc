#include "wire/long_answer.h"

#include <array>

#include <gtest/gtest.h>

namespace kvs {
namespace {

LongAnswer answer_in(std::string& unused, StreamFraming framing) {
  return {{.out = unused, .persistence = Persistence::implicit, .stream_framing = framing},
          "application/json"};
}

TEST(LongAnswer, AShortOneGoesOutWholeWithItsStatus) {
  std::string out;
  LongAnswer answer = answer_in(out, StreamFraming::chunked);
  answer.body() = "{}";
  const std::array<HeaderField, 1> fields{{{.name = "Retry-After", .value = "5"}}};
  answer.finish(out, {.status = 503, .content_type = {}, .fields = fields});
  EXPECT_EQ(out,
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
            "Retry-After: 5\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_TRUE(answer.begun());
}

TEST(LongAnswer, ALongOneIsStreamedWith200) {
  std::string out;
  LongAnswer answer = answer_in(out, StreamFraming::chunked);
  answer.send_some(out);
  answer.body() = "[1";
  answer.send_some(out);
  answer.body() = "]";
  answer.finish(out, {.status = 503, .content_type = "text/plain", .fields = {}});
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n");
}

TEST(LongAnswer, To10ItEndsWithTheConnection) {
  std::string out;
  LongAnswer answer = answer_in(out, StreamFraming::until_close);
  answer.body() = "[1";
  answer.send_some(out);
  answer.body() = "]";
  answer.finish(out);
  EXPECT_TRUE(out.ends_with("\r\nConnection: close\r\n\r\n[1]")) << out;
  out.clear();
  LongAnswer whole = answer_in(out, StreamFraming::until_close);
  whole.finish(out, {.status = 200, .content_type = "text/plain", .fields = {}});
  EXPECT_NE(out.find("\r\nContent-Type: text/plain\r\n"), std::string::npos) << out;
  EXPECT_NE(out.find("\r\nConnection: close\r\n"), std::string::npos) << out;
}

}  // namespace
}  // namespace kvs
