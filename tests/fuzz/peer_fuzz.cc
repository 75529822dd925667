// Any bytes as a frame of the peer protocol: they are refused, or what was read of them can be
// written and read again. The checksum would hide all behind it from a fuzzer, so inputs are judged
// as they are, with a right seal, and as a body that had been compressed.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "support/peer_frame.h"
#include "wire/peer_codec.h"
#include "wire/peer_zstd.h"

namespace kvs {
namespace {

/// Small, so that the fuzzer reaches the limits.
constexpr DecodeLimits kLimits{.frame_bytes_max = 20'000};

/// Rewritten, a message may take more bytes: paths that it told by halves, say.
constexpr DecodeLimits kAmple{.frame_bytes_max = 10'000'000};

template <class Decoded>
void check_again(const Decoded& decoded, const Result<Decoded>& again) {
  KVS_CHECK(again.has_value(), "what was read cannot be written");
  KVS_CHECK(again->envelope == decoded.envelope, "the envelope changes");
  KVS_CHECK(again->message == decoded.message, "the message changes");
}

void check_frame(std::string_view bytes) {
  const WireOptions zstd{.peer_features = kFeatureZstd};
  if (const auto request = decode_request(bytes, kLimits)) {
    check_again(*request, decode_request(encode(request->envelope, request->message, {}), kAmple));
    KVS_CHECK(path_of(request->message).starts_with("/internal/v1/"), "no path");
  }
  if (const auto answer = decode_answer(bytes, kLimits)) {
    check_again(*answer, decode_answer(encode(answer->envelope, answer->message, zstd), kAmple));
  }
}

/// A frame of kind `kind`, an empty envelope's bytes, and `body`.
std::string frame_of(char kind, std::string_view body) {
  std::string frame = "KVSP";
  frame += '\x01';
  frame += kind;
  frame.append(kFrameHeadBytes - kFrameFlagsAt, '\0');
  frame += static_cast<char>(kFrameEnvelopeBytes - 1);
  frame.append(kFrameEnvelopeBytes - 1, '\0');
  frame += body;
  frame.append(kFrameChecksumBytes, '\0');
  return sealed(frame);
}

}  // namespace
}  // namespace kvs

// The input: a kind and a body, or a frame.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  kvs::check_frame(bytes);
  if (size >= kvs::kFrameHeadBytes + kvs::kFrameChecksumBytes) {
    kvs::check_frame(kvs::sealed(std::string(bytes)));
  }
  if (size > 0) {
    std::string frame = kvs::frame_of(bytes.front(), bytes.substr(1));
    kvs::check_frame(frame);
    frame[kvs::kFrameFlagsAt] = 1;
    kvs::check_frame(kvs::sealed(frame));
  }
  if (const auto inflated = kvs::inflate(bytes, 20'000)) {
    KVS_CHECK(inflated->size() <= 20'000, "the limit does not hold");
  }
  return 0;
}
