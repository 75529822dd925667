#include "wire/event_reader.h"

#include <utility>

namespace kvs {

Result<void> EventReader::take(std::string_view bytes) {
  bytes_.erase(0, std::exchange(read_, 0));
  bytes_.append(bytes);
  if (bytes_.size() + event_.data.size() > kEventBytesMax) {
    return fail(Errc::bad_request, "the node sent an event that is too large to be one");
  }
  return {};
}

/// A line without its end (LF, CR or both); nothing before all of it is there. A CR at the very end
/// waits for what follows it.
std::optional<std::string_view> EventReader::next_line() {
  const std::size_t end = bytes_.find_first_of("\r\n", read_);
  if (end == std::string::npos || (bytes_[end] == '\r' && end + 1 == bytes_.size())) {
    return std::nullopt;
  }
  const std::string_view line = std::string_view(bytes_).substr(read_, end - read_);
  read_ = end + (bytes_[end] == '\r' && bytes_[end + 1] == '\n' ? 2 : 1);
  return line;
}

void EventReader::take_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) {
    value.remove_prefix(1);
  }
  if (name == "event") {
    event_.kind = value;
  } else if (name == "id") {
    event_.id = value;
  } else if (name == "data") {
    if (std::exchange(has_data_, true)) {
      event_.data.push_back('\n');
    }
    event_.data.append(value);
  }
}

std::optional<ServerEvent> EventReader::next() {
  while (const auto line = next_line()) {
    if (!line->empty()) {
      take_line(*line);
      continue;
    }
    const bool complete = std::exchange(has_data_, false);
    ServerEvent event{.kind = std::exchange(event_.kind, {}),
                      .id = event_.id,
                      .data = std::exchange(event_.data, {})};
    if (complete) {
      return event;
    }
  }
  return std::nullopt;
}

}  // namespace kvs
