#include "io/listener.h"

#include <array>
#include <thread>

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(Listener, EachGroupHasASocketOnThePort) {
  const auto listeners = open_listeners({.host = "127.0.0.1", .port = 0, .groups = 3});
  ASSERT_TRUE(listeners) << listeners.error().detail;
  EXPECT_GT(listeners->port, 0);
  ASSERT_EQ(listeners->groups.size(), 3U);
  for (const std::vector<Descriptor>& group : listeners->groups) {
    ASSERT_EQ(group.size(), 1U);
    EXPECT_TRUE(group[0].open());
  }
}

TEST(Listener, PortIsExclusive) {
  const auto first = open_listeners({.host = "127.0.0.1", .port = 0, .groups = 2});
  ASSERT_TRUE(first);
  const std::string port = std::to_string(first->port);
  for (const std::string host : {"127.0.0.1", "0.0.0.0"}) {
    const auto second = open_listeners({.host = host, .port = first->port, .groups = 2});
    ASSERT_FALSE(second) << host;
    EXPECT_EQ(second.error().code, Errc::address_unusable);
    EXPECT_EQ(second.error().detail,
              "cannot listen on " + host + ":" + port +
                  ": the port is in use by another process; stop that one or set another port");
  }
}

TEST(Listener, OfTwoAtOnceAtMostOneGetsThePort) {
  const std::uint16_t port = open_listeners({.host = "127.0.0.1", .port = 0, .groups = 1})->port;
  for (int round = 0; round < 100; ++round) {
    std::array<Result<Listeners>, 2> opened{Listeners{}, Listeners{}};
    std::array<std::thread, 2> threads;
    for (std::size_t i = 0; i < 2; ++i) {
      threads[i] = std::thread([&opened, port, i] {
        opened[i] = open_listeners({.host = "127.0.0.1", .port = port, .groups = 2});
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    ASSERT_FALSE(opened[0] && opened[1]) << "round " << round;
  }
}

TEST(Listener, NameMeansAllItsAddresses) {
  const auto listeners = open_listeners({.host = "localhost", .port = 0, .groups = 2});
  ASSERT_TRUE(listeners) << listeners.error().detail;
  EXPECT_GE(listeners->groups[0].size(), 1U);
  EXPECT_EQ(listeners->groups[0].size(), listeners->groups[1].size());
}

TEST(Listener, Ipv6) {
  const auto listeners = open_listeners({.host = "::1", .port = 0, .groups = 2});
  if (!listeners) {
    // Not every machine has it.
    EXPECT_TRUE(listeners.error().detail.starts_with("cannot listen on [::1]:0: "))
        << listeners.error().detail;
  }
}

TEST(Listener, UnusableAddressesAreNamed) {
  const auto foreign = open_listeners({.host = "192.0.2.1", .port = 8080, .groups = 1});
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, Errc::address_unusable);
  EXPECT_EQ(foreign.error().detail,
            "cannot listen on 192.0.2.1:8080: this machine does not have that address; set "
            "bind_address to one it has, or to 0.0.0.0 for all");
  const auto unknown = open_listeners({.host = "no-such-host.invalid", .port = 1, .groups = 1});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().detail.find("does not resolve"), std::string::npos)
      << unknown.error().detail;
}

}  // namespace
}  // namespace kvs
