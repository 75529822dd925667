#include "core/knowledge.h"

#include <algorithm>

namespace kvs {

namespace {

/// Moves exceptions that follow on into `upto`, and drops those it has reached.
void fold(OriginKnowledge& known) {
  auto it = known.beyond.begin();
  while (it != known.beyond.end() && *it <= known.upto + 1) {
    known.upto = std::max(known.upto, *it);
    it = known.beyond.erase(it);
  }
}

bool covers_seq(const OriginKnowledge& known, std::uint64_t seq) {
  return seq <= known.upto || known.beyond.contains(seq);
}

}  // namespace

bool Knowledge::covers(Dot dot) const {
  const auto it = origins_.find(dot.origin);
  return it != origins_.end() && covers_seq(it->second, dot.seq);
}

bool Knowledge::add(Dot dot) {
  OriginKnowledge& known = origins_[dot.origin];
  if (covers_seq(known, dot.seq)) {
    return false;
  }
  known.beyond.insert(dot.seq);
  fold(known);
  return true;
}

void Knowledge::set(Origin origin, OriginKnowledge known) {
  fold(known);
  origins_[origin] = std::move(known);
}

void Knowledge::join(const Knowledge& other) {
  for (const auto& [origin, theirs] : other.origins_) {
    OriginKnowledge& mine = origins_[origin];
    mine.upto = std::max(mine.upto, theirs.upto);
    mine.beyond.insert(theirs.beyond.begin(), theirs.beyond.end());
    fold(mine);
  }
}

const OriginKnowledge& Knowledge::of(Origin origin) const {
  static const OriginKnowledge kNothing;
  const auto it = origins_.find(origin);
  return it == origins_.end() ? kNothing : it->second;
}

}  // namespace kvs
