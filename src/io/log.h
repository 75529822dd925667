// The log: one JSON object a line, to standard error or to a file.
//
//   {"time":"2026-01-02T03:04:05.678Z","level":"info","msg":"node started","port":8080}
//
// A line is formatted on the caller's thread and written by a thread of the log's own. The queue
// between them is bounded: when the disk or the reader of a pipe cannot follow, the oldest lines
// are dropped and counted, and no caller ever waits. There is no global log: a Log& is handed
// around. Every function may be called from any thread.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/time.h"
#include "core/config.h"

namespace kvs {

/// The value of a field. Strings are referred to, not copied: they need to live only for the call.
class LogValue {
 public:
  using Alternatives = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  // Implicit on purpose: {{"port", 8080}, {"path", path}}.
  template <class T>
    requires std::convertible_to<const T&, std::string_view>
  LogValue(const T& text)  // NOLINT(google-explicit-constructor)
      : value_(std::string_view(text)) {}

  template <std::signed_integral T>
  LogValue(T number)  // NOLINT(google-explicit-constructor)
      : value_(static_cast<std::int64_t>(number)) {}

  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  LogValue(T number)  // NOLINT(google-explicit-constructor)
      : value_(static_cast<std::uint64_t>(number)) {}

  LogValue(double number)  // NOLINT(google-explicit-constructor)
      : value_(number) {}

  template <std::same_as<bool> T>
  LogValue(T truth)  // NOLINT(google-explicit-constructor)
      : value_(truth) {}

  [[nodiscard]] const Alternatives& get() const { return value_; }

 private:
  Alternatives value_;
};

/// A name and a value beside `time`, `level` and `msg`, which it must not be named like.
struct LogField {
  LogField(std::string_view field_name, LogValue field_value)
      : name(field_name), value(field_value) {}

  std::string_view name;
  LogValue value;
};

struct LogOptions {
  LogLevel level = LogLevel::info;
  /// Appended to, made if absent. Empty: standard error.
  std::string file;
  /// Lines that may wait to be written.
  std::size_t queue_lines_max = 4096;
};

class LogQueue;

class Log {
 public:
  using Fields = std::initializer_list<LogField>;

  /// Opens the log and starts its thread. Errors: io_error, if the file cannot be opened.
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(const LogOptions& options);

  /// A log that writes nothing and has no thread.
  [[nodiscard]] static std::unique_ptr<Log> silent();

  /// Writes what is still queued, unless the target takes nothing for a second.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// True if lines of this level are written: ask before computing costly fields.
  [[nodiscard]] bool enabled(LogLevel level) const { return queue_ != nullptr && level >= level_; }

  /// Queues one line. Bytes that are not UTF-8 become U+FFFD; a text longer than 1 KiB is cut and
  /// ends in U+2026.
  void write(LogLevel level, std::string_view message, Fields fields = {}) {
    if (enabled(level)) {
      enqueue(level, message, fields);
    }
  }

  void debug(std::string_view message, Fields fields = {}) {
    write(LogLevel::debug, message, fields);
  }

  void info(std::string_view message, Fields fields = {}) {
    write(LogLevel::info, message, fields);
  }

  void warn(std::string_view message, Fields fields = {}) {
    write(LogLevel::warn, message, fields);
  }

  void error(std::string_view message, Fields fields = {}) {
    write(LogLevel::error, message, fields);
  }

  /// Opens the file anew by its name, after something else moved it away. With standard error it
  /// does nothing. If it fails the old file stays in use. Errors: io_error.
  [[nodiscard]] Result<void> reopen();

  /// Lines lost so far: dropped from the full queue or refused by the target.
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  Log() = default;
  void enqueue(LogLevel level, std::string_view message, Fields fields);

  LogLevel level_ = LogLevel::error;
  std::unique_ptr<LogQueue> queue_;
};

/// For an event that may come in thousands a second: lets one through in each `interval` and counts
/// the others. For one thread.
///
///   if (throttle_.admit(now)) log.warn("…", {{"suppressed", throttle_.take_suppressed()}});
class LogThrottle {
 public:
  explicit LogThrottle(Duration interval) : interval_(interval) {}

  /// True if the event is to be logged; else it is counted as suppressed.
  [[nodiscard]] bool admit(Instant now) {
    if (now < next_) {
      ++suppressed_;
      return false;
    }
    next_ = now + interval_;
    return true;
  }

  /// Events suppressed since the last call.
  std::uint64_t take_suppressed() {
    const std::uint64_t count = suppressed_;
    suppressed_ = 0;
    return count;
  }

 private:
  Duration interval_;
  Instant next_{INT64_MIN};
  std::uint64_t suppressed_ = 0;
};

}  // namespace kvs
