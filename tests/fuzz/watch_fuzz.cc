// Any bytes as the cursor of a watch: they are refused, or they come back as what encoding gives.
// The check at their end would hide the reader from a fuzzer, so half of the inputs get a right
// one.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"
#include "base/check.h"
#include "wire/base64url.h"
#include "wire/watch_cursor.h"

namespace kvs {
namespace {

constexpr std::string_view kPath = "users";

void check(std::string_view text) {
  const auto cursor = parse_watch_cursor(text, kPath);
  if (!cursor) {
    return;
  }
  std::string again;
  append_watch_cursor(*cursor, kPath, again);
  KVS_CHECK(again == kWatchCursorNone || parse_watch_cursor(again, kPath) == cursor,
            "a cursor changes");
}

std::string sealed(std::string_view bytes) {
  std::string out(bytes);
  const std::uint64_t seed = XXH3_64bits(kPath.data(), kPath.size());
  put_le(out, static_cast<std::uint32_t>(XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed)));
  std::string text;
  encode_base64url(out, text);
  return text;
}

}  // namespace
}  // namespace kvs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  kvs::check(bytes);
  kvs::check(kvs::sealed(bytes));
  return 0;
}
