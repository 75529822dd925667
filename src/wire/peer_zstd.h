// Compressed bodies of peer frames: zstd (RFC 8878), one frame, with bounds on what it unfolds to.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kvs {

/// `plain` compressed at level 1; nothing if that is not smaller.
[[nodiscard]] std::optional<std::string> deflate(std::string_view plain);

/// The inverse. What the input says of its own size is not believed: memory grows with the bytes
/// that come out. Error: bad_request for anything but one zstd frame with a window of at most 1 MiB
/// that holds at most `bytes_max` bytes.
Result<std::string> inflate(std::string_view compressed, std::size_t bytes_max);

}  // namespace kvs
