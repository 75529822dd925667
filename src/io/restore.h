// Making a data folder of a backup (io/backup), without a node.
//
// Before anything is written the backup is found to be whole: every file of its note, as long as it
// was, those without checksums of their own with the note's. Then the files are copied, the log is
// checked and replayed, and every record and all state is read and checked, the fingerprint of all
// records too; only then the folder becomes a data folder. Whatever ends it earlier leaves a folder
// that no node starts on and that the same restore goes on with.
//
// The folder becomes a member of its own: it gets a new instance, because copies of one backup may
// live side by side and none is what other members know of the old one, and forgets the list of
// members, because a copy that is tried out elsewhere must not look for the cluster that it came
// from. Origins need no care: a process takes a new one at its first write.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "io/backup_note.h"

namespace kvs {

struct RestoreOrder {
  std::string backup;
  std::string folder;
};

/// What was done, so far or in the end.
struct Restored {
  BackupNote note;
  std::uint64_t bytes_copied = 0;  // by this run
  std::uint64_t files_kept = 0;    // that an interrupted run had copied
  std::uint64_t records = 0;       // live ones, read and checked
  std::uint64_t tombstones = 0;    // likewise
};

struct RestoreWatch {
  /// Called again and again; true ends the work, which can be repeated. May be missing.
  std::function<bool()> interrupted;
  /// Hears of what was done. May be missing.
  std::function<void(const Restored& so_far)> tell;
};

/// Errors: corrupt_data: the backup is damaged or not whole; data_dir_unusable: the folder is in
/// use, not empty, or of another restore; format_too_new; disk_full; io_error, also if interrupted.
Result<Restored> restore_backup(const RestoreOrder& order, const RestoreWatch& watch);

}  // namespace kvs
