// One exchange with one peer over all paths, seen from the side that began it: which ranges differ,
// and what becomes of each item in them.
//
// The rule of exchange (docs/consistency.md): an item survives if the other side's K does not cover
// its dot, or the other side holds that very item. One that does not survive was replaced, deleted
// or collected over there. Of two survivors the newer goes to the other side. When all is done,
// each side joins the K that the other had at the start, and drops what did not survive in the same
// batch: before, nothing else would hold off what is older. The peer keeps no state. One request is
// on its way at a time; a session that breaks off has done nothing that it would have to undo.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/effects.h"
#include "core/knowledge.h"
#include "core/range_report.h"
#include "core/replica.h"

namespace kvs {

/// What a session has found and done so far.
struct ReconciliationFigures {
  std::uint64_t round_trips = 0;
  std::uint64_t ranges_compared = 0;
  std::uint64_t live_differences = 0;  // paths whose live records differ
  std::uint64_t records_fetched = 0;
  std::uint64_t records_given = 0;
  std::uint64_t drops_here = 0;   // live records
  std::uint64_t drops_there = 0;  // likewise
  std::uint64_t drops_left = 0;   // items, to the next exchange: too many to be remembered
};

struct ReconciliationLimits {
  /// Live records that one session may find dead before it is doubted, if they are more than one in
  /// a hundred of all.
  std::uint64_t drops_max = 1000;

  /// Dead items that are remembered until the end, of both sides.
  std::size_t dead_max = 250'000;

  std::size_t findings_max = 16'384;  // so many are dealt with before more ranges are compared
  std::size_t message_bytes_max = std::size_t{1} << 20U;
};

class Reconciliation {
 public:
  struct Parts {
    RangeSource source;
    Replica& replica;
    ReconciliationLimits limits = {};
  };

  /// How both sides stood at the start.
  struct Start {
    std::uint64_t peer_run = 0;
    Knowledge mine;
    Knowledge theirs;
    std::uint64_t peer_features = 0;  // as in its row
    /// True if mass drops were counted and found real by both sides before.
    bool drops_confirmed = false;
  };

  Reconciliation(const Parts& parts, Start start);

  /// The next request; nothing once the session is complete. Errors: corrupt_data, naming the path,
  /// if a record here is damaged; io_error; syncing;
  /// overloaded if the exchange would drop too much and must be confirmed first.
  [[nodiscard]] Result<std::optional<PeerRequest>> next();

  /// Takes the answer to the request that next() gave. `answer` stays alive as a command does.
  /// Errors: bad_request for an answer that makes no sense; the peer's refusal; those of next().
  Result<void> answered(const PeerAnswer& answer, const Replica::Terms& terms, Effects& effects);

  /// True once both sides have joined.
  [[nodiscard]] bool complete() const { return complete_; }

  [[nodiscard]] const ReconciliationFigures& figures() const { return figures_; }

 private:
  [[nodiscard]] Result<Compare> next_compare();
  [[nodiscard]] Fetch next_fetch();
  [[nodiscard]] Result<Settle> next_settle();
  [[nodiscard]] Finish next_finish();

  Result<void> take_compared(const Compared& answer);
  Result<void> take_fetched(const Fetched& answer, const Replica::Terms& terms, Effects& effects);
  void take_finished(const Replica::Terms& terms, Effects& effects);

  /// Both sides' items under one path; nullptr where there is none.
  struct Pair {
    const PeerItem* mine = nullptr;
    const PeerItem* theirs = nullptr;
  };

  Result<void> take_range(const KeyRange& range, const PathRange& theirs);
  Result<void> ask_again_from(std::string_view end);
  Result<void> take_difference(const KeyRange& range, const PathRange& theirs);
  void judge_all(const std::vector<PeerItem>& mine, const std::vector<PeerItem>& theirs);
  void judge(const Pair& pair);
  void drop_here(const PeerItem& dead);
  void drop_there(const PeerItem& dead);
  void remember_dead(const PeerItem& dead, std::vector<PeerItem>& side);
  [[nodiscard]] bool drops_too_much() const;

  /// How a range that is open will be asked about.
  enum class Ask : std::uint8_t {
    cheapest,     // by hashes of its items if they are few and the peer reads them, else by
                  // fingerprints of its parts, or by its own if it is not worth cutting
    fingerprint,  // by its own fingerprint
  };

  struct Open {
    std::string end;
    Ask ask = Ask::cheapest;
  };

  /// A range that the Compare on its way speaks of.
  struct AskedRange {
    KeyRange range;
    PathRange::Kind kind = PathRange::Kind::skip;
  };

  Result<void> ask_about(const KeyRange& range, Ask ask, std::vector<PathRange>& out) const;
  Result<void> ask_by_fingerprints(const KeyRange& range, std::vector<PathRange>& out) const;

  /// The request that is on its way.
  enum class Asked : std::uint8_t { nothing, compare, fetch, settle, finish };

  Parts parts_;
  Start start_;
  Asked asked_ = Asked::nothing;
  std::map<std::string, Open> open_;      // ranges yet to compare, by their begin
  std::vector<AskedRange> asked_ranges_;  // of the Compare that is on its way, in order
  std::vector<std::string> wanted_;       // paths to fetch
  std::vector<std::string> fetching_;     // of the Fetch that is on its way, in order
  std::vector<std::string> given_;        // paths to send
  std::vector<PeerItem> dead_here_;
  std::vector<PeerItem> dead_there_;
  std::map<std::string, PeerItem> outlived_here_;   // dead, by path: what is newer takes
  std::map<std::string, PeerItem> outlived_there_;  // their place, if it is there to cross
  std::vector<PeerItem> dropping_here_;             // with the Finish that is on its way
  bool finishing_ = false;
  bool complete_ = false;
  ReconciliationFigures figures_;
};

}  // namespace kvs
