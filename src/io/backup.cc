#include "io/backup.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "core/backup_name.h"
#include "io/descriptor.h"
#include "io/file.h"
#include "io/os.h"
#include "wire/record_codec.h"

namespace kvs {

namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolderMode = 0750;
constexpr mode_t kFileMode = 0640;
constexpr std::string_view kMakingPrefix = ".making-";
constexpr std::size_t kReadBytes = 256U << 10U;

std::string why(int error) {
  return std::generic_category().message(error);
}

std::unexpected<Error> failed_with(int error, std::string_view what) {
  return fail(error == ENOSPC || error == EDQUOT ? Errc::disk_full : Errc::io_error,
              fmt::format("{}: {}", what, why(error)));
}

/// Makes the folder of all backups if it is absent. It has to be where links to the tables can be
/// made: copies would take as much time and space as all data.
Result<void> make_folder(const std::string& folder, const std::string& data_folder) {
  if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return fail(Errc::invalid_config,
                fmt::format("backup_folder {} cannot be made: {}; make its parent folder and give "
                            "it to the user that runs kvs",
                            folder, why(errno)));
  }
  struct stat backups{};
  struct stat data{};
  if (::stat(folder.c_str(), &backups) != 0 || ::stat(data_folder.c_str(), &data) != 0) {
    return fail(Errc::invalid_config,
                fmt::format("backup_folder {} cannot be used: {}", folder, why(errno)));
  }
  if (!S_ISDIR(backups.st_mode) || backups.st_dev != data.st_dev) {
    return fail(Errc::invalid_config,
                fmt::format("backup_folder {} is not a folder on the file system of data_dir: set "
                            "it to one that is, and copy backups elsewhere from there",
                            folder));
  }
  return {};
}

/// A folder in which a backup is being made, locked as long as that goes on.
class Making {
 public:
  static Result<Making> begin(const std::string& folder, const std::string& name) {
    std::string path = fmt::format("{}/{}{}", folder, kMakingPrefix, name);
    if (::mkdir(path.c_str(), kFolderMode) != 0) {
      return failed_with(errno, path + " cannot be made");
    }
    Making making(std::move(path));
    making.lock_ = lock(making.path_);
    return making.lock_.open() ? Result<Making>(std::move(making))
                               : failed_with(errno, making.path_ + " cannot be locked");
  }

  /// Removes what nobody makes any more.
  static void clear_left_overs(const std::string& folder) {
    std::error_code error;
    std::vector<std::string> found;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      if (it->path().filename().string().starts_with(kMakingPrefix)) {
        found.push_back(it->path().string());
      }
    }
    for (const std::string& path : found) {
      if (lock(path).open()) {
        fs::remove_all(path, error);
      }
    }
  }

  Making(Making&& other) noexcept
      : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

  Making& operator=(Making&&) = delete;
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;

  ~Making() {
    if (!path_.empty()) {
      std::error_code ignored;  // what stays is removed by the next backup
      fs::remove_all(path_, ignored);
    }
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Gives it its name, durably. Error: id_in_use if that was taken meanwhile.
  Result<void> end(const std::string& folder, const std::string& path) {
    // A folder never takes the place of one that holds anything.
    if (::rename(path_.c_str(), path.c_str()) != 0) {
      const bool taken = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR;
      return taken ? fail(Errc::id_in_use, path + " is there already")
                   : failed_with(errno, path_ + " cannot be renamed");
    }
    path_.clear();
    ::unlink((path + kLock).c_str());
    const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.open() || ::fsync(directory.number()) != 0) {
      return failed_with(errno, folder + " cannot be synced");
    }
    return {};
  }

 private:
  static constexpr const char* kLock = "/LOCK";

  explicit Making(std::string path) : path_(std::move(path)) {}

  static Descriptor lock(const std::string& path) {
    Descriptor file(::open((path + kLock).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
    const bool locked = file.open() && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0;
    return locked ? std::move(file) : Descriptor();
  }

  std::string path_;  // empty: it is no longer to be removed
  Descriptor lock_;
};

/// Syncs a file, and tells how long it is and, unless it is a table, its checksum.
Result<BackupFile> seal(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!file.open() || ::fsync(file.number()) != 0 || ::fstat(file.number(), &status) != 0) {
    return failed_with(errno, path.string() + " cannot be synced");
  }
  BackupFile sealed{.name = path.filename().string(),
                    .bytes = static_cast<std::uint64_t>(status.st_size),
                    .crc32c = {}};
  if (is_table(sealed.name)) {
    return sealed;
  }
  std::vector<char> part(kReadBytes);
  std::uint32_t crc = 0;
  for (ssize_t got = 1; got != 0;) {
    got = ::read(file.number(), part.data(), part.size());
    if (got < 0) {
      return failed_with(errno, path.string() + " cannot be read");
    }
    crc = crc32c({part.data(), static_cast<std::size_t>(got)}, crc);
  }
  sealed.crc32c = crc;
  return sealed;
}

Result<std::vector<BackupFile>> seal_all(const std::string& folder) {
  std::vector<BackupFile> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    files.push_back(KVS_TRY(seal(it->path())));
  }
  if (error) {
    return failed_with(error.value(), folder + " cannot be read");
  }
  std::ranges::sort(files, {}, &BackupFile::name);
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.open() || ::fsync(directory.number()) != 0) {
    return failed_with(errno, folder + " cannot be synced");
  }
  return files;
}

}  // namespace

Result<Backup> take_backup(const Store& store, const BackupOrder& order) {
  KVS_CHECK(is_backup_name(order.name), "the name of a backup was not checked");
  KVS_TRY(make_folder(order.folder, store.folder()));
  const std::string path = fmt::format("{}/{}", order.folder, order.name);
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    return fail(Errc::id_in_use, path + " is there already: choose another name");
  }
  Making::clear_left_overs(order.folder);
  Making making = KVS_TRY(Making::begin(order.folder, order.name));
  KVS_TRY(store.checkpoint(making.path() + "/db"));
  Prng prng(entropy());
  Backup backup{.path = path,
                .note = {.id = make_uuid(prng),
                         .taken = order.now,
                         .node_id = order.node_id,
                         .version = KVS_VERSION,
                         .files = KVS_TRY(seal_all(making.path() + "/db"))}};
  const std::string note = making.path() + '/' + kBackupNoteName;
  static_cast<void>(KVS_TRY(create_file(note, format_backup_note(backup.note))));
  KVS_TRY(making.end(order.folder, path));
  return backup;
}

}  // namespace kvs
