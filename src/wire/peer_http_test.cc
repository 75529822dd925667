#include "wire/peer_http.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"

namespace kvs {
namespace {

using State = PeerResponseReader::State;

constexpr std::size_t kBodyMax = 1000;

std::string answer(std::string_view body, std::string_view fields = "") {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// What came of the bytes in pieces of `step`, and the rest.
State state_in_steps(PeerResponseReader& reader, std::string_view bytes, std::size_t step) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    reader.take(bytes.substr(0, step));
  }
  return reader.state();
}

std::optional<Errc> fault_of(std::string_view bytes) {
  PeerResponseReader whole(kBodyMax);
  const State state = whole.take(bytes);
  for (std::size_t step = 1; step < bytes.size(); ++step) {
    PeerResponseReader pieces(kBodyMax);
    EXPECT_EQ(state_in_steps(pieces, bytes, step), state) << step << ": " << bytes;
    EXPECT_EQ(pieces.error(), whole.error()) << step << ": " << bytes;
  }
  return state == State::failed ? std::optional(whole.error().code) : std::nullopt;
}

TEST(PeerHttp, ARequestIsOneThatTheDoorReads) {
  std::string out = "before";
  append_peer_request("/internal/v1/push", "10.0.0.1:8080", "frame", out);
  const std::string_view bytes = std::string_view(out).substr(6);
  RequestHead head;
  HeadScan scan;
  const ParseResult result = parse_request_head(bytes, {}, scan, head);
  ASSERT_TRUE(result.complete()) << result.detail;
  EXPECT_EQ(head.method, Method::post);
  EXPECT_EQ(head.path, "/internal/v1/push");
  EXPECT_EQ(head.host, "10.0.0.1:8080");
  EXPECT_EQ(head.framing.content_length, 5U);
  EXPECT_TRUE(head.framing.keep_alive);
  EXPECT_EQ(bytes.substr(result.consumed), "frame");
}

TEST(PeerHttp, AnAnswerIsReadHoweverItIsCut) {
  const std::string bytes = answer("the frame", "Content-Type: application/x-kvs\r\n");
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); ++second) {
      PeerResponseReader reader(kBodyMax);
      reader.take(bytes.substr(0, first));
      reader.take(bytes.substr(first, second - first));
      ASSERT_EQ(reader.take(bytes.substr(second)), State::complete) << first << ", " << second;
      const PeerResponse response = reader.take_response();
      EXPECT_EQ(response.status, 200U);
      EXPECT_TRUE(response.keep_alive);
      EXPECT_EQ(response.body, "the frame");
    }
  }
}

TEST(PeerHttp, AnAnswerIsCompleteWithItsLastByteOnly) {
  const std::string bytes = answer("the frame");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    PeerResponseReader reader(kBodyMax);
    EXPECT_EQ(reader.take(bytes.substr(0, size)), State::need_more);
    EXPECT_EQ(reader.started(), size > 0);
  }
}

TEST(PeerHttp, OneAnswerAfterTheOther) {
  PeerResponseReader reader(kBodyMax);
  for (const std::string_view body : {"first", "", "a longer third one"}) {
    EXPECT_FALSE(reader.started());
    ASSERT_EQ(state_in_steps(reader, answer(body), 7), State::complete);
    EXPECT_TRUE(reader.started());
    EXPECT_EQ(reader.take_response().body, body);
    EXPECT_EQ(reader.state(), State::need_more);
  }
}

TEST(PeerHttp, AnErrorIsAnAnswer) {
  PeerResponseReader reader(kBodyMax);
  ASSERT_EQ(reader.take("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                        "Content-Length: 2\r\n\r\n{}"),
            State::complete);
  const PeerResponse response = reader.take_response();
  EXPECT_EQ(response.status, 503U);
  EXPECT_FALSE(response.keep_alive);
  EXPECT_EQ(response.body, "{}");
}

TEST(PeerHttp, NothingMayFollowAnAnswer) {
  EXPECT_EQ(fault_of(answer("body") + "x"), Errc::bad_request);
  EXPECT_EQ(fault_of(answer("") + answer("")), Errc::bad_request);
  PeerResponseReader reader(kBodyMax);
  ASSERT_EQ(reader.take(answer("body")), State::complete);
  EXPECT_EQ(reader.take(""), State::complete);
  EXPECT_EQ(reader.take("x"), State::failed);
}

TEST(PeerHttp, AnAnswerSaysHowLongItIs) {
  EXPECT_EQ(fault_of("HTTP/1.1 200 OK\r\n\r\n"), Errc::length_required);
  EXPECT_EQ(fault_of("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody"), Errc::length_required);
  EXPECT_EQ(fault_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            Errc::length_required);
  EXPECT_EQ(fault_of("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), Errc::bad_request);
  EXPECT_EQ(fault_of("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            Errc::bad_request);
}

TEST(PeerHttp, AnswersHaveALimit) {
  EXPECT_EQ(fault_of(answer(std::string(kBodyMax, 'x'))), std::nullopt);
  EXPECT_EQ(fault_of("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"), Errc::value_too_large);
  EXPECT_EQ(fault_of("HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\nxx"),
            Errc::value_too_large);
  EXPECT_EQ(fault_of("HTTP/1.1 200 OK\r\nX: " + std::string(5'000, 'x')), Errc::headers_too_large);
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 40; ++i) {
    many += "X: y\r\n";
  }
  EXPECT_EQ(fault_of(many + "Content-Length: 0\r\n\r\n"), Errc::headers_too_large);
}

TEST(PeerHttp, OnlyFinalAnswersOfHttp11) {
  EXPECT_EQ(fault_of("HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n"), Errc::bad_request);
  EXPECT_EQ(fault_of("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), Errc::bad_request);
  EXPECT_EQ(fault_of("HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
            Errc::http_version_not_supported);
}

TEST(PeerHttp, GarbageIsRefused) {
  for (const std::string_view bytes :
       {"\r\n\r\n\r\n", "KVSP\x01\n", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 OK 200\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "GET / HTTP/1.1\r\n\r\n"}) {
    EXPECT_TRUE(fault_of(bytes)) << bytes;
  }
}

TEST(PeerHttp, AFaultStays) {
  PeerResponseReader reader(kBodyMax);
  ASSERT_EQ(reader.take("garbage\r\n"), State::failed);
  const Error error = reader.error();
  EXPECT_EQ(reader.take(answer("fine")), State::failed);
  EXPECT_EQ(reader.error(), error);
}

TEST(PeerHttp, NoiseNeverPassesForAnAnswer) {
  Prng prng(1);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = answer(std::string(40, 'x'), "Date: today\r\n");
    const std::size_t head = bytes.size() - 40;
    for (int i = 0; i < 3; ++i) {
      bytes[prng.below(head)] = static_cast<char>(prng.next());
    }
    PeerResponseReader whole(kBodyMax);
    const State state = whole.take(bytes);
    PeerResponseReader pieces(kBodyMax);
    EXPECT_EQ(state_in_steps(pieces, bytes, 1 + prng.below(9)), state);
    EXPECT_EQ(pieces.error(), whole.error());
  }
}

}  // namespace
}  // namespace kvs
