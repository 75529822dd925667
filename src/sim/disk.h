// The simulated disk with the store upon it: a table, a write-ahead log, and what memory shows.
//
// What a disk promises and no more. A commit goes in three steps (write to the OS, sync, apply),
// and the process may die between any two. Death of the process keeps what the OS has; loss of
// power keeps what was synced and any part of the rest, torn at any byte. After a sync that failed,
// later ones report success and sync nothing, as Linux does. Records and state are stored as
// wire/record_codec encodes them. All randomness comes from one seed; faults() says what goes
// wrong.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "core/effects.h"
#include "core/replica.h"
#include "core/store_view.h"
#include "sim/disk_log.h"

namespace kvs {

/// What goes wrong now. Rates are in a thousand operations.
struct DiskFaults {
  bool full = false;
  std::uint32_t overload_rate = 0;
  std::uint32_t write_error_rate = 0;
  std::uint32_t sync_error_rate = 0;
  std::uint32_t read_error_rate = 0;
  std::uint32_t read_flip_rate = 0;  // the bytes arrive with one bit wrong; the disk's are right
};

/// How durable a commit is when it is done.
enum class Flush : std::uint8_t { os, sync };

/// All that a folder holds.
struct Image {
  std::map<std::string, Result<Record>, std::less<>> records;
  Recovered state;
};

class Disk final : public StoreView {
 public:
  /// Bytes of a snapshot or of the present, by key; state keys begin with a zero byte.
  using Table = std::map<std::string, std::string, std::less<>>;

  explicit Disk(std::uint64_t seed) : prng_(seed) {}

  DiskFaults& faults() { return faults_; }

  // The read side: committed records.

  [[nodiscard]] Result<std::optional<RecordHeader>> find(Key key) const override;

  [[nodiscard]] Result<std::optional<Record>> get_record(Key key) const override {
    return get(key);
  }

  [[nodiscard]] Result<std::vector<ExpiryEntry>> expiries(const ExpiryPlace& after,
                                                          std::size_t max) const override;

  /// The record under `key`, tombstones included. Errors: corrupt_data, io_error.
  [[nodiscard]] Result<std::optional<Record>> get(Key key) const;

  /// The records of this moment. The disk outlives it.
  [[nodiscard]] std::unique_ptr<RecordCursor> cursor() const override;

  /// What is shown now, as bytes; later commits do not show in it.
  [[nodiscard]] std::shared_ptr<const Table> table_shown() const { return shown_; }

  /// Reads what a table holds, through the faults of this moment.
  [[nodiscard]] Result<Record> read(Key key, std::string_view bytes) const;

  /// The same of what a cursor has come to: it would not have, if the disk did not give it.
  [[nodiscard]] Result<Record> read_given(Key key, std::string_view bytes) const;

  /// True if the disk does not give a cursor what it comes to.
  [[nodiscard]] bool stops_cursor() const;

  /// The fault that the last reads met, if any; asking forgets it.
  std::optional<Errc> take_read_fault() { return std::exchange(read_fault_, std::nullopt); }

  // A commit: begin, write, sync where it is asked for, apply. One at a time.

  void begin(const Effects& effects);

  /// Hands the batch to the OS. Errors: disk_full, overloaded: the batch is void, although its
  /// bytes, or some of them, may be found after a restart. io_error: nobody knows.
  Result<void> write();

  /// Makes all that was written safe. Error: io_error; never ask again.
  Result<void> sync();

  /// Shows the batch to readers; it is the commit's end.
  void apply();

  /// Writes what is shown into the table, synced, and empties the log.
  void checkpoint();

  // The process and the machine.

  /// The process dies. A write that is under way may leave a part.
  void kill();

  /// The machine loses power (and the process dies).
  void lose_power();

  /// Starts anew on what is left: repeats the log into the table, synced, and shows it.
  /// Errors: corrupt_data: damage was noticed; disk_full; io_error. Nothing has changed then.
  Result<Recovered> open();

  /// What the running process can see. No faults apply.
  [[nodiscard]] Image image() const;

  /// The part of it that is the node's own.
  [[nodiscard]] Recovered state() const;

  // Damage.

  /// Flips one bit of a sound record that is shown as it is in the table; returns its key.
  /// Nothing: there is none.
  std::optional<std::string> rot_record();

  /// Flips one bit of the log, or of the node's own state in the table. False: there is nothing.
  bool rot_log();
  bool rot_state();

  /// True if an open() must fail: a bit of the log's complete part, or of the state, is flipped.
  [[nodiscard]] bool must_notice() const;

  /// Turns flipped bits of the log and the state back: somebody restored a sound copy.
  void repair();

  // Copies.

  /// What lies on the disk: the table and the log.
  struct Folder {
    Table table;
    std::string log;
  };

  /// A copy of the folder as the OS shows it now, whether a process runs or not.
  [[nodiscard]] Folder copy() const { return {.table = table_, .log = log_.substr(0, log_end_)}; }

  /// Puts another folder in the place of this one; no process may run. An empty one: wiped.
  void replace(Folder folder);

 private:
  /// A flipped bit: of the log, or of the table's value under `key`.
  struct Flip {
    std::string key;  // empty: the log
    std::size_t offset = 0;
    unsigned bit = 0;

    bool operator==(const Flip&) const = default;
  };

  [[nodiscard]] const Table& shown() const { return *shown_; }

  [[nodiscard]] Table& shown_to_change();
  void leave_remains(bool may_be_whole);
  void forget_flips();
  [[nodiscard]] static bool flip_in(std::string& bytes, const Flip& flip);
  Flip random_flip(std::string key, std::size_t size);
  bool rot(std::string& bytes, Flip flip);

  mutable Prng prng_;
  DiskFaults faults_;
  mutable std::optional<Errc> read_fault_;

  // On the disk, or on its way there.
  Table table_;  // synced
  std::string log_;
  std::size_t log_end_ = 0;     // behind the last complete entry: remains of failed writes follow
  std::size_t log_synced_ = 0;  // this much survives loss of power
  bool sync_broken_ = false;
  std::vector<Flip> flips_;

  // In the process.
  std::shared_ptr<Table> shown_ = std::make_shared<Table>();  // cursors share it until it changes
  std::vector<DiskWrite> batch_;
  std::string entry_;  // of the batch that is being committed; empty when it has been written
};

}  // namespace kvs
