#include "core/address.h"

#include <gtest/gtest.h>

namespace kvs {
namespace {

TEST(Address, KnowsIpv4) {
  for (const auto* text : {"0.0.0.0", "127.0.0.1", "255.255.255.255", "192.168.1.10"}) {
    EXPECT_TRUE(is_ipv4(text)) << text;
  }
  for (const auto* text :
       {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.", ".1.2.3", "1..2.3",
        "1.2.3.4 ", "1.2.3.-4", "1.2.3.0x4", "a.b.c.d", "1000.1.1.1"}) {
    EXPECT_FALSE(is_ipv4(text)) << text;
  }
}

TEST(Address, KnowsIpv6) {
  for (const auto* text :
       {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "fe80::1", "2001:DB8::ff00:42:8329", "1::8",
        "::ffff:192.168.1.1", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"}) {
    EXPECT_TRUE(is_ipv6(text)) << text;
  }
  for (const auto* text :
       {"", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
        "12345::", "g::", "1:2:3:4:5:6:7::8", "::1.2.3", "::1.2.3.256", "1.2.3.4::", "::1.2.3.4:5",
        ":1::", "1::2:", "fe80::1%eth0", "[::1]", " ::1"}) {
    EXPECT_FALSE(is_ipv6(text)) << text;
  }
}

TEST(Address, KnowsHostNames) {
  const std::string label63(63, 'a');
  for (const auto& text : {std::string("localhost"), std::string("node-1.example.com"),
                           std::string("a"), std::string("kvs_0"), std::string("7node"), label63}) {
    EXPECT_TRUE(is_host_name(text)) << text;
  }
  const std::string too_long = label63 + "." + label63 + "." + label63 + "." + label63;
  for (const auto& text :
       {std::string(), std::string("."), std::string("a."), std::string("a..b"), std::string("-a"),
        std::string("a-"), std::string("a b"), std::string("1.2.3"), std::string("node.5"),
        std::string("n\u00f6de"), std::string("a/b"), label63 + "a", too_long}) {
    EXPECT_FALSE(is_host_name(text)) << text;
  }
}

TEST(Address, ReadsHostAndPort) {
  EXPECT_EQ(parse_address("127.0.0.1:8081"), (Address{.host = "127.0.0.1", .port = 8081}));
  EXPECT_EQ(parse_address("node1:1"), (Address{.host = "node1", .port = 1}));
  EXPECT_EQ(parse_address("[::1]:65535"), (Address{.host = "::1", .port = 65535}));
}

TEST(Address, RefusesWhatIsNoHostAndPort) {
  for (const auto* text : {"",           ":",          "host",       "host:",          ":80",
                           "host:0",     "host:65536", "host:99999", "host:080",       "host:8x",
                           "host:-1",    "host: 80",   "::1:80",     "[::1]",          "[::1]80",
                           "[node1]:80", "[]:80",      "[::1:80",    "http://host:80", "host:80/",
                           "a b:80",     "1.2.3:80"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(Address, TextFormReadsBack) {
  for (const auto* text : {"127.0.0.1:8081", "node1.example.com:80", "[2001:db8::1]:8080"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_string(*address), text);
  }
}

}  // namespace
}  // namespace kvs
