#include "wire/peer_codec.h"

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/peer_frame.h"
#include "support/peer_samples.h"
#include "wire/peer_zstd.h"

namespace kvs {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr WireOptions kPlain;
constexpr WireOptions kZstd{.peer_features = kFeatureZstd};

/// The frame with other bytes at one place, sealed again.
std::string with(std::string frame, std::size_t at, std::string_view bytes) {
  frame.replace(at, bytes.size(), bytes);
  return sealed(frame);
}

/// The frame with `body` in place of its own, sealed again.
std::string with_body(const PeerRequest& like, std::string_view body) {
  std::string frame = encode({}, like, kPlain).substr(0, kFrameHeadBytes + kFrameEnvelopeBytes);
  frame += body;
  frame.append(kFrameChecksumBytes, '\0');
  return sealed(frame);
}

Error error_of(std::string_view frame, const DecodeLimits& limits = {}) {
  const auto decoded = decode_request(frame, limits);
  EXPECT_FALSE(decoded);
  return decoded ? Error{} : decoded.error();
}

PeerRecord small_record() {
  return {
      .path = "users/john",
      .record = {.header = {.version = {.stamp = {0x0102030405060708},
                                        .verdict = {},
                                        .uuid = {.high = 0x1112131415161718,
                                                 .low = 0x2122232425262728},
                                        .dot = {.origin = Origin{0x3132333435363738}, .seq = 300}},
                            .kind = RecordKind::value},
                 .value = "{\"a\":1}"},
      .replaced = {}};
}

PeerRequest big_push() {
  Push push;
  for (int i = 0; i < 200; ++i) {
    push.records.push_back(small_record());
    push.records.back().path += std::to_string(i);
    push.records.back().record.value = std::string(100, '7');
  }
  return push;
}

TEST(PeerCodec, EveryRequestComesBack) {
  PeerSamples samples(1);
  for (std::size_t i = 0; i < 20 * std::variant_size_v<PeerRequest>; ++i) {
    const PeerEnvelope envelope = samples.envelope();
    const PeerRequest request = samples.request(i % std::variant_size_v<PeerRequest>);
    ASSERT_EQ(request.index(), i % std::variant_size_v<PeerRequest>);
    for (const WireOptions& options : {kPlain, kZstd}) {
      const auto decoded = decode_request(encode(envelope, request, options));
      ASSERT_TRUE(decoded) << i << ": " << decoded.error().detail;
      EXPECT_EQ(decoded->envelope, envelope);
      EXPECT_TRUE(decoded->message == request) << i;
    }
  }
}

TEST(PeerCodec, EveryAnswerComesBack) {
  PeerSamples samples(2);
  for (std::size_t i = 0; i < 20 * std::variant_size_v<PeerAnswer>; ++i) {
    const PeerEnvelope envelope = samples.envelope();
    const PeerAnswer answer = samples.answer(i % std::variant_size_v<PeerAnswer>);
    ASSERT_EQ(answer.index(), i % std::variant_size_v<PeerAnswer>);
    for (const WireOptions& options : {kPlain, kZstd}) {
      const auto decoded = decode_answer(encode(envelope, answer, options));
      ASSERT_TRUE(decoded) << i << ": " << decoded.error().detail;
      EXPECT_EQ(decoded->envelope, envelope);
      EXPECT_TRUE(decoded->message == answer) << i;
    }
  }
}

TEST(PeerCodec, EachRequestHasAPath) {
  const std::vector<std::string_view> paths{"gossip", "gossip", "gossip", "gossip", "gossip",
                                            "push",   "sync",   "sync",   "sync",   "sync",
                                            "sync",   "sync",   "sync",   "ballot"};
  PeerSamples samples(4);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    EXPECT_EQ(path_of(samples.request(i)), "/internal/v1/" + std::string(paths[i])) << i;
  }
}

/// The bytes of the example in docs/protocol.md: the hex digits before each line's comment.
std::string documented_example() {
  std::ifstream file(KVS_TEST_DATA "/../../docs/protocol.md");
  std::string line;
  while (std::getline(file, line) && line != "```hex") {
  }
  std::string bytes;
  while (std::getline(file, line) && line != "```") {
    std::istringstream digits(line.substr(0, line.find("  ")));
    for (std::string pair; digits >> pair;) {
      bytes.push_back(static_cast<char>(std::stoi(pair, nullptr, 16)));
    }
  }
  return bytes;
}

TEST(PeerCodec, TheExampleInTheDocumentIsRight) {
  PeerRecord second = small_record();
  second.path = "users/jane";
  second.record.header.version.dot.seq = 301;
  second.record.header.kind = RecordKind::tombstone;
  second.record.value.clear();
  second.replaced = {{.origin = Origin{0x3132333435363738}, .seq = 298},
                     {.origin = Origin{0x3132333435363738}, .seq = 299}};
  const PeerEnvelope envelope{.cluster = 0x4142434445464748,
                              .sender = Instance{0x51},
                              .sender_run = 0x61,
                              .receiver = Instance{0x71},
                              .wall_ms = 1'700'000'000'000};
  const PeerRequest push = Push{.records = {small_record(), second},
                                .stretch = RingStretch{.first = 0x81, .last = 0x91}};
  const std::string frame = encode(envelope, push, kPlain);
  EXPECT_EQ(frame, documented_example()) << ::testing::PrintToString(frame);
  EXPECT_TRUE(decode_request(documented_example()));
}

TEST(PeerCodec, EveryTruncationIsRefused) {
  const std::string frame = encode({}, PeerSamples(5).request(10), kPlain);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_EQ(error_of(frame.substr(0, size)).code, Errc::corrupt_data) << size;
  }
  EXPECT_EQ(error_of(frame + '\0').code, Errc::corrupt_data);
}

TEST(PeerCodec, EveryFlippedBitIsRefused) {
  for (const WireOptions& options : {kPlain, kZstd}) {
    std::string frame = encode({}, big_push(), options);
    for (std::size_t bit = 0; bit < 8 * frame.size(); bit += frame.size() > 2000 ? 7 : 1) {
      const char before = frame[bit / 8];
      frame[bit / 8] = static_cast<char>(before ^ (1 << (bit % 8)));
      ASSERT_EQ(error_of(frame).code, Errc::corrupt_data) << bit;
      frame[bit / 8] = before;
    }
  }
}

// A peer that seals whatever it likes. A question for votes without the flag at its end is sound:
// so earlier nodes ask.
TEST(PeerCodec, EveryTruncatedBodyIsRefusedBehindARightChecksum) {
  PeerSamples samples(6);
  for (std::size_t kind = 0; kind < std::variant_size_v<PeerRequest>; ++kind) {
    const PeerRequest request = samples.request(kind);
    const std::string frame = encode({}, request, kPlain);
    const std::size_t begin = kFrameHeadBytes + kFrameEnvelopeBytes;
    const std::string body = frame.substr(begin, frame.size() - kFrameChecksumBytes - begin);
    ASSERT_TRUE(decode_request(with_body(request, body)));
    const std::size_t least = body.size() - (std::holds_alternative<AskVotes>(request) ? 1 : 0);
    for (std::size_t size = 0; size < least; ++size) {
      ASSERT_EQ(error_of(with_body(request, body.substr(0, size))).code, Errc::bad_request)
          << kind << ", " << size;
    }
  }
}

TEST(PeerCodec, LaterVersionsAreRefusedByAClearCode) {
  const std::string frame = encode({}, PeerRequest{Ping{}}, kPlain);
  const Error error = error_of(with(frame, kFrameVersionAt, "\x02"));
  EXPECT_EQ(error.code, Errc::not_implemented);
  EXPECT_THAT(error.detail, HasSubstr("version 2"));
  EXPECT_EQ(error_of(with(frame, kFrameVersionAt, std::string_view("\0", 1))).code,
            Errc::bad_request);
  EXPECT_EQ(error_of(with(frame, kFrameFlagsAt, "\x02")).code, Errc::not_implemented);
  std::string unsealed = frame;
  unsealed[kFrameVersionAt] = 2;
  EXPECT_EQ(error_of(unsealed).code, Errc::corrupt_data);
}

TEST(PeerCodec, FramesHaveTheHighestVersionThatBothSidesSpeak) {
  for (const std::uint16_t reader : std::initializer_list<std::uint16_t>{0, 1, 2, 65535}) {
    const std::string frame = encode({}, PeerRequest{Ping{}}, WireOptions{.peer_protocol = reader});
    EXPECT_EQ(frame[kFrameVersionAt], 1) << reader;
    EXPECT_TRUE(decode_request(frame)) << reader;
  }
}

TEST(PeerCodec, AMemberIsWrittenToAsItCanRead) {
  Member member;
  member.protocol = 3;
  member.features = kFeatureZstd;
  EXPECT_EQ(wire_options(&member).peer_protocol, 3);
  EXPECT_EQ(wire_options(&member).peer_features, kFeatureZstd);
  EXPECT_EQ(wire_options(nullptr).peer_protocol, 1);
  EXPECT_EQ(wire_options(nullptr).peer_features, 0U);
}

TEST(PeerCodec, UnknownKindsAreRefusedByName) {
  const std::string frame = encode({}, PeerRequest{Ping{}}, kPlain);
  const Error error = error_of(with(frame, kFrameKindAt, "\x7f"));
  EXPECT_EQ(error.code, Errc::bad_request);
  EXPECT_THAT(error.detail, HasSubstr("0x7f"));
  for (const std::string_view answer : {"\x80", "\x84", "\xff"}) {
    EXPECT_EQ(error_of(with(frame, kFrameKindAt, answer)).code, Errc::bad_request);
  }
  EXPECT_EQ(decode_answer(frame).error().code, Errc::bad_request);  // a request is no answer
}

TEST(PeerCodec, WhatALaterVersionAddsIsSkipped) {
  const Join join{.joiner = PeerSamples(7).member()};
  const PeerEnvelope sent = PeerSamples(8).envelope();
  std::string frame = encode(sent, PeerRequest{join}, kPlain);
  frame.insert(frame.size() - kFrameChecksumBytes, "more fields of the message");
  frame.insert(kFrameHeadBytes + kFrameEnvelopeBytes, "more");  // fields of the envelope
  frame[kFrameHeadBytes] = static_cast<char>(kFrameEnvelopeBytes - 1 + 4);
  const auto decoded = decode_request(sealed(frame));
  ASSERT_TRUE(decoded) << decoded.error().detail;
  EXPECT_EQ(decoded->envelope, sent);
  EXPECT_TRUE(decoded->message == PeerRequest{join});
}

TEST(PeerCodec, AShortEnvelopeIsRefused) {
  std::string frame = encode({}, PeerRequest{Ping{}}, kPlain);
  frame[kFrameHeadBytes] = static_cast<char>(kFrameEnvelopeBytes - 2);
  EXPECT_THAT(error_of(sealed(frame)).detail, HasSubstr("envelope"));
  frame[kFrameHeadBytes] = 0x7f;  // longer than the frame
  EXPECT_EQ(error_of(sealed(frame)).code, Errc::bad_request);
}

TEST(PeerCodec, ACodeOfALaterVersionArrivesAsNotImplemented) {
  std::string frame = encode({}, PeerAnswer{Refused{.code = Errc::overloaded, .detail = "x"}}, {});
  frame.replace(frame.find("overloaded"), 10, "underpayed");
  const auto decoded = decode_answer(sealed(frame));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->message ==
              PeerAnswer(Refused{.code = Errc::not_implemented, .detail = "x"}));
}

TEST(PeerCodec, BodiesAreCompressedOnlyForThoseWhoCanReadIt) {
  const PeerRequest push = big_push();
  const std::string plain = encode({}, push, kPlain);
  const std::string compressed = encode({}, push, kZstd);
  EXPECT_EQ(plain[kFrameFlagsAt], 0);
  EXPECT_EQ(compressed[kFrameFlagsAt], 1);
  EXPECT_LT(compressed.size(), plain.size() / 2);
  const auto decoded = decode_request(compressed);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->message == push);
}

TEST(PeerCodec, SmallBodiesAndNoiseAreNotCompressed) {
  EXPECT_EQ(encode({}, PeerRequest{Push{.records = {small_record()}}}, kZstd)[kFrameFlagsAt], 0);
  PeerSamples samples(9);
  CompareMembers noise;
  for (int i = 0; i < 3000; ++i) {
    noise.bucket_hashes.push_back(samples.word());
  }
  EXPECT_EQ(encode({}, PeerRequest{noise}, kZstd)[kFrameFlagsAt], 0);
}

TEST(PeerCodec, ABodyThatUnfoldsBeyondTheLimitIsRefused) {
  const DecodeLimits limits{.frame_bytes_max = 10'000};
  const std::string huge(1'000'000, '0');
  std::string frame = with_body(Ping{}, deflate(huge).value());
  frame[kFrameFlagsAt] = 1;
  const Error error = error_of(sealed(frame), limits);
  EXPECT_EQ(error.code, Errc::bad_request);
  EXPECT_THAT(error.detail, HasSubstr("unfolds"));
}

TEST(PeerCodec, TheLimitHoldsForTheFrameAsSent) {
  const std::string frame = encode({}, big_push(), kPlain);
  EXPECT_TRUE(decode_request(frame, {.frame_bytes_max = frame.size()}));
  EXPECT_EQ(error_of(frame, {.frame_bytes_max = frame.size() - 1}).code, Errc::bad_request);
}

TEST(PeerCodec, OneHugeRecordFits) {
  constexpr std::size_t kValueBytes = std::size_t{64} << 20U;
  EXPECT_EQ(peer_frame_bytes_max(1000), kPeerFrameBytesMax);
  PeerRecord huge = small_record();
  huge.path = std::string(4096, 'p');
  huge.record.value = std::string(kValueBytes, '7');
  const PeerRequest push = Push{.records = {huge}};
  const DecodeLimits limits{.frame_bytes_max = peer_frame_bytes_max(kValueBytes)};
  for (const WireOptions& options : {kPlain, kZstd}) {
    const auto decoded = decode_request(encode({}, push, options), limits);
    ASSERT_TRUE(decoded) << decoded.error().detail;
    EXPECT_TRUE(decoded->message == push);
  }
  EXPECT_FALSE(decode_request(encode({}, push, kZstd)));
}

// Three bytes each, but every path has 4096.
TEST(PeerCodec, PathsThatUnfoldIntoTooMuchAreRefused) {
  std::string body = {'\xe0', '\xd4', '\x03'};  // 60,000 paths
  const std::string first(4095, 'p');
  body += std::string("\x00\xff\x1f", 3) + first;
  for (int i = 1; i < 60'000; ++i) {
    body += std::string("\xff\x1f\x01q", 4);
  }
  const Error error = error_of(with_body(Fetch{}, body));
  EXPECT_EQ(error.code, Errc::bad_request);
  EXPECT_THAT(error.detail, HasSubstr("unfold"));
}

TEST(PeerCodec, CountsAreHeldAgainstWhatIsLeft) {
  const std::string billions = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
  for (const PeerRequest& request :
       std::vector<PeerRequest>{Ping{}, MemberRows{}, Fetch{}, AskVotes{}, CompareMembers{}}) {
    EXPECT_THAT(error_of(with_body(request, billions)).detail, HasSubstr("longer than"));
  }
  EXPECT_THAT(error_of(with_body(AskDelta{}, billions)).detail, HasSubstr("longer than"));
  EXPECT_THAT(error_of(with_body(Push{}, '\0' + billions)).detail, HasSubstr("longer than"));
}

}  // namespace
}  // namespace kvs
