#include "app/trace_log.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace kvs {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kLastKind = Trace::Kind::clock_far_off;

class TraceLogTest : public ::testing::Test {
 protected:
  /// What the log file holds after these events.
  std::string logged(const std::vector<Trace>& events) {
    const std::string file = folder_.path() + "/log" + std::to_string(++files_);
    const auto log = Log::open({.level = LogLevel::debug, .file = file}).value();
    for (const Trace& event : events) {
      log_trace(event, *log);
    }
    return read_when_written(file, events.size());
  }

  /// The log has a thread of its own.
  static std::string read_when_written(const std::string& file, std::size_t lines) {
    while (true) {
      std::ostringstream text;
      text << std::ifstream(file).rdbuf();
      const std::string read = text.str();
      if (std::ranges::count(read, '\n') >= static_cast<std::ptrdiff_t>(lines)) {
        return read;
      }
      std::this_thread::yield();
    }
  }

  TemporaryFolder folder_;
  int files_ = 0;
};

TEST_F(TraceLogTest, TextAndNumberStandUnderTheirNames) {
  const std::string line =
      logged({{.kind = Trace::Kind::divergence, .number = 7, .text = "node-b"}});
  EXPECT_THAT(line, HasSubstr(R"("level":"error")"));
  EXPECT_THAT(line, HasSubstr("held different records: repaired"));
  EXPECT_THAT(line, HasSubstr(R"("peer":"node-b")"));
  EXPECT_THAT(line, HasSubstr(R"("paths":7)"));
}

TEST_F(TraceLogTest, WhatAKindDoesNotHaveIsLeftOut) {
  const std::string number = logged({{.kind = Trace::Kind::bootstrap_ended, .number = 12}});
  EXPECT_THAT(number, HasSubstr(R"("records":12)"));
  const std::string text = logged({{.kind = Trace::Kind::join_refused, .text = "taken"}});
  EXPECT_THAT(text, HasSubstr(R"("why":"taken"})"));
  const std::string neither = logged({{.kind = Trace::Kind::isolated, .number = 3, .text = "x"}});
  EXPECT_THAT(neither, HasSubstr(R"("msg":"this node reaches few of the others"})"));
}

TEST_F(TraceLogTest, TextIsEscaped) {
  const std::string line = logged({{.kind = Trace::Kind::damage_found, .text = "a\"b\\c"}});
  EXPECT_THAT(line, HasSubstr(R"("path":"a\"b\\c")"));
}

TEST_F(TraceLogTest, EveryKindHasWordsOfItsOwn) {
  std::vector<Trace> events;
  for (unsigned kind = 0; kind <= static_cast<unsigned>(kLastKind); ++kind) {
    events.push_back({.kind = static_cast<Trace::Kind>(kind), .number = 1, .text = "x"});
  }
  std::istringstream lines(logged(events));
  std::set<std::string> messages;
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view kField = R"("msg":")";
    const std::size_t begin = line.find(kField) + kField.size();
    const std::string message = line.substr(begin, line.find('"', begin) - begin);
    EXPECT_TRUE(messages.insert(message).second) << message;
    EXPECT_THAT(message, Not(HasSubstr("something happened")));
  }
  EXPECT_EQ(messages.size(), events.size());
}

TEST_F(TraceLogTest, SeverityTellsWhatNeedsAttention) {
  const auto level_of = [this](Trace::Kind kind) {
    const std::string line = logged({{.kind = kind}});
    constexpr std::string_view kField = R"("level":")";
    const std::size_t begin = line.rfind(kField) + kField.size();
    return line.substr(begin, line.find('"', begin) - begin);
  };
  EXPECT_EQ(level_of(Trace::Kind::damage_found), "error");
  EXPECT_EQ(level_of(Trace::Kind::join_refused), "error");
  EXPECT_EQ(level_of(Trace::Kind::member_failed), "warn");
  EXPECT_EQ(level_of(Trace::Kind::member_joined), "info");
  EXPECT_EQ(level_of(Trace::Kind::exchange_ended), "debug");
}

}  // namespace
}  // namespace kvs
