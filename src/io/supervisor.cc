#include "io/supervisor.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace kvs {

namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): see the header
  return value == nullptr ? std::string_view{} : std::string_view(value);
}

/// A whole number above zero; nothing if the text is none.
std::optional<std::int64_t> positive(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number <= 0) {
    return std::nullopt;
  }
  return number;
}

/// True if the variables about the watchdog are meant for this process, not for one that it is a
/// child of.
bool watchdog_is_mine() {
  const std::string_view pid = environment("WATCHDOG_PID");
  return pid.empty() || positive(pid) == static_cast<std::int64_t>(::getpid());
}

}  // namespace

SupervisorOptions supervisor_options() {
  SupervisorOptions options{.socket = std::string(environment("NOTIFY_SOCKET")), .watchdog = {}};
  constexpr std::int64_t kMicrosMax = INT64_MAX / 1000;
  const auto micros = positive(environment("WATCHDOG_USEC"));
  if (micros && *micros <= kMicrosMax && watchdog_is_mine()) {
    options.watchdog = Duration{*micros * 1000};
  }
  return options;
}

Supervisor::Supervisor(const SupervisorOptions& options) : address_(options.socket) {
  const bool is_address = address_.starts_with('/') || address_.starts_with('@');
  if (!is_address || address_.size() < 2 || address_.size() >= sizeof(sockaddr_un::sun_path)) {
    return;
  }
  if (address_.front() == '@') {
    address_.front() = '\0';
  }
  socket_ = Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void Supervisor::tell(std::string_view lines) const {
  if (!listens()) {
    return;
  }
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  (void)::sendto(socket_.number(), lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&to), size);
}

}  // namespace kvs
