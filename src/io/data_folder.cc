#include "io/data_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace kvs {

namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr mode_t kFolderMode = 0750;
constexpr mode_t kFileMode = 0640;
constexpr std::string_view kFormatPrefix = "kvs data folder, format ";

std::string why(int error) {
  return std::generic_category().message(error);
}

std::unexpected<Error> unusable(std::string detail) {
  return fail(Errc::data_dir_unusable, std::move(detail));
}

Result<std::vector<std::string>> names_in(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (folder == nullptr) {
    return unusable(
        fmt::format("data folder {} cannot be read: {}; give it to the user that runs "
                    "kvs, or set data_dir to another folder",
                    path, why(errno)));
  }
  std::vector<std::string> names;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread uses this stream
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  return names;
}

/// The text of a short file; nothing if there is no such file.
Result<std::optional<std::string>> read_short_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) {
    if (errno == ENOENT) {
      return std::nullopt;
    }
    return unusable(fmt::format("{} cannot be read: {}", path, why(errno)));
  }
  std::array<char, 256> buffer{};
  const ssize_t size = ::read(file.number(), buffer.data(), buffer.size());
  if (size < 0) {
    return unusable(fmt::format("{} cannot be read: {}", path, why(errno)));
  }
  return std::string(buffer.data(), static_cast<std::size_t>(size));
}

/// Writes a file so that after a crash it is there whole or not at all.
Result<void> write_short_file(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  const Descriptor file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
  const bool written =
      file.open() &&
      ::write(file.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file.number()) == 0 && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!written) {
    const int error = errno;
    return fail(error == ENOSPC ? Errc::disk_full : Errc::data_dir_unusable,
                fmt::format("{} cannot be written: {}", path, why(error)));
  }
  return {};
}

std::unexpected<Error> cannot_sync(const std::string& path) {
  return unusable(fmt::format("data folder {} cannot be synced: {}", path, why(errno)));
}

Result<void> sync_folder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || ::fsync(folder.number()) != 0) {
    return cannot_sync(path);
  }
  return {};
}

/// The whole file system that the folder is on, so also the folder that it is in.
Result<void> sync_disk_of(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || ::syncfs(folder.number()) != 0) {
    return cannot_sync(path);
  }
  return {};
}

/// The format that FORMAT names.
Result<int> parse_format(const std::string& path, std::string_view text) {
  int format = 0;
  const bool ours = text.starts_with(kFormatPrefix);
  if (ours) {
    text.remove_prefix(kFormatPrefix.size());
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (!ours || error != std::errc{} || format < 1) {
    return unusable(
        fmt::format("{}/FORMAT does not name a KVS data format; restore it from a "
                    "backup, or set data_dir to another folder",
                    path));
  }
  return format;
}

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

/// An error if it is plain what else the folder is.
Result<void> recognise_other(const std::string& path) {
  if (is_there(path + "/RESTORING")) {
    return unusable(fmt::format(
        "{} holds a backup that was not restored to its end: repeat kvs restore", path));
  }
  if (is_there(path + "/BACKUP")) {
    return unusable(
        fmt::format("{} is a backup: make a data folder of it with kvs restore, and "
                    "set data_dir to that",
                    path));
  }
  return {};
}

/// True if the folder holds data already; an error if what it holds is not ours or too new.
Result<bool> recognise(const std::string& path) {
  const auto text = KVS_TRY(read_short_file(path + "/FORMAT"));
  if (text) {
    const int format = KVS_TRY(parse_format(path, *text));
    if (format > kFormat) {
      return fail(Errc::format_too_new,
                  fmt::format("data folder {} has format {}, this program knows up to {}; start a "
                              "newer kvs, nothing was changed",
                              path, format, kFormat));
    }
    return true;
  }
  KVS_TRY(recognise_other(path));
  for (const std::string& name : KVS_TRY(names_in(path))) {
    // What a first start leaves that was stopped before FORMAT was written.
    if (name != "LOCK" && name != "FORMAT.new" && name != "lost+found") {
      return unusable(
          fmt::format("{} is not empty and not a KVS data folder (it holds {}); set "
                      "data_dir to an empty or absent folder",
                      path, name));
    }
  }
  return false;
}

constexpr std::string_view kCopied = "copied\n";

/// What RESTORING says while the files of `backup` are being copied.
std::string restore_mark(const std::string& backup) {
  return backup + '\n';
}

/// An error unless the folder is empty, or holds what an interrupted restore of `backup` left.
/// True if it does.
Result<bool> recognise_restore(const std::string& path, const std::string& backup) {
  const auto mark = KVS_TRY(read_short_file(path + "/RESTORING"));
  const bool begun = mark.has_value();
  if (begun && !mark->starts_with(restore_mark(backup))) {
    return unusable(fmt::format(
        "{} holds part of another backup: repeat its restore, or empty the folder", path));
  }
  for (const std::string& name : KVS_TRY(names_in(path))) {
    const bool ours =
        name == "LOCK" || name == "lost+found" || name == "RESTORING.new" ||
        (begun && (name == "RESTORING" || name == "db" || name.starts_with("FORMAT")));
    if (!ours) {
      return unusable(fmt::format(
          "{} is not empty (it holds {}): restore into an empty or absent folder", path, name));
    }
  }
  return begun;
}

/// Makes the folder if it is absent.
Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), kFolderMode) == 0 || errno == EEXIST) {
    return {};
  }
  return unusable(
      fmt::format("data folder {} cannot be made: {}; make its parent folder and give "
                  "it to the user that runs kvs, or set data_dir to another folder",
                  path, why(errno)));
}

/// Locks DIR/LOCK and writes the process id there.
Result<Descriptor> lock(const std::string& path) {
  const std::string name = path + "/LOCK";
  Descriptor file(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  if (!file.open()) {
    return unusable(
        fmt::format("data folder {} cannot be written: {}; give it to the user that "
                    "runs kvs, or set data_dir to another folder",
                    path, why(errno)));
  }
  if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    const std::string id = read_short_file(name).value_or(std::nullopt).value_or("");
    return unusable(
        fmt::format("data folder {} is in use by process {}; stop that one, or set "
                    "data_dir to another folder",
                    path, id.empty() ? "?" : id));
  }
  const std::string id = fmt::format("{}", ::getpid());
  // Only a help for people: the lock is what counts.
  if (::ftruncate(file.number(), 0) == 0) {
    static_cast<void>(::write(file.number(), id.data(), id.size()));
  }
  return file;
}

/// The logs of a folder that hold anything, in the order of their names.
std::vector<fs::path> logs_in(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> logs;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".log" && it->file_size(error) > 0) {
      logs.push_back(it->path());
    }
  }
  std::ranges::sort(logs);
  return logs;
}

/// False also if one of them cannot be read.
bool same_file(const fs::path& left, const fs::path& right) {
  std::error_code error;
  if (left.filename() != right.filename() ||
      fs::file_size(left, error) != fs::file_size(right, error)) {
    return false;
  }
  if (fs::equivalent(left, right, error)) {
    return true;
  }
  std::ifstream mine(left, std::ios::binary);
  std::ifstream theirs(right, std::ios::binary);
  using Bytes = std::istreambuf_iterator<char>;
  return mine && theirs && std::equal(Bytes(mine), Bytes(), Bytes(theirs), Bytes());
}

/// The folder damaged-... in `path` that keeps these very logs, from an earlier start that failed.
std::optional<std::string> folder_that_keeps(const std::string& path,
                                             const std::vector<fs::path>& logs) {
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().starts_with("damaged-") &&
        std::ranges::equal(logs_in(it->path(), error), logs, same_file)) {
      return it->path().string();
    }
  }
  return std::nullopt;
}

void keep(const std::vector<fs::path>& logs, const fs::path& target, std::error_code& error) {
  fs::create_directory(target, error);
  for (const fs::path& log : logs) {
    fs::create_hard_link(log, target / log.filename(), error);
    if (error) {
      fs::copy_file(log, target / log.filename(), error);
    }
    if (error) {
      return;
    }
  }
}

}  // namespace

Result<DataFolder> DataFolder::open(const std::string& path) {
  KVS_TRY(make_folder(path));
  // Once before the lock file is made in a folder that is not ours.
  static_cast<void>(KVS_TRY(recognise(path)));
  DataFolder folder(path, KVS_TRY(lock(path)));
  if (!KVS_TRY(recognise(path))) {  // again: another process may have been faster
    KVS_TRY(folder.initialise());
  }
  return folder;
}

Result<void> DataFolder::initialise() {
  created_ = true;
  KVS_TRY(write_short_file(path_ + "/FORMAT", fmt::format("{}{}\n", kFormatPrefix, kFormat)));
  return sync();
}

Result<DataFolder> DataFolder::open_to_restore(const std::string& path, const std::string& backup) {
  KVS_TRY(make_folder(path));
  // Locked first: a folder in use holds more than a restore does, and is told as such.
  if (is_there(path + "/LOCK")) {
    static_cast<void>(KVS_TRY(lock(path)));
  }
  static_cast<void>(KVS_TRY(recognise_restore(path, backup)));
  DataFolder folder(path, KVS_TRY(lock(path)));
  if (!KVS_TRY(recognise_restore(path, backup))) {
    KVS_TRY(write_short_file(path + "/RESTORING", restore_mark(backup)));
    KVS_TRY(folder.sync());
  }
  return folder;
}

Result<bool> DataFolder::is_copied() const {
  const auto mark = KVS_TRY(read_short_file(path_ + "/RESTORING"));
  return mark && mark->ends_with(kCopied);
}

bool DataFolder::is_restored() const {
  return is_there(path_ + "/FORMAT");
}

Result<void> DataFolder::restore_copied(const std::string& backup) {
  KVS_TRY(write_short_file(path_ + "/RESTORING", restore_mark(backup).append(kCopied)));
  return sync();
}

Result<void> DataFolder::end_restore() {
  KVS_TRY(write_short_file(path_ + "/FORMAT", fmt::format("{}{}\n", kFormatPrefix, kFormat)));
  KVS_TRY(sync());
  if (::unlink((path_ + "/RESTORING").c_str()) != 0) {
    return unusable(fmt::format("{}/RESTORING cannot be removed: {}", path_, why(errno)));
  }
  return sync();
}

Result<void> DataFolder::sync() const {
  KVS_TRY(sync_folder(path_));
  const Descriptor parent(::open((path_ + "/..").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.open() && errno == EACCES) {
    return sync_disk_of(path_);  // who may not list the parent may not sync it either
  }
  if (!parent.open() || ::fsync(parent.number()) != 0) {
    return cannot_sync(path_ + "/..");
  }
  return {};
}

std::uint64_t DataFolder::free_bytes() const {
  struct statvfs space{};
  if (::statvfs(path_.c_str(), &space) != 0) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
}

Result<std::string> DataFolder::keep_logs(WallTime now) {
  std::string target = fmt::format("{}/damaged-{}", path_, now.ms);
  std::error_code error;
  const std::vector<fs::path> logs = logs_in(database_path(), error);
  const std::optional<std::string> kept = error ? std::nullopt : folder_that_keeps(path_, logs);
  if (kept) {
    target = *kept;
  } else {
    keep(logs, target, error);
  }
  if (error) {
    return fail(error == std::errc::no_space_on_device ? Errc::disk_full : Errc::io_error,
                fmt::format("the damaged log in {} cannot be copied to {}: {}", path_, target,
                            error.message()));
  }
  KVS_TRY(sync_folder(target));
  KVS_TRY(write_short_file(path_ + "/DAMAGED", target + "\n"));
  KVS_TRY(sync());
  return target;
}

bool DataFolder::marked_damaged() const {
  return is_there(path_ + "/DAMAGED");
}

Result<void> DataFolder::forget_damage() {
  if (::unlink((path_ + "/DAMAGED").c_str()) != 0 && errno != ENOENT) {
    return fail(Errc::io_error, fmt::format("{}/DAMAGED cannot be removed: {}", path_, why(errno)));
  }
  return sync();
}

}  // namespace kvs
