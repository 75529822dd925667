// Counting the votes of a ballot: which of several versions with equal stamps stays. Pure.
//
// A candidate is a version with the tied stamp and no verdict, told from others by its uuid. Most
// votes win; equal votes go to the candidate that the oldest voter holds. Five members, by age:
//
//        oldest                            youngest
//          n1      n2      n3      n4      n5
//          B       A       A       B       -         A 2, B 2: n1 is older than n2, B stays
//          B       A       A       A       B         A 3, B 2: the majority, A stays
//          C       A       A       B       B         A 2, B 2: of these n2 is the oldest, A stays
//          B       A!      A       A       A         A! has a verdict: no vote, A! stays
//          B       A       A       A+      A         A+ is newer: no vote, A+ stays
//
// Who holds nothing (-) or an older version has no vote. The winner does not depend on the order in
// which the votes come in. The verdict says how strong the ballot was, so that two ballots that
// disagreed need no third: the larger Version wins (core/record).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "core/record.h"

namespace kvs {

/// Who votes. `node_id` belongs to whoever makes the voter.
struct Voter {
  Instance instance{};
  std::int64_t joined_ms = 0;
  std::string_view node_id;
};

/// True if `a` is the elder of the two: it joined first; of equals the smaller id, then the smaller
/// instance, so that two different voters are never equally old.
[[nodiscard]] bool older(const Voter& a, const Voter& b);

struct Vote {
  Voter voter;
  std::optional<RecordHeader> held;  // what the voter holds under the path; nothing: no record
};

/// A candidate, or a version that ends the ballot, and who holds it.
struct Standing {
  RecordHeader header;
  std::vector<Instance> holders;  // the oldest first
};

enum class Rule : std::uint8_t {
  majority,  // more votes than any other
  oldest,    // equal votes, and the oldest voter among them
};

/// What the votes say.
struct Tally {
  std::optional<Standing> found;    // the largest version that was decided or newer: take it
  std::vector<Standing> standings;  // the candidates, the winner first; none if nobody voted
  Verdict base;                     // of the whole ballot, votes left at 0

  /// Which rule put this standing before those behind it.
  [[nodiscard]] Rule rule_of(std::size_t place) const;

  /// The verdict that a candidate gets.
  [[nodiscard]] Verdict verdict_for(std::size_t place) const;
};

/// True for a version that ends a ballot about `tied`: it is newer, or has a verdict.
[[nodiscard]] bool is_decisive(const Version& version, Stamp tied);

/// True for a version that a ballot about `tied` may choose.
[[nodiscard]] bool is_candidate(const Version& version, Stamp tied);

/// Counts. `tied` is the stamp that the candidates share; each voter stands in `votes` once.
[[nodiscard]] Tally count_votes(Stamp tied, std::span<const Vote> votes);

}  // namespace kvs
