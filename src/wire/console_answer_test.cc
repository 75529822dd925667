#include "wire/console_answer.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvs {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr ConsoleFile kFile{.name = "main.js",
                            .content_type = "text/javascript; charset=utf-8",
                            .etag = "\"abc\"",
                            .bytes = "let a = 1;\n"};

std::string answer(std::string_view if_none_match) {
  std::string out;
  append_console_response({.out = out}, kFile, if_none_match);
  return out;
}

std::string answer_to_head() {
  std::string out;
  append_console_response({.out = out, .head_only = true}, kFile, "");
  return out;
}

TEST(ConsoleAnswer, AFileGoesOutWithItsTypeAndTag) {
  EXPECT_THAT(answer(""), StartsWith("HTTP/1.1 200 OK\r\n"
                                     "Content-Type: text/javascript; charset=utf-8\r\n"
                                     "ETag: \"abc\"\r\n"
                                     "Cache-Control: no-cache\r\n"));
  EXPECT_THAT(answer(""), EndsWith("Content-Length: 11\r\n\r\nlet a = 1;\n"));
}

TEST(ConsoleAnswer, NothingFromElsewhereRuns) {
  EXPECT_THAT(answer(""),
              HasSubstr("Content-Security-Policy: default-src 'none'; script-src 'self'; "
                        "style-src 'self'; connect-src 'self'; "));
  EXPECT_THAT(answer(""), HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(answer(""), HasSubstr("require-trusted-types-for 'script'"));
  EXPECT_THAT(answer(""), Not(HasSubstr("unsafe")));
  EXPECT_THAT(answer(""), HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(answer(""), HasSubstr("Referrer-Policy: no-referrer\r\n"));
}

TEST(ConsoleAnswer, HeadIsGetWithoutTheBody) {
  const std::string get = answer("");
  EXPECT_EQ(answer_to_head(), get.substr(0, get.find("\r\n\r\n") + 4));
}

TEST(ConsoleAnswer, WhoHasItIsToldSo) {
  for (const char* tags : {"*", "\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "\"x\" ,W/\"abc\""}) {
    EXPECT_THAT(answer(tags), StartsWith("HTTP/1.1 304 Not Modified\r\nETag: \"abc\"\r\n")) << tags;
    EXPECT_THAT(answer(tags), EndsWith("\r\n\r\n")) << tags;
  }
  for (const char* tags : {"\"x\"", "\"ab\"", "\"abcd\", \"\""}) {
    EXPECT_THAT(answer(tags), StartsWith("HTTP/1.1 200 OK\r\n")) << tags;
  }
}

TEST(ConsoleAnswer, WhatMovedSaysWhere) {
  std::string out;
  append_moved_response({.out = out}, "/ui/");
  EXPECT_EQ(out, "HTTP/1.1 308 Permanent Redirect\r\nLocation: /ui/\r\nContent-Length: 0\r\n\r\n");
}

}  // namespace
}  // namespace kvs
