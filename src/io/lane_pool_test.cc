#include "io/lane_pool.h"

#include <csignal>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/http_door.h"
#include "io/os.h"
#include "support/echo_handler.h"
#include "support/tcp_listener.h"

namespace kvs {
namespace {

using testing::EchoHandler;
using ::testing::HasSubstr;
using testing::TcpListener;

/// Remembers what became of each call.
class Owner final : public LaneOwner {
 public:
  void answered(CallNumber number, const Answer& answer, Instant asked) override {
    EXPECT_LE(asked, monotonic_now());
    ++ends;
    answers[number] = answer;
  }

  void lost(CallNumber number, const Error& why) override {
    ++ends;
    losses[number] = why;
  }

  std::size_t ends = 0;
  std::map<CallNumber, Answer> answers;
  std::map<CallNumber, Error> losses;
};

class LanePoolTest : public ::testing::Test {
 protected:
  LanePoolOptions open_door() {
    DoorOptions options;
    options.threads = 1;
    auto opened = HttpDoor::open(options);
    EXPECT_TRUE(opened);
    door_ = *std::move(opened);
    door_->start([](std::size_t) {
      auto handler = std::make_unique<EchoHandler>();
      handler->record = false;
      return handler;
    });
    return options_for(door_->port());
  }

  static LanePoolOptions options_for(std::uint16_t port) {
    return {.node = {.host = "127.0.0.1", .port = port}, .connections = 3, .depth = 4};
  }

  /// Turns, bounded, until nothing is under way.
  static void drain(LanePool& pool) {
    for (int turns = 0; pool.under_way() > 0 && turns < 1000; ++turns) {
      (void)pool.turn(monotonic_now() + Duration::from_ms(100));
    }
  }

  std::unique_ptr<HttpDoor> door_;
  Owner owner_;
};

TEST_F(LanePoolTest, EachCallHasItsAnswer) {
  LanePool pool(open_door(), owner_);
  EXPECT_FALSE(pool.has_room());
  ASSERT_TRUE(pool.open());
  constexpr std::uint64_t kCalls = 1000;
  for (std::uint64_t given = 0; given < kCalls || pool.under_way() > 0;) {
    while (given < kCalls && pool.has_room()) {
      pool.ask(given, {.method = "PUT", .target = "/x", .body = std::to_string(given)});
      ++given;
    }
    (void)pool.turn(monotonic_now() + Duration::from_ms(100));
  }
  EXPECT_EQ(owner_.ends, kCalls);
  ASSERT_EQ(owner_.answers.size(), kCalls);
  for (const auto& [number, answer] : owner_.answers) {
    EXPECT_EQ(answer.body, "PUT /x " + std::to_string(number));
  }
  EXPECT_EQ(door_->counters().connections_accepted, 3U);
}

TEST_F(LanePoolTest, RoomIsBounded) {
  LanePool pool(open_door(), owner_);
  ASSERT_TRUE(pool.open());
  std::uint64_t given = 0;
  for (; pool.has_room(); ++given) {
    pool.ask(given, {.target = "/x"});
  }
  EXPECT_EQ(given, 12U);
  drain(pool);
  EXPECT_EQ(owner_.answers.size(), 12U);
}

TEST_F(LanePoolTest, BytesAreBounded) {
  LanePoolOptions options = open_door();
  options.bytes_max = 100;
  LanePool pool(options, owner_);
  ASSERT_TRUE(pool.open());
  const std::string body(200, '1');
  std::uint64_t given = 0;
  for (; pool.has_room(); ++given) {
    pool.ask(given, {.method = "PUT", .target = "/x", .body = body});
  }
  EXPECT_EQ(given, 3U);
  drain(pool);
  EXPECT_EQ(owner_.answers.size(), 3U);
}

TEST_F(LanePoolTest, WhatIsUnderWayWhenAConnectionBreaksIsLost) {
  LanePoolOptions options = open_door();
  options.connections = 1;
  LanePool pool(options, owner_);
  ASSERT_TRUE(pool.open());
  pool.ask(1, {.target = "/x"});
  pool.ask(2, {.target = "/broken/50000"});
  pool.ask(3, {.target = "/x"});
  drain(pool);
  EXPECT_EQ(owner_.ends, 3U);
  EXPECT_TRUE(owner_.answers.contains(1));
  ASSERT_TRUE(owner_.losses.contains(2));
  EXPECT_TRUE(owner_.losses.contains(3));
  EXPECT_EQ(owner_.losses[2].code, Errc::address_unusable);
  EXPECT_FALSE(pool.has_room());
  EXPECT_TRUE(pool.broken());
  ASSERT_TRUE(pool.open());
  EXPECT_FALSE(pool.broken());
  pool.ask(4, {.target = "/x"});
  drain(pool);
  EXPECT_TRUE(owner_.answers.contains(4));
}

TEST_F(LanePoolTest, AnIdleConnectionThatIsClosedIsNoticed) {
  TcpListener listener;
  LanePoolOptions options = options_for(listener.port());
  options.connections = 1;
  LanePool pool(options, owner_);
  ASSERT_TRUE(pool.open());
  listener.accept().close();
  for (int turns = 0; !pool.broken() && turns < 100; ++turns) {
    (void)pool.turn(monotonic_now() + Duration::from_ms(100));
  }
  EXPECT_TRUE(pool.broken());
  EXPECT_FALSE(pool.has_room());
  EXPECT_EQ(owner_.ends, 0U);
}

TEST_F(LanePoolTest, NobodyListens) {
  std::uint16_t port = 0;
  {
    const TcpListener listener;
    port = listener.port();
  }
  LanePool pool(options_for(port), owner_);
  const auto opened = pool.open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().detail, HasSubstr("no node can be reached"));
}

TEST_F(LanePoolTest, WhoIsSilentIsGivenUp) {
  const TcpListener listener;
  LanePoolOptions options = options_for(listener.port());
  options.silence_timeout = Duration::from_ms(30);
  LanePool pool(options, owner_);
  ASSERT_TRUE(pool.open());
  pool.ask(7, {.target = "/x"});
  drain(pool);
  ASSERT_TRUE(owner_.losses.contains(7));
  EXPECT_THAT(owner_.losses[7].detail, HasSubstr("says nothing"));
}

TEST_F(LanePoolTest, AnInterruptIsToldOnceAndTheRestIsStillAnswered) {
  Interrupt interrupt;
  LanePoolOptions options = open_door();
  options.interrupt = &interrupt;
  LanePool pool(options, owner_);
  ASSERT_TRUE(pool.open());
  pool.ask(1, {.target = "/x"});
  ASSERT_EQ(::raise(SIGINT), 0);
  EXPECT_EQ(pool.turn(Instant::never()), Woken::interrupted);
  drain(pool);
  EXPECT_TRUE(owner_.answers.contains(1));
}

TEST_F(LanePoolTest, OthersMayBeWaitedForToo) {
  LanePool pool(open_door(), owner_);
  ASSERT_TRUE(pool.open());
  const TcpListener listener;
  auto socket = ClientSocket::connect({.host = "127.0.0.1", .port = listener.port()},
                                      monotonic_now() + Duration::from_seconds(5), nullptr);
  ASSERT_TRUE(socket);
  EXPECT_EQ(pool.turn(Instant::never(), {.fd = socket->number(), .events = POLLOUT}), Woken::ready);
}

}  // namespace
}  // namespace kvs
