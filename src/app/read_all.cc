#include "app/read_all.h"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "io/descriptor.h"

namespace kvs {

namespace {

std::unexpected<Error> unreadable(const std::string& name) {
  return fail(Errc::io_error,
              fmt::format("cannot read {}: {}", name, std::generic_category().message(errno)));
}

Result<std::string> read_to_end(int descriptor, const std::string& name, std::size_t bytes_max) {
  std::string text;
  std::array<char, std::size_t{64} * 1024> buffer{};
  for (;;) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count == 0) {
      return text;
    }
    if (count < 0 && errno != EINTR) {
      return unreadable(name);
    }
    text.append(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    if (text.size() > bytes_max) {
      return fail(Errc::value_too_large,
                  fmt::format("{} holds more than {} bytes, the most that a value may have", name,
                              bytes_max));
    }
  }
}

}  // namespace

Result<std::string> read_all(const std::string& name, std::size_t bytes_max) {
  if (name.empty() || name == "-") {
    return read_to_end(STDIN_FILENO, "standard input", bytes_max);
  }
  const Descriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  return file.open() ? read_to_end(file.number(), name, bytes_max) : unreadable(name);
}

}  // namespace kvs
