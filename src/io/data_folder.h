// The folder that holds a node's data: made, recognised, locked for one process.
//
//   DIR/FORMAT   the version of the layout, one line of text
//   DIR/LOCK     locked (flock) while a node runs; holds its process id
//   DIR/db/      RocksDB
//   DIR/damaged-<unix ms>/   copies of files that could not be read whole; never deleted by KVS
//
// Nothing in a folder is changed before it is known to be ours, of a known format and not in use.
// docs/storage.md is normative.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"

namespace kvs {

/// A locked data folder. The lock goes with the object.
class DataFolder {
 public:
  /// Makes the folder if it is absent (its parent must be there), and locks it.
  /// Errors: data_dir_unusable (no rights, held by another process, not ours), format_too_new.
  static Result<DataFolder> open(const std::string& path);

  DataFolder(DataFolder&& other) noexcept
      : path_(std::move(other.path_)),
        lock_(std::exchange(other.lock_, -1)),
        created_(other.created_) {}

  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;
  DataFolder& operator=(DataFolder&&) = delete;
  ~DataFolder();

  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] std::string database_path() const { return path_ + "/db"; }

  /// True if this call of open() made the folder's content.
  [[nodiscard]] bool created() const { return created_; }

 private:
  DataFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  Result<void> initialise();

  std::string path_;
  int lock_;
  bool created_ = false;
};

}  // namespace kvs
