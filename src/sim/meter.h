// What messages weigh as nodes send them: the frame of wire/peer_codec, and the head of the HTTP
// request or response around it. Not counted: TCP, IP and below, and what opens connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/network.h"

namespace kvs {

/// Whether bodies are compressed where nodes would do that.
enum class Compression : std::uint8_t { as_nodes_do, none };

class Meter final : public NetworkMeter {
 public:
  Meter(std::uint32_t machines, Compression compression)
      : compression_(compression), nodes_(machines) {}

  struct Node {
    std::uint64_t sent = 0;  // bytes
    std::uint64_t received = 0;
    std::uint64_t calls = 0;
  };

  void request_leaves(std::uint32_t from, std::uint32_t to, const PeerSend& send) override;
  void answer_leaves(std::uint32_t from, std::uint32_t to, const PeerReply& reply) override;

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }

  /// Bytes of the calls of one kind, answers excluded, by the number of the kind in PeerRequest;
  /// and of answers, by that in PeerAnswer.
  [[nodiscard]] const std::vector<std::uint64_t>& by_request() const { return by_request_; }

  [[nodiscard]] const std::vector<std::uint64_t>& by_answer() const { return by_answer_; }

  [[nodiscard]] std::uint64_t total() const;

 private:
  void count(std::uint32_t from, std::uint32_t to, std::size_t bytes);

  Compression compression_;
  std::vector<Node> nodes_;
  std::vector<std::uint64_t> by_request_ =
      std::vector<std::uint64_t>(std::variant_size_v<PeerRequest>);
  std::vector<std::uint64_t> by_answer_ =
      std::vector<std::uint64_t>(std::variant_size_v<PeerAnswer>);
};

/// Bytes of a request and of an answer on their way, heads included.
[[nodiscard]] std::size_t bytes_on_wire(const PeerSend& send, Compression compression);
[[nodiscard]] std::size_t bytes_on_wire(const PeerReply& reply, Compression compression);

/// Bytes that records take in a message: what any way of sending them would have to send.
[[nodiscard]] std::size_t bytes_of_records(const std::vector<PeerRecord>& records);

}  // namespace kvs
