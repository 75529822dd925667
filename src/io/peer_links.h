// Calls to peers over HTTP: carries out the core's PeerSends, on a thread of its own.
//
// Every call ends in exactly one PeerReturn: the answer, or why there is none. A connection carries
// one call at a time, so calls to one peer travel on several connections, and beyond those wait in
// a bounded queue. Channels share no connection: bulk does not delay the failure detector.
// Connections are kept. A call whose kept connection the peer had closed, before anything of an
// answer came, is made again once on a fresh one; calls do no harm when they are repeated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "core/peer_message.h"
#include "wire/peer_codec.h"

namespace kvs {

inline constexpr std::size_t kChannels = 3;

/// Sums since the start, of one channel.
struct LinkCounters {
  std::uint64_t answered = 0;  // refusals among them
  std::uint64_t refused = 0;   // no connection, or a lost one
  std::uint64_t timed_out = 0;
  std::uint64_t garbled = 0;
  std::uint64_t repeated = 0;  // on a fresh connection, after a kept one was found closed
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
};

struct PeerLinksOptions {
  /// Beyond so many the connection that was idle longest gives way; if none is idle, calls wait.
  std::size_t connections_max = 256;
  /// To one address, on one channel.
  std::size_t connections_per_peer_max = 4;
  /// Calls to one address, on one channel, that wait for a connection. More time out at once.
  std::size_t waiting_max = 64;
  Duration idle_timeout = Duration::from_seconds(60);
  Duration connect_timeout = Duration::from_seconds(1);
  /// How long the addresses of a name are used before it is resolved again.
  Duration name_age_max = Duration::from_seconds(60);
  std::size_t frame_bytes_max = kPeerFrameBytesMax;
  /// What a member can read, for the encoding. Called on the thread of the links. May be missing.
  std::function<WireOptions(Instance)> wire_options_of;
};

class LinkThread;

class PeerLinks {
 public:
  /// Takes what came of some calls, in any order. Called on the thread of the links; must not
  /// wait.
  using Returned = std::function<void(std::vector<PeerReturn>& returns)>;

  /// Starts the thread. Error: io_error if the machine has no descriptor for it.
  static Result<std::unique_ptr<PeerLinks>> open(const PeerLinksOptions& options,
                                                 Returned returned);

  /// As stop().
  ~PeerLinks();
  PeerLinks(const PeerLinks&) = delete;
  PeerLinks& operator=(const PeerLinks&) = delete;

  /// Makes calls. What cannot be made (an address that is none) comes back like what failed. Any
  /// thread.
  void send(std::vector<PeerSend>&& sends);

  /// Has the thread run `letter` in its turn. Dropped once it has ended. Any thread.
  void post(std::function<void()> letter);

  /// Cuts all connections and ends the thread. Calls under way, and calls sent later, end without
  /// a return.
  void stop();

  /// Of one channel. Any thread.
  [[nodiscard]] LinkCounters counters(Channel channel) const;

 private:
  explicit PeerLinks(std::unique_ptr<LinkThread> thread);

  std::unique_ptr<LinkThread> thread_;
};

}  // namespace kvs
