#include "wire/lookahead.h"

namespace kvs {

std::size_t keys_ahead(std::string_view bytes, std::span<std::string_view> keys) {
  constexpr std::string_view kBegin = "GET /kv/";
  constexpr std::string_view kEnd = "\r\n\r\n";
  std::size_t count = 0;
  while (count < keys.size() && bytes.starts_with(kBegin)) {
    bytes.remove_prefix(kBegin.size());
    const std::size_t end = bytes.find(' ');
    if (end == std::string_view::npos) {
      break;
    }
    keys[count++] = bytes.substr(0, end);
    const std::size_t next = bytes.find(kEnd, end);
    if (next == std::string_view::npos) {
      break;
    }
    bytes.remove_prefix(next + kEnd.size());
  }
  return count < 2 ? 0 : count;
}

}  // namespace kvs
