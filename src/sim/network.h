// The network between the machines of a simulated cluster: calls, and all that can happen to them.
//
// A call is a request that arrives, or not, once or oftener, soon or very late, and an answer, or
// why there is none. Whatever is lost or garbled, the caller's process gets exactly one return for
// each call while it lives. Messages cross as sim/carrier says. Links are one-way and each pair has
// its own; a process that waits while it is paused gets its mail when it resumes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/prng.h"
#include "core/peer_message.h"
#include "sim/carrier.h"
#include "sim/world.h"

namespace kvs {

/// A process as the network sees it.
class NetworkPeer {
 public:
  virtual ~NetworkPeer() = default;

  /// False: connections are refused.
  [[nodiscard]] virtual bool listens() const = 0;

  /// A peer calls; the ticket is the network's, and good for one answer.
  virtual void called(PeerCall call) = 0;
  virtual void returned(PeerReturn returned) = 0;

 protected:
  NetworkPeer() = default;
  NetworkPeer(const NetworkPeer&) = default;
  NetworkPeer& operator=(const NetworkPeer&) = default;
};

/// Whoever weighs messages: hears of each as it leaves, of lost ones too.
class NetworkMeter {
 public:
  virtual ~NetworkMeter() = default;

  virtual void request_leaves(std::uint32_t from, std::uint32_t to, const PeerSend& send) = 0;

  /// `to` is the caller.
  virtual void answer_leaves(std::uint32_t from, std::uint32_t to, const PeerReply& reply) = 0;

 protected:
  NetworkMeter() = default;
  NetworkMeter(const NetworkMeter&) = default;
  NetworkMeter& operator=(const NetworkMeter&) = default;
};

/// What goes wrong now, on all links. Rates are in a thousand messages.
struct NetworkFaults {
  std::uint32_t loss_rate = 0;
  std::uint32_t duplicate_rate = 0;
  std::uint32_t replay_rate = 0;     // an old request arrives again
  std::uint32_t corrupt_rate = 0;    // the receiver cannot read it
  std::uint32_t reset_rate = 0;      // the connection breaks, before or after the request arrived
  std::uint32_t straggler_rate = 0;  // the message takes twenty times as long
};

/// How long a message takes, drawn evenly.
struct Latency {
  Duration least;
  Duration most;
};

struct Traffic {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

class Network {
 public:
  /// The machines are numbered from 0; `world` outlives the network.
  Network(World& world, std::uint64_t seed, std::uint32_t machines);

  /// The peer outlives the network.
  void attach(std::uint32_t machine, NetworkPeer& peer) { peers_.at(machine) = &peer; }

  [[nodiscard]] static std::string address_of(std::uint32_t machine);

  // For the shells.

  void send(std::uint32_t from, const PeerSend& send);

  /// Tickets of an earlier life, and second answers, are ignored.
  void answer(PeerReply reply);

  /// All calls that the process made are forgotten; those that it was to answer break, at once
  /// after a kill, and after loss of power not before their timeout.
  enum class Death : std::uint8_t { process, power };
  void died(std::uint32_t machine, Death death);

  /// call_arrives, return_arrives, call_times_out.
  void handle(const Wake& wake);

  // For the nemesis.

  NetworkFaults& faults() { return faults_; }

  void set_latency(const Latency& latency) { latency_ = latency; }

  [[nodiscard]] Carrier& carrier() { return carrier_; }

  /// A request of somebody who is no machine, and who waits for no answer.
  void call_from_outside(std::uint32_t to, const PeerEnvelope& envelope, PeerRequest request);

  /// From now on this one hears of all messages; null: nobody. It outlives the network.
  void set_meter(NetworkMeter* meter) { meter_ = meter; }

  /// Messages from one machine to another get lost until mend().
  void cut(std::uint32_t from, std::uint32_t to) { link(from, to).cut = true; }

  /// Factor on the latency of a link.
  void clog(std::uint32_t from, std::uint32_t to, std::int64_t factor) {
    link(from, to).factor = factor;
  }

  void mend(std::uint32_t from, std::uint32_t to) { link(from, to) = {}; }

  /// All links and rates are as they should be.
  void heal();

  [[nodiscard]] bool connected(std::uint32_t from, std::uint32_t to) const {
    return !links_.at(from * machines_ + to).cut;
  }

  [[nodiscard]] const Traffic& traffic(Channel channel) const {
    return traffic_.at(static_cast<std::size_t>(channel));
  }

  /// Calls that wait for their return.
  [[nodiscard]] std::size_t open_calls() const { return calls_.size(); }

 private:
  using Number = std::uint64_t;

  struct Link {
    bool cut = false;
    std::int64_t factor = 1;
  };

  struct Call {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    Channel channel{};
    PeerReturn result;  // with the caller's id; complete when the return is on its way
  };

  /// A request on its way, or in the hands of its receiver.
  struct Parcel {
    Number call = 0;  // 0: nobody waits for the answer
    std::uint32_t to = 0;
    bool delivered = false;
    PeerEnvelope envelope;
    std::shared_ptr<const PeerRequest> request;
  };

  Link& link(std::uint32_t from, std::uint32_t to) { return links_.at(from * machines_ + to); }

  [[nodiscard]] bool strikes(std::uint32_t rate) { return rate > 0 && prng_.chance(rate, 1000); }

  Duration draw_latency(const Link& link);
  void wake(Duration delay, std::uint32_t machine, Input input, Number subject);
  void count(Channel channel, std::size_t bytes);
  void transmit(Number number, const PeerSend& send);
  void post(Parcel parcel, Duration delay);
  void keep_for_replay(const Parcel& parcel);
  void arrive(Number number);
  void fail(Number call, PeerReturn::Failure failure);
  void finish(Number call, PeerReturn::Failure failure);

  World& world_;
  Prng prng_;
  Carrier carrier_{prng_};
  std::uint32_t machines_;
  Latency latency_{.least = Duration::from_ms(1), .most = Duration::from_ms(3)};
  NetworkFaults faults_;
  NetworkMeter* meter_ = nullptr;
  std::vector<NetworkPeer*> peers_;
  std::vector<Link> links_;
  Number last_ = 0;
  std::unordered_map<Number, Call> calls_;  // whose order nothing may depend on
  std::unordered_map<Number, Parcel> parcels_;
  std::vector<Parcel> old_;  // some requests of the past
  std::array<Traffic, 3> traffic_{};
};

}  // namespace kvs
