// Listening TCP sockets: one group for each thread of a door, on one port.
//
// The port is exclusive among processes although the sockets share it among themselves: the first
// socket binds and listens without SO_REUSEPORT, and only then admits the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/descriptor.h"

namespace kvs {

struct Listeners {
  std::uint16_t port = 0;
  std::vector<std::vector<Descriptor>> groups;  // non-blocking sockets; one for each address
};

struct ListenOptions {
  std::string host;        // IPv4, IPv6 or a name; a name means all its addresses
  std::uint16_t port = 0;  // 0: any free one
  std::size_t groups = 1;  // at least 1
};

/// Opens the sockets; connections queue from now on.
///
/// Error: address_unusable, with a sentence for the operator.
Result<Listeners> open_listeners(const ListenOptions& options);

}  // namespace kvs
