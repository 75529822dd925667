#include "wire/watch_request.h"

#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "wire/watch_cursor.h"

namespace kvs {

Result<WatchRequest> watch_from(std::string_view path, std::string_view cursor) {
  WatchRequest watch{.path = std::string(path), .begin = WatchRequest::Begin::now, .cursor = {}};
  if (cursor.empty()) {
    return watch;
  }
  if (cursor == kWatchCursorNone) {
    watch.begin = WatchRequest::Begin::all;
    return watch;
  }
  auto parsed = parse_watch_cursor(cursor, path);
  if (!parsed) {
    return fail(Errc::invalid_query,
                "this is no cursor of this path: send what an event's id or `cursor` gave, or 0");
  }
  watch.begin = WatchRequest::Begin::cursor;
  watch.cursor = *std::move(parsed);
  return watch;
}

Result<Duration> parse_wait(std::string_view value) {
  constexpr std::int64_t kSecondsMax = 300;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error != std::errc{} || end != value.data() + value.size() || seconds < 0 ||
      seconds > kSecondsMax) {
    return fail(Errc::invalid_query,
                fmt::format("wait is a number of seconds from 0 to {}", kSecondsMax));
  }
  return Duration::from_seconds(seconds);
}

}  // namespace kvs
