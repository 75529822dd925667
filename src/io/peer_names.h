// The addresses behind the names of peers: resolved beside the event loop, and kept for a while.
//
// An IP address is taken as it stands. A name that was resolved lately is not asked for again, and
// one that cannot be resolved any more keeps the addresses it had. Runs on one loop's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#define BOOST_ASIO_NO_DEPRECATED
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/time.h"
#include "core/address.h"

namespace kvs {

class PeerNames {
 public:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

  /// Takes what was found; nothing if the name has no address.
  using Found = std::function<void(const Endpoints& endpoints)>;

  /// A name is asked for again once it is `age_max` old.
  PeerNames(boost::asio::io_context& context, Duration age_max);

  /// Calls `found` once: now if the answer is known, else later.
  void resolve(const Address& address, Found found);

 private:
  struct Entry {
    std::vector<boost::asio::ip::address> addresses;
    Instant resolved{};
    bool asking = false;
    std::vector<std::pair<std::uint16_t, Found>> waiting;  // each with its port
  };

  void ask(const std::string& host);
  void answer(const std::string& host, std::vector<boost::asio::ip::address> addresses);
  void make_room();

  boost::asio::ip::tcp::resolver resolver_;
  Duration age_max_;
  std::map<std::string, Entry> entries_;
};

}  // namespace kvs
