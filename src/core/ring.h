// The ring of members, and how one of them hands a message to all others so that each gets one
// copy: interval delegation (El-Ansary et al. 2003, "Efficient Broadcast in Structured P2P
// Networks"), on a list of all members.
//
// A member's place on the ring follows from its instance. The sender splits the ring without itself
// into parts and sends each to one member there, its delegate, together with the stretch that the
// part spans; the delegate does the same with that stretch. What it hands on lies within the
// stretch and without itself, so members whose lists differ may miss somebody but never send in
// circles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "core/peer_message.h"

namespace kvs {

/// Where an instance sits. No two share a place.
[[nodiscard]] std::uint64_t ring_position(Instance instance);

/// True if `position` lies in the stretch; one whose end is before its begin runs through zero.
[[nodiscard]] bool contains(const RingStretch& stretch, std::uint64_t position);

/// Members that follow one another on the ring; never empty.
struct RingPart {
  std::vector<Instance> members;

  /// From the first member to the last.
  [[nodiscard]] RingStretch stretch() const;
};

class Ring {
 public:
  Ring() = default;

  /// The ring of `members`, each once, `self` among them.
  Ring(std::span<const Instance> members, Instance self);

  /// All members but this one, in at most `parts_max` parts whose sizes differ by one at most.
  [[nodiscard]] std::vector<RingPart> others(std::size_t parts_max) const;

  /// The members of a stretch that was given to this one, without it: those behind it as in
  /// others(); those before it, whom the sender could not reach, as one part more. Nothing if this
  /// member is not in the stretch.
  [[nodiscard]] std::vector<RingPart> below(const RingStretch& stretch,
                                            std::size_t parts_max) const;

  /// The same stretch as everybody would write it: from its first member to its last. Nothing if it
  /// holds none.
  [[nodiscard]] std::optional<RingStretch> trimmed(const RingStretch& stretch) const;

  [[nodiscard]] std::size_t size() const { return seats_.size(); }

 private:
  struct Seat {
    std::uint64_t position = 0;
    Instance instance{};
  };

  /// `count` seats from the `first`-th on, round the ring.
  struct Run {
    std::size_t first = 0;
    std::size_t count = 0;
  };

  [[nodiscard]] const Seat& seat(std::size_t number) const {
    return seats_[number % seats_.size()];
  }

  [[nodiscard]] Run run_of(const RingStretch& stretch) const;
  void split(const Run& run, std::size_t parts_max, std::vector<RingPart>& parts) const;

  std::vector<Seat> seats_;  // by position
  std::size_t own_ = 0;      // this member's seat
};

}  // namespace kvs
