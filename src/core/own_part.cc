#include "core/own_part.h"

#include <algorithm>
#include <limits>

namespace kvs {

Share own_share(const View& view) {
  Share share{.place = 0, .of = 0};
  for (const Member& member : view.members) {
    const bool self = member.instance == view.self;
    share.of += self || is_live(member.state) ? 1U : 0U;
    share.place += member.instance < view.self && is_live(member.state) ? 1U : 0U;
  }
  return share;
}

Knowledge beyond_own_part(std::span<const DotRange> missing, const Share& share) {
  constexpr std::uint64_t kCountable = std::numeric_limits<std::uint64_t>::max() / 4;
  Knowledge beyond;
  std::uint64_t count = 0;
  for (const DotRange& range : missing) {
    count += std::min(range.last - range.first + 1, kCountable);
    if (count >= kCountable) {
      return beyond;  // nobody has written so much: whatever was told, it is asked for whole
    }
  }
  const std::uint64_t part = std::clamp(count / share.of, kPartDotsMin, kPartDotsMax);
  if (count <= part) {
    return beyond;
  }
  // The last parts end with the last dot, if they are longer than their share.
  const std::uint64_t begin = std::min(count / share.of * share.place, count - part);
  std::uint64_t before = 0;  // dots of the ranges before this one
  for (const DotRange& range : missing) {
    const std::uint64_t size = range.last - range.first + 1;
    const std::uint64_t in = std::clamp(begin, before, before + size) - before;
    const std::uint64_t out = std::clamp(begin + part, before, before + size) - before;
    beyond.add({.origin = range.origin, .first = range.first, .last = range.first + in - 1});
    beyond.add({.origin = range.origin, .first = range.first + out, .last = range.last});
    before += size;
  }
  return beyond;
}

}  // namespace kvs
