#include "wire/connection_limits.h"

#include <gtest/gtest.h>

#include "support/connection_fixture.h"

namespace kvs {
namespace {

using testing::answer;
using testing::get;
using testing::kGet;
using testing::kGot;
using testing::kPut;
using testing::repeat;
using testing::written;
using ConnectionLimitsTest = testing::ConnectionTest;
using State = Connection::State;

// Clients that do not read

TEST_F(ConnectionLimitsTest, ClientThatDoesNotReadIsNotServedOn) {
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

TEST_F(ConnectionLimitsTest, ReaderThatNeverCatchesUpCostsNoMemory) {
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

TEST_F(ConnectionLimitsTest, OutputOfADoorIsBounded) {
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

TEST_F(ConnectionLimitsTest, UnfinishedInputOfADoorIsBounded) {
  shared_.limits.door_input_bytes_max = 2'000;
  handler_.body_max = 10'000;
  const std::string head = "PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n";
  EXPECT_EQ(exchange(head + std::string(1'000, 'x')), "");
  const std::string out = exchange(std::string(5'000, 'x'));
  EXPECT_TRUE(out.starts_with("HTTP/1.1 503 ")) << out;
  EXPECT_EQ(state(), State::draining);
  EXPECT_EQ(shared_.input_bytes, 0U);
}

/// An answer in the middle of another would be none.
TEST_F(ConnectionLimitsTest, InputBehindAStreamIsNotRefusedWithinIt) {
  shared_.limits.door_input_bytes_max = 2'000;
  shared_.limits.output_low_water = 1'000;
  handler_.body_max = 10'000;
  receive(get("/stream/1000") + "PUT /kv/a HTTP/1.1\r\n");
  Connection other(shared_, Ticket{8}, now_);
  other.received("PUT /kv/b HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n", now_);
  other.received(std::string(1'900, 'x'), now_);
  receive("Host: " + std::string(500, 'x'));
  EXPECT_GT(shared_.input_bytes, shared_.limits.door_input_bytes_max);
  EXPECT_EQ(connection().output().find(" 503 "), std::string_view::npos);
  EXPECT_EQ(state(), State::open);
}

TEST_F(ConnectionLimitsTest, IdleConnectionHoldsNoBuffers) {
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

TEST_F(ConnectionLimitsTest, MemoryIsCountedAndGivenBack) {
  receive(get("/big/5000") + std::string(kPut) + "GET /" + std::string(300, 'x'));
  EXPECT_GE(shared_.output_bytes, 5'000U);
  EXPECT_GE(shared_.input_bytes, 300U);
  connection_.reset();
  EXPECT_EQ(shared_.output_bytes, 0U);
  EXPECT_EQ(shared_.input_bytes, 0U);
}

// Time

TEST_F(ConnectionLimitsTest, IdleConnectionIsClosed) {
  EXPECT_EQ(connection().deadline(), now_ + Duration::from_seconds(60));
  pass(Duration::from_seconds(50));
  EXPECT_EQ(exchange(kGet), kGot);
  pass(Duration::from_seconds(50));
  EXPECT_EQ(state(), State::open);
  pass(Duration::from_seconds(10));
  EXPECT_EQ(state(), State::closed);
}

TEST_F(ConnectionLimitsTest, WaitingForTheNodeIsNotIdling) {
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

TEST_F(ConnectionLimitsTest, SlowHeadIsCutHoweverItDrips) {
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

TEST_F(ConnectionLimitsTest, EachHeadHasItsOwnTime) {
  for (int n = 0; n < 5; ++n) {
    EXPECT_EQ(
        exchange(n == 0 ? std::string(kGet) + "GET /a" : " HTTP/1.1\r\nHost: x\r\n\r\nGET /a"),
        kGot);
    pass(Duration::from_seconds(9));
  }
  EXPECT_EQ(state(), State::open);
}

TEST_F(ConnectionLimitsTest, SlowBodyIsCut) {
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

TEST_F(ConnectionLimitsTest, TimeoutBehindAWriteIsAnsweredAfterIt) {
  receive(std::string(kPut) + "GET");
  pass(Duration::from_seconds(10));
  EXPECT_EQ(take(), "");
  complete();
  EXPECT_TRUE(take().starts_with(written(1) + "HTTP/1.1 408 "));
}

TEST_F(ConnectionLimitsTest, ClientThatStopsReadingIsCut) {
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

TEST_F(ConnectionLimitsTest, DrainedOutputHasNoDeadline) {
  (void)exchange(get("/big/100000"));
  EXPECT_EQ(connection().deadline(), now_ + Duration::from_seconds(60));
}

// Shutdown

TEST_F(ConnectionLimitsTest, ShutdownClosesAnIdleConnectionAtOnce) {
  EXPECT_EQ(exchange(kGet), kGot);
  connection().start_shutdown(now_);
  EXPECT_EQ(state(), State::closed);
}

TEST_F(ConnectionLimitsTest, ShutdownFinishesPendingWrites) {
  receive(repeat(kPut, 2) + std::string(kGet));
  connection().start_shutdown(now_);
  EXPECT_EQ(state(), State::closing);
  complete(2);
  EXPECT_EQ(take(), written(1) + written(2, Persistence::close));
  EXPECT_EQ(state(), State::draining);
  EXPECT_EQ(handler_.seen.size(), 2U);
}

TEST_F(ConnectionLimitsTest, ShutdownFinishesARequestThatHasBegun) {
  receive(kPut.substr(0, kPut.size() - 1));
  connection().start_shutdown(now_);
  EXPECT_EQ(state(), State::open);
  receive(std::string(kPut.substr(kPut.size() - 1)) + std::string(kGet));
  complete();
  EXPECT_EQ(take(), written(1, Persistence::close));
  EXPECT_EQ(state(), State::draining);
}

TEST_F(ConnectionLimitsTest, ShutdownFinishesAStream) {
  receive(get("/stream/100000"));
  connection().start_shutdown(now_);
  EXPECT_TRUE(take().ends_with("piece 100000\n\r\n0\r\n\r\n"));
  EXPECT_EQ(state(), State::draining);
}

TEST_F(ConnectionLimitsTest, ShutdownSendsWhatIsQueued) {
  receive(kGet);
  connection().start_shutdown(now_);
  EXPECT_EQ(take(), kGot);
  EXPECT_EQ(state(), State::draining);
}

}  // namespace
}  // namespace kvs
