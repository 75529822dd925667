#include "io/log.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <ctime>
#include <exception>
#include <iterator>
#include <mutex>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include "base/check.h"
#include "base/utf8.h"
#include "io/os.h"
#include "wire/json.h"

namespace kvs {
namespace {

constexpr std::size_t kTextBytesMax = 1024;
constexpr int kStallPatienceMs = 1000;
// A pipe that polls writable takes at least PIPE_BUF (4096) bytes without waiting.
constexpr std::size_t kWriteBytesMax = 4096;

/// Appends `text` as a JSON string, cut between two characters if it is too long.
void append_text(std::string& line, std::string_view text) {
  if (text.size() <= kTextBytesMax) {
    return append_json_string(line, text);
  }
  std::size_t size = 0;
  while (size < kTextBytesMax) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(text.substr(size)));
    if (size + length > kTextBytesMax) {
      break;
    }
    size += length;
  }
  append_json_string(line, std::string(text.substr(0, size)) + "\u2026");
}

struct AppendValue {
  std::string& line;

  void operator()(std::string_view text) const { append_text(line, text); }

  void operator()(std::int64_t number) const {
    fmt::format_to(std::back_inserter(line), "{}", number);
  }

  void operator()(std::uint64_t number) const {
    fmt::format_to(std::back_inserter(line), "{}", number);
  }

  void operator()(double number) const {
    // JSON has neither infinities nor NaN.
    if (!std::isfinite(number)) {
      return static_cast<void>(line += "null");
    }
    fmt::format_to(std::back_inserter(line), "{}", number);
  }

  void operator()(bool truth) const { line += truth ? "true" : "false"; }
};

void append_time(std::string& line, WallTime now) {
  const std::time_t seconds = static_cast<std::time_t>(now.ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  fmt::format_to(std::back_inserter(line), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                 utc.tm_sec, now.ms % 1000);
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

std::string reason(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

/// Runs first on the log's thread. A reader that is gone then is an error of write(), not a SIGPIPE
/// that ends the process; and signals meant for the process are not taken here.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

/// Where the lines go. Never waits long: once the target has taken nothing for a second, lines are
/// refused until it takes some again.
class LogSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LogSink(std::string file) : file_(std::move(file)) {}

  ~LogSink() override { close_file(); }

  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

  Result<void> open_file() {
    if (file_.empty()) {
      return {};
    }
    const int opened = ::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (opened < 0) {
      return fail(Errc::io_error, fmt::format("cannot open log_file \"{}\": {}; name a file that "
                                              "this user may write, or leave it empty for stderr",
                                              file_, reason(errno)));
    }
    const std::scoped_lock lock(mutex_);
    close_file();
    fd_ = opened;
    torn_ = false;
    return {};
  }

  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view line(message.payload.data(), message.payload.size());
    if ((torn_ && !write_all("\n")) || !write_all(line)) {
      ++refused_;
    }
  }

  void flush_() override {}

 private:
  void close_file() const {
    if (fd_ != STDERR_FILENO) {
      ::close(fd_);
    }
  }

  bool takes_more() {
    pollfd target{.fd = fd_, .events = POLLOUT, .revents = 0};
    const bool ready = ::poll(&target, 1, stalled_ ? 0 : kStallPatienceMs) == 1;
    stalled_ = !ready;
    return ready;
  }

  /// False if the target refused; then `torn_` says whether a part was written.
  bool write_all(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!takes_more()) {
        return false;
      }
      const ssize_t written = ::write(fd_, bytes.data(), std::min(bytes.size(), kWriteBytesMax));
      if (written < 0 && errno == EINTR) {
        continue;
      }
      if (written <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
      torn_ = !bytes.empty();
    }
    return true;
  }

  std::string file_;
  std::atomic<std::uint64_t> refused_ = 0;
  int fd_ = STDERR_FILENO;
  bool stalled_ = false;
  bool torn_ = false;
};

}  // namespace

/// The bounded queue with its thread, and the sink behind it.
class LogQueue {
 public:
  LogQueue(std::shared_ptr<LogSink> sink, std::size_t lines_max)
      : sink_(std::move(sink)),
        pool_(std::make_shared<spdlog::details::thread_pool>(lines_max, 1, block_signals)),
        logger_(std::make_shared<spdlog::async_logger>(
            "kvs", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_level(spdlog::level::trace);
    // The default handler prints to stderr, which may be where the trouble is.
    logger_->set_error_handler([](const std::string&) {});
  }

  void push(std::string_view line) {
    logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }

  Result<void> reopen() { return sink_->open_file(); }

  [[nodiscard]] std::uint64_t dropped() const {
    return pool_->overrun_counter() + sink_->refused();
  }

 private:
  std::shared_ptr<LogSink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

Result<std::unique_ptr<Log>> Log::open(const LogOptions& options) {
  KVS_CHECK(options.queue_lines_max > 0, "a log needs a queue");
  try {
    auto sink = std::make_shared<LogSink>(options.file);
    if (auto opened = sink->open_file(); !opened) {
      return std::unexpected(opened.error());
    }
    std::unique_ptr<Log> log(new Log);
    log->level_ = options.level;
    log->queue_ = std::make_unique<LogQueue>(std::move(sink), options.queue_lines_max);
    return log;
  } catch (const std::exception& error) {
    return fail(Errc::io_error, fmt::format("cannot start the log: {}", error.what()));
  }
}

std::unique_ptr<Log> Log::silent() {
  return std::unique_ptr<Log>(new Log);
}

Log::~Log() = default;

void Log::enqueue(LogLevel level, std::string_view message, Fields fields) {
  std::string line;
  line.reserve(256);
  line += R"({"time":")";
  append_time(line, wall_now());
  line += R"(","level":")";
  line += name_of(level);
  line += R"(","msg":)";
  append_text(line, message);
  for (const LogField& field : fields) {
    line.push_back(',');
    append_text(line, field.name);
    line.push_back(':');
    std::visit(AppendValue{.line = line}, field.value.get());
  }
  line += "}\n";
  queue_->push(line);
}

Result<void> Log::reopen() {
  return queue_ ? queue_->reopen() : Result<void>{};
}

std::uint64_t Log::dropped() const {
  return queue_ ? queue_->dropped() : 0;
}

}  // namespace kvs
