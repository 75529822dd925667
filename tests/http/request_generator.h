// Random request streams: sound ones with what a reader must make of them, and damaged ones.
#pragma once

#include <string>
#include <vector>

#include "base/prng.h"
#include "http/message_stream.h"

namespace kvs::http_test {

struct GeneratedStream {
  std::string bytes;
  std::vector<Message> messages;
};

/// One to four sound requests, all but the last kept alive: every framing, chunk extensions,
/// trailers, odd but legal spellings.
[[nodiscard]] GeneratedStream make_stream(Prng& prng);

/// `bytes` after one to four random edits, most of them where parsers are known to differ.
[[nodiscard]] std::string damaged(std::string bytes, Prng& prng);

}  // namespace kvs::http_test
