#include "wire/connection.h"

#include <gtest/gtest.h>

#include "support/echo_handler.h"

namespace kvs {
namespace {

using testing::EchoHandler;
using State = Connection::State;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kPut = "PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
constexpr std::string_view kRefusedPut =
    "PUT /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

std::string get(std::string_view target, std::string_view fields = "") {
  return std::string("GET ")
      .append(target)
      .append(" HTTP/1.1\r\nHost: x\r\n")
      .append(fields)
      .append("\r\n");
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t n = 0; n < times; ++n) {
    all.append(text);
  }
  return all;
}

/// An answer as EchoHandler writes it.
std::string answer(std::string_view body, unsigned status = 200,
                   Persistence persistence = Persistence::implicit) {
  std::string out;
  put_response(
      out, {.status = status, .persistence = persistence, .content_type = {}, .fields = {}}, body);
  return out;
}

std::string written(int number, Persistence persistence = Persistence::implicit) {
  return answer(std::to_string(number), 201, persistence);
}

const std::string kGot = answer("GET /a ");

class ConnectionTest : public ::testing::Test {
 protected:
  void open() { connection_ = std::make_unique<Connection>(shared_, Ticket{7}, now_); }

  Connection& connection() {
    if (!connection_) {
      open();
    }
    return *connection_;
  }

  void receive(std::string_view bytes) { connection().received(bytes, now_); }

  /// The client takes everything there is, and the connection has all the turns it wants.
  std::string take() {
    std::string taken;
    for (;;) {
      const std::string_view output = connection().output();
      taken.append(output);
      connection().sent(output.size(), now_);
      if (!connection().wants_turn()) {
        return taken;
      }
      connection().resume(now_);
    }
  }

  std::string exchange(std::string_view bytes) {
    receive(bytes);
    return take();
  }

  /// The node answers `count` writes: the first of all with "1", and so on.
  void complete(int count = 1) {
    for (int n = 0; n < count; ++n) {
      connection().complete(
          {.status = WriteStatus::created, .uuid = {}, .stamp = Stamp::from_ms(++completed_)});
    }
    connection().resume(now_);
  }

  void pass(Duration time) {
    now_ = now_ + time;
    if (connection().deadline() <= now_) {
      connection().tick(now_);
    }
  }

  [[nodiscard]] State state() { return connection().state(); }

  EchoHandler handler_;
  ConnectionShared shared_{.handler = handler_,
                           .limits = {},
                           .input_bytes = 0,
                           .output_bytes = 0,
                           .head = {},
                           .spare_output = {},
                           .chunk = {}};
  Instant now_ = Instant{} + Duration::from_seconds(1000);
  int completed_ = 0;
  std::unique_ptr<Connection> connection_;
};

// Requests and their order

TEST_F(ConnectionTest, AnswersPipelinedRequestsInOneOutput) {
  receive(repeat(kGet, 3));
  EXPECT_EQ(connection().output(), repeat(kGot, 3));
  EXPECT_EQ(take(), repeat(kGot, 3));
  EXPECT_EQ(state(), State::open);
  EXPECT_TRUE(connection().wants_input());
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

TEST_F(ConnectionTest, PutAndPostNeedALength) {
  for (const std::string method : {"PUT", "POST"}) {
    open();
    EXPECT_EQ(exchange(method + " /kv/a HTTP/1.1\r\nHost: x\r\n\r\n"),
              answer("PUT and POST need a Content-Length", 411, Persistence::close));
  }
  EXPECT_TRUE(handler_.seen.empty());
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

// Clients that do not read

TEST_F(ConnectionTest, ClientThatDoesNotReadIsNotServedOn) {
  shared_.limits.output_high_water = 10'000;
  shared_.limits.output_low_water = 1'000;
  receive(repeat(get("/big/900"), 60));
  const std::size_t served = handler_.seen.size();
  EXPECT_LT(served, 13U);
  EXPECT_FALSE(connection().wants_input());
  EXPECT_FALSE(connection().wants_turn());
  connection().resume(now_);
  EXPECT_EQ(handler_.seen.size(), served);
  connection().sent(connection().output().size() - 999, now_);
  EXPECT_TRUE(connection().wants_turn());
  (void)take();
  EXPECT_EQ(handler_.seen.size(), 60U);
}

TEST_F(ConnectionTest, ReaderThatNeverCatchesUpCostsNoMemory) {
  shared_.limits.output_high_water = 10'000;
  shared_.limits.output_low_water = 9'000;
  std::string got;
  for (int n = 0; n < 2'000; ++n) {
    if (connection().wants_input()) {
      receive(repeat(get("/big/900"), 10));
    }
    const std::string_view some = connection().output().substr(0, 1'000);
    got.append(some);
    connection().sent(some.size(), now_);
    if (connection().wants_turn()) {
      connection().resume(now_);
    }
    ASSERT_LE(shared_.output_bytes, 400'000U);
  }
  const std::string one = answer(std::string(900, 'x'));
  EXPECT_GT(got.size(), 1'000'000U);
  EXPECT_EQ(got, repeat(one, got.size() / one.size() + 1).substr(0, got.size()));
}

TEST_F(ConnectionTest, OutputOfADoorIsBounded) {
  shared_.limits.door_output_bytes_max = 5'000;
  receive(get("/big/6000"));
  Connection other(shared_, Ticket{8}, now_);
  other.received(kGet, now_);
  EXPECT_EQ(other.output(), "");
  EXPECT_TRUE(other.starved());
  EXPECT_FALSE(other.wants_turn());
  EXPECT_FALSE(other.wants_input());
  (void)take();
  EXPECT_TRUE(other.wants_turn());
  other.resume(now_);
  EXPECT_EQ(other.output(), kGot);
  EXPECT_FALSE(other.starved());
}

TEST_F(ConnectionTest, UnfinishedInputOfADoorIsBounded) {
  shared_.limits.door_input_bytes_max = 2'000;
  handler_.body_max = 10'000;
  const std::string head = "PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n";
  EXPECT_EQ(exchange(head + std::string(1'000, 'x')), "");
  const std::string out = exchange(std::string(5'000, 'x'));
  EXPECT_TRUE(out.starts_with("HTTP/1.1 503 ")) << out;
  EXPECT_EQ(state(), State::draining);
  EXPECT_EQ(shared_.input_bytes, 0U);
}

TEST_F(ConnectionTest, IdleConnectionHoldsNoBuffers) {
  EXPECT_LE(sizeof(Connection), 512U);
  for (const std::size_t cut : {std::size_t{5}, kPut.size() - 1}) {
    receive(kPut.substr(0, cut));
    receive(kPut.substr(cut));
    complete();
    (void)take();
  }
  (void)exchange(get("/stream/10000"));
  EXPECT_EQ(shared_.input_bytes, 0U);
  EXPECT_EQ(shared_.output_bytes, 0U);
  EXPECT_EQ(state(), State::open);
}

TEST_F(ConnectionTest, MemoryIsCountedAndGivenBack) {
  receive(get("/big/5000") + std::string(kPut) + "GET /" + std::string(300, 'x'));
  EXPECT_GE(shared_.output_bytes, 5'000U);
  EXPECT_GE(shared_.input_bytes, 300U);
  connection_.reset();
  EXPECT_EQ(shared_.output_bytes, 0U);
  EXPECT_EQ(shared_.input_bytes, 0U);
}

// Time

TEST_F(ConnectionTest, IdleConnectionIsClosed) {
  EXPECT_EQ(connection().deadline(), now_ + Duration::from_seconds(60));
  pass(Duration::from_seconds(50));
  EXPECT_EQ(exchange(kGet), kGot);
  pass(Duration::from_seconds(50));
  EXPECT_EQ(state(), State::open);
  pass(Duration::from_seconds(10));
  EXPECT_EQ(state(), State::closed);
}

TEST_F(ConnectionTest, WaitingForTheNodeIsNotIdling) {
  receive(kPut);
  pass(Duration::from_seconds(1000));
  EXPECT_EQ(state(), State::open);
  complete();
  EXPECT_EQ(take(), written(1));
  pass(Duration::from_seconds(59));
  EXPECT_EQ(state(), State::open);
  pass(Duration::from_seconds(1));
  EXPECT_EQ(state(), State::closed);
}

TEST_F(ConnectionTest, SlowHeadIsCutHoweverItDrips) {
  receive("G");
  for (const char byte : std::string_view("ET / HTTP")) {
    pass(Duration::from_seconds(1));
    receive({&byte, 1});
  }
  EXPECT_EQ(state(), State::open);
  pass(Duration::from_seconds(1));
  EXPECT_TRUE(take().starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(state(), State::draining);
}

TEST_F(ConnectionTest, EachHeadHasItsOwnTime) {
  for (int n = 0; n < 5; ++n) {
    EXPECT_EQ(
        exchange(n == 0 ? std::string(kGet) + "GET /a" : " HTTP/1.1\r\nHost: x\r\n\r\nGET /a"),
        kGot);
    pass(Duration::from_seconds(9));
  }
  EXPECT_EQ(state(), State::open);
}

TEST_F(ConnectionTest, SlowBodyIsCut) {
  handler_.body_max = 100'000;
  receive("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  for (int n = 0; n < 3; ++n) {
    receive(std::string(16 * 1024, 'x'));
    pass(Duration::from_seconds(30));
    ASSERT_EQ(state(), State::open) << "fast enough";
  }
  receive(std::string(16 * 1024 - 1, 'x'));
  pass(Duration::from_seconds(30));
  EXPECT_TRUE(take().starts_with("HTTP/1.1 408 "));
}

TEST_F(ConnectionTest, TimeoutBehindAWriteIsAnsweredAfterIt) {
  receive(std::string(kPut) + "GET");
  pass(Duration::from_seconds(10));
  EXPECT_EQ(take(), "");
  complete();
  EXPECT_TRUE(take().starts_with(written(1) + "HTTP/1.1 408 "));
}

TEST_F(ConnectionTest, ClientThatStopsReadingIsCut) {
  receive(get("/big/100000"));
  for (int n = 0; n < 3; ++n) {
    pass(Duration::from_seconds(29));
    connection().sent(16 * 1024, now_);
    pass(Duration::from_seconds(1));
    ASSERT_EQ(state(), State::open) << "it does read";
  }
  pass(Duration::from_seconds(29));
  connection().sent(100, now_);
  EXPECT_EQ(state(), State::open);
  pass(Duration::from_seconds(1));
  EXPECT_EQ(state(), State::closed);
  EXPECT_EQ(shared_.output_bytes, 0U);
}

TEST_F(ConnectionTest, DrainedOutputHasNoDeadline) {
  (void)exchange(get("/big/100000"));
  EXPECT_EQ(connection().deadline(), now_ + Duration::from_seconds(60));
}

// Shutdown

TEST_F(ConnectionTest, ShutdownClosesAnIdleConnectionAtOnce) {
  EXPECT_EQ(exchange(kGet), kGot);
  connection().start_shutdown(now_);
  EXPECT_EQ(state(), State::closed);
}

TEST_F(ConnectionTest, ShutdownFinishesPendingWrites) {
  receive(repeat(kPut, 2) + std::string(kGet));
  connection().start_shutdown(now_);
  EXPECT_EQ(state(), State::closing);
  complete(2);
  EXPECT_EQ(take(), written(1) + written(2, Persistence::close));
  EXPECT_EQ(state(), State::draining);
  EXPECT_EQ(handler_.seen.size(), 2U);
}

TEST_F(ConnectionTest, ShutdownFinishesARequestThatHasBegun) {
  receive(kPut.substr(0, kPut.size() - 1));
  connection().start_shutdown(now_);
  EXPECT_EQ(state(), State::open);
  receive(std::string(kPut.substr(kPut.size() - 1)) + std::string(kGet));
  complete();
  EXPECT_EQ(take(), written(1, Persistence::close));
  EXPECT_EQ(state(), State::draining);
}

TEST_F(ConnectionTest, ShutdownFinishesAStream) {
  receive(get("/stream/100000"));
  connection().start_shutdown(now_);
  EXPECT_TRUE(take().ends_with("piece 100000\n\r\n0\r\n\r\n"));
  EXPECT_EQ(state(), State::draining);
}

TEST_F(ConnectionTest, ShutdownSendsWhatIsQueued) {
  receive(kGet);
  connection().start_shutdown(now_);
  EXPECT_EQ(take(), kGot);
  EXPECT_EQ(state(), State::draining);
}

}  // namespace
}  // namespace kvs
