#include "app/line_source.h"

#include <array>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temporary_folder.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kLineMax = 1000;

class LineSourceTest : public ::testing::Test {
 protected:
  LineSource open(std::string_view text) {
    std::ofstream(name_, std::ios::binary) << text;
    auto source = LineSource::open(name_, kLineMax);
    EXPECT_TRUE(source);
    return *std::move(source);
  }

  /// All lines that are there now.
  static std::vector<std::string> read(LineSource& source) {
    std::vector<std::string> lines;
    for (;;) {
      const auto line = source.next();
      EXPECT_TRUE(line);
      if (!line || !*line) {
        return lines;
      }
      lines.emplace_back(**line);
    }
  }

  const TemporaryFolder folder_;
  const std::string name_ = folder_ / "lines";
};

TEST_F(LineSourceTest, LinesOfAFile) {
  LineSource source = open("a\n\nbc\r\nlast");
  EXPECT_EQ(source.size(), 11U);
  EXPECT_FALSE(source.at_end());
  EXPECT_THAT(read(source), ElementsAre("a", "", "bc\r", "last"));
  EXPECT_TRUE(source.at_end());
  EXPECT_EQ(source.bytes_given(), 11U);
  EXPECT_THAT(read(source), IsEmpty());
  EXPECT_LT(source.wanted().fd, 0);
}

TEST_F(LineSourceTest, ALineBreakAtTheEndMakesNoFurtherLine) {
  LineSource source = open("a\nb\n");
  EXPECT_THAT(read(source), ElementsAre("a", "b"));
  EXPECT_TRUE(source.at_end());
}

TEST_F(LineSourceTest, AnEmptyFileHasNoLines) {
  LineSource source = open("");
  EXPECT_THAT(read(source), IsEmpty());
  EXPECT_TRUE(source.at_end());
}

TEST_F(LineSourceTest, LinesMayCrossReads) {
  std::string text;
  std::vector<std::string> lines;
  for (int n = 0; n < 5000; ++n) {
    lines.push_back(std::to_string(n) + std::string(200, 'x'));
    text += lines.back() + '\n';
  }
  LineSource source = open(text);
  EXPECT_EQ(read(source), lines);
}

TEST_F(LineSourceTest, ASilentPipeIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(name_.c_str(), 0600), 0);
  const Descriptor keeper(::open(name_.c_str(), O_RDWR | O_CLOEXEC));
  auto source = LineSource::open(name_, kLineMax);
  ASSERT_TRUE(source);
  EXPECT_FALSE(source->size());
  EXPECT_THAT(read(*source), IsEmpty());
  ASSERT_EQ(::write(keeper.number(), "a\nb", 3), 3);
  EXPECT_THAT(read(*source), ElementsAre("a"));
  EXPECT_FALSE(source->at_end());
  EXPECT_GE(source->wanted().fd, 0);
  ASSERT_EQ(::write(keeper.number(), "c\n", 2), 2);
  EXPECT_THAT(read(*source), ElementsAre("bc"));
}

TEST_F(LineSourceTest, ALineWithoutEndIsRefused) {
  LineSource source = open("ok\n" + std::string(kLineMax + 1, 'x'));
  ASSERT_TRUE(source.next());
  const auto line = source.next();
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().code, Errc::value_too_large);
}

TEST_F(LineSourceTest, WhatIsNotThereIsAnError) {
  const auto source = LineSource::open(name_, kLineMax);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().detail, "cannot read " + name_ + ": No such file or directory");
}

}  // namespace
}  // namespace kvs
