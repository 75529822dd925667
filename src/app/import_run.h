// An import under way: lines in, PUTs out over several connections, and what became of each line.
//
// A line counts as done when the node has answered it. Of one path only one line is under way at a
// time, in the order of the input, so that the last one stays. What the node refuses for now is
// sent again, after the pause that it names; so is what was under way on a connection that broke:
// the same value again does no harm. Memory is bounded by what is under way.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "app/line_ledger.h"
#include "app/line_source.h"
#include "app/listed_json.h"
#include "io/lane_pool.h"

namespace kvs {

struct ImportRunOptions {
  LanePoolOptions pool;
  std::uint64_t first_line = 1;                     // lines before it are passed over
  Duration patience = Duration::from_seconds(120);  // nothing is done for so long: the end
  bool keep_existing = false;                       // keys that have a value keep it
  bool skip_refused = false;                        // a line that is refused does not end it
};

/// What was done.
struct ImportOutcome {
  std::uint64_t written = 0;
  std::uint64_t kept = 0;        // with keep_existing: keys that had a value
  std::uint64_t refused = 0;     // lines that are wrong
  std::uint64_t next_line = 1;   // every line before it is done
  std::optional<Error> failure;  // why it did not come to its end; nothing also if interrupted
  bool complete = false;
};

class ImportRun final : private LaneOwner {
 public:
  /// Hears of a line that was refused.
  using Refused = std::function<void(std::uint64_t line, const Error& why)>;
  /// Called again and again while it runs.
  using Tell = std::function<void(const ImportOutcome& so_far)>;

  /// `source` outlives the run, and so does the interrupt of the pool, which ends it.
  ImportRun(ImportRunOptions options, LineSource& source, Refused refused);

  /// Once.
  ImportOutcome run(const Tell& tell);

 private:
  // LaneOwner
  void answered(CallNumber number, const Answer& answer, Instant asked) override;
  void lost(CallNumber number, const Error& why) override;

  [[nodiscard]] bool at_end() const;
  void give(Instant now);
  bool give_again();
  bool give_next();
  Result<bool> read_record();
  void send(std::uint64_t line, const ImportedRecord& record);
  /// The node has answered the line for good.
  void forget(CallNumber line);
  void refuse(std::uint64_t line, const Error& why);
  void stop(std::optional<Error> why);
  void reopen(Instant now);
  void keep_patience(Instant now);
  [[nodiscard]] Instant next_look(Instant now) const;
  void wait(Instant now);

  ImportRunOptions options_;
  LineSource& source_;
  Refused refused_;
  ImportLineReader reader_;
  LineLedger ledger_;
  LanePool pool_;
  ImportOutcome outcome_;

  std::uint64_t last_line_ = 0;         // that was read
  std::optional<ImportedRecord> held_;  // last_line_, while its path is under way
  std::unordered_map<std::uint64_t, ImportedRecord> records_;  // under way, or to be sent again
  std::unordered_set<std::string_view> paths_;                 // of records_
  std::deque<std::uint64_t> again_;
  std::optional<Error> setback_;  // the latest
  Instant pause_until_{};
  Instant moved_{};  // when a line was done
  bool stopping_ = false;
  Instant drained_by_{};  // while stopping
};

}  // namespace kvs
