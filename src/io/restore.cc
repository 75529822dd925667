#include "io/restore.h"

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fingerprint.h"
#include "io/backup.h"
#include "io/data_folder.h"
#include "io/descriptor.h"
#include "io/file.h"
#include "io/os.h"
#include "io/slices.h"
#include "io/store_cursor.h"
#include "io/store_errors.h"
#include "io/store_open.h"
#include "wire/record_codec.h"
#include "wire/store_keys.h"

namespace kvs {

namespace {

constexpr std::size_t kPartBytes = std::size_t{1} << 20U;
constexpr std::size_t kNoteBytesMax = std::size_t{64} << 20U;
constexpr std::uint64_t kBlockCacheBytes = 8ULL << 20U;
constexpr std::uint64_t kSpareBytes = 64ULL << 20U;  // for what replaying the log writes
constexpr std::uint64_t kRecordsBetweenLooks = 128;
constexpr mode_t kFolderMode = 0750;
constexpr mode_t kFileMode = 0640;

std::unexpected<Error> failed_with(int error, std::string_view what) {
  return fail(error == ENOSPC || error == EDQUOT ? Errc::disk_full : Errc::io_error,
              fmt::format("{}: {}", what, std::generic_category().message(error)));
}

/// The size of a file; nothing if there is none.
std::optional<std::uint64_t> size_of(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)
             ? std::optional(static_cast<std::uint64_t>(status.st_size))
             : std::nullopt;
}

class Restore {
 public:
  Restore(const RestoreOrder& order, const RestoreWatch& watch) : order_(order), watch_(watch) {}

  Result<Restored> run() {
    restored_.note = KVS_TRY(read_note());
    const std::string id = to_string(restored_.note.id);
    KVS_TRY(check_files());
    DataFolder folder = KVS_TRY(DataFolder::open_to_restore(order_.folder, id));
    if (!KVS_TRY(folder.is_copied())) {
      KVS_TRY(copy_files(folder));
      KVS_TRY(folder.restore_copied(id));
    }
    KVS_TRY(check_data(folder));
    KVS_TRY(folder.end_restore());
    return restored_;
  }

 private:
  [[nodiscard]] std::unexpected<Error> damaged(const std::string& what) const {
    return fail(Errc::corrupt_data, fmt::format("{} cannot be restored: {}", order_.backup, what));
  }

  [[nodiscard]] Result<void> go_on() const {
    if (watch_.tell) {
      watch_.tell(restored_);
    }
    if (watch_.interrupted && watch_.interrupted()) {
      return fail(Errc::io_error, "interrupted");
    }
    return {};
  }

  [[nodiscard]] Result<BackupNote> read_note() const {
    const std::string path = order_.backup + '/' + kBackupNoteName;
    if (!size_of(path)) {
      return fail(Errc::data_dir_unusable,
                  fmt::format("{} is no backup that kvs backup has made: it has no file {}",
                              order_.backup, kBackupNoteName));
    }
    auto note = parse_backup_note(KVS_TRY(read_file(path, kNoteBytesMax)));
    if (!note) {
      return fail(note.error().code, fmt::format("{}: {}", order_.backup, note.error().detail));
    }
    return note;
  }

  [[nodiscard]] std::string source(const BackupFile& file) const {
    return fmt::format("{}/db/{}", order_.backup, file.name);
  }

  /// All files of the note are there as they were.
  Result<void> check_files() {
    for (const BackupFile& file : restored_.note.files) {
      const std::string path = source(file);
      const auto size = size_of(path);
      if (size != file.bytes) {
        return damaged(size ? fmt::format("{} has {} bytes, it had {}", path, *size, file.bytes)
                            : path + " is missing");
      }
      if (file.crc32c) {
        KVS_TRY(check_sum(file, path));
      }
    }
    return {};
  }

  Result<void> check_sum(const BackupFile& file, const std::string& path) {
    const Descriptor from(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from.open()) {
      return failed_with(errno, path + " cannot be read");
    }
    std::uint32_t crc = 0;
    while (const std::size_t got = KVS_TRY(read_part(from, path))) {
      crc = crc32c({part_.data(), got}, crc);
      KVS_TRY(go_on());
    }
    return crc == file.crc32c ? Result<void>()
                              : damaged(path + " is damaged: its checksum differs");
  }

  Result<std::size_t> read_part(const Descriptor& from, const std::string& path) {
    const ssize_t got = ::read(from.number(), part_.data(), part_.size());
    if (got < 0) {
      return failed_with(errno, path + " cannot be read");
    }
    return static_cast<std::size_t>(got);
  }

  Result<void> copy_files(const DataFolder& folder) {
    const std::string target = folder.database_path();
    const std::uint64_t needed = restored_.note.bytes() - bytes_there(target) + kSpareBytes;
    if (folder.free_bytes() < needed) {
      return fail(Errc::disk_full,
                  fmt::format("{} MiB are needed on the disk of {}, {} MiB are free",
                              (needed >> 20U) + 1, order_.folder, folder.free_bytes() >> 20U));
    }
    if (::mkdir(target.c_str(), kFolderMode) != 0 && errno != EEXIST) {
      return failed_with(errno, target + " cannot be made");
    }
    for (const BackupFile& file : restored_.note.files) {
      const std::string path = fmt::format("{}/{}", target, file.name);
      // It got its name when it was whole and durable.
      if (size_of(path) == file.bytes) {
        ++restored_.files_kept;
      } else {
        KVS_TRY(copy_file(source(file), path));
      }
    }
    const Descriptor directory(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.open() || ::fsync(directory.number()) != 0) {
      return failed_with(errno, target + " cannot be synced");
    }
    return {};
  }

  /// Of the files that are copied already.
  [[nodiscard]] std::uint64_t bytes_there(const std::string& target) const {
    std::uint64_t bytes = 0;
    for (const BackupFile& file : restored_.note.files) {
      bytes += size_of(fmt::format("{}/{}", target, file.name)) == file.bytes ? file.bytes : 0;
    }
    return bytes;
  }

  Result<void> copy_file(const std::string& from_path, const std::string& to_path) {
    const std::string draft = to_path + ".part";
    const Descriptor from(::open(from_path.c_str(), O_RDONLY | O_CLOEXEC));
    const Descriptor to(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
    if (!from.open() || !to.open()) {
      return failed_with(errno, fmt::format("{} cannot be copied to {}", from_path, draft));
    }
    while (const std::size_t got = KVS_TRY(read_part(from, from_path))) {
      for (std::size_t done = 0; done < got;) {
        const ssize_t wrote = ::write(to.number(), part_.data() + done, got - done);
        if (wrote < 0) {
          return failed_with(errno, draft + " cannot be written");
        }
        done += static_cast<std::size_t>(wrote);
      }
      restored_.bytes_copied += got;
      KVS_TRY(go_on());
    }
    if (::fsync(to.number()) != 0 || ::rename(draft.c_str(), to_path.c_str()) != 0) {
      return failed_with(errno, to_path + " cannot be made durable");
    }
    return {};
  }

  /// The log, every record, all state; then the folder gets an identity of its own.
  Result<void> check_data(DataFolder& folder) {
    const WalCheck log = KVS_TRY(check_logs(folder));
    if (log.state == WalCheck::State::damaged) {
      return damaged(log.what);
    }
    const OpenedDatabase opened = KVS_TRY(open_database(folder, kBlockCacheBytes));
    rocksdb::DB& database = *opened.database;
    KVS_TRY(check_records(database));
    KVS_TRY(check_knowledge(database));
    if (!folder.is_restored()) {
      KVS_TRY(become_another(database));
    }
    const rocksdb::Status closed = opened.database->Close();
    return closed.ok() ? Result<void>() : std::unexpected(write_error(closed));
  }

  Result<void> check_records(rocksdb::DB& database) {
    Fingerprint root;
    StoreCursor cursor(database, StoreCursor::Keeps::nothing);
    for (cursor.seek({}); cursor.valid(); cursor.next()) {
      const auto record = cursor.record();
      if (!record) {
        return damaged(fmt::format("the record under {} is damaged", cursor.key().text()));
      }
      root.add(fingerprint_of(cursor.key().text(), record->header));
      ++(record->header.live() ? restored_.records : restored_.tombstones);
      if ((restored_.records + restored_.tombstones) % kRecordsBetweenLooks == 0) {
        KVS_TRY(go_on());
      }
    }
    if (const auto read = cursor.status(); !read) {
      return damaged(read.error().detail);
    }
    const auto stored = KVS_TRY(read_state(database, kRootKey));
    const auto kept = stored ? decode_fingerprint(*stored) : Result<Fingerprint>(kUncounted);
    const bool as_kept = kept && (*kept == kUncounted || *kept == root);
    return as_kept ? Result<void>()
                   : damaged("its records are not those that were counted as they were written");
  }

  [[nodiscard]] Result<std::optional<std::string>> read_state(rocksdb::DB& database,
                                                              std::string_view key) const {
    std::string value;
    const rocksdb::Status status = database.Get(rocksdb::ReadOptions(), slice(key), &value);
    if (status.IsNotFound()) {
      return std::nullopt;
    }
    if (!status.ok()) {
      return damaged(status.ToString());
    }
    return value;
  }

  [[nodiscard]] Result<void> check_knowledge(rocksdb::DB& database) const {
    const std::unique_ptr<rocksdb::Iterator> it(database.NewIterator(rocksdb::ReadOptions()));
    for (it->Seek(slice(kKnowledgePrefix)); it->Valid() && origin_of(view(it->key())); it->Next()) {
      if (!decode_knowledge(view(it->value()))) {
        return damaged("what it knows of other nodes' writes is damaged");
      }
    }
    return it->status().ok() ? Result<void>() : damaged(it->status().ToString());
  }

  [[nodiscard]] Result<void> become_another(rocksdb::DB& database) const {
    const auto stored = KVS_TRY(read_state(database, kIdentityKey));
    auto identity = stored ? decode_identity(*stored) : damaged("it has no identity");
    if (!identity) {
      return damaged(identity.error().detail);
    }
    const auto clock = KVS_TRY(read_state(database, kClockKey));
    if (clock && !decode_stamp(*clock)) {
      return damaged("its clock reserve is damaged");
    }
    identity->instance = entropy() | 1U;
    identity->joined_ms = wall_now().ms;
    rocksdb::WriteBatch batch;
    batch.Put(slice(kIdentityKey), encode_identity(*identity));
    batch.Delete(slice(kRosterKey));
    rocksdb::WriteOptions options;
    options.sync = true;
    const rocksdb::Status written = database.Write(options, &batch);
    return written.ok() ? Result<void>() : std::unexpected(write_error(written));
  }

  const RestoreOrder& order_;
  const RestoreWatch& watch_;
  Restored restored_;
  std::vector<char> part_ = std::vector<char>(kPartBytes);
};

}  // namespace

Result<Restored> restore_backup(const RestoreOrder& order, const RestoreWatch& watch) {
  return Restore(order, watch).run();
}

}  // namespace kvs
