#include "core/address.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace kvs {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Cuts `rest` at the first `separator`: returns what stood before it, leaves what follows. Without
/// a separator returns all and leaves nothing.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return head;
}

bool is_octet(std::string_view text) {
  if (text.empty() || text.size() > 3 || !std::ranges::all_of(text, is_digit)) {
    return false;
  }
  if (text.size() > 1 && text[0] == '0') {
    return false;
  }
  return text.size() < 3 || text <= "255";
}

bool is_hex_group(std::string_view text) {
  return !text.empty() && text.size() <= 4 && std::ranges::all_of(text, is_hex);
}

/// The number of 16-bit groups in a colon-separated part of an IPv6 address, or nothing if one is
/// malformed. `tail` says whether an IPv4 address may stand last.
enum class Tail : std::uint8_t { hex_only, ipv4_allowed };

std::optional<int> count_groups(std::string_view part, Tail tail) {
  if (part.empty()) {
    return 0;
  }
  int groups = 0;
  for (;;) {
    const bool last = part.find(':') == std::string_view::npos;
    const std::string_view group = cut(part, ':');
    if (is_hex_group(group)) {
      groups += 1;
    } else if (last && tail == Tail::ipv4_allowed && is_ipv4(group)) {
      groups += 2;
    } else {
      return std::nullopt;
    }
    if (last) {
      return groups;
    }
  }
}

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(
             text, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text[0] == '0' || !std::ranges::all_of(text, is_digit)) {
    return std::nullopt;
  }
  std::uint32_t port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  if (port > 65535) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(port);
}

}  // namespace

bool is_ipv4(std::string_view text) {
  if (std::ranges::count(text, '.') != 3) {
    return false;
  }
  for (int i = 0; i < 4; ++i) {
    if (!is_octet(cut(text, '.'))) {
      return false;
    }
  }
  return true;
}

bool is_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    return count_groups(text, Tail::ipv4_allowed) == 8;
  }
  const auto before = count_groups(text.substr(0, gap), Tail::hex_only);
  const auto after = count_groups(text.substr(gap + 2), Tail::ipv4_allowed);
  return before && after && *before + *after <= 7;
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) {
    return false;
  }
  for (;;) {
    const bool last = text.find('.') == std::string_view::npos;
    const std::string_view label = cut(text, '.');
    if (!is_label(label)) {
      return false;
    }
    if (last) {
      return !std::ranges::all_of(label, is_digit);
    }
  }
}

bool is_every_interface(std::string_view host) {
  return host == "0.0.0.0" ||
         (is_ipv6(host) && host.find_first_not_of("0:") == std::string_view::npos);
}

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view host = text.substr(0, colon);
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) {
    return std::nullopt;
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (!is_ipv6(host)) {
      return std::nullopt;
    }
  } else if (!is_ipv4(host) && !is_host_name(host)) {
    return std::nullopt;
  }
  return Address{.host = std::string(host), .port = *port};
}

std::string to_string(const Address& address) {
  if (is_ipv6(address.host)) {
    return fmt::format("[{}]:{}", address.host, address.port);
  }
  return fmt::format("{}:{}", address.host, address.port);
}

}  // namespace kvs
