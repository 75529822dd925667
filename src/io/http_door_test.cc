#include "io/http_door.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "support/echo_handler.h"
#include "support/tcp_client.h"

namespace kvs {
namespace {

using testing::EchoHandler;
using testing::TcpClient;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kPut = "PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1";

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
    if (handled.kind == Handled::Kind::pending) {
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

  [[nodiscard]] std::size_t posted() {
    std::size_t count = 0;
    for (PostingHandler* handler : handlers_) {
      count += handler->tickets().size();
    }
    return count;
  }

  std::vector<PostingHandler*> handlers_;
  std::unique_ptr<HttpDoor> door_;
};

TEST_F(HttpDoorTest, AnswersOverASocket) {
  open();
  TcpClient client(door_->port());
  ASSERT_TRUE(client.send(kGet));
  EXPECT_NE(client.receive_until("GET /a ").find("HTTP/1.1 200 OK"), std::string::npos);
  ASSERT_TRUE(client.send(kGet));
  EXPECT_NE(client.receive_until("GET /a ").find("HTTP/1.1 200 OK"), std::string::npos);
  EXPECT_EQ(door_->counters().connections_open, 1U);
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
    EXPECT_NE(client->receive_until("\r\n\r\n").find("201 Created"), std::string::npos);
  }
}

}  // namespace
}  // namespace kvs
