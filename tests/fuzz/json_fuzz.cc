// Any bytes: our verdict agrees with a second parser's (simdjson), and any bytes can be written as
// a string and come back.
//
// The two differ on purpose in four things, which only our side refuses or only simdjson does: keys
// that stand twice, nesting beyond our limit, exponents beyond 2^31; numbers beyond 64 bits.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "base/check.h"
#include "base/utf8.h"
#include "wire/json.h"

namespace kvs {
namespace {

bool is_stricter_on_purpose(std::string_view detail) {
  return detail.starts_with("an object has the key ") ||
         detail.ends_with("nested more than 512 deep") || detail.ends_with("exponent overflow");
}

void check_verdict(std::string_view text) {
  JsonChecker checker;
  const Result<void> ours = checker.check(text);
  KVS_CHECK(checker.check(text) == ours, "two verdicts on one text");

  simdjson::dom::parser parser;
  const simdjson::error_code theirs = parser.parse(simdjson::padded_string(text)).error();
  if (ours) {
    KVS_CHECK(theirs == simdjson::SUCCESS || theirs == simdjson::NUMBER_ERROR, "only ours accepts");
  } else if (theirs == simdjson::SUCCESS) {
    KVS_CHECK(is_stricter_on_purpose(ours.error().detail), ours.error().detail);
  }
}

void check_writer(std::string_view text) {
  std::string written;
  append_json_string(written, text);
  JsonChecker checker;
  KVS_CHECK(checker.check(written).has_value(), "what was written is not valid");

  simdjson::dom::parser parser;
  std::string_view back;
  const simdjson::error_code error = parser.parse(simdjson::padded_string(written)).get(back);
  KVS_CHECK(error == simdjson::SUCCESS, "what was written is no string");
  KVS_CHECK(back == text || !is_utf8(text), "another string came back");
}

}  // namespace
}  // namespace kvs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  kvs::check_verdict(text);
  kvs::check_writer(text);
  return 0;
}
