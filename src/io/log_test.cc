#include "io/log.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kvs {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    std::string pattern = ::testing::TempDir() + "kvs_log_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }

  ~LogTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

  [[nodiscard]] std::unique_ptr<Log> open(LogLevel level = LogLevel::debug) const {
    auto log = Log::open({.level = level, .file = path("log")});
    EXPECT_TRUE(log) << log.error().detail;
    return std::move(*log);
  }

  [[nodiscard]] std::vector<std::string> lines(const std::string& name = "log") const {
    std::ifstream file(path(name));
    std::vector<std::string> result;
    for (std::string line; std::getline(file, line);) {
      result.push_back(line);
    }
    return result;
  }

  /// Logs `message` with `fields` and returns the only line written.
  [[nodiscard]] std::string written(std::string_view message, Log::Fields fields = {}) const {
    open()->info(message, fields);
    const auto all = lines();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? "" : all.front();
  }

  std::string folder_;
};

/// The text that a JSON parser finds in the string field `name` of `line`.
std::string parsed_string(const std::string& line, const std::string& name) {
  boost::json::error_code error;
  const auto value = boost::json::parse(line, error);
  EXPECT_FALSE(error) << line;
  return error ? "" : std::string(value.as_object().at(name).as_string());
}

TEST_F(LogTest, WritesOneObjectALine) {
  EXPECT_THAT(
      written("node started", {{"node_id", "alpha"}, {"port", 8080}}),
      MatchesRegex(R"(\{"time":"20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9])"
                   R"(\.[0-9][0-9][0-9]Z","level":"info","msg":"node started",)"
                   R"("node_id":"alpha","port":8080\})"));
}

TEST_F(LogTest, WritesEachType) {
  const std::string text = "text";
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  EXPECT_THAT(
      written("m",
              {{"a", text}, {"b", most}, {"c", least}, {"d", 0.25}, {"e", true}, {"f", false}}),
      HasSubstr(R"("a":"text","b":18446744073709551615,"c":-9223372036854775808,"d":0.25,)"
                R"("e":true,"f":false})"));
}

TEST_F(LogTest, NumbersThatJsonLacksAreNull) {
  EXPECT_THAT(written("m", {{"a", std::nan("")}, {"b", -HUGE_VAL}}),
              HasSubstr(R"("a":null,"b":null)"));
}

TEST_F(LogTest, EscapesEveryAsciiCharacter) {
  std::string all;
  for (int c = 0; c < 0x80; ++c) {
    all.push_back(static_cast<char>(c));
  }
  const std::string line = written(all, {{all, all}});
  EXPECT_EQ(parsed_string(line, "msg"), all);
  EXPECT_EQ(line.find_first_of(std::string("\0\n\r\x1b", 4)), std::string::npos);
}

TEST_F(LogTest, KeepsUtf8AndReplacesWhatIsNot) {
  EXPECT_EQ(
      parsed_string(written("na\u00efve \u20ac \U0001F600 \xC3 \xFF\xFE.\xED\xA0\x80"), "msg"),
      "na\u00efve \u20ac \U0001F600 \uFFFD \uFFFD\uFFFD.\uFFFD\uFFFD\uFFFD");
}

TEST_F(LogTest, CutsLongTextBetweenCharacters) {
  std::string text(1023, 'a');
  text += "\u20ac\u20ac";
  EXPECT_EQ(parsed_string(written(text), "msg"), std::string(1023, 'a') + "\u2026");
}

TEST_F(LogTest, TextOfTheGreatestLengthIsWhole) {
  const std::string text(1024, 'a');
  EXPECT_EQ(parsed_string(written(text), "msg"), text);
}

TEST_F(LogTest, SkipsLowerLevels) {
  const std::array levels = {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error};
  for (const LogLevel threshold : levels) {
    std::filesystem::remove(path("log"));
    auto log = open(threshold);
    log->debug("debug");
    log->info("info");
    log->warn("warn");
    log->error("error");
    for (const LogLevel level : levels) {
      EXPECT_EQ(log->enabled(level), level >= threshold);
    }
    log.reset();
    EXPECT_EQ(lines().size(), 4U - static_cast<unsigned>(threshold));
  }
}

TEST_F(LogTest, NamesEachLevel) {
  auto log = open();
  log->debug("m");
  log->info("m");
  log->warn("m");
  log->error("m");
  log.reset();
  EXPECT_THAT(lines(), ::testing::ElementsAre(
                           HasSubstr(R"("level":"debug")"), HasSubstr(R"("level":"info")"),
                           HasSubstr(R"("level":"warn")"), HasSubstr(R"("level":"error")")));
}

TEST_F(LogTest, AppendsToAnExistingFile) {
  open()->info("first");
  open()->info("second");
  EXPECT_THAT(lines(), ::testing::ElementsAre(HasSubstr("first"), HasSubstr("second")));
}

TEST_F(LogTest, ReopensAfterRotation) {
  auto first = open();
  first->info("before");
  first.reset();
  auto log = open();
  std::filesystem::rename(path("log"), path("log.1"));
  ASSERT_TRUE(log->reopen());
  log->info("after");
  log.reset();
  EXPECT_THAT(lines("log.1"), ::testing::ElementsAre(HasSubstr("before")));
  EXPECT_THAT(lines(), ::testing::ElementsAre(HasSubstr("after")));
}

TEST_F(LogTest, AFailedReopenKeepsTheOldFile) {
  auto log = open();
  std::filesystem::rename(path("log"), path("log.1"));
  std::filesystem::create_directory(path("log"));
  const auto reopened = log->reopen();
  ASSERT_FALSE(reopened);
  EXPECT_THAT(reopened.error().detail, HasSubstr("Is a directory"));
  log->info("still here");
  log.reset();
  EXPECT_THAT(lines("log.1"), ::testing::ElementsAre(HasSubstr("still here")));
}

TEST_F(LogTest, SaysWhyAFileCannotBeOpened) {
  const auto log = Log::open({.file = path("absent/log")});
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, Errc::io_error);
  EXPECT_THAT(log.error().detail,
              AllOf(HasSubstr(path("absent/log")), HasSubstr("No such file or directory"),
                    HasSubstr("log_file")));
}

TEST_F(LogTest, WritesToStandardErrorWithoutAFile) {
  ::testing::internal::CaptureStderr();
  {
    auto log = Log::open({});
    ASSERT_TRUE(log);
    EXPECT_TRUE((*log)->reopen());
    (*log)->info("to stderr");
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr(R"("msg":"to stderr"})"));
}

TEST_F(LogTest, ASilentLogWritesNothing) {
  const auto log = Log::silent();
  EXPECT_FALSE(log->enabled(LogLevel::error));
  log->error("nobody hears");
  EXPECT_TRUE(log->reopen());
  EXPECT_EQ(log->dropped(), 0U);
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  constexpr int kThreads = 4;
  constexpr int kLinesEach = 200;
  {
    auto log = open();
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < kLinesEach; ++i) {
          log->info("m", {{"t", t}, {"i", i}});
        }
      });
    }
    threads.clear();
    EXPECT_EQ(log->dropped(), 0U);
  }
  const auto all = lines();
  EXPECT_EQ(all.size(), std::size_t{kThreads * kLinesEach});
  for (const auto& line : all) {
    EXPECT_THAT(line, AllOf(::testing::StartsWith("{"), ::testing::EndsWith("}")));
    parsed_string(line, "msg");
  }
}

/// A pipe in the place of a log file: its reader decides how fast the log can write.
class LogPipe {
 public:
  explicit LogPipe(const std::string& path) {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    reader_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  }

  ~LogPipe() { close(); }

  void close() {
    if (reader_ >= 0) {
      ::close(reader_);
    }
    reader_ = -1;
  }

  LogPipe(const LogPipe&) = delete;
  LogPipe& operator=(const LogPipe&) = delete;

  [[nodiscard]] std::string read_all() const {
    std::string all;
    std::array<char, 65536> part{};
    for (;;) {
      const ssize_t got = ::read(reader_, part.data(), part.size());
      if (got <= 0) {
        return all;
      }
      all.append(part.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  int reader_ = -1;
};

void wait_for_drops(const Log& log, std::uint64_t count) {
  for (int i = 0; i < 5000 && log.dropped() < count; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST_F(LogTest, AReaderThatStopsCostsLinesAndNeverBlocks) {
  const LogPipe pipe(path("pipe"));
  auto log = Log::open({.file = path("pipe"), .queue_lines_max = 16});
  ASSERT_TRUE(log);
  // A pipe holds 64 KiB; each of these lines is about 1 KiB. Nobody reads.
  const std::string text(1000, 'x');
  for (int i = 0; i < 2000; ++i) {
    (*log)->info(text, {{"i", i}});
  }
  EXPECT_GT((*log)->dropped(), 1000U);
  log->reset();

  std::istringstream all(pipe.read_all());
  for (std::string line; std::getline(all, line) && !all.eof();) {
    parsed_string(line, "msg");
  }
}

TEST_F(LogTest, AReaderThatIsGoneCostsLinesAndNothingElse) {
  LogPipe pipe(path("pipe"));
  auto log = Log::open({.file = path("pipe")});
  ASSERT_TRUE(log);
  pipe.close();
  for (int i = 0; i < 10; ++i) {
    (*log)->info("m");
  }
  wait_for_drops(**log, 10);
  EXPECT_EQ((*log)->dropped(), 10U);
}

TEST_F(LogTest, AFullDeviceCostsLinesAndNothingElse) {
  auto log = Log::open({.file = "/dev/full"});
  if (!log) {
    GTEST_SKIP() << "no /dev/full here";
  }
  for (int i = 0; i < 10; ++i) {
    (*log)->info("m");
  }
  wait_for_drops(**log, 10);
  EXPECT_EQ((*log)->dropped(), 10U);
}

TEST(LogThrottle, LetsOneThroughInEachInterval) {
  LogThrottle throttle(Duration::from_seconds(10));
  const Instant start{5};
  EXPECT_TRUE(throttle.admit(start));
  EXPECT_EQ(throttle.take_suppressed(), 0U);
  EXPECT_FALSE(throttle.admit(start));
  EXPECT_FALSE(throttle.admit(start + Duration::from_ms(9999)));
  EXPECT_TRUE(throttle.admit(start + Duration::from_seconds(10)));
  EXPECT_EQ(throttle.take_suppressed(), 2U);
  EXPECT_EQ(throttle.take_suppressed(), 0U);
}

}  // namespace
}  // namespace kvs
