// Who started this process and wants to know how it is: systemd's protocol of notification.
//
// A message is lines NAME=value in one datagram to the socket that NOTIFY_SOCKET names; where it
// names none, nobody listens and every message goes nowhere. Nothing here waits: a supervisor that
// does not take a message misses it. sd_notify(3), sd_watchdog_enabled(3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "io/descriptor.h"

namespace kvs {

/// What the environment says of a supervisor.
struct SupervisorOptions {
  /// Path of its socket, or a name after '@'; empty: nobody listens.
  std::string socket;
  /// It takes this process for dead after so long without WATCHDOG=1; nothing: it does not ask.
  std::optional<Duration> watchdog;
};

/// From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. What makes no sense counts as not given.
/// Call it while the process has one thread.
[[nodiscard]] SupervisorOptions supervisor_options();

/// Any thread, once made.
class Supervisor {
 public:
  explicit Supervisor(const SupervisorOptions& options);

  [[nodiscard]] bool listens() const { return socket_.open(); }

  /// Sends `lines`, separated by newlines: "READY=1\nSTATUS=…". One that cannot be sent at once is
  /// dropped.
  void tell(std::string_view lines) const;

 private:
  std::string address_;  // as sockaddr_un has it: a leading NUL in place of '@'
  Descriptor socket_;
};

}  // namespace kvs
