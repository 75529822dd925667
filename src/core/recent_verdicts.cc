#include "core/recent_verdicts.h"

#include <algorithm>
#include <span>

namespace kvs {

namespace {

SettledConflict settled_by(const Now& now, const Ruling& ruling) {
  const Version& winner = ruling.winner.record.header.version;
  SettledConflict settled{.path = ruling.winner.path,
                          .settled = now.wall,
                          .rule = ruling.kind,
                          .winner = winner.uuid,
                          .stamp = winner.stamp,
                          .candidates = {}};
  const std::size_t count = std::min(ruling.candidates.size(), RecentVerdicts::kVersionsKept);
  for (const Ruling::Candidate& candidate : std::span(ruling.candidates).first(count)) {
    settled.candidates.push_back({.uuid = candidate.header.version.uuid, .votes = candidate.votes});
  }
  return settled;
}

}  // namespace

void RecentVerdicts::note(const Now& now, const std::vector<Ruling>& rulings) {
  if (rulings.empty()) {
    return;
  }
  // Of very many at once only the last can stay.
  const std::size_t count = std::min(rulings.size(), kKept);
  for (const Ruling& ruling : std::span(rulings).last(count)) {
    kept_.push_front(settled_by(now, ruling));
  }
  kept_.resize(std::min(kept_.size(), kKept));
  shown_ = std::make_shared<const std::vector<SettledConflict>>(kept_.begin(), kept_.end());
}

}  // namespace kvs
