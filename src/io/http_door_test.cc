#include "io/http_door.h"

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/echo_handler.h"
#include "support/tcp_client.h"

namespace kvs {
namespace {

using testing::EchoHandler;
using testing::TcpClient;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kCall = "GET /call HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kPut = "PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1";

std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t n = 0; n < times; ++n) {
    all.append(text);
  }
  return all;
}

void wait_a_moment() {
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

/// Waits, bounded, until `condition` holds.
template <class Condition>
bool eventually(Condition condition) {
  for (int n = 0; n < 2000; ++n) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

/// Echoes, and hands posted writes to the test's thread.
class PostingHandler : public EchoHandler {
 public:
  PostingHandler() { record = false; }

  Handled handle(const ReceivedRequest& request, const AnswerTarget& target) override {
    Handled handled = EchoHandler::handle(request, target);
    if (handled.kind != Handled::Kind::answered && handled.kind != Handled::Kind::streaming) {
      const std::lock_guard lock(mutex_);
      tickets_.push_back(request.ticket);
    }
    return handled;
  }

  /// Any thread.
  std::vector<Ticket> tickets() {
    const std::lock_guard lock(mutex_);
    return tickets_;
  }

 private:
  std::mutex mutex_;
  std::vector<Ticket> tickets_;
};

class HttpDoorTest : public ::testing::Test {
 protected:
  void open(DoorOptions options = {}) {
    if (options.threads == 0) {
      options.threads = 1;
    }
    auto opened = HttpDoor::open(options);
    ASSERT_TRUE(opened) << opened.error().detail;
    door_ = *std::move(opened);
    door_->start([this](std::size_t) {
      auto handler = std::make_unique<PostingHandler>();
      handlers_.push_back(handler.get());
      return handler;
    });
  }

  /// Answers every write posted so far.
  void reply_to_all() {
    std::vector<Reply> replies;
    for (PostingHandler* handler : handlers_) {
      for (const Ticket ticket : handler->tickets()) {
        replies.push_back({.ticket = ticket, .outcome = {.status = WriteStatus::created}});
      }
    }
    door_->post_replies(replies);
  }

  /// Answers every call posted so far: the n-th of all with n.
  void reply_to_calls() {
    std::vector<PeerReply> replies;
    for (PostingHandler* handler : handlers_) {
      for (const Ticket ticket : handler->tickets()) {
        PeerReply reply{.ticket = ticket, .envelope = {}, .answer = {}};
        reply.envelope.wall_ms = static_cast<std::int64_t>(replies.size());
        replies.push_back(reply);
      }
    }
    door_->post_peer_replies(replies);
  }

  [[nodiscard]] std::size_t posted() {
    std::size_t count = 0;
    for (PostingHandler* handler : handlers_) {
      count += handler->tickets().size();
    }
    return count;
  }

  /// Asks once on a new connection.
  [[nodiscard]] bool serves() {
    TcpClient client(door_->port());
    return client.send(kGet) && client.receive_until("GET /a ").starts_with("HTTP/1.1 200 ");
  }

  [[nodiscard]] bool open_connections_become(std::uint64_t count) {
    return eventually([&] { return door_->counters().connections_open == count; });
  }

  std::vector<PostingHandler*> handlers_;
  std::unique_ptr<HttpDoor> door_;
};

TEST_F(HttpDoorTest, AnswersOverASocket) {
  open();
  TcpClient client(door_->port());
  for (int n = 0; n < 3; ++n) {
    ASSERT_TRUE(client.send(kGet));
    EXPECT_TRUE(client.receive_until("GET /a ").starts_with("HTTP/1.1 200 OK"));
  }
  EXPECT_EQ(door_->counters().connections_open, 1U);
  EXPECT_EQ(door_->counters().bytes_received, 3 * kGet.size());
  EXPECT_GT(door_->counters().bytes_sent, 3 * kGet.size());
}

TEST_F(HttpDoorTest, PipelinesBeyondOneTurn) {
  open();
  TcpClient client(door_->port());
  ASSERT_TRUE(client.send(repeat(kGet, 5'000)));
  client.end_sending();
  const std::string got = client.receive_all();
  EXPECT_TRUE(client.ended());
  std::size_t answers = 0;
  for (std::size_t at = got.find("HTTP/1.1 200"); at != std::string::npos;
       at = got.find("HTTP/1.1 200", at + 1)) {
    ++answers;
  }
  EXPECT_EQ(answers, 5'000U);
  EXPECT_TRUE(open_connections_become(0));
}

TEST_F(HttpDoorTest, LettersRunOnTheirThreadInTurn) {
  open({.threads = 3});
  std::promise<std::thread::id> ids[3];
  for (std::size_t thread = 0; thread < 3; ++thread) {
    door_->post(thread, [&, thread] { ids[thread].set_value(std::this_thread::get_id()); });
  }
  std::set<std::thread::id> seen{std::this_thread::get_id()};
  for (auto& id : ids) {
    seen.insert(id.get_future().get());
  }
  EXPECT_EQ(seen.size(), 4U);
}

TEST_F(HttpDoorTest, AThreadThatHangsRunsNoLetter) {
  open({.threads = 2});
  std::promise<void> end;
  std::promise<void> hangs;
  std::promise<void> other;
  std::atomic<bool> ran = false;
  door_->post(0, [&] {
    hangs.set_value();
    end.get_future().wait();
  });
  hangs.get_future().wait();
  door_->post(0, [&] { ran = true; });
  door_->post(1, [&] { other.set_value(); });
  other.get_future().wait();
  EXPECT_FALSE(ran);
  end.set_value();
  EXPECT_TRUE(eventually([&] { return ran.load(); }));
}

TEST_F(HttpDoorTest, RepliesToCallsFindTheirConnection) {
  open({.threads = 3});
  std::vector<std::unique_ptr<TcpClient>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<TcpClient>(door_->port()));
    ASSERT_TRUE(clients.back()->send(kCall));
    ASSERT_TRUE(clients.back()->send(kGet));
  }
  ASSERT_TRUE(eventually([&] { return posted() == 12; }));
  clients[0]->reset();
  ASSERT_TRUE(open_connections_become(11));
  reply_to_calls();
  for (int i = 1; i < 12; ++i) {
    const std::string got = clients[static_cast<std::size_t>(i)]->receive_until("GET /a ");
    EXPECT_TRUE(got.starts_with("HTTP/1.1 202 ")) << got;
    EXPECT_NE(got.find("HTTP/1.1 200 "), std::string::npos) << "what came behind it";
  }
}

TEST_F(HttpDoorTest, RepliesFindTheirConnection) {
  open({.threads = 3});
  std::vector<std::unique_ptr<TcpClient>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<TcpClient>(door_->port()));
    ASSERT_TRUE(clients.back()->send(kPut));
  }
  ASSERT_TRUE(eventually([&] { return posted() == 12; }));
  reply_to_all();
  for (const auto& client : clients) {
    EXPECT_TRUE(client->receive_until("\r\n\r\n").starts_with("HTTP/1.1 201 "));
  }
}

TEST_F(HttpDoorTest, ReplyToAConnectionThatIsGoneIsDropped) {
  open();
  {
    TcpClient client(door_->port());
    // The read behind the write makes the door look at the socket no more.
    ASSERT_TRUE(client.send(std::string(kPut) + std::string(kGet)));
    ASSERT_TRUE(eventually([&] { return posted() == 1; }));
    client.reset();
  }
  reply_to_all();
  EXPECT_TRUE(open_connections_become(0));
  // The next connection takes the same place and must not get the first one's replies.
  TcpClient next(door_->port());
  ASSERT_TRUE(next.send(kGet));
  ASSERT_TRUE(next.receive_until("GET /a ").starts_with("HTTP/1.1 200 OK"));
  reply_to_all();
  ASSERT_TRUE(next.send(kGet));
  EXPECT_TRUE(next.receive_until("GET /a ").starts_with("HTTP/1.1 200 OK"));
}

TEST_F(HttpDoorTest, ManyConnections) {
  open({.threads = 2});
  std::vector<std::unique_ptr<TcpClient>> clients;
  for (int n = 0; n < 1'000; ++n) {
    clients.push_back(std::make_unique<TcpClient>(door_->port()));
    ASSERT_TRUE(clients.back()->connected()) << "connection " << n;
  }
  for (const auto& client : clients) {
    ASSERT_TRUE(client->send(kGet));
  }
  for (const auto& client : clients) {
    ASSERT_TRUE(client->receive_until("GET /a ").starts_with("HTTP/1.1 200 OK"));
  }
  EXPECT_EQ(door_->counters().connections_open, 1'000U);
  clients.clear();
  EXPECT_TRUE(open_connections_become(0));
  EXPECT_EQ(door_->counters().connections_accepted, 1'000U);
}

TEST_F(HttpDoorTest, SlowSenderIsServed) {
  open();
  TcpClient client(door_->port());
  for (const char byte : kGet) {
    ASSERT_TRUE(client.send({&byte, 1}));
    ASSERT_TRUE(serves());
  }
  EXPECT_TRUE(client.receive_until("GET /a ").starts_with("HTTP/1.1 200 OK"));
}

TEST_F(HttpDoorTest, SlowReaderGetsAllOfAStream) {
  open();
  TcpClient client(4'096);
  ASSERT_TRUE(client.connect(door_->port()));
  ASSERT_TRUE(client.send("GET /stream/300000 HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(eventually([&] { return door_->counters().bytes_sent > 0; }));
  ASSERT_TRUE(serves());
  const std::string got = client.receive_until("\r\n0\r\n\r\n");
  std::string body;
  std::string expected;
  const std::string_view chunks = std::string_view(got).substr(got.find("\r\n\r\n") + 4);
  EXPECT_TRUE(ChunkedDecoder(UINT64_MAX).decode(chunks, body).complete());
  (void)testing::Pieces(300'000, BodySource::Status::done).fill(expected, SIZE_MAX / 2, {});
  EXPECT_TRUE(body == expected) << body.size() << " bytes instead of " << expected.size();
}

TEST_F(HttpDoorTest, ClientThatNeverReadsIsHeldBack) {
  open();
  TcpClient client(4'096);
  ASSERT_TRUE(client.connect(door_->port()));
  const std::string requests = repeat("GET /big/10000 HTTP/1.1\r\nHost: x\r\n\r\n", 1'000);
  std::uint64_t before = UINT64_MAX;
  // Until the door takes no more.
  while (before != door_->counters().bytes_received) {
    before = door_->counters().bytes_received;
    for (int n = 0; n < 50; ++n) {
      (void)client.send_now(requests);
      wait_a_moment();
    }
    ASSERT_LT(before, 64'000'000U) << "the door reads on and on";
  }
  EXPECT_TRUE(serves());
  client.reset();
  EXPECT_TRUE(open_connections_become(0)) << "the reset is noticed though nothing is read";
}

TEST_F(HttpDoorTest, TellsWhatItHoldsForItsClients) {
  open({.threads = 2});
  TcpClient sender(door_->port());
  ASSERT_TRUE(sender.send("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"));
  ASSERT_TRUE(sender.send(std::string(900, 'x')));
  EXPECT_TRUE(eventually([&] { return door_->counters().input_bytes >= 900; }));
  TcpClient reader(4'096);
  ASSERT_TRUE(reader.connect(door_->port()));
  ASSERT_TRUE(reader.send("GET /stream/3000000 HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(eventually([&] { return door_->counters().output_bytes >= 10'000; }));
  sender.reset();
  reader.reset();
  EXPECT_TRUE(eventually([&] { return door_->counters().input_bytes == 0; }));
  EXPECT_TRUE(eventually([&] { return door_->counters().output_bytes == 0; }));
}

TEST_F(HttpDoorTest, RefusalOfALargeBodyReachesTheClient) {
  open();
  TcpClient client(door_->port());
  ASSERT_TRUE(client.send("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 6000000\r\n\r\n"));
  ASSERT_TRUE(client.send(std::string(6'000'000, 'x')));
  EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(client.ended()) << "a reset could have cost the client its answer";
}

TEST_F(HttpDoorTest, IdleConnectionIsClosed) {
  ConnectionLimits limits;
  limits.idle_timeout = Duration::from_ms(10);
  open({.limits = limits});
  TcpClient client(door_->port());
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpDoorTest, ThreadsShareTheConnections) {
  open({.threads = 2});
  std::vector<std::unique_ptr<TcpClient>> clients;
  for (int n = 0; n < 64; ++n) {
    clients.push_back(std::make_unique<TcpClient>(door_->port()));
    ASSERT_TRUE(clients.back()->send(kPut));
  }
  ASSERT_TRUE(eventually([&] { return posted() == 64; }));
  EXPECT_GT(handlers_[0]->tickets().size(), 0U);
  EXPECT_GT(handlers_[1]->tickets().size(), 0U);
}

// Addresses

TEST_F(HttpDoorTest, PortIsExclusive) {
  open({.threads = 2});
  const auto second = HttpDoor::open({.port = door_->port(), .threads = 2});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::address_unusable);
  EXPECT_TRUE(serves());
}

TEST_F(HttpDoorTest, PortIsFreeAgainAtOnce) {
  open();
  const std::uint16_t port = door_->port();
  for (int n = 0; n < 3; ++n) {
    TcpClient client(port);
    ASSERT_TRUE(client.send(kGet));
    ASSERT_NE(client.receive_until("GET /a "), "");
    handlers_.clear();
    door_.reset();  // the server closes first: its side lingers in TIME_WAIT
    open({.port = port});
  }
}

TEST_F(HttpDoorTest, ListensOnNames) {
  open({.host = "localhost"});
  EXPECT_TRUE(serves());
}

// Descriptors

TEST_F(HttpDoorTest, OutOfDescriptorsTurnsNewClientsAwayAndServesTheOthers) {
  open();
  TcpClient old(door_->port());
  ASSERT_TRUE(old.send(kGet));
  ASSERT_NE(old.receive_until("GET /a "), "");
  std::vector<std::unique_ptr<TcpClient>> clients;
  for (int n = 0; n < 8; ++n) {
    clients.push_back(std::make_unique<TcpClient>());
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const Descriptor next_free(::dup(0));
  const rlimit lowered{.rlim_cur = static_cast<rlim_t>(next_free.number()) + 3,
                       .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  for (const auto& client : clients) {
    EXPECT_TRUE(client->connect(door_->port()));
  }
  EXPECT_TRUE(eventually([&] { return door_->counters().connections_refused >= 4; }));
  EXPECT_TRUE(old.send(kGet));
  EXPECT_NE(old.receive_until("GET /a "), "");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(serves()) << "accepting goes on when there are descriptors again";
}

// The end

TEST_F(HttpDoorTest, ShutdownAnswersWhatHasBegun) {
  open({.threads = 2});
  TcpClient idle(door_->port());
  ASSERT_TRUE(idle.send(kGet));
  ASSERT_NE(idle.receive_until("GET /a "), "");
  TcpClient writer(door_->port());
  ASSERT_TRUE(writer.send(kPut));
  ASSERT_TRUE(eventually([&] { return posted() == 1; }));
  TcpClient begun(door_->port());
  ASSERT_TRUE(begun.send(kGet.substr(0, 10)));
  ASSERT_TRUE(eventually(
      [&] { return door_->counters().bytes_received == kGet.size() + kPut.size() + 10; }));

  door_->start_shutdown();
  EXPECT_EQ(idle.receive_all(), "");
  EXPECT_TRUE(idle.ended());
  ASSERT_TRUE(begun.send(kGet.substr(10)));
  EXPECT_TRUE(begun.receive_all().starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(begun.ended());
  reply_to_all();
  const std::string written = writer.receive_all();
  EXPECT_TRUE(written.starts_with("HTTP/1.1 201 "));
  EXPECT_NE(written.find("Connection: close"), std::string::npos);
  // The other thread of the door, which has no connection, may only now hear of the end.
  EXPECT_TRUE(eventually([&] { return !TcpClient(door_->port()).connected(); }));
  door_->join();
  EXPECT_EQ(door_->counters().connections_open, 0U);
}

TEST_F(HttpDoorTest, ShutdownServesThoseWhoHadConnectedBefore) {
  auto opened = HttpDoor::open({.threads = 1});
  ASSERT_TRUE(opened);
  door_ = *std::move(opened);
  TcpClient client(door_->port());
  ASSERT_TRUE(client.send(kGet));
  door_->start_shutdown();
  door_->start([](std::size_t) { return std::make_unique<PostingHandler>(); });
  EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 200 OK"));
  door_->join();
}

TEST_F(HttpDoorTest, ShutdownCutsWhatTakesTooLong) {
  open({.shutdown_timeout = Duration::from_ms(10)});
  TcpClient client(door_->port());
  ASSERT_TRUE(client.send(kPut));
  ASSERT_TRUE(eventually([&] { return posted() == 1; }));
  door_->start_shutdown();
  door_->join();
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(HttpDoorTest, StopNowDoesNotWait) {
  open();
  TcpClient client(door_->port());
  ASSERT_TRUE(client.send(kPut));
  ASSERT_TRUE(eventually([&] { return posted() == 1; }));
  door_->start_shutdown();
  door_->stop_now();
  door_->join();
  EXPECT_EQ(client.receive_all(), "");
  reply_to_all();  // too late, and harmless
}

}  // namespace
}  // namespace kvs
