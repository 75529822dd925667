#include "wire/request_site.h"

#include <string>

#include <gtest/gtest.h>

namespace kvs {
namespace {

bool foreign(const std::string& fields) {
  const std::string text = "POST /a HTTP/1.1\r\nHost: node:8080\r\n" + fields + "\r\n";
  HeadScan scan;
  RequestHead head;
  EXPECT_TRUE(parse_request_head(text, {}, scan, head).complete()) << fields;
  return comes_from_another_site(head);
}

TEST(RequestSite, ProgramsAndOwnPages) {
  EXPECT_FALSE(foreign(""));
  EXPECT_FALSE(foreign("Origin: http://node:8080\r\n"));
  EXPECT_FALSE(foreign("Sec-Fetch-Site: none\r\n"));
}

TEST(RequestSite, OtherSites) {
  for (const char* origin : {"http://evil.example", "null", "http://node", "http://node:8081",
                             "http://xnode:8080", "node:8080", ""}) {
    EXPECT_TRUE(foreign("Origin: " + std::string(origin) + "\r\n")) << origin;
  }
  for (const char* site : {"cross-site", "same-site", "anything"}) {
    EXPECT_TRUE(foreign("Sec-Fetch-Site: " + std::string(site) + "\r\n")) << site;
  }
}

/// Behind a proxy the name that the browser knows need not be the Host that the node sees.
TEST(RequestSite, TheSiteCountsMoreThanTheOrigin) {
  EXPECT_FALSE(foreign("Sec-Fetch-Site: same-origin\r\nOrigin: https://kvs.example\r\n"));
  EXPECT_TRUE(foreign("Sec-Fetch-Site: cross-site\r\nOrigin: http://node:8080\r\n"));
}

}  // namespace
}  // namespace kvs
