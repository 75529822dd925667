// Answers with the files of the console, which a browser runs: what they may do there is said here.
//
// The policy lets a page load and call nothing but the node that it came from, run nothing but the
// console's own files, and be framed by nobody. Values of the store are never part of a page.
#pragma once

#include <string_view>

#include "wire/request_handler.h"

namespace kvs {

/// One file of the console. All of it is in static storage.
struct ConsoleFile {
  std::string_view name;  // below /ui/; the page itself: empty
  std::string_view content_type;
  std::string_view etag;  // with its quotes
  std::string_view bytes;
};

/// 200, or 304 if `if_none_match` (a checked list of entity tags, or `*`; empty: none) names it.
void append_console_response(const AnswerTarget& target, const ConsoleFile& file,
                             std::string_view if_none_match);

/// 308 to `location`.
void append_moved_response(const AnswerTarget& target, std::string_view location);

}  // namespace kvs
