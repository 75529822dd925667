#include "wire/connection.h"

#include <gtest/gtest.h>

#include "support/connection_fixture.h"

namespace kvs {
namespace {

using testing::answer;
using testing::ConnectionTest;
using testing::get;
using testing::kGet;
using testing::kGot;
using testing::kPut;
using testing::kRefusedPut;
using testing::repeat;
using testing::written;
using State = Connection::State;

// Requests and their order

TEST_F(ConnectionTest, AnswersPipelinedRequestsInOneOutput) {
  receive(repeat(kGet, 3));
  EXPECT_EQ(connection().output(), repeat(kGot, 3));
  EXPECT_EQ(take(), repeat(kGot, 3));
  EXPECT_EQ(state(), State::open);
  EXPECT_TRUE(connection().wants_input());
}

TEST_F(ConnectionTest, TellsWhatPipelinedRequestsWillReadBeforeTheFirstIsExecuted) {
  receive(get("/kv/a"));
  EXPECT_TRUE(handler_.expected.empty());
  receive(get("/kv/a") + get("/kv/b") + std::string(kGet));
  EXPECT_EQ(handler_.expected, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(handler_.seen_when_expected, 1U);
  EXPECT_EQ(handler_.seen.size(), 4U);
}

/// Else a body that drips would be searched again and again.
TEST_F(ConnectionTest, NothingIsReadAheadInABody) {
  receive("GET /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n");
  receive(get("/kv/b") + get("/kv/c"));
  EXPECT_TRUE(handler_.expected.empty());
}

TEST_F(ConnectionTest, WhatIsReadAheadMayHaveComeInPieces) {
  const std::string two = get("/kv/a") + get("/kv/b");
  receive(two.substr(0, 5));
  receive(two.substr(5));
  EXPECT_EQ(handler_.expected, (std::vector<std::string>{"a", "b"}));
}

TEST_F(ConnectionTest, PassesBodyAndTicket) {
  receive(kPut);
  EXPECT_EQ(handler_.seen, std::vector<std::string>{"PUT /kv/a abc"});
  EXPECT_EQ(handler_.posted, std::vector<Ticket>{Ticket{7}});
}

TEST_F(ConnectionTest, AnyCutGivesTheSameAnswers) {
  const std::string conversation =
      std::string(kGet) + std::string(kPut) +
      "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;e=1\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n" +
      "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(kPut) + std::string(kRefusedPut) +
      get("/stream/3") + "DELETE /a HTTP/1.0\r\nContent-Length: 2\r\n\r\nxy";
  const auto run = [&](std::size_t cut, std::size_t step) {
    open();
    completed_ = 0;
    std::string out;
    for (std::size_t begin = 0; begin < conversation.size();) {
      const std::size_t end = begin < cut ? cut : std::min(conversation.size(), begin + step);
      out += exchange(std::string_view(conversation).substr(begin, end - begin));
      while (connection().pending() > 0) {
        complete();
        out += take();
      }
      begin = end;
    }
    return out;
  };
  const std::string whole = run(0, conversation.size());
  EXPECT_TRUE(whole.ends_with(answer("DELETE /a xy", 200, Persistence::close)));
  EXPECT_NE(whole.find("POST /b abcde"), std::string::npos);
  for (std::size_t cut = 1; cut < conversation.size(); ++cut) {
    ASSERT_EQ(run(cut, conversation.size()), whole) << "cut at " << cut;
  }
  for (std::size_t step = 1; step < 8; ++step) {
    ASSERT_EQ(run(0, step), whole) << "steps of " << step;
  }
}

TEST_F(ConnectionTest, WritesOvertakeNothingButTheirWaiting) {
  receive(std::string(kPut) + std::string(kPut) + std::string(kGet) + std::string(kPut));
  EXPECT_EQ(connection().pending(), 2U);
  EXPECT_EQ(handler_.seen.size(), 2U) << "the read must not happen before the writes";
  EXPECT_FALSE(connection().wants_input());
  complete();
  EXPECT_EQ(take(), written(1));
  EXPECT_EQ(handler_.seen.size(), 2U);
  complete();
  EXPECT_EQ(take(), written(2) + kGot);
  EXPECT_EQ(connection().pending(), 1U);
  complete();
  EXPECT_EQ(take(), written(3));
}

TEST_F(ConnectionTest, TheAnswerToARefusedWriteKeepsItsPlace) {
  receive(std::string(kPut) + std::string(kRefusedPut) + std::string(kPut));
  EXPECT_EQ(take(), "");
  EXPECT_EQ(handler_.seen.size(), 2U) << "nothing is executed behind an answer that waits";
  complete();
  EXPECT_EQ(take(), written(1) + answer("PUT /refused ", 400));
  complete();
  EXPECT_EQ(take(), written(2));
}

TEST_F(ConnectionTest, MalformedRequestBehindAWriteIsAnsweredAfterIt) {
  receive(std::string(kPut) + "nonsense\r\n\r\n" + std::string(kGet));
  EXPECT_EQ(take(), "");
  complete();
  const std::string out = take();
  EXPECT_TRUE(out.starts_with(written(1) + "HTTP/1.1 400 "));
  EXPECT_EQ(state(), State::draining);
  EXPECT_EQ(handler_.seen.size(), 1U);
}

TEST_F(ConnectionTest, PendingWritesAreBounded) {
  shared_.limits.pending_max = 5;
  shared_.limits.requests_per_turn = 100;
  receive(repeat(kPut, 9));
  EXPECT_EQ(connection().pending(), 5U);
  EXPECT_FALSE(connection().wants_input());
  complete(2);
  EXPECT_EQ(connection().pending(), 5U);
  complete(5);
  complete(2);
  std::string all;
  for (int n = 1; n <= 9; ++n) {
    all += written(n);
  }
  EXPECT_EQ(take(), all);
  EXPECT_TRUE(connection().wants_input());
}

TEST_F(ConnectionTest, BytesOfPendingWritesAreBounded) {
  shared_.limits.pending_bytes_max = 7;
  receive(repeat(kPut, 3));
  EXPECT_EQ(connection().pending(), 2U);
  complete(2);
  EXPECT_EQ(connection().pending(), 1U);
  complete();
  EXPECT_EQ(take(), written(1) + written(2) + written(3));
}

TEST_F(ConnectionTest, NothingOvertakesACall) {
  receive(get("/call") + std::string(kPut) + get("/call") + std::string(kGet));
  EXPECT_TRUE(connection().pends_alone());
  EXPECT_EQ(handler_.posted.size(), 1U) << "not even a write";
  EXPECT_EQ(take(), "");
  complete_call();
  EXPECT_EQ(take(), answer("1", 202));
  EXPECT_FALSE(connection().pends_alone());
  complete();
  EXPECT_EQ(take(), written(2));
  EXPECT_TRUE(connection().pends_alone());
  complete_call();
  EXPECT_EQ(take(), answer("3", 202) + kGot);
  EXPECT_EQ(connection().pending(), 0U);
}

TEST_F(ConnectionTest, ACallMayBeAskedForItsHeadAlone) {
  receive("HEAD /call HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(kGet));
  complete_call();
  EXPECT_EQ(take(), "HTTP/1.1 202 Accepted\r\nContent-Length: 1\r\n\r\n" + kGot);
}

TEST_F(ConnectionTest, AMalformedRequestBehindACallIsAnsweredAfterIt) {
  receive(get("/call") + "GET /a HTTP/1.1\r\n\r\n");
  EXPECT_EQ(take(), "");
  complete_call();
  EXPECT_EQ(take(), answer("1", 202) + answer("no Host", 400, Persistence::close));
  EXPECT_EQ(state(), State::draining);
}

TEST_F(ConnectionTest, ACallIsAnsweredBeforeAShutdown) {
  receive(get("/call") + std::string(kGet));
  connection().start_shutdown(now_);
  EXPECT_EQ(state(), State::closing);
  complete_call();
  EXPECT_EQ(take(), answer("1", 202, Persistence::close));
  EXPECT_EQ(state(), State::draining);
}

TEST_F(ConnectionTest, TheReplyToACallOfABrokenConnectionIsDropped) {
  receive(get("/call"));
  connection().broken();
  complete_call();
  EXPECT_EQ(connection().output(), "");
  EXPECT_EQ(state(), State::closed);
}

TEST_F(ConnectionTest, OneTurnHasItsQuota) {
  shared_.limits.requests_per_turn = 4;
  receive(repeat(kGet, 10));
  EXPECT_EQ(connection().output(), repeat(kGot, 4));
  EXPECT_TRUE(connection().wants_turn());
  EXPECT_FALSE(connection().wants_input());
  connection().resume(now_);
  EXPECT_EQ(connection().output(), repeat(kGot, 8));
  EXPECT_EQ(take(), repeat(kGot, 10));
  EXPECT_TRUE(connection().wants_input());
}

// How connections end

TEST_F(ConnectionTest, CloseIsObeyed) {
  EXPECT_EQ(exchange(get("/a", "Connection: close\r\n") + std::string(kGet)),
            answer("GET /a ", 200, Persistence::close));
  EXPECT_EQ(state(), State::draining);
  EXPECT_EQ(handler_.seen.size(), 1U);
}

TEST_F(ConnectionTest, Http10ClosesUnlessAskedToStay) {
  EXPECT_EQ(exchange("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            answer("GET /a ", 200, Persistence::keep_alive));
  EXPECT_EQ(state(), State::open);
  EXPECT_EQ(exchange("GET /a HTTP/1.0\r\n\r\n"), answer("GET /a ", 200, Persistence::close));
  EXPECT_EQ(state(), State::draining);
}

TEST_F(ConnectionTest, Http10WriteIsAnsweredWithItsOwnPersistence) {
  receive(std::string(kPut) +
          "PUT /kv/a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1" +
          std::string(kPut));
  EXPECT_EQ(connection().pending(), 1U);
  complete();
  complete();
  complete();
  EXPECT_EQ(take(), written(1) + written(2, Persistence::keep_alive) + written(3));
}

TEST_F(ConnectionTest, CloseBehindPendingWritesIsSaidLast) {
  receive(std::string(kPut) +
          "PUT /kv/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1" +
          std::string(kPut));
  EXPECT_EQ(connection().pending(), 2U);
  complete();
  EXPECT_EQ(take(), written(1));
  EXPECT_EQ(state(), State::closing);
  complete();
  EXPECT_EQ(take(), written(2, Persistence::close));
  EXPECT_EQ(state(), State::draining);
}

TEST_F(ConnectionTest, FramingErrorIsAnsweredAndEnds) {
  const std::string out = exchange("GET /a HTTP/1.1\r\nHost : x\r\n\r\n" + std::string(kGet));
  EXPECT_TRUE(out.starts_with("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n")) << out;
  EXPECT_EQ(state(), State::draining);
  EXPECT_TRUE(handler_.seen.empty());
}

TEST_F(ConnectionTest, LingersForBytesUnderWay) {
  shared_.limits.linger_bytes_max = 10;
  (void)exchange("nonsense\r\n\r\n");
  ASSERT_EQ(state(), State::draining);
  EXPECT_TRUE(connection().wants_input());
  receive("0123456789");
  EXPECT_EQ(state(), State::draining);
  receive("x");
  EXPECT_EQ(state(), State::closed);
}

TEST_F(ConnectionTest, LingeringEndsWithTheClientOrItsTime) {
  (void)exchange("nonsense\r\n\r\n");
  pass(Duration::from_ms(1999));
  EXPECT_EQ(state(), State::draining);
  pass(Duration::from_ms(1));
  EXPECT_EQ(state(), State::closed);

  open();
  (void)exchange("nonsense\r\n\r\n");
  connection().received_end(now_);
  EXPECT_EQ(state(), State::closed);
}

TEST_F(ConnectionTest, NothingIsDrainedBeforeTheAnswerIsSent) {
  receive("nonsense\r\n\r\n");
  EXPECT_EQ(state(), State::closing);
  EXPECT_FALSE(connection().wants_input());
}

TEST_F(ConnectionTest, HalfClosedClientGetsItsAnswers) {
  receive(std::string(kPut) + std::string(kGet));
  connection().received_end(now_);
  EXPECT_EQ(state(), State::open);
  complete();
  EXPECT_EQ(take(), written(1) + kGot);
  EXPECT_EQ(state(), State::closed);
}

TEST_F(ConnectionTest, HalfClosedWithinARequestDropsIt) {
  EXPECT_EQ(exchange(std::string(kGet) + "GET /b HT"), kGot);
  connection().received_end(now_);
  EXPECT_EQ(state(), State::closed);
  EXPECT_EQ(handler_.seen.size(), 1U);
}

TEST_F(ConnectionTest, BrokenTransportDropsEverything) {
  receive(std::string(kPut) + std::string(kGet));
  connection().broken();
  EXPECT_EQ(state(), State::closed);
  EXPECT_EQ(connection().output(), "");
  EXPECT_EQ(connection().deadline(), Instant::never());
  EXPECT_EQ(shared_.input_bytes, 0U);
  EXPECT_EQ(shared_.output_bytes, 0U);
  complete();  // of the write that had been posted
  EXPECT_EQ(connection().output(), "");
}

// Bodies

TEST_F(ConnectionTest, TooLargeBodyIsRefusedBeforeItIsRead) {
  handler_.body_max = 3;
  EXPECT_EQ(exchange("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"),
            answer("the body is too large", 413, Persistence::close));
  EXPECT_EQ(state(), State::draining);
  open();
  receive(kPut);
  EXPECT_EQ(connection().pending(), 1U);
}

TEST_F(ConnectionTest, TooLargeChunkedBodyIsRefused) {
  handler_.body_max = 3;
  const std::string head = "PUT /kv/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(exchange(head + "2\r\nab\r\n2\r\n"),
            answer("the body is too large", 413, Persistence::close));
  open();
  receive(head + "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
  EXPECT_EQ(connection().pending(), 1U);
  EXPECT_EQ(handler_.seen.back(), "PUT /kv/a abc");
}

TEST_F(ConnectionTest, PutNeedsALength) {
  EXPECT_EQ(exchange("PUT /kv/a HTTP/1.1\r\nHost: x\r\n\r\n"),
            answer("PUT needs a Content-Length", 411, Persistence::close));
  EXPECT_TRUE(handler_.seen.empty());
}

TEST_F(ConnectionTest, PostWithoutALengthHasNoBody) {
  const std::string post = "POST /members/leave HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_TRUE(exchange(post + post).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(handler_.seen,
            (std::vector<std::string>{"POST /members/leave ", "POST /members/leave "}));
  EXPECT_EQ(connection().state(), Connection::State::open);
}

TEST_F(ConnectionTest, ExpectationIsMetWhenTheHeadIsAcceptable) {
  const std::string head =
      "PUT /kv/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  EXPECT_EQ(exchange(head), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(exchange("a"), "");
  EXPECT_EQ(exchange("bc"), "");
  complete();
  EXPECT_EQ(take(), written(1));

  EXPECT_EQ(exchange(head + "a"), "") << "the client has not waited";
  EXPECT_EQ(exchange("bc"), "");
  complete();
  EXPECT_EQ(take(), written(2));

  handler_.body_max = 2;
  EXPECT_EQ(exchange(head), answer("the body is too large", 413, Persistence::close));
}

TEST_F(ConnectionTest, ContinueComesAfterTheAnswersBeforeIt) {
  const std::string head =
      "PUT /kv/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  EXPECT_EQ(exchange(std::string(kPut) + head), "");
  complete();
  EXPECT_EQ(take(), written(1) + "HTTP/1.1 100 Continue\r\n\r\n");
  complete(0);
  EXPECT_EQ(take(), "");
  EXPECT_EQ(exchange("abc"), "");
  EXPECT_EQ(connection().pending(), 1U);
}

TEST_F(ConnectionTest, OtherExpectationsAreRefused) {
  EXPECT_TRUE(exchange(get("/a", "Expect: something\r\n")).starts_with("HTTP/1.1 417 "));
  EXPECT_EQ(state(), State::draining);
}

// Streams

TEST_F(ConnectionTest, StreamsInChunks) {
  EXPECT_EQ(exchange(get("/stream/2") + std::string(kGet)),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            "10\r\npiece 1\npiece 2\n\r\n0\r\n\r\n" +
                kGot);
}

TEST_F(ConnectionTest, StreamsTo10UntilClose) {
  EXPECT_EQ(exchange("GET /stream/2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npiece 1\npiece 2\n");
  EXPECT_EQ(state(), State::draining);
}

TEST_F(ConnectionTest, HeadOfAStreamHasNoBody) {
  EXPECT_EQ(exchange("HEAD /stream/2 HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(kGet)),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + kGot);
}

TEST_F(ConnectionTest, BrokenStreamLacksItsEnd) {
  EXPECT_EQ(exchange(get("/broken/1") + std::string(kGet)),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\npiece 1\n\r\n");
  EXPECT_EQ(state(), State::draining);
  EXPECT_EQ(handler_.seen.size(), 1U);
}

/// It may have read much for that.
TEST_F(ConnectionTest, AStreamThatFoundNothingLetsOthersHaveTheirTurns) {
  receive(get("/barren/3"));
  for (std::uint64_t turn = 1; turn <= 3; ++turn) {
    EXPECT_EQ(handler_.barren_asked, turn);
    ASSERT_TRUE(connection().wants_turn());
    connection().resume(now_);
  }
  EXPECT_EQ(handler_.barren_asked, 4U);
  EXPECT_TRUE(take().ends_with("\r\n5\r\nfound\r\n0\r\n\r\n"));
}

TEST_F(ConnectionTest, StreamIsPulledAsTheClientReads) {
  constexpr std::uint64_t kPieces = 1'000'000;
  receive(get("/stream/1000000") + std::string(kGet));
  std::size_t bytes = 0;
  std::string end;
  while (!connection().output().empty()) {
    ASSERT_LE(connection().output().size(), 3 * shared_.limits.output_low_water);
    ASSERT_LE(shared_.output_bytes, 6 * shared_.limits.output_low_water);
    const std::string_view some = connection().output().substr(0, 50'000);
    bytes += some.size();
    end = some;
    connection().sent(some.size(), now_);
    if (connection().wants_turn()) {
      connection().resume(now_);
    }
  }
  EXPECT_GT(bytes, kPieces * 12);
  EXPECT_TRUE(end.ends_with("0\r\n\r\n" + kGot));
}

TEST_F(ConnectionTest, StreamBehindAWriteWaits) {
  receive(std::string(kPut) + get("/stream/1"));
  EXPECT_EQ(take(), "");
  complete();
  EXPECT_TRUE(take().ends_with("piece 1\n\r\n0\r\n\r\n"));
}

// Streams that post writes

std::string posts(int count, std::string_view version = "1.1") {
  return "POST /posts/" + std::to_string(count) + " HTTP/" + std::string(version) +
         "\r\nHost: x\r\n\r\n";
}

TEST_F(ConnectionTest, NothingOvertakesAStreamThatWaitsForItsWrites) {
  receive(std::string(kPut) + posts(2) + std::string(kPut) + std::string(kGet));
  EXPECT_EQ(handler_.posted.size(), 1U) << "the write before it comes first";
  complete();
  EXPECT_EQ(take(), written(1));
  EXPECT_EQ(handler_.posted.size(), 3U) << "those of the stream, not the write behind it";
  complete();
  EXPECT_EQ(take(), "");
  EXPECT_FALSE(connection().wants_turn());
  EXPECT_FALSE(connection().wants_input());
  complete();
  EXPECT_EQ(take(), answer("2 3"));
  complete();
  EXPECT_EQ(take(), written(4) + kGot);
}

TEST_F(ConnectionTest, AStreamMayPostNothing) {
  receive(posts(0) + std::string(kGet));
  EXPECT_EQ(take(), answer("") + kGot);
}

TEST_F(ConnectionTest, AStreamThatWaitsIsAnsweredBeforeAShutdownAndTo10) {
  receive(posts(1) + std::string(kGet));
  connection().start_shutdown(now_);
  EXPECT_EQ(state(), State::closing);
  complete();
  EXPECT_EQ(take(), answer("1"));
  EXPECT_EQ(state(), State::draining);
  open();
  receive(posts(1, "1.0"));
  complete();
  EXPECT_EQ(take(), answer("2", 200, Persistence::close));
  EXPECT_EQ(state(), State::draining);
}

TEST_F(ConnectionTest, RepliesToTheStreamOfABrokenConnectionAreDropped) {
  receive(posts(2));
  complete();
  connection().broken();
  complete();
  EXPECT_EQ(connection().output(), "");
  EXPECT_EQ(state(), State::closed);
}

TEST_F(ConnectionTest, AHalfClosedClientGetsTheAnswerOfItsStream) {
  receive(posts(1));
  connection().received_end(now_);
  complete();
  EXPECT_EQ(take(), answer("1"));
  EXPECT_EQ(state(), State::closed);
}

}  // namespace
}  // namespace kvs
