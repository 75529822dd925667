#include "wire/http_write.h"

#include <array>

#include <gtest/gtest.h>

#include "wire/http_chunked.h"

namespace kvs {
namespace {

std::string response(const Response& head, std::string_view body) {
  std::string out;
  put_response(out, head, body);
  return out;
}

TEST(PutResponse, HeadAndBody) {
  const std::array<HeaderField, 1> fields = {{{.name = "ETag", .value = "\"u\""}}};
  EXPECT_EQ(response({.status = 200, .content_type = "application/json", .fields = fields}, "{}"),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"u\"\r\n"
            "Content-Length: 2\r\n\r\n{}");
}

TEST(PutResponse, AnswersToPipelinedRequestsStandInOneBuffer) {
  std::string out;
  put_response(out, {.status = 201}, "a");
  put_response(out, {.status = 404}, "");
  EXPECT_EQ(out,
            "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\na"
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

TEST(PutResponse, WithoutBodyByStatus) {
  EXPECT_EQ(response({.status = 204}, ""), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(response({.status = 304}, "not sent"), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(PutResponse, StatusesWithoutAName) {
  EXPECT_EQ(response({.status = 418}, ""), "HTTP/1.1 418 \r\nContent-Length: 0\r\n\r\n");
}

TEST(PutResponse, ConnectionField) {
  EXPECT_NE(response({.persistence = Persistence::close}, "").find("\r\nConnection: close\r\n"),
            std::string::npos);
  EXPECT_NE(
      response({.persistence = Persistence::keep_alive}, "").find("\r\nConnection: keep-alive\r\n"),
      std::string::npos);
  EXPECT_EQ(persistence_for({.keep_alive = true, .minor_version = 1}), Persistence::implicit);
  EXPECT_EQ(persistence_for({.keep_alive = true, .minor_version = 0}), Persistence::keep_alive);
  EXPECT_EQ(persistence_for({.keep_alive = false, .minor_version = 1}), Persistence::close);
}

TEST(PutResponse, ToHeadHasTheLengthAndNoBody) {
  std::string out;
  put_response_to_head(out, {.status = 200}, 1234567890123);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Length: 1234567890123\r\n\r\n");
}

TEST(PutResponse, EveryStatusOfTheApiParsesAgain) {
  for (unsigned status = 100; status <= 999; ++status) {
    const std::string text = response({.status = status}, "");
    HeadScan scan;
    ResponseHead head;
    ASSERT_TRUE(parse_response_head(text, {}, scan, head).complete()) << text;
    EXPECT_EQ(head.status, status);
  }
}

TEST(PutResponse, ValuesCannotInjectLines) {
  std::string poison = "a\r\nX-Evil: 1\r\n\r\nHTTP/1.1 200 OK";
  poison += std::string("\0\x01\x7F", 3);
  const std::array<HeaderField, 1> fields = {{{.name = "X", .value = poison}}};
  const std::string text = response({.content_type = poison, .fields = fields}, "");
  HeadScan scan;
  ResponseHead head;
  const ParseResult result = parse_response_head(text, {}, scan, head);
  ASSERT_TRUE(result.complete());
  EXPECT_EQ(result.consumed, text.size());
  EXPECT_EQ(head.fields.size(), 3U);
  EXPECT_EQ(head.fields.find("x"), "a  X-Evil: 1    HTTP/1.1 200 OK");
}

TEST(PutResponseDeathTest, NamesAreTheProgrammersBusiness) {
  const std::array<HeaderField, 1> fields = {{{.name = "X\r\nY", .value = "1"}}};
  EXPECT_DEATH(response({.fields = fields}, ""), "field name");
  const std::array<HeaderField, 1> nameless = {{{.name = "", .value = "1"}}};
  EXPECT_DEATH(response({.fields = nameless}, ""), "field name");
  EXPECT_DEATH(response({.status = 99}, ""), "status");
}

TEST(PutStream, ChunksDecodeToWhatWasPut) {
  std::string out;
  put_stream_head(out, {.status = 200, .content_type = "text/plain"}, StreamFraming::chunked);
  HeadScan scan;
  ResponseHead head;
  const ParseResult parsed = parse_response_head(out, {}, scan, head);
  ASSERT_TRUE(parsed.complete());
  EXPECT_TRUE(head.framing.chunked && head.framing.keep_alive);
  EXPECT_EQ(parsed.consumed, out.size());

  std::string wire;
  std::string sent;
  for (const unsigned size : {1U, 0U, 15U, 16U, 255U, 256U, 70000U}) {
    const std::string data(size, static_cast<char>('a' + size % 26));
    put_chunk(wire, data);
    sent += data;
  }
  put_last_chunk(wire);
  std::string received;
  EXPECT_TRUE(ChunkedDecoder(1 << 20).decode(wire, received).complete());
  EXPECT_EQ(received, sent);
}

TEST(PutStream, ToAnOldClientEndsWithTheConnection) {
  std::string out;
  put_stream_head(out, {.status = 200}, StreamFraming::until_close);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
}

TEST(PutContinue, IsAHeadAlone) {
  std::string out;
  put_continue(out);
  EXPECT_EQ(out, "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST(PutRequest, HeadAndBody) {
  const std::array<HeaderField, 1> fields = {{{.name = "X-Kvs", .value = "1"}}};
  std::string out;
  put_request(out,
              {.method = "POST",
               .target = "/members/join",
               .host = "h:1",
               .content_type = "application/json",
               .fields = fields},
              "{}");
  put_request(out, {.method = "GET", .target = "/", .host = "h"}, "");
  put_request(out, {.method = "PUT", .target = "/", .host = "h"}, "");
  EXPECT_EQ(out,
            "POST /members/join HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/json\r\n"
            "X-Kvs: 1\r\nContent-Length: 2\r\n\r\n{}"
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
            "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
}

TEST(PutRequestDeathTest, TargetsAndHostsMustBeSound) {
  std::string out;
  EXPECT_DEATH(put_request(out, {.method = "GET", .target = "/a b", .host = "h"}, ""), "target");
  EXPECT_DEATH(put_request(out, {.method = "GET", .target = "/", .host = "h\r\n"}, ""), "host");
  EXPECT_DEATH(put_request(out, {.method = "G T", .target = "/", .host = "h"}, ""), "method");
}

}  // namespace
}  // namespace kvs
