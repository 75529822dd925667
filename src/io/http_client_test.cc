#include "io/http_client.h"

#include <csignal>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/http_door.h"
#include "support/echo_handler.h"
#include "support/tcp_listener.h"

namespace kvs {
namespace {

using ::testing::AllOf;
using testing::EchoHandler;
using ::testing::HasSubstr;
using testing::TcpListener;
using testing::TcpPeer;

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class HttpClientTest : public ::testing::Test {
 protected:
  std::uint16_t open_door() {
    DoorOptions options;
    options.threads = 1;
    auto opened = HttpDoor::open(options);
    EXPECT_TRUE(opened);
    door_ = *std::move(opened);
    door_->start([](std::size_t) { return std::make_unique<EchoHandler>(); });
    return door_->port();
  }

  static HttpClientOptions options(std::uint16_t port) {
    return {.node = {.host = "127.0.0.1", .port = port}};
  }

  static HttpClientOptions impatient(std::uint16_t port) {
    HttpClientOptions made = options(port);
    made.connect_timeout = Duration::from_ms(50);
    made.silence_timeout = Duration::from_ms(50);
    return made;
  }

  static std::string error_of(const Result<Answer>& answer) {
    EXPECT_FALSE(answer);
    EXPECT_EQ(answer ? Errc::not_found : answer.error().code, Errc::address_unusable);
    return answer ? "" : answer.error().detail;
  }

  std::unique_ptr<HttpDoor> door_;
};

TEST_F(HttpClientTest, CallsShareAConnection) {
  HttpClient client(options(open_door()));
  for (const char* target : {"/a", "/b?c=d"}) {
    const auto answer = client.ask({.target = target});
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->head.status, 200U);
    EXPECT_EQ(answer->body, std::string("GET ") + target + " ");
  }
  const auto refused = client.ask({.method = "PUT", .target = "/refused", .body = "[1]"});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->head.status, 400U);
  EXPECT_EQ(refused->body, "PUT /refused [1]");
  EXPECT_EQ(door_->counters().connections_accepted, 1U);
}

TEST_F(HttpClientTest, NamesAreResolved) {
  HttpClientOptions by_name = options(open_door());
  by_name.node.host = "localhost";
  EXPECT_TRUE(HttpClient(by_name).ask({.target = "/a"}));
  by_name.node.host = "no-such-host.invalid";
  EXPECT_THAT(error_of(HttpClient(by_name).ask({.target = "/a"})),
              HasSubstr("no-such-host.invalid"));
}

TEST_F(HttpClientTest, BodiesAreHandedOutAsTheyCome) {
  HttpClient client(options(open_door()));
  std::size_t parts = 0;
  std::string body;
  const auto answer = client.ask({.target = "/stream/50000"}, [&](std::string_view part) {
    ++parts;
    body.append(part);
    return Result<void>();
  });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "");
  EXPECT_GT(parts, 1U);
  EXPECT_TRUE(body.ends_with("piece 50000\n"));
  EXPECT_TRUE(client.ask({.target = "/a"}));
}

TEST_F(HttpClientTest, WhoTakesTheBodyMayRefuseIt) {
  HttpClient client(options(open_door()));
  const auto answer = client.ask(
      {.target = "/stream/50000"},
      [](std::string_view /*part*/) -> Result<void> { return fail(Errc::disk_full, "no room"); });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), (Error{.code = Errc::disk_full, .detail = "no room"}));
  EXPECT_TRUE(client.ask({.target = "/a"}));
}

TEST_F(HttpClientTest, AnAnswerThatBreaksOffIsAnError) {
  HttpClient client(options(open_door()));
  EXPECT_THAT(error_of(client.ask({.target = "/broken/50000"})), HasSubstr("did not answer"));
  EXPECT_TRUE(client.ask({.target = "/a"}));
}

TEST_F(HttpClientTest, NobodyListens) {
  std::uint16_t port = 0;
  {
    const TcpListener listener;
    port = listener.port();
  }
  EXPECT_THAT(error_of(HttpClient(options(port)).ask({.target = "/"})),
              AllOf(HasSubstr("no node can be reached at 127.0.0.1:" + std::to_string(port)),
                    HasSubstr("Connection refused"), HasSubstr("--node")));
}

TEST_F(HttpClientTest, WhoIsSilentIsGivenUp) {
  TcpListener listener;
  EXPECT_THAT(error_of(HttpClient(impatient(listener.port())).ask({.target = "/"})),
              HasSubstr("nothing came for"));
  const TcpListener full(TcpListener::Backlog::full);
  EXPECT_THAT(error_of(HttpClient(impatient(full.port())).ask({.target = "/"})),
              HasSubstr("no answer in time"));
}

TEST_F(HttpClientTest, SomethingElseListens) {
  TcpListener listener;
  std::thread other([&] {
    TcpPeer peer = listener.accept();
    peer.send("SSH-2.0-OpenSSH_9.2\r\n");
    peer.receive_request();
  });
  EXPECT_THAT(error_of(HttpClient(options(listener.port())).ask({.target = "/"})),
              HasSubstr("did not answer"));
  other.join();
}

TEST_F(HttpClientTest, AWriteWithoutAnAnswerMayHaveTakenPlace) {
  TcpListener listener;
  std::thread other([&] { listener.accept().receive_request(); });
  const auto answer =
      HttpClient(options(listener.port())).ask({.method = "PUT", .target = "/kv/a", .body = "1"});
  EXPECT_THAT(error_of(answer), HasSubstr("is not known: a read tells"));
  other.join();
}

TEST_F(HttpClientTest, AKeptConnectionThatWasClosedIsOpenedAnewForReads) {
  TcpListener listener;
  std::thread other([&] {
    for (int n = 0; n < 2; ++n) {
      TcpPeer peer = listener.accept();
      peer.receive_request();
      peer.send(kAnswer);
    }
  });
  HttpClient client(options(listener.port()));
  EXPECT_TRUE(client.ask({.target = "/"}));
  EXPECT_TRUE(client.ask({.target = "/"}));
  EXPECT_FALSE(client.ask({.method = "DELETE", .target = "/kv/a"}));
  other.join();
}

TEST_F(HttpClientTest, AnAnswerMayComeBeforeTheWholeRequestIsTaken) {
  TcpListener listener;
  std::thread other([&] {
    TcpPeer peer = listener.accept();
    peer.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
    peer.receive_request();
  });
  const std::string body(20'000'000, '1');
  const auto answer =
      HttpClient(options(listener.port())).ask({.method = "PUT", .target = "/kv/a", .body = body});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->head.status, 413U);
  other.join();
}

TEST_F(HttpClientTest, AnInterruptEndsTheWait) {
  TcpListener listener;
  Interrupt interrupt;
  HttpClientOptions made = options(listener.port());
  made.interrupt = &interrupt;
  ASSERT_EQ(::raise(SIGINT), 0);
  EXPECT_THAT(error_of(HttpClient(made).ask({.target = "/"})), HasSubstr("interrupted"));
  EXPECT_TRUE(interrupt.happened());
  EXPECT_EQ(interrupt.signal(), SIGINT);
}

}  // namespace
}  // namespace kvs
