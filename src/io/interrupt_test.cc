#include "io/interrupt.h"

#include <array>

#include <gtest/gtest.h>
#include <unistd.h>

#include "io/os.h"
#include "io/waiting.h"

namespace kvs {
namespace {

TEST(Interrupt, TheFirstSignalIsNoted) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Interrupt interrupt;
    EXPECT_FALSE(interrupt.happened());
    EXPECT_EQ(interrupt.signal(), 0);
    ASSERT_EQ(::raise(signal), 0);
    EXPECT_TRUE(interrupt.happened());
    EXPECT_TRUE(interrupt.happened());
    EXPECT_EQ(interrupt.signal(), signal);
  }
}

TEST(InterruptDeathTest, TheSecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        Interrupt interrupt;
        ::raise(SIGINT);
        (void)interrupt.happened();
        ::raise(SIGTERM);
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

TEST(InterruptDeathTest, WithoutOneASignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        {
          const Interrupt interrupt;
        }
        ::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

TEST(Waiting, EndsWithASignal) {
  Interrupt interrupt;
  EXPECT_EQ(wait_for({}, monotonic_now() + Duration::from_ms(1), &interrupt), Woken::timed_out);
  ASSERT_EQ(::raise(SIGINT), 0);
  EXPECT_EQ(wait_for({}, Instant::never(), &interrupt), Woken::interrupted);
  EXPECT_EQ(wait_for({}, Instant::never(), &interrupt), Woken::interrupted);
}

TEST(Waiting, TellsWhatIsReady) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const Descriptor reader(pipe[0]);
  const Descriptor writer(pipe[1]);
  std::array<pollfd, 3> polled{{{.fd = reader.number(), .events = POLLIN},
                                {.fd = -1, .events = POLLIN},
                                {.fd = writer.number(), .events = POLLOUT}}};
  EXPECT_EQ(wait_for(polled, Instant::never(), nullptr), Woken::ready);
  EXPECT_EQ(polled[0].revents, 0);
  EXPECT_EQ(polled[1].revents, 0);
  EXPECT_EQ(polled[2].revents, POLLOUT);
}

}  // namespace
}  // namespace kvs
