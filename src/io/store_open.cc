#include "io/store_open.h"

#include <exception>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "io/os.h"
#include "io/rocks_options.h"

namespace kvs {

namespace {

/// True if the folder holds data, although perhaps no longer a way into it. RocksDB would make a
/// new database over what is left of one whose CURRENT is gone, and delete it.
Result<bool> holds_data(const std::string& folder) {
  std::error_code error;
  std::filesystem::directory_iterator it(folder, error);
  if (error == std::errc::no_such_file_or_directory) {
    return false;
  }
  for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    const std::filesystem::path& path = it->path();
    const bool table = path.extension() == ".sst";
    const bool log = path.extension() == ".log" && it->file_size(error) > 0;
    if (table || log || path.filename() == "CURRENT") {
      return true;
    }
  }
  if (error) {
    return fail(Errc::data_dir_unusable,
                fmt::format("{} cannot be read: {}", folder, error.message()));
  }
  return false;
}

/// Strict where the log is whole; a torn tail is dropped; from a damaged log every batch that is
/// sound is taken.
rocksdb::WALRecoveryMode recovery_mode(WalCheck::State state) {
  switch (state) {
    case WalCheck::State::sound:
      return rocksdb::WALRecoveryMode::kAbsoluteConsistency;
    case WalCheck::State::torn:
      return rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    case WalCheck::State::damaged:
      break;
  }
  return rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
}

/// To replay a log is to write tables, and RocksDB 7.8 may abort where it meets the end of the disk
/// meanwhile.
Result<void> check_space(const DataFolder& folder, const WalCheck& check) {
  constexpr std::uint64_t kStartMarginBytes = 8ULL << 20U;
  const std::uint64_t needed = check.bytes + kStartMarginBytes;
  const std::uint64_t free = folder.free_bytes();
  if (free < needed) {
    return fail(
        Errc::disk_full,
        fmt::format("the disk of data folder {} has {} MiB of free space, {} MiB are needed "
                    "to start: free some, then start again",
                    folder.path(), free >> 20U, (needed >> 20U) + 1));
  }
  return {};
}

Error open_error(const DataFolder& folder, const rocksdb::Status& status) {
  const std::string& path = folder.path();
  if (status.IsNoSpace()) {
    return {.code = Errc::disk_full,
            .detail = fmt::format(
                "no space left in data folder {}: free at least {} MiB, then start again", path,
                4 * kWriteBufferBytes >> 20U)};
  }
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsNotFound() ||
      status.IsPathNotFound()) {
    return {.code = Errc::corrupt_data,
            .detail = fmt::format(
                "the database in {} is damaged ({}): restore the folder from a backup, or "
                "move it away and start with an empty one; nothing was deleted",
                path, status.ToString())};
  }
  return {
      .code = Errc::io_error,
      .detail = fmt::format("the database in {} cannot be opened: {}", path, status.ToString())};
}

Result<std::unique_ptr<rocksdb::DB>> open_rocksdb(const DataFolder& folder,
                                                  const rocksdb::Options& options) {
  try {
    rocksdb::DB* database = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(options, folder.database_path(), &database);
    if (!status.ok()) {
      return std::unexpected(open_error(folder, status));
    }
    return std::unique_ptr<rocksdb::DB>(database);
  } catch (const std::exception& error) {
    return fail(Errc::io_error, fmt::format("the database in {} cannot be opened: {}",
                                            folder.path(), error.what()));
  }
}

/// The number of the first log that the database still needs; all before it are in tables. Nothing
/// if the database cannot tell. Changes nothing.
std::optional<std::uint64_t> first_log_needed(const DataFolder& folder) {
  rocksdb::Options options = rocks_options(0);
  options.wal_dir = folder.path();  // where there are none: no log is replayed
  try {
    rocksdb::DB* opened = nullptr;
    if (!rocksdb::DB::OpenForReadOnly(options, folder.database_path(), &opened).ok()) {
      return std::nullopt;
    }
    const std::unique_ptr<rocksdb::DB> database(opened);
    std::uint64_t number = 0;
    const bool known =
        database->GetIntProperty(rocksdb::DB::Properties::kMinLogNumberToKeep, &number);
    return known ? std::optional(number) : std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

/// RocksDB removes the logs that it needs no more newest first, so a kill meanwhile leaves an old
/// one and a gap after it: what looks like damage is looked at again without those.
Result<WalCheck> check_logs(const DataFolder& folder) {
  WalCheck check = KVS_TRY(check_wals(folder.database_path()));
  if (check.state != WalCheck::State::damaged) {
    return check;
  }
  const auto first = first_log_needed(folder);
  return first ? check_wals(folder.database_path(), *first) : check;
}

Result<OpenedDatabase> open_database(DataFolder& folder, std::uint64_t block_cache_bytes) {
  const WalCheck check = KVS_TRY(check_logs(folder));
  KVS_TRY(check_space(folder, check));
  OpenReport report{.created = folder.created(),
                    .torn_tail = check.state == WalCheck::State::torn,
                    .knowledge_emptied = false,
                    .damage = check.what,
                    .damaged_copy = "",
                    .operations_lost = check.lost};
  if (check.state == WalCheck::State::damaged) {
    report.damaged_copy = KVS_TRY(folder.keep_logs(wall_now()));
  }
  rocksdb::Options options = rocks_options(block_cache_bytes);
  options.create_if_missing = !KVS_TRY(holds_data(folder.database_path()));
  options.wal_recovery_mode = recovery_mode(check.state);
  auto database = KVS_TRY(open_rocksdb(folder, options));
  if (options.create_if_missing) {
    KVS_TRY(folder.sync());
  }
  return OpenedDatabase{.database = std::move(database), .report = std::move(report)};
}

}  // namespace kvs
