#include "io/peer_names.h"

#include <algorithm>
#include <utility>

#include "io/os.h"

namespace kvs {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// Names kept; a cluster has fewer.
constexpr std::size_t kNamesMax = 4096;

/// Addresses of one name that are tried.
constexpr std::size_t kAddressesMax = 8;

PeerNames::Endpoints with_port(const std::vector<asio::ip::address>& addresses,
                               std::uint16_t port) {
  PeerNames::Endpoints endpoints;
  for (const asio::ip::address& address : addresses) {
    endpoints.emplace_back(address, port);
  }
  return endpoints;
}

}  // namespace

PeerNames::PeerNames(asio::io_context& context, Duration age_max)
    : resolver_(context), age_max_(age_max) {}

void PeerNames::resolve(const Address& address, Found found) {
  error_code is_name;
  const asio::ip::address literal = asio::ip::make_address(address.host, is_name);
  if (!is_name) {
    return found({{literal, address.port}});
  }
  make_room();
  Entry& entry = entries_[address.host];
  const bool is_fresh = !entry.addresses.empty() && monotonic_now() - entry.resolved < age_max_;
  if (is_fresh) {
    return found(with_port(entry.addresses, address.port));
  }
  entry.waiting.emplace_back(address.port, std::move(found));
  if (!entry.asking) {
    entry.asking = true;
    ask(address.host);
  }
}

void PeerNames::ask(const std::string& host) {
  using Results = asio::ip::tcp::resolver::results_type;
  resolver_.async_resolve(host, "", [this, host](error_code error, const Results& results) {
    if (error == asio::error::operation_aborted) {
      return;
    }
    std::vector<asio::ip::address> addresses;
    for (const auto& result : results) {
      if (addresses.size() < kAddressesMax) {
        addresses.push_back(result.endpoint().address());
      }
    }
    answer(host, std::move(addresses));
  });
}

void PeerNames::answer(const std::string& host, std::vector<asio::ip::address> addresses) {
  Entry& entry = entries_[host];
  entry.asking = false;
  if (!addresses.empty()) {
    entry.addresses = std::move(addresses);
    entry.resolved = monotonic_now();
  }
  // Whoever is told may ask for a name.
  const std::vector<asio::ip::address> known = entry.addresses;
  const auto waiting = std::exchange(entry.waiting, {});
  for (const auto& [port, found] : waiting) {
    found(with_port(known, port));
  }
}

void PeerNames::make_room() {
  if (entries_.size() >= kNamesMax) {
    std::erase_if(entries_, [](const auto& entry) { return !entry.second.asking; });
  }
}

}  // namespace kvs
