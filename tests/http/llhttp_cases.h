// Reads the third-party cases of tests/data/llhttp-requests: Markdown with one request stream and
// one log of parser events each.
#pragma once

#include <string>
#include <vector>

#include "http/message_stream.h"

namespace kvs::http_test {

struct LlhttpCase {
  enum class Label : std::uint8_t {
    strict,   // the log is what a strict parser says
    lenient,  // the log shows what only a lenient parser takes
    upgrade,  // as strict, but what follows the last message is another protocol
  };

  std::string place;  // "file.md:line of the heading"
  std::string title;
  Label label = Label::strict;
  std::string input;
  Outcome expected;  // method, target, fields and body of the messages; no code, no detail
};

/// All cases of all files, sorted by place. Fails the running test if a file is not as expected.
[[nodiscard]] std::vector<LlhttpCase> read_llhttp_cases();

/// One row of EXCEPTIONS.md.
struct LlhttpException {
  std::string place;
  Ending ours = Ending::clean;
};

[[nodiscard]] std::vector<LlhttpException> read_llhttp_exceptions();

[[nodiscard]] std::string to_string(Ending ending);

}  // namespace kvs::http_test
