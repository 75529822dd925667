// What a peer sends arrives as it was, or not at all.
#include <gtest/gtest.h>

#include "properties/generators.h"
#include "support/peer_frame.h"
#include "support/peer_samples.h"
#include "wire/peer_codec.h"

namespace kvs {
namespace {

rc::Gen<std::uint64_t> seeds() {
  return rc::gen::arbitrary<std::uint64_t>();
}

rc::Gen<WireOptions> options() {
  return rc::gen::element(WireOptions{}, WireOptions{.peer_features = kFeatureZstd});
}

std::string some_frame() {
  PeerSamples samples(*seeds());
  const PeerEnvelope envelope = samples.envelope();
  return encode(envelope, samples.request(), *options());
}

TEST(law_peer_codec, RequestsComeBack) {
  EXPECT_TRUE(rc::check([] {
    PeerSamples samples(*seeds());
    const PeerEnvelope envelope = samples.envelope();
    const PeerRequest request = samples.request();
    const auto decoded = decode_request(encode(envelope, request, *options()));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(decoded->envelope == envelope);
    RC_ASSERT(decoded->message == request);
  }));
}

TEST(law_peer_codec, AnswersComeBack) {
  EXPECT_TRUE(rc::check([] {
    PeerSamples samples(*seeds());
    const PeerEnvelope envelope = samples.envelope();
    const PeerAnswer answer = samples.answer();
    const auto decoded = decode_answer(encode(envelope, answer, *options()));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(decoded->envelope == envelope);
    RC_ASSERT(decoded->message == answer);
  }));
}

TEST(law_peer_codec, AnyTruncationIsRefused) {
  EXPECT_TRUE(rc::check([] {
    const std::string frame = some_frame();
    const std::uint64_t size = *below(frame.size());
    RC_ASSERT(!decode_request(frame.substr(0, size)).has_value());
  }));
}

// XXH3-64 makes no promise for single bits; that one of these is accepted has a chance of 2^-64.
TEST(law_peer_codec, AnyFlippedBitIsRefused) {
  EXPECT_TRUE(rc::check([] {
    std::string frame = some_frame();
    const std::uint64_t bit = *below(8 * frame.size());
    frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ (1 << (bit % 8)));
    RC_ASSERT(!decode_request(frame).has_value());
  }));
}

// The checksum keeps out accidents, not liars: behind a right one anything may stand.
TEST(law_peer_codec, WhatIsReadFromALiarCanBeTold) {
  EXPECT_TRUE(rc::check([] {
    PeerSamples samples(*seeds());
    std::string frame = encode({}, samples.request(), {});
    for (std::uint64_t changes = *below(4); changes > 0; --changes) {
      const std::uint64_t at =
          *rc::gen::inRange<std::uint64_t>(kFrameKindAt, frame.size() - kFrameChecksumBytes);
      frame[at] = *rc::gen::arbitrary<char>();
    }
    const auto decoded = decode_request(sealed(frame));
    RC_PRE(decoded.has_value());
    const auto again = decode_request(encode(decoded->envelope, decoded->message, {}));
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->message == decoded->message);
  }));
}

}  // namespace
}  // namespace kvs
