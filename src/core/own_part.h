// Where very much is missing, several members look for the same at the same time, each at another
// peer: each begins with a part of its own (core/sync). What they find there may serve all: of ties
// the verdicts do.
//
// Pure. Which parts others take is worked out, not agreed upon; where views differ, parts overlap
// or leave something to the next question.
#pragma once

#include <cstdint>
#include <span>

#include "core/knowledge.h"
#include "core/view.h"

namespace kvs {

/// Bounds of a part: less is not worth cutting, and not more than this is taken at once.
inline constexpr std::uint64_t kPartDotsMin = 4096;
inline constexpr std::uint64_t kPartDotsMax = 32'768;

/// Which one of so many equal shares.
struct Share {
  std::uint64_t place = 0;  // below `of`
  std::uint64_t of = 1;
};

/// That of this node among the members that may answer, by instance.
[[nodiscard]] Share own_share(const View& view);

/// Of the missing dots, those outside the part that belongs to `share`. Empty if they are too few
/// to be cut.
[[nodiscard]] Knowledge beyond_own_part(std::span<const DotRange> missing, const Share& share);

}  // namespace kvs
