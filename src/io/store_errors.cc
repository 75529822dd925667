#include "io/store_errors.h"

#include <string>

#include <fmt/format.h>

namespace kvs {

namespace {

/// True if a write that found no space has certainly left no whole batch in the log.
///
/// RocksDB 7.8 gives a severity to what had stopped it before the write began (db/error_handler.cc)
/// and none to what the write itself met. Of those, an append that fails has cut its batch off, and
/// a log that cannot be opened holds nothing; what else may fail is a sync. env/io_posix.cc and
/// env/fs_posix.cc have the words; any others are taken for a sync's.
bool nothing_written(const rocksdb::Status& no_space) {
  const std::string text = no_space.ToString();
  return no_space.severity() != rocksdb::Status::Severity::kNoError ||
         text.find("While appending to file") != std::string::npos ||
         text.find("While open a file") != std::string::npos;
}

}  // namespace

Error read_error(const rocksdb::Status& status) {
  return {.code = status.IsCorruption() ? Errc::corrupt_data : Errc::io_error,
          .detail = status.ToString()};
}

Error write_error(const rocksdb::Status& status) {
  if (status.IsNoSpace() && nothing_written(status)) {
    return {.code = Errc::disk_full, .detail = "no space left on the device of the data folder"};
  }
  if (status.IsIncomplete()) {
    return {.code = Errc::overloaded, .detail = "the disk cannot follow the writes"};
  }
  if (status.IsCorruption()) {
    return {.code = Errc::corrupt_data,
            .detail =
                fmt::format("a damaged file of the database ends all writes ({}): restore the data "
                            "folder from a backup",
                            status.ToString())};
  }
  return {.code = Errc::io_error, .detail = status.ToString()};
}

}  // namespace kvs
