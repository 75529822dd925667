// The one door for records: every record that enters the store passes here, whoever sent it.
//
// The replica owns K, the clock and the writes in flight. A client's write gets a stamp and a dot;
// whatever comes is merged against what is held; what wins is written together with the K that
// covers it. No other room appends to effects.writes.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "core/command.h"
#include "core/effects.h"
#include "core/knowledge.h"
#include "core/pending.h"
#include "core/stamper.h"
#include "core/store_view.h"

namespace kvs {

/// What a data folder tells of the run before.
struct Recovered {
  Knowledge knowledge;
  Stamp clock_reserve;
  std::optional<Identity> identity;  // nothing: a new folder
  std::optional<Fingerprint> root;   // of all records, as last stored
};

struct ReplicaStats {
  std::uint64_t records_written = 0;
  std::uint64_t origins_taken = 0;
  std::uint64_t damaged_replaced = 0;
};

class Replica {
 public:
  /// `store` and `prng` outlive the replica.
  Replica(const Recovered& recovered, const StoreView& store, Prng& prng);

  /// A client's write that the mode lets pass: checks its condition, stamps it, writes it, answers
  /// it.
  void write(WallTime wall, const WriteCommand& command, Effects& effects);

  /// Ends the open batch: adds the K and the clock reserve that its writes need. Call once a batch,
  /// last.
  void close_batch(Effects& effects);

  /// The oldest closed batch is durable.
  void committed();

  /// The oldest closed batch failed. All that was decided since is void; the dots given are never
  /// used again, because some of them may reach the disk after all.
  void commit_failed();

  [[nodiscard]] const Knowledge& knowledge() const { return knowledge_; }

  [[nodiscard]] Stamp last_stamp() const { return stamper_.last(); }

  [[nodiscard]] const ReplicaStats& stats() const { return stats_; }

 private:
  /// What is held under a key, newest first: pending, then stored.
  Result<std::optional<RecordHeader>> held(Key key) const;
  WriteStatus decide(const WriteCommand& command, Effects& effects);
  WriteOutcome accept(WallTime wall, const WriteCommand& command, WriteStatus status,
                      Effects& effects);
  Dot next_dot(Effects& effects);
  void store_record(Key key, const RecordView& record, Effects& effects);

  const StoreView& store_;
  Prng& prng_;
  Stamper stamper_;
  std::optional<Origin> origin_;  // taken at the first write
  Knowledge knowledge_;           // covers what is pending too
  Knowledge durable_;             // what the disk has, to return to when a batch fails
  std::set<Origin> changed_;      // origins whose knowledge the open batch changed
  std::deque<std::vector<KnowledgeWrite>> closed_;  // what each closed batch adds to durable_
  Pending pending_;
  ReplicaStats stats_;
};

}  // namespace kvs
