// Any bytes, whole or in pieces, give the same verdict, and nothing is read or consumed beyond
// them.
//
// The first byte of the input steers: how the rest is cut, and whether it is requests or responses.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/message_stream.h"
#include "wire/http.h"
#include "wire/url.h"

namespace kvs {
namespace {

/// Small, so that the fuzzer reaches the limits.
constexpr http_test::StreamLimits kLimits{
    .head = {.header_bytes = 600, .target_bytes = 200, .headers = 12}, .body_bytes_max = 1000};

template <class Head>
void check_stream(std::string_view input, std::size_t step) {
  const http_test::Outcome whole = http_test::run_whole<Head>(input, kLimits);
  const http_test::Outcome pieces = http_test::run_in_steps<Head>(input, step, kLimits);
  KVS_CHECK(whole == pieces, "the verdict depends on the cuts");
}

void check_target(std::string_view text) {
  std::string decoded;
  if (percent_decode(text, decoded)) {
    std::string encoded;
    percent_encode(decoded, encoded);
    std::string again;
    KVS_CHECK(percent_decode(encoded, again) && again == decoded, "encoding does not round-trip");
  }
  QueryReader query(text);
  for (std::size_t pairs = 0;; ++pairs) {
    KVS_CHECK(pairs <= text.size(), "more pairs than bytes");
    const Result<std::optional<QueryReader::Pair>> pair = query.next();
    if (!pair || !*pair) {
      break;
    }
  }
}

}  // namespace
}  // namespace kvs

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer wants this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const unsigned steer = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t step = 1 + steer / 4;
  switch (steer % 4) {
    case 3:
      kvs::check_target(input);
      break;
    case 2:
      kvs::check_stream<kvs::ResponseHead>(input, step);
      break;
    default:
      kvs::check_stream<kvs::RequestHead>(input, step);
  }
  return 0;
}
