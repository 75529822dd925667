// What becomes of a message on its way: the value itself, or what comes out of the peer codec.
//
// Encoding costs time, so only some runs do it. What comes out must be what went in, and a frame
// with one bit flipped must be refused: everything else is a fault of the codec.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/prng.h"
#include "core/peer_message.h"

namespace kvs {

class Carrier {
 public:
  /// `prng` outlives the carrier.
  explicit Carrier(Prng& prng) : prng_(prng) {}

  /// From now on messages cross as bytes.
  void encode_messages() { encoded_ = true; }

  struct Request {
    PeerEnvelope envelope;
    std::shared_ptr<const PeerRequest> request;
    std::size_t bytes = 0;  // exact if encoded, otherwise about
  };

  struct Answer {
    PeerEnvelope envelope;
    PeerAnswer answer;
    std::size_t bytes = 0;
  };

  [[nodiscard]] Request carry(const PeerSend& send);
  [[nodiscard]] Answer carry(PeerReply reply);

  /// A bit flips on the way: whoever decodes it has to notice.
  void garble(const PeerSend& send);
  void garble(const Answer& answer);

  /// The first thing that the codec did wrong; empty: nothing.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  template <class Message>
  [[nodiscard]] std::string frame_of(const PeerEnvelope& envelope, const Message& message);
  void flip_bit_in(std::string& frame);
  void object(std::string what);

  Prng& prng_;
  bool encoded_ = false;
  std::string fault_;
};

}  // namespace kvs
