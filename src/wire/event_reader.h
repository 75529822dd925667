// Server-sent events for a client: bytes in, events out (WHATWG HTML, 9.2.6). Pure.
//
// The same events for every way in which the bytes are cut. Comments and fields that mean nothing
// here are skipped. Bounded by the size of one event.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kvs {

struct ServerEvent {
  std::string kind;
  std::string id;  // of this or the last event before that had one
  std::string data;
};

class EventReader {
 public:
  /// Larger than any value with its key and cursor.
  static constexpr std::size_t kEventBytesMax = std::size_t{80} << 20U;

  /// Error: bad_request, where one event is too large.
  Result<void> take(std::string_view bytes);

  /// The next event that is complete.
  std::optional<ServerEvent> next();

 private:
  [[nodiscard]] std::optional<std::string_view> next_line();
  void take_line(std::string_view line);

  std::string bytes_;
  std::size_t read_ = 0;  // of bytes_
  ServerEvent event_;
  bool has_data_ = false;
};

}  // namespace kvs
