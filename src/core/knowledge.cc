#include "core/knowledge.h"

#include <algorithm>
#include <iterator>
#include <string>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"

namespace kvs {

namespace {

using Ranges = std::map<std::uint64_t, std::uint64_t>;

/// True if a range that ends at `last` overlaps one that begins at `first`, or touches it.
bool reaches(std::uint64_t last, std::uint64_t first) {
  return last >= first || last + 1 == first;
}

/// Moves ranges that follow on into `upto`, and drops those it has reached.
void fold(OriginKnowledge& known) {
  auto it = known.beyond.begin();
  while (it != known.beyond.end() && reaches(known.upto, it->first)) {
    known.upto = std::max(known.upto, it->second);
    it = known.beyond.erase(it);
  }
}

void add_range(Ranges& ranges, std::uint64_t first, std::uint64_t last) {
  auto it = ranges.upper_bound(first);
  if (it != ranges.begin() && reaches(std::prev(it)->second, first)) {
    --it;
    first = it->first;
  }
  while (it != ranges.end() && reaches(last, it->first)) {
    last = std::max(last, it->second);
    it = ranges.erase(it);
  }
  ranges.emplace_hint(it, first, last);
}

void add_range(OriginKnowledge& known, std::uint64_t first, std::uint64_t last) {
  if (reaches(known.upto, first)) {
    known.upto = std::max(known.upto, last);
  } else {
    add_range(known.beyond, first, last);
  }
  fold(known);
}

/// All ranges, the one from 1 to upto among them.
std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges_of(const OriginKnowledge& known) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
  if (known.upto > 0) {
    all.emplace_back(1, known.upto);
  }
  all.insert(all.end(), known.beyond.begin(), known.beyond.end());
  return all;
}

/// As subtract() where `upto` is all that is taken away: most K have no gaps.
void subtract_begin(Origin origin, const OriginKnowledge& from, std::uint64_t upto,
                    std::vector<DotRange>& out) {
  if (from.upto > upto) {
    out.push_back({.origin = origin, .first = upto + 1, .last = from.upto});
  }
  for (const auto& [first, last] : from.beyond) {
    if (last > upto) {
      out.push_back({.origin = origin, .first = std::max(first, upto + 1), .last = last});
    }
  }
}

/// What is left of `from` after taking `holes` away, in order.
void subtract(Origin origin, const OriginKnowledge& from, const OriginKnowledge& holes,
              std::vector<DotRange>& out) {
  if (holes.beyond.empty()) {
    return subtract_begin(origin, from, holes.upto, out);
  }
  const auto taken = ranges_of(holes);
  auto hole = taken.begin();
  for (auto [first, last] : ranges_of(from)) {
    while (hole != taken.end() && hole->second < first) {
      ++hole;
    }
    for (auto at = hole; at != taken.end() && at->first <= last && first <= last; ++at) {
      if (first < at->first) {
        out.push_back({.origin = origin, .first = first, .last = at->first - 1});
      }
      if (at->second >= last) {
        first = last;
        last = first - 1;  // nothing is left
      } else {
        first = at->second + 1;
      }
    }
    if (first <= last) {
      out.push_back({.origin = origin, .first = first, .last = last});
    }
  }
}

}  // namespace

bool OriginKnowledge::covers(std::uint64_t seq) const {
  if (seq <= upto) {
    return true;
  }
  const auto it = beyond.upper_bound(seq);
  return it != beyond.begin() && std::prev(it)->second >= seq;
}

bool Knowledge::covers(Dot dot) const {
  const auto it = origins_.find(dot.origin);
  return it != origins_.end() && it->second.covers(dot.seq);
}

bool Knowledge::covers(const Knowledge& other) const {
  return std::ranges::all_of(other.origins_, [&](const auto& entry) {
    std::vector<DotRange> missing;
    subtract(entry.first, entry.second, of(entry.first), missing);
    return missing.empty();
  });
}

bool Knowledge::add(Dot dot) {
  OriginKnowledge& known = origins_[dot.origin];
  if (known.covers(dot.seq)) {
    return false;
  }
  add_range(known, dot.seq, dot.seq);
  return true;
}

void Knowledge::add(const DotRange& range) {
  if (range.first <= range.last) {
    add_range(origins_[range.origin], range.first, range.last);
  }
}

void Knowledge::set(Origin origin, const OriginKnowledge& known) {
  OriginKnowledge canonical{.upto = known.upto, .beyond = {}};
  for (const auto& [first, last] : known.beyond) {
    if (first <= last) {
      add_range(canonical, first, last);
    }
  }
  if (canonical.empty()) {
    origins_.erase(origin);
  } else {
    origins_[origin] = std::move(canonical);
  }
}

void Knowledge::join(const Knowledge& other) {
  for (const auto& [origin, theirs] : other.origins_) {
    OriginKnowledge& mine = origins_[origin];
    mine.upto = std::max(mine.upto, theirs.upto);
    fold(mine);
    for (const auto& [first, last] : theirs.beyond) {
      add_range(mine, first, last);
    }
  }
}

void Knowledge::cut_from(Dot dot) {
  const auto it = origins_.find(dot.origin);
  if (it == origins_.end()) {
    return;
  }
  OriginKnowledge& known = it->second;
  known.upto = std::min(known.upto, dot.seq - 1);
  known.beyond.erase(known.beyond.lower_bound(dot.seq), known.beyond.end());
  if (!known.beyond.empty()) {
    std::uint64_t& last = known.beyond.rbegin()->second;
    last = std::min(last, dot.seq - 1);
  }
  if (known.empty()) {
    origins_.erase(it);
  }
}

std::vector<DotRange> Knowledge::minus(const Knowledge& other) const {
  std::vector<DotRange> missing;
  for (const auto& [origin, known] : origins_) {
    subtract(origin, known, other.of(origin), missing);
  }
  return missing;
}

Knowledge Knowledge::meet(const Knowledge& other) const {
  // What is here and there is what is here without what is only here.
  Knowledge only_here;
  for (const DotRange& range : minus(other)) {
    only_here.add(range);
  }
  Knowledge both;
  for (const DotRange& range : minus(only_here)) {
    both.add(range);
  }
  return both;
}

std::uint64_t Knowledge::hash() const {
  std::string bytes;
  bytes.reserve(origins_.size() * 3 * sizeof(std::uint64_t));
  for (const auto& [origin, known] : origins_) {
    put_le(bytes, static_cast<std::uint64_t>(origin));
    put_le(bytes, known.upto);
    put_le(bytes, static_cast<std::uint64_t>(known.beyond.size()));
    for (const auto& [first, last] : known.beyond) {
      put_le(bytes, first);
      put_le(bytes, last);
    }
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

const OriginKnowledge& Knowledge::of(Origin origin) const {
  static const OriginKnowledge kNothing;
  const auto it = origins_.find(origin);
  return it == origins_.end() ? kNothing : it->second;
}

}  // namespace kvs
