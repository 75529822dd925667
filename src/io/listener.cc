#include "io/listener.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/address.h"

namespace kvs {

namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

enum class Sharing : std::uint8_t { exclusive, with_our_own };

std::unexpected<Error> unusable(const ListenOptions& options, std::string_view why) {
  return fail(Errc::address_unusable,
              fmt::format("cannot listen on {}: {}",
                          to_string(Address{.host = options.host, .port = options.port}), why));
}

std::string what_to_do(int error) {
  switch (error) {
    case EADDRINUSE:
      return "the port is in use by another process; stop that one or set another port";
    case EADDRNOTAVAIL:
      return "this machine does not have that address; set bind_address to one it has, or to "
             "0.0.0.0 for all";
    case EACCES:
      return "not permitted; ports below 1024 need the capability CAP_NET_BIND_SERVICE";
    default:
      return std::generic_category().message(error);
  }
}

Result<AddressList> resolve(const ListenOptions& options) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(options.host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return unusable(options, fmt::format("the host name does not resolve ({}); set bind_address",
                                         ::gai_strerror(error)));
  }
  return AddressList(found, &::freeaddrinfo);
}

void set_port(sockaddr_storage& address, std::uint16_t port) {
  // The port stands at the same place for both families.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  reinterpret_cast<sockaddr_in&>(address).sin_port = htons(port);
}

std::uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
}

bool set_option(int socket, int option) {
  const int on = 1;
  return ::setsockopt(socket, SOL_SOCKET, option, &on, sizeof(on)) == 0;
}

/// A listening socket; not open, and errno says why, if that fails.
Descriptor listen_on(const addrinfo& where, std::uint16_t port, Sharing sharing) {
  sockaddr_storage address{};
  std::memcpy(&address, where.ai_addr, where.ai_addrlen);
  set_port(address, port);
  Descriptor socket(
      ::socket(where.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  const bool listening =
      socket.open() && set_option(socket.number(), SO_REUSEADDR) &&
      (sharing == Sharing::exclusive || set_option(socket.number(), SO_REUSEPORT)) &&
      ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), where.ai_addrlen) == 0 &&
      ::listen(socket.number(), kBacklog) == 0 &&
      (sharing == Sharing::with_our_own || set_option(socket.number(), SO_REUSEPORT));
  if (!listening) {
    const int error = errno;
    socket.close();
    errno = error;
  }
  return socket;
}

/// One socket a group on one address. The errno of what failed, or 0.
int open_address(const addrinfo& where, Listeners& listeners) {
  Sharing sharing = Sharing::exclusive;
  for (std::vector<Descriptor>& group : listeners.groups) {
    Descriptor socket = listen_on(where, listeners.port, sharing);
    if (!socket.open()) {
      return errno;
    }
    listeners.port = port_of(socket.number());
    group.push_back(std::move(socket));
    sharing = Sharing::with_our_own;
  }
  return 0;
}

/// The same address may stand twice in a hosts file.
bool seen_before(const addrinfo* first, const addrinfo& where) {
  for (const addrinfo* other = first; other != &where; other = other->ai_next) {
    if (other->ai_addrlen == where.ai_addrlen &&
        std::memcmp(other->ai_addr, where.ai_addr, where.ai_addrlen) == 0) {
      return true;
    }
  }
  return false;
}

/// A name may stand for an address that this machine does not have, such as ::1.
bool is_absent(int error) {
  return error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

}  // namespace

Result<Listeners> open_listeners(const ListenOptions& options) {
  const AddressList addresses = KVS_TRY(resolve(options));
  Listeners listeners{.port = options.port, .groups = {}};
  listeners.groups.resize(options.groups);
  int absent = EADDRNOTAVAIL;
  for (const addrinfo* where = addresses.get(); where != nullptr; where = where->ai_next) {
    if (seen_before(addresses.get(), *where)) {
      continue;
    }
    const int error = open_address(*where, listeners);
    if (is_absent(error)) {
      absent = error;
    } else if (error != 0) {
      return unusable(options, what_to_do(error));
    }
  }
  if (listeners.groups.front().empty()) {
    return unusable(options, what_to_do(absent));
  }
  return listeners;
}

}  // namespace kvs
