#include "app/output.h"

#include <array>
#include <csignal>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/descriptor.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

using ::testing::HasSubstr;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    reader = Descriptor(ends[0]);
    writer = Descriptor(ends[1]);
  }

  /// Everything until the writer closes.
  [[nodiscard]] std::string read() const {
    std::string all;
    std::array<char, 65536> buffer{};
    for (ssize_t count = 0; (count = ::read(reader.number(), buffer.data(), buffer.size())) > 0;) {
      all.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return all;
  }

  Descriptor reader;
  Descriptor writer;
};

TEST(Output, WritesWhatWasPutOnceFlushed) {
  Pipe pipe;
  Output out(pipe.writer.number());
  EXPECT_FALSE(out.is_terminal());
  ASSERT_TRUE(out.put("one "));
  ASSERT_TRUE(out.put("two"));
  ASSERT_TRUE(out.flush());
  ASSERT_TRUE(out.flush());
  pipe.writer.close();
  EXPECT_EQ(pipe.read(), "one two");
}

TEST(Output, AFullPipeIsWaitedFor) {
  for (const bool careful : {false, true}) {
    Interrupt interrupt;
    Pipe pipe;
    std::string got;
    std::thread reader([&] { got = pipe.read(); });
    const std::string text(1'000'000, 'x');
    Output out(pipe.writer.number(), careful ? &interrupt : nullptr);
    EXPECT_TRUE(out.put(text));
    EXPECT_TRUE(out.flush());
    pipe.writer.close();
    reader.join();
    EXPECT_EQ(got, text);
  }
}

TEST(Output, AnInterruptLosesNothingOfTheText) {
  Interrupt interrupt;
  Pipe pipe;
  Output out(pipe.writer.number(), &interrupt);
  ASSERT_TRUE(out.put("whole"));
  ASSERT_EQ(::raise(SIGINT), 0);
  EXPECT_TRUE(out.flush());
  EXPECT_TRUE(interrupt.happened());
  pipe.writer.close();
  EXPECT_EQ(pipe.read(), "whole");
}

TEST(Output, AFailedWriteIsAnError) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.reader.close();
  Output out(pipe.writer.number());
  ASSERT_TRUE(out.put("x"));
  const auto flushed = out.flush();
  std::signal(SIGPIPE, before);
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, Errc::io_error);
  EXPECT_THAT(flushed.error().detail, HasSubstr("Broken pipe"));
}

}  // namespace
}  // namespace kvs
