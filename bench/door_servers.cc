// Two servers that differ in the door only, for bench/door: `door`, this node's, with a handler
// that always says the same; `epoll`, the least that an epoll loop must do to say it too. Both
// answer a GET with 100 bytes, on one thread. Print their port; end with SIGTERM.
#include <array>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/http_door.h"
#include "io/listener.h"
#include "wire/http_write.h"

namespace kvs {
namespace {

const std::string kBody(100, 'x');

class ConstantHandler : public RequestHandler {
 public:
  [[nodiscard]] bool is_write(const RequestHead& /*head*/) const override { return false; }

  [[nodiscard]] std::uint64_t body_bytes_max(const RequestHead& /*head*/) const override {
    return 0;
  }

  Handled handle(const ReceivedRequest& /*request*/, const AnswerTarget& target) override {
    answer(200, kBody, target);
    return {};
  }

  void complete(const WriteOutcome& /*outcome*/, const AnswerTarget& /*target*/) override {}

  void complete_call(const PeerReply& /*reply*/, const AnswerTarget& /*target*/) override {}

  void refuse(Errc /*code*/, std::string_view message, const AnswerTarget& target) override {
    answer(400, message, target);
  }

 private:
  static void answer(unsigned status, std::string_view body, const AnswerTarget& target) {
    put_response(target.out,
                 {.status = status,
                  .persistence = target.persistence,
                  .content_type = "application/json",
                  .fields = {}},
                 body);
  }
};

void announce(std::uint16_t port) {
  fmt::print("{}\n", port);
  std::fflush(stdout);
}

int serve_with_door() {
  auto door = HttpDoor::open({.host = "127.0.0.1", .port = 0, .threads = 1});
  if (!door) {
    fmt::print(stderr, "{}\n", door.error().detail);
    return 1;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  (*door)->start([](std::size_t) { return std::make_unique<ConstantHandler>(); });
  announce((*door)->port());
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

/// One answer for each blank line: no parsing, no state.
void echo(int socket, std::string_view answer, std::string& out) {
  std::array<char, 65536> input;
  const ssize_t count = ::recv(socket, input.data(), input.size(), 0);
  if (count <= 0) {
    ::close(socket);
    return;
  }
  const std::string_view bytes(input.data(), static_cast<std::size_t>(count));
  out.clear();
  for (std::size_t at = bytes.find("\r\n\r\n"); at != std::string_view::npos;
       at = bytes.find("\r\n\r\n", at + 4)) {
    out.append(answer);
  }
  if (::send(socket, out.data(), out.size(), MSG_NOSIGNAL) < 0) {
    ::close(socket);
  }
}

void welcome(int epoll, int listener) {
  const int socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  epoll_event event{.events = EPOLLIN, .data = {.fd = socket}};
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
}

int serve_with_epoll() {
  const auto listeners = open_listeners({.host = "127.0.0.1", .port = 0, .groups = 1});
  if (!listeners) {
    fmt::print(stderr, "{}\n", listeners.error().detail);
    return 1;
  }
  const int listener = listeners->groups[0][0].number();
  const int epoll = ::epoll_create1(0);
  epoll_event wanted{.events = EPOLLIN, .data = {.fd = listener}};
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &wanted);
  std::string answer;
  put_response(answer, {.content_type = "application/json", .fields = {}}, kBody);
  announce(listeners->port);
  std::string out;
  std::array<epoll_event, 128> events;
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int n = 0; n < count; ++n) {
      const int socket = events[static_cast<std::size_t>(n)].data.fd;
      if (socket == listener) {
        welcome(epoll, listener);
      } else {
        echo(socket, answer, out);
      }
    }
  }
}

}  // namespace
}  // namespace kvs

int main(int argc, char** argv) {
  const std::string_view kind = argc == 2 ? argv[1] : "";
  if (kind == "door") {
    return kvs::serve_with_door();
  }
  if (kind == "epoll") {
    return kvs::serve_with_epoll();
  }
  fmt::print(stderr, "usage: kvs-door-servers door|epoll\n");
  return 2;
}
