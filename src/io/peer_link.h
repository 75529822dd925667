// One connection to a peer: connects, sends a request, reads its answer, one at a time.
//
// Decides nothing: its owner gives it time limits and hears what happened. Runs on one loop's
// thread; while an operation is under way the link keeps itself alive.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#define BOOST_ASIO_NO_DEPRECATED
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "wire/peer_http.h"

namespace kvs {

class PeerLink;

/// Hears what happens on links. May close a link at any time, from these calls too.
class LinkOwner {
 public:
  enum class Fault : std::uint8_t {
    lost,     // refused, reset, or closed
    garbled,  // what came is no answer
  };

  virtual ~LinkOwner() = default;

  virtual void connected(PeerLink& link) = 0;

  /// The link takes the next request if it is still open.
  virtual void answered(PeerLink& link, const PeerResponse& response) = 0;

  /// The link has closed, whether or not something was asked.
  virtual void broken(PeerLink& link, Fault fault) = 0;

  virtual void count_sent(const PeerLink& link, std::size_t bytes) = 0;
  virtual void count_received(const PeerLink& link, std::size_t bytes) = 0;

 protected:
  LinkOwner() = default;
  LinkOwner(const LinkOwner&) = default;
  LinkOwner& operator=(const LinkOwner&) = default;
};

class PeerLink : public std::enable_shared_from_this<PeerLink> {
 public:
  /// `owner` and `scratch` (memory for received bytes, of all links of a thread) outlive the link.
  PeerLink(boost::asio::io_context& context, LinkOwner& owner, std::span<char> scratch,
           std::size_t answer_bytes_max);
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;
  ~PeerLink() = default;

  /// Tries one endpoint after the other. Once only.
  void connect(const std::vector<boost::asio::ip::tcp::endpoint>& endpoints);

  /// Sends `request`, as soon as the link is connected. Nothing else is asked meanwhile.
  void ask(std::string request);

  /// The owner hears no more of it.
  void close();

  [[nodiscard]] bool is_closed() const { return state_ == State::closed; }

  /// True if something of the answer to ask() has come.
  [[nodiscard]] bool answer_started() const { return reader_.started(); }

 private:
  enum class State : std::uint8_t { connecting, open, closed };

  void start();
  void write();
  void await_bytes();
  void read();
  void take(std::string_view bytes);
  void fail(LinkOwner::Fault fault);

  boost::asio::ip::tcp::socket socket_;
  LinkOwner& owner_;
  std::span<char> scratch_;
  PeerResponseReader reader_;
  std::string request_;
  State state_ = State::connecting;
  bool asked_ = false;    // the answer has not come
  bool written_ = false;  // the whole request has left
};

}  // namespace kvs
