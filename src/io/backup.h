// Taking a backup of a store while it is written to.
//
//   FOLDER/NAME/BACKUP   the note (io/backup_note), written last
//   FOLDER/NAME/db/      a checkpoint of RocksDB: tables are hard links, the logs copies
//
// A backup is to its node as a `kill -9` at that moment: every commit that had ended before it was
// begun is in it. It is made under a hidden name and gets its own when it is whole and durable, so
// whatever ends the making, nothing half made looks like a backup. io/restore makes a data folder
// of one. docs/storage.md is normative.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "io/backup_note.h"
#include "io/store.h"

namespace kvs {

inline constexpr const char* kBackupNoteName = "BACKUP";

struct BackupOrder {
  std::string folder;  // of all backups; made if absent, its parent must be there
  std::string name;    // see core/backup_name
  std::string node_id;
  WallTime now;
};

struct Backup {
  std::string path;
  BackupNote note;
};

/// Takes a backup; takes as long as syncing the logs. Any thread, one at a time for each folder of
/// a process. What an earlier process left half made in the folder is removed.
/// Errors: id_in_use: there is such a backup, which stays as it is; disk_full; corrupt_data: the
/// data folder is damaged; invalid_config: the folder cannot be used; io_error. Nothing is left.
Result<Backup> take_backup(const Store& store, const BackupOrder& order);

}  // namespace kvs
