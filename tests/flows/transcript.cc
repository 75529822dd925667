#include "flows/transcript.h"

#include <algorithm>

#include <fmt/format.h>

namespace kvs {

namespace {

/// Takes one line off the front, without its end.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

std::string retold(std::string_view transcript, const Answer& answer) {
  std::string out;
  while (!transcript.empty()) {
    const std::string_view line = take_line(transcript);
    if (line.starts_with("  ")) {
      continue;
    }
    out.append(line).append("\n");
    if (!line.starts_with("> ")) {
      continue;
    }
    const std::string said = answer(line.substr(2));
    for (std::string_view rest = said; !rest.empty();) {
      out.append("  ").append(take_line(rest)).append("\n");
    }
  }
  return out;
}

std::string first_difference(std::string_view expected, std::string_view actual) {
  for (int number = 1; !expected.empty() || !actual.empty(); ++number) {
    const std::string_view wanted = take_line(expected);
    const std::string_view got = take_line(actual);
    if (wanted != got) {
      return fmt::format("line {}\n  expected: {}\n  said:     {}\n", number, wanted, got);
    }
  }
  return {};
}

}  // namespace kvs
