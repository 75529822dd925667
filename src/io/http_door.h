// The front door: listens on one port and serves HTTP connections on threads of its own.
//
// Each thread has its own listening sockets (SO_REUSEPORT), event loop and request handler; an
// accepted connection stays on its thread. What a connection does with bytes and time is decided in
// wire/connection. The port is held exclusively: a second process on it is refused.
//
// At the limit of open files new connections are turned away, and those that exist go on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/effects.h"
#include "wire/connection.h"
#include "wire/request_handler.h"

namespace kvs {

struct DoorOptions {
  std::string host = "127.0.0.1";  // IPv4, IPv6 or a name; a name means all its addresses
  std::uint16_t port = 0;          // 0: any free one
  std::size_t threads = 0;         // at most 256; 0: one a core that it may use
  ConnectionLimits limits;
  Duration shutdown_timeout = Duration::from_seconds(10);
};

/// Sums over all threads since start().
struct DoorCounters {
  std::uint64_t connections_open = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  // no file descriptor left
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t input_bytes = 0;   // held for requests that are not complete
  std::uint64_t output_bytes = 0;  // held for clients that have not read them
};

class DoorThread;

class HttpDoor {
 public:
  /// Makes the handler of one thread (0, 1, ...). Called by start(); the handler is then used by
  /// that thread only, and outlives its connections.
  using HandlerFactory = std::function<std::unique_ptr<RequestHandler>(std::size_t thread)>;

  /// Takes the port. Clients may connect from now on, and wait until start().
  ///
  /// Error: address_unusable, with a sentence for the operator.
  static Result<std::unique_ptr<HttpDoor>> open(const DoorOptions& options);

  /// As stop_now() and join().
  ~HttpDoor();
  HttpDoor(const HttpDoor&) = delete;
  HttpDoor& operator=(const HttpDoor&) = delete;

  /// Makes the handlers and starts the threads. What the handlers need is made between open() and
  /// start(): a node that cannot have its port must not touch its data.
  void start(const HandlerFactory& make_handler);

  /// The port that was taken.
  [[nodiscard]] std::uint16_t port() const { return port_; }

  [[nodiscard]] std::size_t threads() const { return threads_.size(); }

  /// Hands over what came of posted writes, in the order in which they were posted. Replies to
  /// connections that are gone are dropped. Any thread.
  void post_replies(std::span<const Reply> replies);

  /// Hands over what came of peers' calls, and takes them out of `replies`. Otherwise alike.
  void post_peer_replies(std::span<PeerReply> replies);

  /// Has thread 0, 1, ... run `letter` in its turn, between clients. Dropped once the threads have
  /// ended. Any thread.
  void post(std::size_t thread, std::function<void()> letter);

  /// Streams that had nothing to send may have something now. Any thread.
  void wake_streams();

  /// Stops accepting, answers what has begun, closes; after shutdown_timeout what is left is cut.
  /// Replies go on being accepted. Returns at once. Any thread.
  void start_shutdown();

  /// Closes everything. Returns at once. Any thread.
  void stop_now();

  /// Waits until the threads have ended: call start_shutdown() or stop_now() first.
  void join();

  /// Any thread.
  [[nodiscard]] DoorCounters counters() const;

 private:
  explicit HttpDoor(std::uint16_t port);

  std::uint16_t port_;
  std::vector<std::unique_ptr<DoorThread>> threads_;
};

}  // namespace kvs
