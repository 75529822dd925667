#include "app/heartbeat.h"

#include <deque>

#include <gtest/gtest.h>

#include "support/notify_socket.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

using testing::NotifySocket;

/// Two threads that are played by the test.
class HeartbeatTest : public ::testing::Test {
 protected:
  Heartbeat heartbeat() {
    return {{.supervisor = supervisor_,
             .watchdog = Duration::from_seconds(20),
             .status =
                 [this] {
                   return status_;
                 }},
            {[this](std::function<void()> answer) { first_.push_back(std::move(answer)); },
             [this](std::function<void()> answer) {
               second_.push_back(std::move(answer));
             }}};
  }

  /// A thread takes its turn: everything that waits for it.
  static void take_turn(std::deque<std::function<void()>>& thread) {
    for (; !thread.empty(); thread.pop_front()) {
      thread.front()();
    }
  }

  TemporaryFolder folder_;
  NotifySocket socket_{folder_.path() + "/notify"};
  Supervisor supervisor_{{.socket = socket_.name(), .watchdog = {}}};
  std::string status_ = "fine";
  std::deque<std::function<void()>> first_;
  std::deque<std::function<void()>> second_;
};

TEST_F(HeartbeatTest, TellsOnlyWhenAllThreadsHaveAnswered) {
  Heartbeat beat = heartbeat();
  beat.begin_round();
  EXPECT_EQ(socket_.receive_now(), "");
  take_turn(second_);
  EXPECT_EQ(socket_.receive_now(), "");
  take_turn(first_);
  EXPECT_EQ(socket_.receive_now(), "READY=1\nWATCHDOG=1\nSTATUS=fine");
  EXPECT_EQ(socket_.receive_now(), "");
}

TEST_F(HeartbeatTest, AThreadThatHangsSilencesIt) {
  Heartbeat beat = heartbeat();
  beat.begin_round();
  take_turn(first_);
  take_turn(second_);
  socket_.receive_now();
  for (int round = 0; round < 5; ++round) {
    beat.begin_round();
    take_turn(first_);
  }
  EXPECT_EQ(socket_.receive_now(), "");
  EXPECT_EQ(second_.size(), 1U);  // nobody is asked again before all have answered
  take_turn(second_);
  EXPECT_EQ(socket_.receive_now(), "WATCHDOG=1");
  beat.begin_round();
  take_turn(second_);
  take_turn(first_);
  EXPECT_EQ(socket_.receive_now(), "WATCHDOG=1");
}

TEST_F(HeartbeatTest, TellsAStatusThatChanged) {
  Heartbeat beat = heartbeat();
  for (const char* const status : {"fine", "fine", "less fine"}) {
    status_ = status;
    beat.begin_round();
    take_turn(first_);
    take_turn(second_);
  }
  EXPECT_EQ(socket_.receive_now(), "READY=1\nWATCHDOG=1\nSTATUS=fine");
  EXPECT_EQ(socket_.receive_now(), "WATCHDOG=1");
  EXPECT_EQ(socket_.receive_now(), "WATCHDOG=1\nSTATUS=less fine");
}

TEST_F(HeartbeatTest, SaysThatItStopsAndNothingAfterThat) {
  Heartbeat beat = heartbeat();
  beat.begin_round();
  take_turn(first_);
  beat.stop();
  EXPECT_TRUE(socket_.receive_now().starts_with("STOPPING=1"));
  take_turn(second_);
  EXPECT_EQ(socket_.receive_now(), "");
}

TEST_F(HeartbeatTest, AnswersMayOutliveIt) {
  heartbeat().begin_round();
  take_turn(first_);
  take_turn(second_);
  EXPECT_TRUE(socket_.receive_now().starts_with("READY=1"));
}

TEST_F(HeartbeatTest, LeavesHalfOfTheTimeToSpare) {
  EXPECT_EQ(heartbeat().interval(), Duration::from_seconds(5));
}

TEST_F(HeartbeatTest, AsksNobodyWhereNobodyListens) {
  supervisor_ = Supervisor({});
  Heartbeat beat = heartbeat();
  EXPECT_GT(beat.interval(), Duration::from_seconds(1'000'000'000));
  beat.begin_round();
  beat.stop();
  EXPECT_TRUE(first_.empty());
}

}  // namespace
}  // namespace kvs
