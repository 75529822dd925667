#include "core/merge.h"

#include "base/mutant.h"

namespace kvs {

MergeOutcome merge(const Version& mine, const Version& theirs) {
  const bool undecided = !mine.verdict.given() && !theirs.verdict.given();
  if (undecided && mine.stamp == theirs.stamp && mine.uuid != theirs.uuid) {
    return MergeOutcome::tie;
  }
  return (theirs > mine) != KVS_MUTATED(merge_keeps_older) ? MergeOutcome::take
                                                           : MergeOutcome::keep;
}

}  // namespace kvs
