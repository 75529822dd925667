// The note in a backup, BACKUP: whose it is, of when, and every file of it. Pure.
//
// It is written last, and says of each file how long it is, of all but the tables also their
// checksum (tables have checksums of their own), so that a copy of a backup that was cut off is
// never taken for a whole one: a log that is cut off at its end would look like one that a crash
// left. docs/storage.md is normative.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace kvs {

/// A file of the database folder of a backup.
struct BackupFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::optional<std::uint32_t> crc32c;  // nothing: a table

  bool operator==(const BackupFile&) const = default;
};

struct BackupNote {
  Uuid id;              // tells this backup from every other
  WallTime taken;       // the node's clock as it was begun
  std::string node_id;  // whose it is
  std::string version;  // of the program
  std::vector<BackupFile> files;

  [[nodiscard]] std::uint64_t bytes() const;

  bool operator==(const BackupNote&) const = default;
};

/// True if a file of that name has checksums of its own.
[[nodiscard]] bool is_table(std::string_view name);

/// The text of a note. Names of files have neither blanks nor slashes.
[[nodiscard]] std::string format_backup_note(const BackupNote& note);

/// Errors: format_too_new; corrupt_data if it is no note, or not a whole one.
[[nodiscard]] Result<BackupNote> parse_backup_note(std::string_view text);

}  // namespace kvs
