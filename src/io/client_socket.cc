#include "io/client_socket.h"

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "io/waiting.h"

namespace kvs {

namespace {

std::unexpected<Error> failed(std::string what) {
  return fail(Errc::address_unusable, std::move(what));
}

std::string words_for(int number) {
  return std::generic_category().message(number);
}

using Found = std::unique_ptr<addrinfo, decltype([](addrinfo* list) { ::freeaddrinfo(list); })>;

Result<Found> resolve(const Address& address) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = fmt::format("{}", address.port);
  const int error = ::getaddrinfo(address.host.c_str(), port.c_str(), &wanted, &found);
  if (error != 0) {
    return failed(fmt::format("{}: {}", address.host, ::gai_strerror(error)));
  }
  return Found(found);
}

/// What became of a connection that was begun; 0 if it stands.
int outcome_of(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/// Nobody listens on a port that the kernel gave to this very socket, and yet it connects: to
/// itself.
bool is_to_itself(int socket) {
  std::array<sockaddr_storage, 2> ends{};
  std::array<socklen_t, 2> sizes{sizeof(sockaddr_storage), sizeof(sockaddr_storage)};
  const auto generic = [&ends](std::size_t which) {
    return reinterpret_cast<sockaddr*>(&ends[which]);  // as the interface of sockets wants it
  };
  return ::getsockname(socket, generic(0), sizes.data()) == 0 &&
         ::getpeername(socket, generic(1), &sizes[1]) == 0 && sizes[0] == sizes[1] &&
         std::string_view(reinterpret_cast<const char*>(ends.data()), sizes[0]) ==
             std::string_view(reinterpret_cast<const char*>(&ends[1]), sizes[1]);
}

Result<Descriptor> connect_to(const addrinfo& where, Instant until, Interrupt* interrupt) {
  Descriptor socket(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.open()) {
    return failed(words_for(errno));
  }
  if (::connect(socket.number(), where.ai_addr, where.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) {
      return failed(words_for(errno));
    }
    std::array<pollfd, 1> polled{{{.fd = socket.number(), .events = POLLOUT}}};
    if (const Woken woken = wait_for(polled, until, interrupt); woken != Woken::ready) {
      return failed(woken == Woken::interrupted ? "interrupted" : "no answer in time");
    }
    if (const int error = outcome_of(socket.number()); error != 0) {
      return failed(words_for(error));
    }
  }
  if (is_to_itself(socket.number())) {
    return failed(words_for(ECONNREFUSED));
  }
  const int yes = 1;
  ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return socket;
}

}  // namespace

Result<ClientSocket> ClientSocket::connect(const Address& address, Instant until,
                                           Interrupt* interrupt) {
  const Found found = KVS_TRY(resolve(address));
  Result<ClientSocket> outcome = failed(address.host + " has no address");
  for (const addrinfo* where = found.get(); where != nullptr; where = where->ai_next) {
    auto socket = connect_to(*where, until, interrupt);
    if (socket) {
      return ClientSocket(*std::move(socket));
    }
    outcome = std::unexpected(socket.error());
  }
  return outcome;
}

Result<std::size_t> ClientSocket::send(std::string_view bytes) const {
  const ssize_t count = ::send(number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count >= 0) {
    return static_cast<std::size_t>(count);
  }
  if (errno == EAGAIN || errno == EINTR) {
    return 0U;
  }
  return failed(words_for(errno));
}

Result<ClientSocket::Bytes> ClientSocket::receive(std::span<char> buffer) const {
  const ssize_t count = ::recv(number(), buffer.data(), buffer.size(), 0);
  if (count > 0) {
    return Bytes{.received = Received::some,
                 .bytes = {buffer.data(), static_cast<std::size_t>(count)}};
  }
  if (count == 0) {
    return Bytes{.received = Received::ended, .bytes = {}};
  }
  if (errno == EAGAIN || errno == EINTR) {
    return Bytes{};
  }
  return failed(words_for(errno));
}

}  // namespace kvs
