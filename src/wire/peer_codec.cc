#include "wire/peer_codec.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/check.h"
#include "wire/peer_bytes.h"
#include "wire/peer_messages.h"
#include "wire/peer_version.h"
#include "wire/peer_zstd.h"

namespace kvs {

namespace {

constexpr std::string_view kMagic = "KVSP";
constexpr std::uint8_t kCompressed = 1;

// The parts of a frame: magic, version, kind, flags, length | length bytes | checksum.
constexpr std::size_t kVersionAt = kMagic.size();
constexpr std::size_t kKindAt = kVersionAt + 1;
constexpr std::size_t kFlagsAt = kKindAt + 1;
constexpr std::size_t kLengthAt = kFlagsAt + 1;
constexpr std::size_t kHeadBytes = kLengthAt + sizeof(std::uint32_t);
constexpr std::size_t kChecksumBytes = sizeof(std::uint64_t);

constexpr std::size_t kDeflateBytesMin = 16 * 1024;  // below, it costs more than it saves

/// How many bytes of memory a byte of the largest frame may unfold into.
constexpr std::size_t kUnfolding = 8;

std::uint64_t checksum(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

void put_envelope(PeerWriter& writer, const PeerEnvelope& envelope) {
  constexpr std::size_t kBytes = 5 * sizeof(std::uint64_t);
  writer.put_number(kBytes + peer_additions().size());
  writer.put_word(envelope.cluster);
  writer.put_word(envelope.sender);
  writer.put_word(envelope.sender_run);
  writer.put_word(envelope.receiver);
  writer.put_word(static_cast<std::uint64_t>(envelope.wall_ms));
  writer.put_bytes(peer_additions());
}

PeerEnvelope take_envelope(PeerReader& outer) {
  PeerReader reader(outer.take_text(outer.rest().size()), 0);
  const PeerEnvelope envelope{.cluster = reader.take_word(),
                              .sender = Instance{reader.take_word()},
                              .sender_run = reader.take_word(),
                              .receiver = Instance{reader.take_word()},
                              .wall_ms = static_cast<std::int64_t>(reader.take_word())};
  if (!reader.ok()) {
    outer.refuse("the envelope ends too early");
  }
  return envelope;
}

/// Compresses what stands behind `begin` if that makes it smaller.
bool deflate_from(std::string& frame, std::size_t begin) {
  if (frame.size() - begin < kDeflateBytesMin) {
    return false;
  }
  const std::optional<std::string> smaller = deflate(std::string_view(frame).substr(begin));
  if (smaller) {
    frame.replace(begin, std::string::npos, *smaller);
  }
  return smaller.has_value();
}

template <class Message>
std::string encode_message(const PeerEnvelope& envelope, const Message& message,
                           const WireOptions& options) {
  std::string frame(kMagic);
  const std::uint16_t version = std::min(peer_protocol(), options.peer_protocol);
  frame.push_back(static_cast<char>(std::max(version, std::uint16_t{1})));
  frame.push_back(static_cast<char>(kind_of(message)));
  frame.append(kHeadBytes - kFlagsAt, '\0');  // flags and length, filled in below
  PeerWriter writer(frame);
  put_envelope(writer, envelope);
  const std::size_t body_begin = frame.size();
  put_body(writer, message);
  writer.put_bytes(peer_additions());
  if ((options.peer_features & kFeatureZstd) != 0 && deflate_from(frame, body_begin)) {
    frame[kFlagsAt] = static_cast<char>(kCompressed);
  }
  const std::size_t length = frame.size() - kHeadBytes;
  KVS_CHECK(length <= std::numeric_limits<std::uint32_t>::max(), "a peer frame of 4 GiB");
  std::string length_bytes;
  put_le(length_bytes, static_cast<std::uint32_t>(length));
  frame.replace(kLengthAt, length_bytes.size(), length_bytes);
  put_le(frame, checksum(frame));
  return frame;
}

/// A frame whose outside is sound.
struct Frame {
  std::uint8_t kind = 0;
  PeerEnvelope envelope;
  std::string_view body_as_sent;
  std::optional<std::string> inflated;  // if it was compressed

  [[nodiscard]] std::string_view body() const { return inflated ? *inflated : body_as_sent; }
};

/// What stands between head and checksum, if the frame is whole and undamaged.
Result<std::string_view> checked_content(std::string_view bytes, const DecodeLimits& limits) {
  if (bytes.size() > limits.frame_bytes_max) {
    return fail(Errc::bad_request, fmt::format("the peer frame has {} bytes, {} are allowed",
                                               bytes.size(), limits.frame_bytes_max));
  }
  if (bytes.size() < kHeadBytes + kChecksumBytes || !bytes.starts_with(kMagic)) {
    return fail(Errc::corrupt_data, "this is no peer frame");
  }
  const std::string_view sealed = bytes.substr(0, bytes.size() - kChecksumBytes);
  const std::string_view content = sealed.substr(kHeadBytes);
  if (get_le<std::uint32_t>(bytes.data() + kLengthAt) != content.size()) {
    return fail(Errc::corrupt_data, "the peer frame is not as long as it says");
  }
  if (get_le<std::uint64_t>(bytes.data() + sealed.size()) != checksum(sealed)) {
    return fail(Errc::corrupt_data, "the checksum of the peer frame is wrong");
  }
  return content;
}

Result<void> check_head(std::string_view bytes) {
  const auto version = static_cast<std::uint8_t>(bytes[kVersionAt]);
  const auto flags = static_cast<std::uint8_t>(bytes[kFlagsAt]);
  if (version == 0) {
    return fail(Errc::bad_request, "there is no version 0 of the peer protocol");
  }
  if (version > peer_protocol()) {
    return fail(Errc::not_implemented,
                fmt::format("version {} of the peer protocol is not spoken here, but {}", version,
                            peer_protocol()));
  }
  if ((flags & ~unsigned{kCompressed}) != 0) {
    return fail(Errc::not_implemented,
                fmt::format("the peer frame has unknown flags, 0x{:02x}", flags));
  }
  return {};
}

Error makes_no_sense(std::uint8_t kind, std::string_view fault) {
  return {.code = Errc::bad_request,
          .detail = fmt::format("a peer message of kind 0x{:02x} makes no sense: {}", kind, fault)};
}

Result<Frame> open_frame(std::string_view bytes, const DecodeLimits& limits) {
  const std::string_view content = KVS_TRY(checked_content(bytes, limits));
  if (Result<void> head = check_head(bytes); !head) {
    return std::unexpected(std::move(head).error());
  }
  Frame frame{.kind = static_cast<std::uint8_t>(bytes[kKindAt])};
  PeerReader reader(content, 0);
  frame.envelope = take_envelope(reader);
  if (!reader.ok()) {
    return std::unexpected(makes_no_sense(frame.kind, reader.fault()));
  }
  frame.body_as_sent = reader.rest();
  if ((static_cast<std::uint8_t>(bytes[kFlagsAt]) & kCompressed) != 0) {
    frame.inflated = KVS_TRY(inflate(frame.body_as_sent, limits.frame_bytes_max));
  }
  return frame;
}

template <class Decoded, class TakeMessage>
Result<Decoded> decode(std::string_view bytes, const DecodeLimits& limits, TakeMessage take) {
  const Frame frame = KVS_TRY(open_frame(bytes, limits));
  // NOLINTNEXTLINE(misc-const-correctness): `take` reads from it, which a template hides.
  PeerReader reader(frame.body(), kUnfolding * limits.frame_bytes_max);
  auto message = take(frame.kind, reader);
  if (!message) {
    return fail(Errc::bad_request,
                fmt::format("peer messages of kind 0x{:02x} are unknown here", frame.kind));
  }
  if (!reader.ok()) {
    return std::unexpected(makes_no_sense(frame.kind, reader.fault()));
  }
  return Decoded{.envelope = frame.envelope, .message = *std::move(message)};
}

}  // namespace

WireOptions wire_options(const Member* reader) {
  if (reader == nullptr) {
    return {};
  }
  return {.peer_protocol = reader->protocol, .peer_features = reader->features};
}

std::string encode(const PeerEnvelope& envelope, const PeerRequest& request,
                   const WireOptions& options) {
  return encode_message(envelope, request, options);
}

std::string encode(const PeerEnvelope& envelope, const PeerAnswer& answer,
                   const WireOptions& options) {
  return encode_message(envelope, answer, options);
}

Result<DecodedRequest> decode_request(std::string_view bytes, const DecodeLimits& limits) {
  return decode<DecodedRequest>(bytes, limits, take_request);
}

Result<DecodedAnswer> decode_answer(std::string_view bytes, const DecodeLimits& limits) {
  return decode<DecodedAnswer>(bytes, limits, take_answer);
}

std::string_view path_of(const PeerRequest& request) {
  constexpr std::uint8_t kPathBits = 0x70;
  switch (kind_of(request) & kPathBits) {
    case 0x00:
      return "/internal/v1/gossip";
    case 0x10:
      return "/internal/v1/push";
    case 0x20:
      return "/internal/v1/sync";
    default:
      return "/internal/v1/ballot";
  }
}

}  // namespace kvs
