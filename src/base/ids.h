// Strong types for the names of things: versions, origins, dots.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/prng.h"

namespace kvs {

/// 128 bits naming one version of one key: the API's `uuid`. Compared as two unsigned numbers, most
/// significant first, which is also the order of its text form.
struct Uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  static constexpr std::size_t kTextSize = 36;

  auto operator<=>(const Uuid&) const = default;
};

/// A random version-4 UUID (RFC 9562).
[[nodiscard]] Uuid make_uuid(Prng& prng);

/// Writes the 36 characters `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, lower case.
void format_uuid(const Uuid& uuid, char (&text)[Uuid::kTextSize]);
[[nodiscard]] std::string to_string(const Uuid& uuid);

/// Reads the 36-character form, either case. Nothing if `text` is anything else.
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text);

/// One data folder: a random number, made with the folder, never 0.
enum class Instance : std::uint64_t {};

/// Names a call to a peer, for the node that makes it.
enum class CallId : std::uint64_t {};

/// One run of one process that wrote: a random number, taken at its first write, never 0.
enum class Origin : std::uint64_t {};

/// The name of one write: the `seq`-th of its origin, counted from 1 without gaps.
struct Dot {
  Origin origin{};
  std::uint64_t seq = 0;

  auto operator<=>(const Dot&) const = default;
};

}  // namespace kvs
