// K: which writes of which origins the state of this node reflects.
//
// For each origin: every write up to `upto`, plus exceptions beyond it. A dot that K covers is
// stored here, or something newer replaced it, or it was deleted and collected. K is written in the
// same batch as the records it covers. Entries are kept in origin order, so iteration is
// deterministic.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "base/ids.h"

namespace kvs {

/// What is known of one origin. Invariant: every exception is larger than upto + 1.
struct OriginKnowledge {
  std::uint64_t upto = 0;
  std::set<std::uint64_t> beyond;

  bool operator==(const OriginKnowledge&) const = default;
};

class Knowledge {
 public:
  [[nodiscard]] bool covers(Dot dot) const;

  /// Adds one dot; returns false if it was covered before.
  bool add(Dot dot);

  /// Replaces what is known of an origin (used when loading from disk); exceptions that follow on
  /// are folded in.
  void set(Origin origin, OriginKnowledge known);

  /// Adds all that `other` covers.
  void join(const Knowledge& other);

  /// What is known of one origin; empty if it was never heard of.
  [[nodiscard]] const OriginKnowledge& of(Origin origin) const;

  [[nodiscard]] const std::map<Origin, OriginKnowledge>& origins() const { return origins_; }

  bool operator==(const Knowledge&) const = default;

 private:
  std::map<Origin, OriginKnowledge> origins_;
};

}  // namespace kvs
