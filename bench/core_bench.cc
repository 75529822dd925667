// What the core's rooms cost: keys, merging, stamps, and the node's whole step from command to
// closed batch.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/prng.h"
#include "base/result.h"
#include "core/effects.h"
#include "core/key.h"
#include "core/merge.h"
#include "core/node.h"
#include "core/stamper.h"
#include "core/store_view.h"
#include "wire/record_codec.h"

namespace kvs {
namespace {

constexpr std::string_view kValue =
    R"({"id":12345678,"name":"John Doe","email":"john.doe@example.com","active":true,"score":99.5,)"
    R"("x":1})";

std::vector<std::string> make_keys(std::size_t count) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < count; ++i) {
    keys.push_back(fmt::format("users/{:08}/profile", i * 7919 % 1'000'000));
  }
  return keys;
}

void key_parse(benchmark::State& state) {
  const auto keys = make_keys(1024);
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(Key::parse(keys[i++ % keys.size()], 1024));
  }
}

BENCHMARK(key_parse);

Version some_version(Prng& prng) {
  return {.stamp = {prng.below(1000)},
          .verdict = {},
          .uuid = make_uuid(prng),
          .dot = {.origin = Origin{1}, .seq = prng.next()}};
}

void merge_two(benchmark::State& state) {
  Prng prng{1};
  std::array<Version, 64> versions;
  for (auto& version : versions) {
    version = some_version(prng);
  }
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(merge(versions[i % 64], versions[(i + 7) % 64]));
    ++i;
  }
}

BENCHMARK(merge_two);

void stamper_next(benchmark::State& state) {
  Stamper stamper{Stamp{}};
  std::int64_t ms = 1'700'000'000'000;
  for (auto _ : state) {
    benchmark::DoNotOptimize(stamper.next(WallTime{ms++}));
  }
}

BENCHMARK(stamper_next);

void record_encode(benchmark::State& state) {
  Prng prng{1};
  const RecordView record{.header = {.version = some_version(prng), .kind = RecordKind::value},
                          .value = kValue};
  const Key key = Key::from_store("users/00012345/profile");
  std::string out;
  for (auto _ : state) {
    out.clear();
    encode_record(key, record, out);
    benchmark::DoNotOptimize(out.data());
  }
}

BENCHMARK(record_encode);

void record_decode(benchmark::State& state) {
  Prng prng{1};
  const RecordView record{.header = {.version = some_version(prng), .kind = RecordKind::value},
                          .value = kValue};
  const Key key = Key::from_store("users/00012345/profile");
  std::string bytes;
  encode_record(key, record, bytes);
  for (auto _ : state) {
    benchmark::DoNotOptimize(decode_record(key, bytes));
  }
}

BENCHMARK(record_decode);

/// A store in which every key has the same old version: what the core pays, without the disk.
class ConstantStore final : public StoreView {
 public:
  [[nodiscard]] Result<std::optional<RecordHeader>> find(Key /*key*/) const override {
    return std::optional{RecordHeader{}};
  }

  [[nodiscard]] Result<std::optional<Record>> get_record(Key /*key*/) const override {
    return std::optional{Record{}};
  }

  [[nodiscard]] Result<std::vector<ExpiryEntry>> expiries(const ExpiryPlace& /*after*/,
                                                          std::size_t /*max*/) const override {
    return std::vector<ExpiryEntry>{};
  }

  [[nodiscard]] std::unique_ptr<RecordCursor> cursor() const override { return nullptr; }
};

/// Steps of `range(0)` PUTs a batch, committed at once; time is per PUT.
void node_put(benchmark::State& state) {
  const auto keys = make_keys(65536);
  const ConstantStore store;
  Node node{NodeOptions{}, Recovered{}, store, 1};
  Effects effects;
  Now now{.instant = {0}, .wall = {1'700'000'000'000}};
  node.start(now, effects);
  node.close_batch(now, effects);
  node.committed(now, effects);
  effects.clear();
  std::size_t i = 0;
  for (auto _ : state) {
    now.wall.ms++;
    for (std::int64_t step = 0; step < state.range(0); ++step) {
      const WriteCommand command{.ticket = Ticket{i},
                                 .kind = WriteCommand::Kind::put,
                                 .key = Key::from_store(keys[i % keys.size()]),
                                 .value = kValue,
                                 .condition = {}};
      node.step(now, command, effects);
      ++i;
    }
    node.close_batch(now, effects);
    benchmark::DoNotOptimize(effects.replies.data());
    node.committed(now, effects);
    effects.clear();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(i));
}

BENCHMARK(node_put)->Arg(1)->Arg(64)->Arg(1024);

}  // namespace
}  // namespace kvs
