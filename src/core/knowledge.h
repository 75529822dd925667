// K: which writes of which origins the state of this node reflects.
//
// For each origin: every write up to `upto`, plus ranges beyond it. A dot that K covers is stored
// here, or something newer replaced it, or it was deleted and collected. K is written in the same
// batch as the records it covers. Entries are kept in origin order, so iteration is deterministic.
// The form is canonical: equal sets of dots compare equal and hash equal.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/ids.h"

namespace kvs {

/// What is known of one origin. Invariants: ranges are disjoint, do not touch, and begin beyond
/// upto + 1.
struct OriginKnowledge {
  std::uint64_t upto = 0;
  std::map<std::uint64_t, std::uint64_t> beyond;  // first -> last, both included

  [[nodiscard]] bool covers(std::uint64_t seq) const;

  [[nodiscard]] bool empty() const { return upto == 0 && beyond.empty(); }

  /// The largest number covered; 0 if none is.
  [[nodiscard]] std::uint64_t last() const {
    return beyond.empty() ? upto : beyond.rbegin()->second;
  }

  bool operator==(const OriginKnowledge&) const = default;
};

/// Consecutive writes of one origin, both ends included.
struct DotRange {
  Origin origin{};
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  bool operator==(const DotRange&) const = default;
};

class Knowledge {
 public:
  [[nodiscard]] bool covers(Dot dot) const;

  /// True if everything that `other` covers is covered here.
  [[nodiscard]] bool covers(const Knowledge& other) const;

  /// Adds one dot; returns false if it was covered before.
  bool add(Dot dot);

  /// Adds a range; an empty one (first > last) adds nothing.
  void add(const DotRange& range);

  /// Replaces what is known of an origin (used when loading from disk); ranges are brought into
  /// canonical form, empty ones dropped.
  void set(Origin origin, const OriginKnowledge& known);

  /// Adds all that `other` covers.
  void join(const Knowledge& other);

  /// Takes away `dot` and all later writes of its origin.
  void cut_from(Dot dot);

  /// What this covers and `other` does not, in order.
  [[nodiscard]] std::vector<DotRange> minus(const Knowledge& other) const;

  /// The dots that are covered by both.
  [[nodiscard]] Knowledge meet(const Knowledge& other) const;

  /// 64 bits by which peers see whether their K differ.
  [[nodiscard]] std::uint64_t hash() const;

  /// What is known of one origin; empty if it was never heard of.
  [[nodiscard]] const OriginKnowledge& of(Origin origin) const;

  /// Never with an empty entry.
  [[nodiscard]] const std::map<Origin, OriginKnowledge>& origins() const { return origins_; }

  [[nodiscard]] bool empty() const { return origins_.empty(); }

  bool operator==(const Knowledge&) const = default;

 private:
  std::map<Origin, OriginKnowledge> origins_;
};

}  // namespace kvs
