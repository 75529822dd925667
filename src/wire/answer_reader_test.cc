#include "wire/answer_reader.h"

#include <vector>

#include <gtest/gtest.h>

#include "wire/http_write.h"

namespace kvs {
namespace {

using State = AnswerReader::State;

constexpr std::size_t kBodyMax = 1000;

struct Got {
  std::vector<AnswerHead> heads;
  std::vector<std::string> bodies;
  std::optional<Errc> fault;
  bool between_answers = false;
};

enum class End : std::uint8_t { open, closed };

Got read_in_steps(std::string_view bytes, std::size_t step, End end) {
  Got got;
  AnswerReader reader(kBodyMax);
  const auto settle = [&] {
    if (reader.state() == State::complete) {
      got.heads.push_back(reader.head());
      got.bodies.push_back(reader.take_body());
      reader.next();
    }
  };
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    std::string_view piece = bytes.substr(0, step);
    while (!piece.empty() && reader.state() != State::failed) {
      reader.take(piece);
      settle();
    }
  }
  got.between_answers = reader.untouched();
  if (end == End::closed && !got.between_answers && reader.state() != State::failed) {
    reader.end();
    settle();
  }
  if (reader.state() == State::failed) {
    got.fault = reader.error().code;
  }
  return got;
}

/// What comes of the bytes, which must not depend on how they are cut.
Got read(std::string_view bytes, End end = End::open) {
  Got whole = read_in_steps(bytes, bytes.size() + 1, end);
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const Got pieces = read_in_steps(bytes, step, end);
    EXPECT_EQ(pieces.bodies, whole.bodies) << step;
    EXPECT_EQ(pieces.fault, whole.fault) << step;
    EXPECT_EQ(pieces.heads.size(), whole.heads.size()) << step;
    EXPECT_EQ(pieces.between_answers, whole.between_answers) << step;
  }
  return whole;
}

TEST(AnswerReader, WhatTheHeadSays) {
  const Got got = read(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\n"
      "ETag: \"a-b\"\r\nX-KVS-Timestamp: 1672531200000\r\nX-KVS-Source: partial\r\n"
      "Content-Length: 2\r\n\r\n{}");
  ASSERT_EQ(got.heads.size(), 1U);
  const AnswerHead& head = got.heads[0];
  EXPECT_EQ(head.status, 503U);
  EXPECT_FALSE(head.fine());
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.partial);
  EXPECT_EQ(head.retry_after_s, 5U);
  EXPECT_EQ(head.timestamp_ms, 1672531200000);
  EXPECT_EQ(head.etag, "a-b");
  EXPECT_EQ(got.bodies[0], "{}");
}

TEST(AnswerReader, WhatTheHeadDoesNotSayIsNothing) {
  const Got got = read(
      "HTTP/1.1 200 OK\r\nRetry-After: Wed, 01 Jan 2025 00:00:00 GMT\r\nETag: W/\"x\"\r\n"
      "X-KVS-Source: proxy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  ASSERT_EQ(got.heads.size(), 1U);
  EXPECT_TRUE(got.heads[0].fine());
  EXPECT_FALSE(got.heads[0].keep_alive);
  EXPECT_FALSE(got.heads[0].partial);
  EXPECT_FALSE(got.heads[0].retry_after_s);
  EXPECT_FALSE(got.heads[0].timestamp_ms);
  EXPECT_EQ(got.heads[0].etag, "");
}

TEST(AnswerReader, PipelinedAnswersOfEveryFraming) {
  std::string bytes;
  put_response(bytes, {.status = 201, .content_type = {}, .fields = {}}, "first");
  put_response(bytes, {.status = 204, .content_type = {}, .fields = {}}, "");
  put_continue(bytes);
  put_stream_head(bytes, {.content_type = {}, .fields = {}}, StreamFraming::chunked);
  put_chunk(bytes, "sec");
  put_chunk(bytes, "ond");
  put_last_chunk(bytes);
  put_response(bytes, {.status = 404, .content_type = {}, .fields = {}}, "");
  const Got got = read(bytes);
  EXPECT_EQ(got.bodies, (std::vector<std::string>{"first", "", "second", ""}));
  EXPECT_EQ(got.heads[3].status, 404U);
  EXPECT_TRUE(got.between_answers);
}

TEST(AnswerReader, ABodyWithoutALengthLastsUntilTheEnd) {
  const std::string_view bytes = "HTTP/1.1 200 OK\r\n\r\nsome";
  EXPECT_TRUE(read(bytes).bodies.empty());
  const Got got = read(bytes, End::closed);
  EXPECT_EQ(got.bodies, std::vector<std::string>{"some"});
  EXPECT_FALSE(got.heads[0].keep_alive);
}

TEST(AnswerReader, AnEndWithinAnAnswerIsAFault) {
  for (const std::string_view bytes :
       {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"}) {
    EXPECT_EQ(read(bytes, End::closed).fault, Errc::bad_request) << bytes;
  }
}

TEST(AnswerReader, WhatIsNoAnswerIsAFault) {
  EXPECT_EQ(read("SSH-2.0-OpenSSH_9.2\r\n").fault, Errc::bad_request);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n").fault,
            Errc::bad_request);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nx: " + std::string(20000, 'a')).fault,
            Errc::headers_too_large);
}

TEST(AnswerReader, LargeBodiesAreAFault) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n").fault, Errc::value_too_large);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n").fault,
            Errc::value_too_large);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'a')).fault, Errc::value_too_large);
}

TEST(AnswerReader, ABodyIsHandedOutAsItComes) {
  AnswerReader reader(kBodyMax);
  std::string_view bytes = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc";
  EXPECT_EQ(reader.take(bytes), State::in_body);
  EXPECT_EQ(reader.take_body(), "abc");
  bytes = "def";
  EXPECT_EQ(reader.take(bytes), State::complete);
  EXPECT_EQ(reader.take_body(), "def");
}

}  // namespace
}  // namespace kvs
