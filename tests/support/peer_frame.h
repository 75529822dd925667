// Frames of the peer protocol as somebody could seal them who puts anything in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"

namespace kvs {

/// Where the parts of a frame stand; see docs/protocol.md.
inline constexpr std::size_t kFrameVersionAt = 4;
inline constexpr std::size_t kFrameKindAt = 5;
inline constexpr std::size_t kFrameFlagsAt = 6;
inline constexpr std::size_t kFrameLengthAt = 7;
inline constexpr std::size_t kFrameHeadBytes = 11;
inline constexpr std::size_t kFrameEnvelopeBytes = 41;
inline constexpr std::size_t kFrameChecksumBytes = 8;

/// The frame with length and checksum as they must be for the rest of it; `frame` has room for
/// them.
inline std::string sealed(std::string frame) {
  frame.resize(frame.size() - kFrameChecksumBytes);
  std::string length;
  put_le(length, static_cast<std::uint32_t>(frame.size() - kFrameHeadBytes));
  frame.replace(kFrameLengthAt, length.size(), length);
  put_le(frame, std::uint64_t{XXH3_64bits(frame.data(), frame.size())});
  return frame;
}

}  // namespace kvs
