// A blocking TCP client for tests: every wait is bounded.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "io/descriptor.h"

namespace kvs::testing {

class TcpClient {
 public:
  /// A socket that is not yet connected. With `receive_bytes`, the kernel buffers about so many.
  explicit TcpClient(int receive_bytes)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval wait{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    ::setsockopt(fd(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (receive_bytes > 0) {
      ::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    }
  }

  TcpClient() : TcpClient(0) {}

  /// Connects to this machine.
  explicit TcpClient(std::uint16_t port) : TcpClient() { connect(port); }

  bool connect(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    return connected_;
  }

  [[nodiscard]] bool connected() const { return connected_; }

  [[nodiscard]] int fd() const { return socket_.number(); }

  /// Each receive waits at most so long.
  void set_patience(int milliseconds) {
    const timeval wait{.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    ::setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
  }

  /// Sends as much as the kernel takes at once: how much that was.
  std::size_t send_now(std::string_view bytes) {
    const ssize_t count = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }

  /// False if the server does not take it all.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  /// What comes until at least `bytes` are there, or the end.
  std::string receive(std::size_t bytes) {
    std::string got;
    while (got.size() < bytes && receive_some(got)) {
    }
    return got;
  }

  /// What comes until `mark` is in it, or the end.
  std::string receive_until(std::string_view mark) {
    std::string got;
    std::size_t searched = 0;
    while (got.find(mark, searched) == std::string::npos) {
      searched = got.size() > mark.size() ? got.size() - mark.size() : 0;
      if (!receive_some(got)) {
        break;
      }
    }
    return got;
  }

  /// What comes until the server closes.
  std::string receive_all() { return receive(SIZE_MAX); }

  /// True if the last receive ended because the server ended its side, and not by an error.
  [[nodiscard]] bool ended() const { return ended_; }

  void end_sending() { ::shutdown(fd(), SHUT_WR); }

  /// Closes with a reset.
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    socket_.close();
  }

 private:
  bool receive_some(std::string& got) {
    std::array<char, 65536> buffer;
    const ssize_t count = ::recv(fd(), buffer.data(), buffer.size(), 0);
    ended_ = count == 0;
    if (count > 0) {
      got.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return count > 0;
  }

  Descriptor socket_;
  bool connected_ = false;
  bool ended_ = false;
};

}  // namespace kvs::testing
