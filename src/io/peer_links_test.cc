#include "io/peer_links.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "io/http_door.h"
#include "support/tcp_listener.h"
#include "wire/peer_http.h"

namespace kvs {
namespace {

using testing::TcpListener;
using testing::TcpPeer;
using Failure = PeerReturn::Failure;

/// The calls that wait at a door: its thread adds, the test takes.
class LateCalls {
 public:
  void add(Ticket ticket) {
    const std::lock_guard lock(mutex_);
    tickets_.push_back(ticket);
  }

  /// The oldest.
  Ticket take() {
    const std::lock_guard lock(mutex_);
    const Ticket ticket = tickets_.front();
    tickets_.pop_front();
    return ticket;
  }

  [[nodiscard]] std::size_t size() {
    const std::lock_guard lock(mutex_);
    return tickets_.size();
  }

 private:
  std::mutex mutex_;
  std::deque<Ticket> tickets_;
};

/// Answers a PingOther as its address says: with "pong", an echo of the news; "late", nothing until
/// the test says so; "garbage"; "400" or "409", that status.
class PeerHandler final : public RequestHandler {
 public:
  explicit PeerHandler(LateCalls& late) : late_(late) {}

  [[nodiscard]] bool is_write(const RequestHead& /*head*/) const override { return false; }

  [[nodiscard]] std::uint64_t body_bytes_max(const RequestHead& /*head*/) const override {
    return kPeerFrameBytesMax;
  }

  Handled handle(const ReceivedRequest& request, const AnswerTarget& target) override {
    const auto decoded = decode_request(request.body);
    if (!decoded || !std::holds_alternative<PingOther>(decoded->message)) {
      answer(target, 400, "");
      return {};
    }
    const auto& ping = std::get<PingOther>(decoded->message);
    if (ping.address == "late") {
      late_.add(request.ticket);
      return {.kind = Handled::Kind::pending_alone, .source = nullptr};
    }
    if (ping.address == "garbage") {
      answer(target, 200, "garbage");
    } else if (ping.address == "400" || ping.address == "409") {
      answer(target, ping.address == "400" ? 400 : 409, "{}");
    } else {
      answer(target, 200, pong(decoded->envelope, ping.news));
    }
    return {};
  }

  void complete(const WriteOutcome& /*outcome*/, const AnswerTarget& /*target*/) override {}

  void complete_call(const PeerReply& /*reply*/, const AnswerTarget& target) override {
    answer(target, 200, pong({}, {}));
  }

  void refuse(Errc /*code*/, std::string_view /*message*/, const AnswerTarget& target) override {
    answer(target, 400, "");
  }

 private:
  static std::string pong(const PeerEnvelope& envelope, const std::vector<Member>& news) {
    return encode(envelope, PeerAnswer(Pong{.news = news}), {});
  }

  static void answer(const AnswerTarget& target, unsigned status, std::string_view body) {
    put_response(target.out,
                 {.status = status,
                  .persistence = target.persistence,
                  .content_type = kPeerContentType,
                  .fields = {}},
                 body);
  }

  LateCalls& late_;
};

/// What came back, for the test to wait for.
class Returns {
 public:
  PeerLinks::Returned taker() {
    return [this](std::vector<PeerReturn>& returns) {
      const std::lock_guard lock(mutex_);
      for (PeerReturn& returned : returns) {
        returns_.push_back(std::move(returned));
      }
      arrived_.notify_all();
    };
  }

  std::vector<PeerReturn> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(60), [&] { return returns_.size() >= count; });
    EXPECT_EQ(returns_.size(), count);
    return returns_;
  }

  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return returns_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<PeerReturn> returns_;
};

class PeerLinksTest : public ::testing::Test {
 protected:
  void TearDown() override {
    if (links_) {
      links_->stop();
    }
  }

  void open(PeerLinksOptions options = {}) {
    links_ = PeerLinks::open(options, returns_.taker()).value();
  }

  void open_door() {
    door_ = HttpDoor::open({.threads = 1}).value();
    door_->start([this](std::size_t) { return std::make_unique<PeerHandler>(late_); });
    address_ = "127.0.0.1:" + std::to_string(door_->port());
  }

  /// Calls `address` with a PingOther that says `word`; the ids count from 1.
  PeerSend call(const std::string& word, Channel channel = Channel::gossip,
                Duration timeout = Duration::from_seconds(30)) {
    PingOther ping;
    ping.address = word;
    PeerSend send;
    send.id = CallId{++calls_};
    send.address = address_;
    send.channel = channel;
    send.timeout = timeout;
    send.envelope.sender = Instance{7};
    send.request = std::make_shared<const PeerRequest>(std::move(ping));
    return send;
  }

  void send(std::vector<PeerSend> sends) { links_->send(std::move(sends)); }

  /// The calls that wait at the door, once there are `count`; asks until then, within bounds.
  [[nodiscard]] bool late_calls_become(std::size_t count) {
    return eventually([&] { return late_.size() == count; });
  }

  template <class Condition>
  static bool eventually(Condition condition) {
    for (int n = 0; n < 4000; ++n) {
      if (condition()) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  LateCalls late_;
  std::unique_ptr<HttpDoor> door_;
  Returns returns_;
  std::string address_ = "127.0.0.1:1";
  std::uint64_t calls_ = 0;
  std::unique_ptr<PeerLinks> links_;
};

TEST_F(PeerLinksTest, BringsTheAnswer) {
  open_door();
  open();
  send({call("pong")});
  const PeerReturn returned = returns_.wait_for(1)[0];
  EXPECT_EQ(returned.id, CallId{1});
  EXPECT_EQ(returned.failure, Failure::none);
  EXPECT_EQ(returned.envelope.sender, Instance{7});
  EXPECT_TRUE(std::holds_alternative<Pong>(returned.answer));
  const LinkCounters counters = links_->counters(Channel::gossip);
  EXPECT_EQ(counters.answered, 1U);
  EXPECT_EQ(counters.bytes_sent, door_->counters().bytes_received);
  EXPECT_GT(counters.bytes_received, 0U);
}

TEST_F(PeerLinksTest, RunsLettersOnItsThreadInTurn) {
  open();
  std::promise<void> hangs;
  std::promise<void> end;
  std::promise<std::thread::id> ran;
  links_->post([&] {
    hangs.set_value();
    end.get_future().wait();
  });
  links_->post([&] { ran.set_value(std::this_thread::get_id()); });
  hangs.get_future().wait();
  std::future<std::thread::id> answer = ran.get_future();
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  end.set_value();
  EXPECT_NE(answer.get(), std::this_thread::get_id());
}

TEST_F(PeerLinksTest, KeepsItsConnections) {
  open_door();
  open();
  for (std::size_t n = 1; n <= 20; ++n) {
    send({call("pong")});
    returns_.wait_for(n);
  }
  EXPECT_EQ(links_->counters(Channel::gossip).connections_opened, 1U);
  EXPECT_EQ(door_->counters().connections_accepted, 1U);
}

TEST_F(PeerLinksTest, EveryCallComesBackOnce) {
  open_door();
  open({.waiting_max = 10'000});
  constexpr std::uint64_t kCalls = 3000;
  std::vector<PeerSend> sends;
  for (std::uint64_t n = 0; n < kCalls; ++n) {
    sends.push_back(call("pong", static_cast<Channel>(n % kChannels)));
  }
  send(std::move(sends));
  const auto returns = returns_.wait_for(kCalls);
  std::vector<bool> seen(kCalls + 1, false);
  for (const PeerReturn& returned : returns) {
    EXPECT_EQ(returned.failure, Failure::none);
    EXPECT_FALSE(seen[static_cast<std::size_t>(returned.id)]);
    seen[static_cast<std::size_t>(returned.id)] = true;
  }
  for (const Channel channel : {Channel::gossip, Channel::push, Channel::bulk}) {
    EXPECT_EQ(links_->counters(channel).answered, kCalls / kChannels);
    EXPECT_LE(links_->counters(channel).connections_opened, 4U);
  }
}

TEST_F(PeerLinksTest, RefusalsAndNonsenseAreToldApart) {
  open_door();
  open();
  send({call("409")});
  const PeerReturn refused = returns_.wait_for(1)[0];
  EXPECT_EQ(refused.failure, Failure::none);
  EXPECT_EQ(std::get<Refused>(refused.answer).code, Errc::cluster_mismatch);
  send({call("garbage"), call("400")});
  EXPECT_EQ(returns_.wait_for(3)[1].failure, Failure::garbled);
  EXPECT_EQ(returns_.wait_for(3)[2].failure, Failure::garbled);
  EXPECT_EQ(links_->counters(Channel::gossip).garbled, 2U);
}

TEST_F(PeerLinksTest, NobodyListens) {
  open();
  address_ = "127.0.0.1:" + std::to_string(TcpListener().port());  // which is closed again
  send({call("pong")});
  EXPECT_EQ(returns_.wait_for(1)[0].failure, Failure::refused_connection);
  EXPECT_TRUE(eventually([&] { return links_->counters(Channel::gossip).connections_open == 0; }));
}

TEST_F(PeerLinksTest, AnAddressThatIsNoneIsRefused) {
  open();
  address_ = "nowhere";
  send({call("pong")});
  EXPECT_EQ(returns_.wait_for(1)[0].failure, Failure::refused_connection);
  EXPECT_EQ(links_->counters(Channel::gossip).connections_opened, 0U);
}

TEST_F(PeerLinksTest, NamesAreResolved) {
  open_door();
  open();
  address_ = "localhost:" + std::to_string(door_->port());
  for (std::size_t n = 1; n <= 3; ++n) {
    send({call("pong", static_cast<Channel>(n - 1))});
    EXPECT_EQ(returns_.wait_for(n).back().failure, Failure::none);
  }
}

TEST_F(PeerLinksTest, ANameWithoutAnAddressIsRefused) {
  open();
  address_ = "no-such-host.invalid:80";  // RFC 6761, 6.4
  send({call("pong")});
  EXPECT_EQ(returns_.wait_for(1)[0].failure, Failure::refused_connection);
}

TEST_F(PeerLinksTest, AnAnswerThatDoesNotComeTimesOut) {
  open_door();
  open();
  send({call("late", Channel::gossip, Duration::from_ms(100)), call("pong")});
  const auto returns = returns_.wait_for(2);
  EXPECT_EQ(returns[0].id, CallId{2}) << "another connection carries it";
  EXPECT_EQ(returns[1].failure, Failure::timed_out);
  EXPECT_EQ(links_->counters(Channel::gossip).connections_open, 1U)
      << "its connection is of no use any more";
}

TEST_F(PeerLinksTest, AConnectionThatIsNotAcceptedTimesOut) {
  const TcpListener full(TcpListener::Backlog::full);
  address_ = full.address();
  open({.connect_timeout = Duration::from_ms(100)});
  send({call("pong")});
  EXPECT_EQ(returns_.wait_for(1)[0].failure, Failure::timed_out);
}

TEST_F(PeerLinksTest, ChannelsDoNotWaitForOneAnother) {
  open_door();
  open();
  std::vector<PeerSend> bulk;
  for (int n = 0; n < 10; ++n) {
    bulk.push_back(call("late", Channel::bulk));
  }
  send(std::move(bulk));
  ASSERT_TRUE(late_calls_become(4)) << "four connections, the rest waits";
  send({call("pong", Channel::gossip), call("pong", Channel::push)});
  for (const PeerReturn& returned : returns_.wait_for(2)) {
    EXPECT_EQ(returned.failure, Failure::none);
  }
  EXPECT_EQ(links_->counters(Channel::bulk).connections_open, 4U);
}

TEST_F(PeerLinksTest, WhatWaitsIsBoundedAndHasItsTurn) {
  open_door();
  open({.connections_per_peer_max = 2, .waiting_max = 3});
  std::vector<PeerSend> sends;
  for (int n = 0; n < 7; ++n) {
    sends.push_back(call("late"));
  }
  send(std::move(sends));
  const auto beyond = returns_.wait_for(2);
  EXPECT_EQ(beyond[0].id, CallId{6});
  EXPECT_EQ(beyond[1].id, CallId{7});
  EXPECT_EQ(beyond[0].failure, Failure::timed_out);
  for (std::size_t answered = 0; answered < 5; ++answered) {
    ASSERT_TRUE(late_calls_become(std::min<std::size_t>(2, 5 - answered)));
    std::vector<PeerReply> reply(1);
    reply[0].ticket = late_.take();
    door_->post_peer_replies(reply);
    EXPECT_EQ(returns_.wait_for(answered + 3).back().failure, Failure::none);
  }
}

TEST_F(PeerLinksTest, AWaitingCallTimesOutInItsPlace) {
  open_door();
  open({.connections_per_peer_max = 1});
  send({call("late"), call("pong", Channel::gossip, Duration::from_ms(50)), call("pong")});
  const PeerReturn returned = returns_.wait_for(1)[0];
  EXPECT_EQ(returned.id, CallId{2});
  EXPECT_EQ(returned.failure, Failure::timed_out);
  ASSERT_TRUE(late_calls_become(1));
  std::vector<PeerReply> reply(1);
  reply[0].ticket = late_.take();
  door_->post_peer_replies(reply);
  EXPECT_EQ(returns_.wait_for(3)[2].id, CallId{3});
}

// Connections that end

TEST_F(PeerLinksTest, AConnectionClosedWhileIdleIsMadeAnew) {
  TcpListener listener;
  address_ = listener.address();
  open();
  send({call("pong")});
  TcpPeer first = listener.accept();
  first.receive_request();
  first.send(testing::kept_pong());
  returns_.wait_for(1);
  // The next request and the end cross: it is read, and never answered.
  send({call("pong")});
  first.receive_request();
  first.close();
  TcpPeer second = listener.accept();
  second.receive_request();
  second.send(testing::kept_pong());
  EXPECT_EQ(returns_.wait_for(2)[1].failure, Failure::none);
  EXPECT_EQ(links_->counters(Channel::gossip).repeated, 1U);
  EXPECT_EQ(links_->counters(Channel::gossip).connections_opened, 2U);
}

TEST_F(PeerLinksTest, ACallIsRepeatedOnceOnly) {
  TcpListener listener;
  address_ = listener.address();
  open();
  send({call("pong")});
  TcpPeer first = listener.accept();
  first.receive_request();
  first.send(testing::kept_pong());
  returns_.wait_for(1);
  send({call("pong")});
  first.receive_request();
  first.close();
  TcpPeer second = listener.accept();
  second.receive_request();
  second.close();
  EXPECT_EQ(returns_.wait_for(2)[1].failure, Failure::refused_connection);
}

TEST_F(PeerLinksTest, AFreshConnectionThatEndsIsARefusal) {
  TcpListener listener;
  address_ = listener.address();
  open();
  send({call("pong")});
  TcpPeer peer = listener.accept();
  peer.receive_request();
  peer.close();
  EXPECT_EQ(returns_.wait_for(1)[0].failure, Failure::refused_connection);
  EXPECT_EQ(links_->counters(Channel::gossip).repeated, 0U);
}

TEST_F(PeerLinksTest, HalfAnAnswerIsNotAskedForAgain) {
  TcpListener listener;
  address_ = listener.address();
  open();
  send({call("pong")});
  TcpPeer peer = listener.accept();
  peer.receive_request();
  peer.send(testing::kept_pong());
  returns_.wait_for(1);
  send({call("pong")});
  peer.receive_request();
  peer.send(testing::kept_pong().substr(0, 20));
  peer.close();
  EXPECT_EQ(returns_.wait_for(2)[1].failure, Failure::refused_connection);
  EXPECT_EQ(links_->counters(Channel::gossip).repeated, 0U);
}

TEST_F(PeerLinksTest, WhatIsNoHttpIsGarbled) {
  TcpListener listener;
  address_ = listener.address();
  open();
  send({call("pong")});
  TcpPeer peer = listener.accept();
  peer.receive_request();
  peer.send("SSH-2.0-OpenSSH\r\n\r\n");
  EXPECT_EQ(returns_.wait_for(1)[0].failure, Failure::garbled);
}

TEST_F(PeerLinksTest, AnAnswerBeyondTheLimitIsGarbledBeforeItCame) {
  TcpListener listener;
  address_ = listener.address();
  open();
  send({call("pong")});
  TcpPeer peer = listener.accept();
  peer.receive_request();
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
  EXPECT_EQ(returns_.wait_for(1)[0].failure, Failure::garbled);
}

TEST_F(PeerLinksTest, BytesThatNobodyAskedForEndTheConnection) {
  TcpListener listener;
  address_ = listener.address();
  open();
  send({call("pong")});
  TcpPeer peer = listener.accept();
  peer.receive_request();
  peer.send(testing::kept_pong());
  returns_.wait_for(1);
  peer.send(testing::kept_pong());
  EXPECT_TRUE(eventually([&] { return links_->counters(Channel::gossip).connections_open == 0; }));
  EXPECT_EQ(returns_.size(), 1U);
}

TEST_F(PeerLinksTest, IdleConnectionsAreClosed) {
  open_door();
  open({.idle_timeout = Duration::from_ms(1)});
  send({call("pong")});
  returns_.wait_for(1);
  EXPECT_TRUE(eventually([&] { return links_->counters(Channel::gossip).connections_open == 0; }));
  EXPECT_TRUE(eventually([&] { return door_->counters().connections_open == 0; }));
}

TEST_F(PeerLinksTest, TheConnectionIdleForLongestGivesWay) {
  open_door();
  open({.connections_max = 2});
  for (std::size_t n = 1; n <= 9; ++n) {
    send({call("pong", static_cast<Channel>(n % kChannels))});
    EXPECT_EQ(returns_.wait_for(n).back().failure, Failure::none);
  }
  std::uint64_t open = 0;
  for (const Channel channel : {Channel::gossip, Channel::push, Channel::bulk}) {
    open += links_->counters(channel).connections_open;
  }
  EXPECT_EQ(open, 2U);
}

TEST_F(PeerLinksTest, CallsWaitForAConnectionOfOthers) {
  open_door();
  open({.connections_max = 1});
  send({call("late", Channel::bulk), call("pong", Channel::gossip), call("pong", Channel::push)});
  ASSERT_TRUE(late_calls_become(1));
  EXPECT_EQ(returns_.size(), 0U);
  std::vector<PeerReply> reply(1);
  reply[0].ticket = late_.take();
  door_->post_peer_replies(reply);
  for (const PeerReturn& returned : returns_.wait_for(3)) {
    EXPECT_EQ(returned.failure, Failure::none);
  }
}

TEST_F(PeerLinksTest, ARestartedPeerIsFoundAgain) {
  open_door();
  open({.connections_per_peer_max = 4});
  std::vector<PeerSend> sends;
  for (int n = 0; n < 40; ++n) {
    sends.push_back(call("pong"));
  }
  send(std::move(sends));
  returns_.wait_for(40);
  const std::uint16_t port = door_->port();
  door_.reset();
  door_ = HttpDoor::open({.port = port, .threads = 1}).value();
  door_->start([this](std::size_t) { return std::make_unique<PeerHandler>(late_); });
  send({call("pong"), call("pong"), call("pong")});
  const auto returns = returns_.wait_for(43);
  for (std::size_t n = 40; n < 43; ++n) {
    EXPECT_EQ(returns[n].failure, Failure::none);
  }
}

TEST_F(PeerLinksTest, StopsWithCallsUnderWay) {
  open_door();
  open();
  send({call("late"), call("late", Channel::bulk)});
  ASSERT_TRUE(late_calls_become(2));
  links_->stop();
  EXPECT_EQ(returns_.size(), 0U);
  send({call("pong")});
  links_.reset();
  EXPECT_EQ(returns_.size(), 0U);
}

}  // namespace
}  // namespace kvs
