#include "io/file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>  // NOLINT(modernize-deprecated-headers): renameat2 is not in <cstdio>
#include <sys/stat.h>
#include <unistd.h>

namespace kvs {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}

  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string reason() {
  return std::error_code(errno, std::generic_category()).message();
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Writes and syncs the whole text. False, with errno set, if that fails.
bool write_durably(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0;
}

/// Gives the file `from` the name `to` unless that is taken. 0 or an error number.
int rename_to_free_name(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return 0;
  }
  // Some file systems cannot do that, but all of those have links.
  if (errno != EINVAL && errno != ENOSYS) {
    return errno;
  }
  const int result = ::link(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  ::unlink(from.c_str());
  return result;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return fail(Errc::io_error, fmt::format("cannot read {}: {}", path, reason()));
  }
  std::string text;
  std::array<char, 16384> part{};
  for (;;) {
    const ssize_t got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail(Errc::io_error, fmt::format("cannot read {}: {}", path, reason()));
    }
    if (got == 0) {
      return text;
    }
    text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > bytes_max) {
      return fail(Errc::io_error, fmt::format("cannot read {}: it holds more than {} bytes; is it "
                                              "the right file?",
                                              path, bytes_max));
    }
  }
}

Result<FileCreation> create_file(const std::string& path, std::string_view text) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    return FileCreation::existed;
  }
  const auto failed = [&path] {
    return fail(Errc::io_error, fmt::format("cannot write {}: {}", path, reason()));
  };
  const std::string folder = folder_of(path);
  std::string draft = folder + "/.kvs-draft-XXXXXX";
  const Descriptor file(::mkostemp(draft.data(), O_CLOEXEC));
  if (file.get() < 0) {
    return failed();
  }
  if (::fchmod(file.get(), 0644) != 0 || !write_durably(file.get(), text)) {
    const auto failure = failed();
    ::unlink(draft.c_str());
    return failure;
  }
  if (const int error = rename_to_free_name(draft, path); error != 0) {
    ::unlink(draft.c_str());
    errno = error;
    return error == EEXIST ? Result<FileCreation>(FileCreation::existed) : failed();
  }
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) {
    return failed();
  }
  return FileCreation::created;
}

}  // namespace kvs
