#include "app/export_file.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "wire/json_view.h"

namespace kvs {

namespace {

constexpr mode_t kMode = 0666;  // what the umask leaves of it

std::unexpected<Error> failed(std::string_view what, const std::string& name) {
  return fail(Errc::io_error,
              fmt::format("cannot {} {}: {}", what, name, std::generic_category().message(errno)));
}

std::unexpected<Error> not_an_export(const std::string& name) {
  return fail(Errc::io_error, fmt::format("{} was not left by an export: name another file", name));
}

/// Where the last line break before `end` stands; -1 if there is none.
Result<off_t> last_break(int descriptor, off_t end, const std::string& name) {
  constexpr off_t kBlock = off_t{64} * 1024;
  std::string block(kBlock, '\0');
  while (end > 0) {
    const off_t begin = std::max<off_t>(end - kBlock, 0);
    const ssize_t count =
        ::pread(descriptor, block.data(), static_cast<std::size_t>(end - begin), begin);
    if (count != end - begin) {
      return failed("read", name);
    }
    const std::size_t at =
        std::string_view(block.data(), static_cast<std::size_t>(count)).rfind('\n');
    if (at != std::string_view::npos) {
      return begin + static_cast<off_t>(at);
    }
    end = begin;
  }
  return -1;
}

/// The path of the record that ends in the line break at `end`.
Result<std::string> path_before(int descriptor, off_t end, const std::string& name) {
  const off_t begin = KVS_TRY(last_break(descriptor, end, name)) + 1;
  std::string line(static_cast<std::size_t>(end - begin), '\0');
  if (::pread(descriptor, line.data(), line.size(), begin) != end - begin) {
    return failed("read", name);
  }
  auto path = json_string_member(line, "path");
  if (!path || path->empty()) {
    return not_an_export(name);
  }
  return *std::move(path);
}

/// Without a whole line: whether the `size` bytes that are there are the beginning of a record.
Result<void> check_torn_line(int descriptor, off_t size, const std::string& name) {
  constexpr std::string_view kBeginning = R"({"path":")";
  std::string text(std::min(kBeginning.size(), static_cast<std::size_t>(size)), '\0');
  if (::pread(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return failed("read", name);
  }
  if (!kBeginning.starts_with(text)) {
    return not_an_export(name);
  }
  return {};
}

}  // namespace

Result<ExportFile> create_export_file(const std::string& name) {
  Descriptor file(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
  if (!file.open() && errno == EEXIST) {
    return fail(Errc::io_error,
                fmt::format("{} is there already: --continue goes on with what an export left in "
                            "it; otherwise remove it or name another",
                            name));
  }
  if (!file.open()) {
    return failed("write", name);
  }
  return ExportFile{.descriptor = std::move(file), .last_path = {}};
}

Result<ExportFile> continue_export_file(const std::string& name) {
  Descriptor file(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode));
  const off_t size = file.open() ? ::lseek(file.number(), 0, SEEK_END) : -1;
  if (size < 0) {
    return failed("write", name);
  }
  const off_t end = KVS_TRY(last_break(file.number(), size, name));
  std::string path;
  if (end >= 0) {
    path = KVS_TRY(path_before(file.number(), end, name));
  } else {
    KVS_TRY(check_torn_line(file.number(), size, name));
  }
  if (::ftruncate(file.number(), end + 1) != 0 || ::lseek(file.number(), 0, SEEK_END) < 0) {
    return failed("write", name);
  }
  return ExportFile{.descriptor = std::move(file), .last_path = std::move(path)};
}

Result<void> sync_export_file(const ExportFile& file, const std::string& name) {
  if (::fsync(file.descriptor.number()) != 0 && errno != EINVAL && errno != EROFS) {
    return failed("write", name);
  }
  return {};
}

}  // namespace kvs
