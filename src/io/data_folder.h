// The folder that holds a node's data: made, recognised, locked for one process.
//
//   DIR/FORMAT   the version of the layout, one line of text
//   DIR/LOCK     locked (flock) while a node runs; holds its process id
//   DIR/db/      RocksDB
//   DIR/damaged-<unix ms>/   copies of logs that could not be read whole; never deleted by KVS
//   DIR/DAMAGED  there from the moment damage was found until K was emptied because of it
//   DIR/RESTORING  there while a backup is put into the folder, which has no FORMAT then
//
// Nothing in a folder is changed before it is known to be ours, of a known format and not in use.
// docs/storage.md is normative.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "io/descriptor.h"

namespace kvs {

/// A locked data folder. The lock goes with the object.
class DataFolder {
 public:
  /// Makes the folder if it is absent (its parent must be there), and locks it.
  /// Errors: data_dir_unusable (no rights, held by another process, not ours), format_too_new.
  static Result<DataFolder> open(const std::string& path);

  /// Takes a folder to put a backup into: an absent or empty one, or one in which putting the same
  /// backup was interrupted. No node runs on it before end_restore(). `backup` names the backup.
  /// Errors: data_dir_unusable.
  static Result<DataFolder> open_to_restore(const std::string& path, const std::string& backup);

  /// True if restore_copied() was called since the folder was empty.
  [[nodiscard]] Result<bool> is_copied() const;

  /// True if end_restore() was interrupted at its very end: it is a data folder already.
  [[nodiscard]] bool is_restored() const;

  /// All files of the backup are here, durably: they are the folder's own from now on.
  Result<void> restore_copied(const std::string& backup);

  /// The folder is a data folder from now on.
  Result<void> end_restore();

  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] std::string database_path() const { return path_ + "/db"; }

  /// True if this call of open() made the folder's content.
  [[nodiscard]] bool created() const { return created_; }

  /// Makes the names in the folder durable, and the folder's own in its parent.
  [[nodiscard]] Result<void> sync() const;

  /// Bytes that a process without privileges may still write here; the largest number if the
  /// system does not tell.
  [[nodiscard]] std::uint64_t free_bytes() const;

  /// Keeps the logs in the database folder as DIR/damaged-<now>/ and marks the folder as damaged,
  /// durably. Links where the file system can, else copies; nothing new if an earlier start has
  /// kept the same logs. Returns the folder's path.
  /// Errors: disk_full, io_error.
  Result<std::string> keep_logs(WallTime now);

  /// True from keep_logs() until forget_damage(), across restarts.
  [[nodiscard]] bool marked_damaged() const;

  /// Errors: io_error.
  Result<void> forget_damage();

 private:
  DataFolder(std::string path, Descriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  Result<void> initialise();

  std::string path_;
  Descriptor lock_;
  bool created_ = false;
};

}  // namespace kvs
