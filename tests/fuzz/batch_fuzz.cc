// Any bytes as a batch: those that are no JSON are read without harm, too; the operations of those
// that are lie within them, a second reader gives the same, and every value is JSON by itself.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "wire/batch.h"
#include "wire/json.h"

namespace kvs {
namespace {

constexpr ApiLimits kLimits{.key_bytes_max = 20, .value_bytes_max = 50};

struct Read {
  std::vector<std::string> parts;
  bool failed = false;

  bool operator==(const Read&) const = default;
};

void check_operation(const BatchOperation& operation, std::string_view body) {
  if (operation.kind == BatchOperation::Kind::put) {
    KVS_CHECK(operation.value.data() >= body.data() &&
                  operation.value.data() + operation.value.size() <= body.data() + body.size(),
              "a value lies within the body");
  } else {
    KVS_CHECK(operation.value.empty(), "only puts have values");
  }
  if (!operation.refusal) {
    const auto key = Key::parse(operation.key.text(), kLimits.key_bytes_max);
    KVS_CHECK(key && operation.key.text().starts_with("x/"), "a key that was not checked");
    KVS_CHECK(operation.value.size() <= kLimits.value_bytes_max, "a value that is too large");
  }
}

Read read(std::string_view body, bool is_json) {
  Read all;
  BatchReader reader("x", body, kLimits);
  for (;;) {
    const auto next = reader.next();
    if (!next || !*next) {
      all.failed = !next;
      return all;
    }
    const BatchOperation& operation = **next;
    check_operation(operation, body);
    KVS_CHECK(
        !is_json || operation.value.empty() || JsonChecker().check(operation.value).has_value(),
        "a value that is no JSON");
    all.parts.emplace_back(operation.key.text());
    all.parts.emplace_back(operation.value);
  }
}

}  // namespace
}  // namespace kvs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const bool is_json = kvs::JsonChecker().check(body).has_value();
  KVS_CHECK(kvs::read(body, is_json) == kvs::read(body, is_json), "two readings of one text");
  return 0;
}
