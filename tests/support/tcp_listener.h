// The other end of a connection, played by the test: accepts, reads a request, answers what the
// test says. Every wait is bounded.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/check.h"
#include "io/descriptor.h"
#include "wire/http_write.h"
#include "wire/peer_codec.h"
#include "wire/request_reader.h"

namespace kvs::testing {

/// An accepted connection.
class TcpPeer {
 public:
  explicit TcpPeer(Descriptor socket) : socket_(std::move(socket)) {
    const timeval wait{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
  }

  /// The body of the next request; empty if none comes.
  std::string receive_request() {
    RequestReader reader;
    RequestHead head;
    std::string bytes;
    std::array<char, 65536> buffer;
    for (;;) {
      const ssize_t count = ::recv(socket_.number(), buffer.data(), buffer.size(), 0);
      if (count <= 0) {
        return {};
      }
      reader.lend({buffer.data(), static_cast<std::size_t>(count)});
      RequestReader::Step step = reader.next({}, head);
      if (step.status == RequestReader::Status::head) {
        reader.accept_body(kPeerFrameBytesMax);
        step = reader.next({}, head);
      }
      if (step.status == RequestReader::Status::request) {
        return std::string(reader.body());
      }
      reader.keep();
    }
  }

  void send(std::string_view bytes) {
    (void)::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  void close() { socket_.close(); }

 private:
  Descriptor socket_;
};

/// Listens on a port of its own.
class TcpListener {
 public:
  enum class Backlog : std::uint8_t {
    usual,
    full,  // the kernel takes no further connection
  };

  explicit TcpListener(Backlog backlog = Backlog::usual)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval wait{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    KVS_CHECK(::bind(socket_.number(), generic, size) == 0, "loopback has a free port");
    ::listen(socket_.number(), backlog == Backlog::full ? 0 : 16);
    ::getsockname(socket_.number(), generic, &size);
    port_ = ntohs(address.sin_port);
    if (backlog == Backlog::full) {
      for (Descriptor& filler : fillers_) {
        filler = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        static_cast<void>(::connect(filler.number(), generic, size));  // the last ones only begin
      }
    }
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  TcpPeer accept() {
    return TcpPeer(Descriptor(::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC)));
  }

 private:
  Descriptor socket_;
  std::uint16_t port_ = 0;
  std::array<Descriptor, 8> fillers_;
};

/// An answer that leaves the connection open.
inline std::string kept_pong() {
  std::string out;
  put_response(out, {.status = 200, .persistence = {}, .content_type = {}, .fields = {}},
               encode(PeerEnvelope{}, PeerAnswer(Pong{}), {}));
  return out;
}

}  // namespace kvs::testing
