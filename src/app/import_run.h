// An import under way: lines in, calls out over several connections, what became of each line.
//
// Records with versions go as they are, many lines in a POST /import: they merge, in any order. So
// they do as long as the first one has a version and nobody wants new ones; else each line is a
// PUT. A line counts as done when the node has answered it. Of one path only one line is under way
// at a time, in the order of the input, so that the last one stays. What the node refuses for now
// is sent again, after the pause that it names; so is what was under way on a connection that
// broke: the same value again does no harm. Memory is bounded by what is under way.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "app/line_ledger.h"
#include "app/line_source.h"
#include "io/lane_pool.h"
#include "wire/client_calls.h"
#include "wire/record_line.h"

namespace kvs {

struct ImportRunOptions {
  LanePoolOptions pool;
  std::uint64_t first_line = 1;                     // lines before it are passed over
  Duration patience = Duration::from_seconds(120);  // nothing is done for so long: the end
  bool new_versions = false;                        // whether or not the lines have versions
  bool keep_existing = false;  // keys that have a value keep it; the others get new versions
  bool skip_refused = false;   // a line that is refused does not end it
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

  /// A call under way, or to be sent again, with the lines that it stores.
  struct Unit {
    std::vector<std::uint64_t> lines;
    std::string path;  // of a PUT
    std::string body;
    std::int64_t expires_ms = 0;  // of a PUT; 0: never
  };

  enum class Way : std::uint8_t { versions, puts };

  [[nodiscard]] bool at_end() const;

  [[nodiscard]] bool wants_versions() const {
    return !options_.new_versions && !options_.keep_existing;
  }

  Result<void> take_record(RecordLine record, std::string_view line);
  Result<void> choose_way(const RecordLine& record);
  bool give_batch();
  void begin_unit(Unit unit);
  void refuse_unit(CallNumber number, const Error& why);
  void give(Instant now);
  bool give_again();
  bool give_next();
  Result<bool> read_record();
  void send(CallNumber number, const Unit& unit);
  /// The node has answered the unit for good; its lines.
  std::vector<std::uint64_t> forget(CallNumber number);
  void end_lines(CallNumber number);
  void refuse(std::uint64_t line, const Error& why);
  void stop(std::optional<Error> why);
  void reopen(Instant now);
  void keep_patience(Instant now);
  [[nodiscard]] Instant next_look(Instant now) const;
  void wait(Instant now);

  ImportRunOptions options_;
  LineSource& source_;
  Refused refused_;
  RecordLineReader reader_{kKeyBytesMax};
  LineLedger ledger_;
  LanePool pool_;
  ImportOutcome outcome_;

  std::uint64_t last_line_ = 0;                 // that was read
  std::optional<Way> way_;                      // nothing before the first record
  std::optional<RecordLine> held_;              // last_line_, while its path is under way
  Unit batch_;                                  // records with versions, not sent yet
  std::unordered_map<CallNumber, Unit> units_;  // by their first lines
  std::unordered_set<std::string_view> paths_;  // of units_
  std::deque<std::uint64_t> again_;
  std::optional<Error> setback_;  // the latest
  Instant pause_until_{};
  Instant moved_{};  // when a line was done
  bool stopping_ = false;
  Instant drained_by_{};  // while stopping
};

}  // namespace kvs
