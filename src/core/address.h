// Where a node listens: the text forms `host:port` and `[v6]:port`, and what may stand as a host.
//
// Syntax only: nothing is resolved here. A host is an IPv4 address, an IPv6 address or a host name
// (RFC 1123). Host names are kept as written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kvs {

/// A host (without brackets) and a TCP port.
struct Address {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const Address&) const = default;
};

/// Four decimal numbers of 0-255 without leading zeros.
[[nodiscard]] bool is_ipv4(std::string_view text);

/// RFC 4291 text, `::` and an embedded IPv4 tail included; no brackets, no zone.
[[nodiscard]] bool is_ipv6(std::string_view text);

/// Labels of 1-63 letters, digits, `-` and `_`, joined by dots, at most 253 bytes; no label begins
/// or ends with `-`, and the last one is not a number (`1.2.3` is a mistyped address).
[[nodiscard]] bool is_host_name(std::string_view text);

/// True for 0.0.0.0 and every spelling of ::, at which nobody can be reached.
[[nodiscard]] bool is_every_interface(std::string_view host);

/// Reads `host:port` or `[v6]:port`, port 1-65535. Nothing if `text` is anything else.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

/// The inverse of parse_address: brackets around IPv6.
[[nodiscard]] std::string to_string(const Address& address);

}  // namespace kvs
