// What it costs to validate a value: our validator, and simdjson's tree with the same check for
// keys that stand twice, which is what docs/decisions/0004-json-validator.md compares.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>

#include "base/check.h"
#include "wire/json.h"

namespace kvs {
namespace {

/// The alternative: a padded copy, a tree, and a walk over it.
class TreeChecker {
 public:
  bool check(std::string_view text) {
    padded_.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    padded_.assign(text);
    simdjson::dom::element root;
    keys_.clear();
    return parser_.parse(padded_.data(), text.size(), false).get(root) == simdjson::SUCCESS &&
           keys_differ(root);
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion): no deeper than the parser allows.
  bool keys_differ(simdjson::dom::element value) {
    simdjson::dom::array array;
    simdjson::dom::object object;
    if (value.get(array) == simdjson::SUCCESS) {
      return std::ranges::all_of(array, [this](auto element) { return keys_differ(element); });
    }
    return value.get(object) != simdjson::SUCCESS || keys_differ_in(object);
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  bool keys_differ_in(simdjson::dom::object object) {
    const std::size_t first_index = keys_.size();
    for (const auto field : object) {
      keys_.push_back(field.key);
    }
    const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(first_index);
    std::sort(first, keys_.end());
    const bool differ = std::adjacent_find(first, keys_.end()) == keys_.end();
    keys_.resize(first_index);
    return differ &&
           std::ranges::all_of(object, [this](auto field) { return keys_differ(field.value); });
  }

  std::string padded_;
  simdjson::dom::parser parser_;
  std::vector<std::string_view> keys_;
};

constexpr std::string_view kSmall =
    R"({"id":12345,"name":"Ada Lovelace","mail":"ada@example.org","tags":["a","b"],"ok":true,)"
    R"("z":1.5})";

/// A list of records of about 200 bytes each.
std::string records(std::size_t bytes) {
  std::string text = "[";
  for (int i = 0; text.size() < bytes; ++i) {
    text += fmt::format(
        R"({{"id":{0},"name":"user number {0}","mail":"u{0}@example.org","tags":["alpha","beta"],)"
        R"("active":true,"score":{1}.25,"bio":"{2}"}},)",
        i, i % 100, std::string(60, 'x'));
  }
  text.back() = ']';
  return text;
}

/// One object of many keys in no order.
std::string many_keys(unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i) {
    text += fmt::format("\"k{}\":{},", i * 2654435761U, i);
  }
  text.back() = '}';
  return text;
}

std::string make_text(std::int64_t kind) {
  switch (kind) {
    case 0:
      return std::string(kSmall);
    case 1:
      return records(100UL * 1024);
    default:
      return many_keys(60'000);
  }
}

bool accepts(JsonChecker& checker, std::string_view text) {
  return checker.check(text).has_value();
}

bool accepts(TreeChecker& checker, std::string_view text) {
  return checker.check(text);
}

template <class Checker>
void json_check(benchmark::State& state) {
  const std::string text = make_text(state.range(0));
  Checker checker;
  KVS_CHECK(accepts(checker, text), "the text is valid");
  for (auto _ : state) {
    benchmark::DoNotOptimize(accepts(checker, text));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.SetLabel(fmt::format("{} bytes", text.size()));
}

BENCHMARK(json_check<JsonChecker>)->Name("json_check")->DenseRange(0, 2);
BENCHMARK(json_check<TreeChecker>)->Name("json_check_simdjson_dom")->DenseRange(0, 2);

void json_write_string(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_json_string(out, "users/john/profile with \"quotes\" and no more");
    benchmark::DoNotOptimize(out.data());
  }
}

BENCHMARK(json_write_string);

}  // namespace
}  // namespace kvs
