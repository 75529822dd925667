// One thread of a door: its listening sockets, its connections, its event loop (Boost.Asio, epoll).
//
// Moves bytes between sockets and wire/connection: everything received in one go is executed, and
// all answers leave in one send. Deadlines are looked at once a second. Connections that have more
// to do than one turn allows queue behind the events of others.
//
// The clients' sockets are in an epoll set of their own, level-triggered, on which the loop waits
// as on one descriptor: Asio's own waits would cost a call of epoll_ctl for every request.
//
// start_shutdown(), stop_now(), post(), post_replies(), post_peer_replies(), wake_streams() and
// add_to() may be called from any thread; the rest before start() or after join(); everything
// private runs on the thread itself.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

#include <sys/epoll.h>

#define BOOST_ASIO_NO_DEPRECATED
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/time.h"
#include "core/effects.h"
#include "io/descriptor.h"
#include "io/http_door.h"
#include "wire/connection.h"

namespace kvs {

class DoorThread {
 public:
  struct Options {
    std::size_t index = 0;  // of this thread in its door
    ConnectionLimits limits;
    Duration shutdown_timeout;
  };

  /// Throws what Asio throws if the machine is out of descriptors or memory.
  DoorThread(const Options& options, std::vector<Descriptor> listeners);
  ~DoorThread();
  DoorThread(const DoorThread&) = delete;
  DoorThread& operator=(const DoorThread&) = delete;

  void start(std::unique_ptr<RequestHandler> handler);
  void join();
  void start_shutdown();
  void stop_now();

  /// Runs `letter` in this thread's turn.
  void post(std::function<void()> letter);

  /// Takes those of `replies` that belong to this thread.
  void post_replies(std::span<const Reply> replies);

  /// Takes those of `replies` that belong to this thread; what is left of each is its ticket.
  void post_peer_replies(std::span<PeerReply> replies);

  /// Lets streams that had nothing to send go on.
  void wake_streams();

  /// Adds this thread's share to `sum`.
  void add_to(DoorCounters& sum) const;

 private:
  using Socket = boost::asio::posix::stream_descriptor;

  struct Client {
    Client(Descriptor socket_to_own, ConnectionShared& shared, Ticket ticket, Instant now)
        : socket(std::move(socket_to_own)), connection(shared, ticket, now) {}

    Descriptor socket;
    Connection connection;
    std::uint32_t awaited = 0;  // the events that the epoll set reports
    bool is_full = false;       // the socket takes no more output at present
    bool has_turn = false;      // is in turns_
    bool is_starved = false;    // is in starved_
    bool is_idle = false;       // is in idle_
    bool shut = false;          // the sending side has been shut down
  };

  struct Slot {
    std::unique_ptr<Client> client;
    std::uint32_t generation = 0;
  };

  /// Written by this thread only.
  class Counter {
   public:
    void add(std::uint64_t n) {
      value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }

    void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }

    [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<std::uint64_t> value_ = 0;
  };

  void await_client(std::size_t listener);
  void accept_from(std::size_t listener);
  void accept_all(Socket& listener);
  void turn_away(Socket& listener);
  void pause_accepting();
  void resume_accepting();
  void welcome(Descriptor socket, Instant now);

  [[nodiscard]] Client* find(Ticket ticket);
  void await_events();
  void handle_events();
  void handle(Ticket ticket, std::uint32_t events, Instant now);
  void read(Client& client, Instant now);
  bool flush(Client& client, Instant now);
  [[nodiscard]] bool send_output(Client& client, Instant now);
  void plan(Client& client);
  [[nodiscard]] static std::uint32_t wanted_events(const Client& client);
  void set_events(Client& client, std::uint32_t events);
  void give_turn(Client& client);
  void drop(Client& client);

  void run_turns();
  void feed_starved();
  void run_idle_streams();
  void end_turn();
  template <class Kind>
  void post_mine(std::span<Kind> replies, std::vector<std::remove_const_t<Kind>>& inbox);
  void take_replies();
  void tick();
  void await_tick();
  void shut_down();
  void drop_all();
  void stop_if_empty();

  // Constant after start().
  Options options_;
  std::unique_ptr<RequestHandler> handler_;

  // Thread-safe by itself.
  boost::asio::io_context context_;

  std::atomic<bool> wake_posted_ = false;

  // Protected by inbox_mutex_.
  std::mutex inbox_mutex_;
  std::vector<Reply> inbox_;
  std::vector<PeerReply> peer_inbox_;

  // The thread's own.
  boost::asio::steady_timer timer_;
  std::unique_ptr<ConnectionShared> shared_;  // from start() on
  std::vector<Socket> listeners_;
  Socket epoll_;        // the clients' sockets
  Descriptor reserve_;  // given up for a moment when no other descriptor is left
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<Ticket> turns_;
  std::vector<Ticket> turns_now_;
  std::vector<Ticket> starved_;
  std::vector<Ticket> idle_;  // their streams have nothing to send at present
  std::vector<Ticket> idle_now_;
  std::vector<Reply> replies_;
  std::vector<PeerReply> peer_replies_;
  std::array<char, std::size_t{64} * 1024> scratch_{};
  std::array<epoll_event, 128> events_{};
  bool accepting_ = false;
  bool turns_posted_ = false;
  bool shutting_down_ = false;
  Instant cut_at_ = Instant::never();

  Counter accepted_;
  Counter refused_;
  Counter closed_;
  Counter bytes_received_;
  Counter bytes_sent_;
  Counter input_bytes_;
  Counter output_bytes_;

  std::thread thread_;
};

}  // namespace kvs
