// The thread of PeerLinks: its event loop (Boost.Asio, epoll), the calls, and the connections that
// carry them.
//
// A call waits in the line of its address and channel until a connection (a seat) is free or may be
// opened; it leaves by end_call(), which every way goes through. Deadlines stand in one ordered
// set, so one timer serves all.
//
// send(), post(), stop() and counters() may be called from any thread; everything private runs on
// the thread itself.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#define BOOST_ASIO_NO_DEPRECATED
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/address.h"
#include "io/peer_link.h"
#include "io/peer_links.h"
#include "io/peer_names.h"

namespace kvs {

class LinkThread final : private LinkOwner {
 public:
  /// Throws what Asio throws if the machine is out of descriptors or memory.
  LinkThread(PeerLinksOptions options, PeerLinks::Returned returned);
  ~LinkThread() override;
  LinkThread(const LinkThread&) = delete;
  LinkThread& operator=(const LinkThread&) = delete;

  void start();
  void send(std::vector<PeerSend>&& sends);
  void post(std::function<void()> letter);
  void stop();
  [[nodiscard]] LinkCounters counters(Channel channel) const;

 private:
  using CallNumber = std::uint64_t;

  /// The calls to one address on one channel.
  struct Line {
    std::string text;  // the address as the core wrote it
    Address address;
    Channel channel = Channel::gossip;
    std::size_t seats = 0;
    std::deque<CallNumber> waiting;
  };

  /// A connection, open or being opened.
  struct Seat {
    std::shared_ptr<PeerLink> link;
    Line* line = nullptr;
    std::optional<CallNumber> call;
    bool is_connected = false;
    bool has_answered = false;  // it is kept, and so may have been closed meanwhile
    Instant idle_since{};
  };

  struct Call {
    PeerSend send;
    Line* line = nullptr;
    Seat* seat = nullptr;  // none while it waits
    Instant deadline{};
    Instant due{};  // under which it stands in due_; earlier while a connection is opened
    bool is_repeated = false;
  };

  struct Counters {
    std::atomic<std::uint64_t> answered = 0;
    std::atomic<std::uint64_t> refused = 0;
    std::atomic<std::uint64_t> timed_out = 0;
    std::atomic<std::uint64_t> garbled = 0;
    std::atomic<std::uint64_t> repeated = 0;
    std::atomic<std::uint64_t> opened = 0;
    std::atomic<std::uint64_t> closed = 0;
    std::atomic<std::uint64_t> bytes_sent = 0;
    std::atomic<std::uint64_t> bytes_received = 0;
  };

  // LinkOwner
  void connected(PeerLink& link) override;
  void answered(PeerLink& link, const PeerResponse& response) override;
  void broken(PeerLink& link, Fault fault) override;
  void count_sent(const PeerLink& link, std::size_t bytes) override;
  void count_received(const PeerLink& link, std::size_t bytes) override;

  void take_sends();
  void begin(PeerSend&& send, Instant now);
  Line* line_of(const PeerSend& send);
  void serve(Line& line);
  void serve_starved();
  Seat* seat_for(Line& line, const Call& call);
  Seat* idle_seat(Line* line);
  Seat* open_seat(Line& line);
  void put_on(Seat& seat, CallNumber number);
  void remove_seat(Seat& seat);
  void close_seat(Seat& seat);

  void end_call(CallNumber number, PeerReturn&& returned);
  void fail_call(CallNumber number, PeerReturn::Failure failure);
  void fail_without_call(const PeerSend& send, PeerReturn::Failure failure);
  void count(Channel channel, PeerReturn::Failure failure);
  void give_back(PeerReturn&& returned);
  void repeat(CallNumber number);
  void set_due(CallNumber number, Call& call, Instant due);

  void await_due();
  void act_on_time();
  void tidy(Instant now);

  Counters& counters_of(const PeerLink& link);

  // Constant after construction.
  PeerLinksOptions options_;
  PeerLinks::Returned returned_;

  // Thread-safe by itself.
  boost::asio::io_context context_;
  std::array<Counters, kChannels> counters_;

  // Protected by inbox_mutex_.
  std::mutex inbox_mutex_;
  std::vector<PeerSend> inbox_;

  // The thread's own.
  boost::asio::steady_timer timer_;
  PeerNames names_;
  std::map<std::pair<std::string, Channel>, Line> lines_;
  std::map<const PeerLink*, Seat> seats_;
  std::map<CallNumber, Call> calls_;
  std::set<std::pair<Instant, CallNumber>> due_;
  std::set<Line*, std::less<>> starved_;  // for want of connections that may be opened
  std::vector<PeerReturn> returns_;
  CallNumber last_call_ = 0;
  Instant awaited_ = Instant::never();  // until when timer_ runs
  std::array<char, std::size_t{64} * 1024> scratch_{};

  std::thread thread_;
};

}  // namespace kvs
