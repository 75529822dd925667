#include "io/supervisor.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/notify_socket.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

using testing::NotifySocket;

/// The variables as a test sets them, and none afterwards.
class SupervisorOptionsTest : public ::testing::Test {
 protected:
  SupervisorOptionsTest() { clear(); }

  ~SupervisorOptionsTest() override { clear(); }

  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

  static std::optional<Duration> watchdog() { return supervisor_options().watchdog; }

 private:
  static void clear() {
    for (const char* const name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      ::unsetenv(name);
    }
  }
};

TEST_F(SupervisorOptionsTest, NobodyListensByDefault) {
  EXPECT_EQ(supervisor_options().socket, "");
  EXPECT_EQ(watchdog(), std::nullopt);
  EXPECT_FALSE(Supervisor(supervisor_options()).listens());
}

TEST_F(SupervisorOptionsTest, ReadsSocketAndWatchdog) {
  set("NOTIFY_SOCKET", "/run/notify");
  set("WATCHDOG_USEC", "30000000");
  EXPECT_EQ(supervisor_options().socket, "/run/notify");
  EXPECT_EQ(watchdog(), Duration::from_seconds(30));
  set("WATCHDOG_PID", std::to_string(::getpid()));
  EXPECT_EQ(watchdog(), Duration::from_seconds(30));
}

TEST_F(SupervisorOptionsTest, AWatchdogForAnotherProcessIsNone) {
  set("WATCHDOG_USEC", "30000000");
  set("WATCHDOG_PID", std::to_string(::getpid() + 1));
  EXPECT_EQ(watchdog(), std::nullopt);
  set("WATCHDOG_PID", "me");
  EXPECT_EQ(watchdog(), std::nullopt);
}

TEST_F(SupervisorOptionsTest, WhatMakesNoSenseIsNone) {
  for (const char* const text : {"", "0", "-5", "1s", "soon", "99999999999999999999"}) {
    set("WATCHDOG_USEC", text);
    EXPECT_EQ(watchdog(), std::nullopt) << text;
  }
  set("WATCHDOG_USEC", "9223372036854775807");  // in nanoseconds it would not fit
  EXPECT_EQ(watchdog(), std::nullopt);
}

TEST(Supervisor, TellsASocketInAFolder) {
  const TemporaryFolder folder;
  NotifySocket socket(folder.path() + "/notify");
  const Supervisor supervisor({.socket = socket.name(), .watchdog = {}});
  EXPECT_TRUE(supervisor.listens());
  supervisor.tell("READY=1\nSTATUS=a b");
  EXPECT_EQ(socket.receive(), "READY=1\nSTATUS=a b");
}

TEST(Supervisor, TellsAnAbstractSocket) {
  NotifySocket socket("@kvs-supervisor-test-" + std::to_string(::getpid()));
  Supervisor({.socket = socket.name(), .watchdog = {}}).tell("WATCHDOG=1");
  EXPECT_EQ(socket.receive(), "WATCHDOG=1");
}

TEST(Supervisor, ASocketThatIsGoneOrFullIsNoHarm) {
  const TemporaryFolder folder;
  Supervisor({.socket = folder.path() + "/none", .watchdog = {}}).tell("READY=1");
  NotifySocket socket(folder.path() + "/notify");
  const Supervisor supervisor({.socket = socket.name(), .watchdog = {}});
  for (int i = 0; i < 100'000; ++i) {  // nobody reads: it does not wait
    supervisor.tell("WATCHDOG=1");
  }
  EXPECT_EQ(socket.receive(), "WATCHDOG=1");
}

TEST(Supervisor, WhatIsNoAddressIsNobody) {
  const std::string too_long = "/" + std::string(200, 'a');
  for (const std::string& name :
       {std::string(), std::string("/"), std::string("@"), std::string("relative"), too_long}) {
    EXPECT_FALSE(Supervisor({.socket = name, .watchdog = {}}).listens()) << name;
  }
}

}  // namespace
}  // namespace kvs
