// A transcript: lines that begin with `> ` are said to the node, indented lines below them are what
// it answers. Blank lines and lines that begin with `#` are for the reader.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace kvs {

/// Answers one command: lines that each end in '\n', or nothing.
using Answer = std::function<std::string(std::string_view command)>;

/// `transcript` with every answer replaced by what `answer` gives.
[[nodiscard]] std::string retold(std::string_view transcript, const Answer& answer);

/// The first line in which two transcripts differ, for people; empty if they are equal.
[[nodiscard]] std::string first_difference(std::string_view expected, std::string_view actual);

}  // namespace kvs
