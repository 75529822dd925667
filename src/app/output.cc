#include "app/output.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/waiting.h"

namespace kvs {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} * 1024;

bool is_plain_file(int descriptor) {
  struct stat status{};
  return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

Output::Output(int descriptor, Interrupt* interrupt)
    : descriptor_(descriptor),
      is_terminal_(::isatty(descriptor) == 1),
      may_block_(!is_plain_file(descriptor)),
      interrupt_(interrupt) {}

Result<void> Output::put(std::string_view text) {
  buffer_.append(text);
  return buffer_.size() < kBufferBytes ? Result<void>() : flush();
}

Result<void> Output::flush() {
  const std::string text = std::move(buffer_);
  buffer_.clear();
  return write(text);
}

Result<void> Output::write(std::string_view text) const {
  const bool careful = interrupt_ != nullptr && may_block_;
  while (!text.empty()) {
    // With room for PIPE_BUF bytes a pipe takes so many without a wait.
    const std::size_t piece = careful ? std::min<std::size_t>(text.size(), PIPE_BUF) : text.size();
    if (careful) {
      std::array<pollfd, 1> polled{{{.fd = descriptor_, .events = POLLOUT}}};
      (void)wait_for(polled, Instant::never(), interrupt_);
    }
    const ssize_t count = ::write(descriptor_, text.data(), piece);
    if (count < 0 && errno != EINTR && errno != EAGAIN) {
      return fail(Errc::io_error, fmt::format("the output cannot be written: {}",
                                              std::generic_category().message(errno)));
    }
    text.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  return {};
}

}  // namespace kvs
