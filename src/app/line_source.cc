#include "app/line_source.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kvs {

namespace {

constexpr std::size_t kReadBytes = std::size_t{256} * 1024;

std::unexpected<Error> unreadable(const std::string& name) {
  return fail(Errc::io_error,
              fmt::format("cannot read {}: {}", name, std::generic_category().message(errno)));
}

}  // namespace

Result<LineSource> LineSource::open(const std::string& name, std::size_t line_bytes_max) {
  if (name.empty() || name == "-") {
    return LineSource({}, "standard input", line_bytes_max);
  }
  Descriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) {
    return unreadable(name);
  }
  return LineSource(std::move(file), name, line_bytes_max);
}

LineSource::LineSource(Descriptor file, std::string name, std::size_t line_bytes_max)
    : file_(std::move(file)), name_(std::move(name)), line_bytes_max_(line_bytes_max) {
  struct stat status{};
  if (::fstat(number(), &status) == 0 && S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
}

int LineSource::number() const {
  return file_.open() ? file_.number() : STDIN_FILENO;
}

pollfd LineSource::wanted() const {
  return {.fd = ended_ ? -1 : number(), .events = POLLIN, .revents = 0};
}

Result<std::optional<std::string_view>> LineSource::next() {
  for (;;) {
    const std::size_t end = buffer_.find('\n', searched_);
    if (end != std::string::npos) {
      return std::optional(give(end - begin_, 1));
    }
    searched_ = buffer_.size();
    if (searched_ - begin_ > line_bytes_max_) {
      return fail(Errc::value_too_large,
                  fmt::format("a line of {} has more than {} bytes", name_, line_bytes_max_));
    }
    if (ended_) {
      break;
    }
    if (!KVS_TRY(read_some())) {
      return std::optional<std::string_view>();
    }
  }
  return begin_ < buffer_.size() ? std::optional(give(buffer_.size() - begin_, 0)) : std::nullopt;
}

/// False if nothing is there yet.
Result<bool> LineSource::read_some() {
  pollfd readable = wanted();
  if (::poll(&readable, 1, 0) == 0) {
    return false;
  }
  buffer_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kReadBytes);
  const ssize_t count = ::read(number(), buffer_.data() + before, kReadBytes);
  buffer_.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
  if (count < 0 && errno != EINTR && errno != EAGAIN) {
    return unreadable(name_);
  }
  ended_ = count == 0;
  return count >= 0;
}

std::string_view LineSource::give(std::size_t bytes, std::size_t with_break) {
  const std::string_view line = std::string_view(buffer_).substr(begin_, bytes);
  begin_ += bytes + with_break;
  searched_ = begin_;
  bytes_given_ += bytes + with_break;
  return line;
}

}  // namespace kvs
