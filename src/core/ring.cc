#include "core/ring.h"

#include <algorithm>

#include "base/check.h"
#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

std::uint64_t ring_position(Instance instance) {
  // SplitMix64's finaliser (Steele et al. 2014): a bijection.
  auto bits = static_cast<std::uint64_t>(instance);
  bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
  return bits ^ (bits >> 31U);
}

bool contains(const RingStretch& stretch, std::uint64_t position) {
  // Distances on a circle of 2^64 places.
  return position - stretch.first <= stretch.last - stretch.first;
}

RingStretch RingPart::stretch() const {
  return {.first = ring_position(members.front()), .last = ring_position(members.back())};
}

Ring::Ring(std::span<const Instance> members, Instance self) {
  seats_.reserve(members.size());
  for (const Instance member : members) {
    seats_.push_back({.position = ring_position(member), .instance = member});
  }
  std::ranges::sort(seats_, {}, &Seat::position);
  const auto own = std::ranges::find(seats_, self, &Seat::instance);
  KVS_CHECK(own != seats_.end(), "a node is a member of its own ring");
  own_ = static_cast<std::size_t>(own - seats_.begin());
}

std::vector<RingPart> Ring::others(std::size_t parts_max) const {
  std::vector<RingPart> parts;
  if (seats_.size() > 1) {
    split({.first = own_ + 1, .count = seats_.size() - 1}, parts_max, parts);
  }
  return parts;
}

std::vector<RingPart> Ring::below(const RingStretch& stretch, std::size_t parts_max) const {
  std::vector<RingPart> parts;
  if (seats_.empty() || !contains(stretch, seats_[own_].position)) {
    KVS_PROBE("ring: a stretch that this member is not in");
    return parts;
  }
  if (KVS_MUTATED(stretch_not_shrunk)) {
    return others(parts_max);
  }
  const Run run = run_of(stretch);
  const std::size_t before = (own_ + seats_.size() - run.first) % seats_.size();
  split({.first = own_ + 1, .count = run.count - before - 1}, parts_max, parts);
  if (before > 0) {
    KVS_PROBE("ring: the delegate is not the first of its stretch");
    split({.first = run.first, .count = before}, 1, parts);
  }
  return parts;
}

std::optional<RingStretch> Ring::trimmed(const RingStretch& stretch) const {
  const Run run = run_of(stretch);
  if (run.count == 0) {
    return std::nullopt;
  }
  return RingStretch{.first = seat(run.first).position,
                     .last = seat(run.first + run.count - 1).position};
}

Ring::Run Ring::run_of(const RingStretch& stretch) const {
  const auto number_of = [&](auto it) {
    return static_cast<std::size_t>(it - seats_.begin());
  };
  const std::size_t first =
      number_of(std::ranges::lower_bound(seats_, stretch.first, {}, &Seat::position));
  const std::size_t past =
      number_of(std::ranges::upper_bound(seats_, stretch.last, {}, &Seat::position));
  const bool round = stretch.last < stretch.first;
  return {.first = first, .count = past + (round ? seats_.size() : 0) - first};
}

void Ring::split(const Run& run, std::size_t parts_max, std::vector<RingPart>& parts) const {
  const std::size_t count = std::min(parts_max, run.count);
  for (std::size_t i = 0; i < count; ++i) {
    RingPart& part = parts.emplace_back();
    for (std::size_t at = run.count * i / count; at < run.count * (i + 1) / count; ++at) {
      part.members.push_back(seat(run.first + at).instance);
    }
  }
}

}  // namespace kvs
