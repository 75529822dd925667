#include "sim/carrier.h"

#include <utility>

#include "base/probe.h"
#include "sim/peer_bytes.h"
#include "wire/peer_codec.h"

namespace kvs {

template <class Message>
std::string Carrier::frame_of(const PeerEnvelope& envelope, const Message& message) {
  return encode(envelope, message,
                {.peer_features = prng_.chance(1, 2) ? kFeatureZstd : std::uint64_t{0}});
}

void Carrier::object(std::string what) {
  if (fault_.empty()) {
    fault_ = std::move(what);
  }
}

Carrier::Request Carrier::carry(const PeerSend& send) {
  if (!encoded_) {
    return {.envelope = send.envelope, .request = send.request, .bytes = bytes_of(*send.request)};
  }
  const std::string frame = frame_of(send.envelope, *send.request);
  auto decoded = decode_request(frame);
  if (!decoded) {
    object("a request could not be read: " + decoded.error().detail);
    return {.envelope = send.envelope, .request = send.request, .bytes = frame.size()};
  }
  KVS_PROBE("carrier: a request crossed as bytes");
  if (decoded->envelope != send.envelope || decoded->message != *send.request) {
    object("a request changed on its way");
  }
  return {.envelope = decoded->envelope,
          .request = std::make_shared<const PeerRequest>(std::move(decoded->message)),
          .bytes = frame.size()};
}

Carrier::Answer Carrier::carry(PeerReply reply) {
  if (!encoded_) {
    const std::size_t bytes = bytes_of(reply.answer);
    return {.envelope = reply.envelope, .answer = std::move(reply.answer), .bytes = bytes};
  }
  const std::string frame = frame_of(reply.envelope, reply.answer);
  auto decoded = decode_answer(frame);
  if (!decoded) {
    object("an answer could not be read: " + decoded.error().detail);
    return {.envelope = reply.envelope, .answer = std::move(reply.answer), .bytes = frame.size()};
  }
  if (decoded->envelope != reply.envelope || decoded->message != reply.answer) {
    object("an answer changed on its way");
  }
  return {
      .envelope = decoded->envelope, .answer = std::move(decoded->message), .bytes = frame.size()};
}

void Carrier::flip_bit_in(std::string& frame) {
  char& byte = frame[prng_.below(frame.size())];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << prng_.below(8)));
}

void Carrier::garble(const PeerSend& send) {
  if (!encoded_) {
    return;
  }
  std::string frame = frame_of(send.envelope, *send.request);
  flip_bit_in(frame);
  if (decode_request(frame)) {
    object("a garbled request was taken for a sound one");
  }
}

void Carrier::garble(const Answer& answer) {
  if (!encoded_) {
    return;
  }
  std::string frame = frame_of(answer.envelope, answer.answer);
  flip_bit_in(frame);
  if (decode_answer(frame)) {
    object("a garbled answer was taken for a sound one");
  }
}

}  // namespace kvs
