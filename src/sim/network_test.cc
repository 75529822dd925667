#include "sim/network.h"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace kvs {

namespace {

using Failure = PeerReturn::Failure;

/// A process that keeps its mail and answers when it is told to, or at once.
class FakePeer final : public NetworkPeer {
 public:
  explicit FakePeer(Network& network) : network_(network) {}

  [[nodiscard]] bool listens() const override { return up; }

  void called(PeerCall call) override {
    calls.push_back(std::move(call));
    if (answers) {
      answer(calls.back().ticket);
    }
  }

  void returned(PeerReturn returned) override { returns.push_back(std::move(returned)); }

  void answer(Ticket ticket) {
    network_.answer({.ticket = ticket, .envelope = {.sender_run = 9}, .answer = Done{}});
  }

  bool up = true;
  bool answers = true;
  std::deque<PeerCall> calls;
  std::vector<PeerReturn> returns;

 private:
  Network& network_;
};

class NetworkTest : public ::testing::Test {
 protected:
  NetworkTest() {
    network_.attach(0, a_);
    network_.attach(1, b_);
  }

  void send(std::uint64_t id, const std::string& address = "n1:80") {
    network_.send(0, {.id = CallId{id},
                      .address = address,
                      .channel = Channel::push,
                      .timeout = Duration::from_ms(500),
                      .envelope = {.cluster = 5},
                      .request = std::make_shared<const PeerRequest>(AskVotes{{"path"}})});
  }

  void run() {
    while (const auto event = world_.take()) {
      network_.handle(event->wake);
    }
  }

  /// The failures of `count` calls, in the order of their returns.
  std::map<Failure, int> failures_of(int count) {
    for (int i = 0; i < count; ++i) {
      send(static_cast<std::uint64_t>(i));
    }
    run();
    std::map<Failure, int> failures;
    for (const PeerReturn& returned : a_.returns) {
      ++failures[returned.failure];
    }
    EXPECT_EQ(a_.returns.size(), static_cast<std::size_t>(count)) << "one return for each call";
    EXPECT_EQ(network_.open_calls(), 0U);
    return failures;
  }

  World world_;
  Network network_{world_, 1, 2};
  FakePeer a_{network_};
  FakePeer b_{network_};
};

TEST_F(NetworkTest, ACallIsAnsweredWithinTwoLatencies) {
  network_.set_latency({.least = Duration::from_ms(20), .most = Duration::from_ms(20)});
  send(7);
  const auto arrival = world_.take();
  network_.handle(arrival->wake);
  ASSERT_EQ(b_.calls.size(), 1U);
  EXPECT_EQ(b_.calls[0].envelope.cluster, 5U);
  EXPECT_EQ(std::get<AskVotes>(b_.calls[0].request).paths, std::vector<std::string>{"path"});
  network_.handle(world_.take()->wake);
  EXPECT_EQ(world_.now(), Instant{} + Duration::from_ms(40));
  ASSERT_EQ(a_.returns.size(), 1U);
  EXPECT_EQ(a_.returns[0].id, CallId{7});
  EXPECT_EQ(a_.returns[0].failure, Failure::none);
  EXPECT_EQ(a_.returns[0].envelope.sender_run, 9U);
  EXPECT_TRUE(std::holds_alternative<Done>(a_.returns[0].answer));
  run();
  EXPECT_EQ(a_.returns.size(), 1U) << "no timeout follows";
}

TEST_F(NetworkTest, WhereNobodyListensConnectionsAreRefused) {
  b_.up = false;
  EXPECT_EQ(failures_of(1).at(Failure::refused_connection), 1);
  a_.returns.clear();
  for (const char* address : {"n2:80", "m1:80", "n1:81", "n1", ""}) {
    send(1, address);
  }
  run();
  EXPECT_EQ(a_.returns.size(), 5U);
  for (const PeerReturn& returned : a_.returns) {
    EXPECT_EQ(returned.failure, Failure::refused_connection);
  }
}

TEST_F(NetworkTest, ACutLinkLosesOneWay) {
  network_.cut(1, 0);
  EXPECT_EQ(failures_of(3).at(Failure::timed_out), 3);
  EXPECT_EQ(b_.calls.size(), 3U) << "requests arrive; their answers do not";
  network_.mend(1, 0);
  network_.cut(0, 1);
  a_.returns.clear();
  EXPECT_EQ(failures_of(3).at(Failure::timed_out), 3);
  EXPECT_EQ(b_.calls.size(), 3U);
}

TEST_F(NetworkTest, LossStrikesBothWays) {
  network_.faults().loss_rate = 300;
  const auto failures = failures_of(1000);
  EXPECT_NEAR(failures.at(Failure::none), 490, 60);
  EXPECT_NEAR(static_cast<double>(b_.calls.size()), 700, 60);
}

TEST_F(NetworkTest, EveryFaultLeavesOneReturn) {
  network_.faults() = {.loss_rate = 100,
                       .duplicate_rate = 200,
                       .replay_rate = 200,
                       .corrupt_rate = 100,
                       .reset_rate = 100,
                       .straggler_rate = 300};
  const auto failures = failures_of(1000);
  EXPECT_GT(failures.at(Failure::garbled), 50);
  EXPECT_GT(failures.at(Failure::refused_connection), 50);
  EXPECT_GT(failures.at(Failure::timed_out), 50);
  EXPECT_GT(b_.calls.size(), 1000U);
}

TEST_F(NetworkTest, MessagesOvertakeEachOther) {
  network_.set_latency({.least = Duration::from_ms(1), .most = Duration::from_ms(100)});
  failures_of(20);
  EXPECT_FALSE(std::ranges::is_sorted(a_.returns, {}, &PeerReturn::id));
}

TEST_F(NetworkTest, ALateAnswerIsIgnored) {
  b_.answers = false;
  EXPECT_EQ(failures_of(1).at(Failure::timed_out), 1);
  b_.answer(b_.calls[0].ticket);
  run();
  EXPECT_EQ(a_.returns.size(), 1U);
}

TEST_F(NetworkTest, DeathOfTheCalleeBreaksItsCalls) {
  b_.answers = false;
  send(1);
  network_.handle(world_.take()->wake);
  ASSERT_EQ(b_.calls.size(), 1U);
  network_.died(1, Network::Death::process);
  b_.answer(b_.calls[0].ticket);
  run();
  ASSERT_EQ(a_.returns.size(), 1U);
  EXPECT_EQ(a_.returns[0].failure, Failure::refused_connection);
}

TEST_F(NetworkTest, AfterLossOfPowerCallsTimeOut) {
  b_.answers = false;
  send(1);
  network_.handle(world_.take()->wake);
  network_.died(1, Network::Death::power);
  run();
  ASSERT_EQ(a_.returns.size(), 1U);
  EXPECT_EQ(a_.returns[0].failure, Failure::timed_out);
}

TEST_F(NetworkTest, TheDeadGetNoReturns) {
  send(1);
  network_.died(0, Network::Death::process);
  run();
  EXPECT_EQ(b_.calls.size(), 1U);
  EXPECT_TRUE(a_.returns.empty());
}

TEST_F(NetworkTest, CountsWhatCrosses) {
  EXPECT_EQ(network_.traffic(Channel::push).messages, 0U);
  failures_of(3);
  EXPECT_EQ(network_.traffic(Channel::push).messages, 6U);
  EXPECT_GT(network_.traffic(Channel::push).bytes, 6U * 8);
  EXPECT_EQ(network_.traffic(Channel::gossip).messages, 0U);
}

TEST_F(NetworkTest, HealingMendsAll) {
  network_.cut(0, 1);
  network_.clog(1, 0, 1000);
  network_.faults() = {.loss_rate = 1000, .corrupt_rate = 1000};
  network_.heal();
  EXPECT_TRUE(network_.connected(0, 1));
  EXPECT_EQ(failures_of(10).at(Failure::none), 10);
}

TEST_F(NetworkTest, ACallFromOutsideArrivesAndNobodyHearsTheAnswer) {
  network_.call_from_outside(1, {.cluster = 6, .sender = Instance{77}}, Ping{});
  run();
  ASSERT_EQ(b_.calls.size(), 1U);
  EXPECT_EQ(b_.calls.front().envelope.sender, Instance{77});
  EXPECT_TRUE(a_.returns.empty());
}

}  // namespace

}  // namespace kvs
