#include "sim/asker.h"

#include <array>

#include <fmt/format.h>

namespace kvs {

std::string key_name(std::uint64_t number) {
  constexpr std::array<std::string_view, 8> kNames{"a",   "a/b", "a/b/c",    "a0",
                                                   "b/c", "b",   "\xc3\xa4", "a/c"};
  return number < kNames.size() ? std::string(kNames.at(number)) : fmt::format("k/{}", number);
}

Operation Asker::draw(std::uint64_t number) {
  const Mix& mix = wishes_.mix;
  Operation operation{.key = key_name(prng_.below(wishes_.keys))};
  std::uint64_t dice =
      prng_.below(mix.put + mix.put_if + mix.del + mix.del_if + mix.get + mix.list);
  const auto falls_on = [&](std::uint32_t part) {
    const bool hit = dice < part;
    dice -= hit ? 0 : part;
    return hit;
  };
  if (falls_on(mix.get)) {
    return operation;
  }
  if (falls_on(mix.list)) {
    operation.kind = Operation::Kind::list;
    operation.key.clear();
    return operation;
  }
  const bool conditional = falls_on(mix.put_if);
  if (conditional || falls_on(mix.put)) {
    operation.kind = Operation::Kind::put;
    operation.value = fmt::format("{{\"op\":{},\"pad\":\"{:x<{}}\"}}", number, "",
                                  prng_.below(wishes_.value_bytes_max));
    operation.condition = conditional ? draw_condition(operation) : Condition{};
    return operation;
  }
  operation.kind = Operation::Kind::del;
  operation.condition = falls_on(mix.del_if) ? draw_condition(operation) : Condition{};
  return operation;
}

Condition Asker::draw_condition(const Operation& operation) {
  const auto seen = seen_.find(operation.key);
  if (seen != seen_.end() && prng_.chance(1, 2)) {
    return {.kind = Condition::Kind::if_match, .uuid = seen->second};
  }
  return {.kind = prng_.chance(1, 2) ? Condition::Kind::if_absent : Condition::Kind::if_exists,
          .uuid = {}};
}

}  // namespace kvs
