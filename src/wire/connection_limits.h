// How much time and memory a client may take: the bounds that wire/connection keeps.
//
// Those named door_* hold for all connections of one door (one thread) together, the others for
// each. Defaults are the documented ones (docs/api.md).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "wire/http.h"

namespace kvs {

struct ConnectionLimits {
  static constexpr std::size_t kKiB = 1024;
  static constexpr std::size_t kMiB = 1024 * kKiB;

  HttpLimits http;

  /// Nothing of a next request for so long: closed.
  Duration idle_timeout = Duration::from_seconds(60);

  /// First to last byte of a head; then request_timeout and the end.
  Duration head_timeout = Duration::from_seconds(10);

  /// In every such span of time a body, and likewise queued output, must either come to its end or
  /// move on by progress_bytes_min; else the end.
  Duration progress_timeout = Duration::from_seconds(30);
  std::size_t progress_bytes_min = 16 * kKiB;

  /// Reading on after the last answer, so that the client does not lose it to a reset.
  Duration linger_timeout = Duration::from_seconds(2);
  std::size_t linger_bytes_max = 16 * kMiB;

  /// Writes handed over and not answered: their number, and the bytes of their bodies.
  std::uint32_t pending_max = 256;
  std::size_t pending_bytes_max = 4 * kMiB;

  /// With so much output queued no further request is executed, and a stream is pulled below it.
  std::size_t output_high_water = 256 * kKiB;
  std::size_t output_low_water = 64 * kKiB;

  /// Requests (or pulls of a stream) in one turn; then other connections have theirs.
  std::uint32_t requests_per_turn = 64;

  /// For all connections of one door together: queued output above it stops the execution of
  /// requests; unfinished input above it is refused with overloaded.
  std::size_t door_output_bytes_max = 256 * kMiB;
  std::size_t door_input_bytes_max = 256 * kMiB;
};

}  // namespace kvs
