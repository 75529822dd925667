// A load on a node: PUTs and GETs of keys below a prefix of their own, from several connections,
// each with a fixed number of requests under way, and how long each took.
//
// Every key is written once before the load, and deleted after it unless they are to be kept. The
// load ends with its count, its time or an interrupt, whichever comes first. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "app/latencies.h"
#include "base/prng.h"
#include "io/lane_pool.h"

namespace kvs {

struct BenchRunOptions {
  LanePoolOptions pool;
  std::string prefix = "kvs-bench";
  std::uint64_t keys = 1000;
  std::uint64_t count = UINT64_MAX;  // requests
  Duration time = Duration::from_seconds(10);
  std::uint32_t value_bytes = 100;  // at least 2
  std::uint32_t reads_percent = 50;
  std::uint64_t seed = 1;
};

struct BenchOutcome {
  Latencies puts;
  Latencies gets;
  std::uint64_t refused = 0;  // 503 and 507
  Duration took{};
  bool interrupted = false;

  [[nodiscard]] std::uint64_t requests() const { return puts.count() + gets.count(); }
};

class BenchRun final : private LaneOwner {
 public:
  /// Called again and again while the load runs.
  using Tell = std::function<void(const BenchOutcome& so_far, double share)>;

  explicit BenchRun(BenchRunOptions options);

  /// Each once, in this order. Errors: the node cannot be reached, breaks off, or answers what it
  /// should not; fill() also if it refuses writes.
  Result<void> fill();
  Result<void> load(const Tell& tell);
  /// Deletes the keys; best effort, also after an error.
  Result<void> clean();

  [[nodiscard]] const BenchOutcome& outcome() const { return outcome_; }

 private:
  enum class Phase : std::uint8_t { fill, load, clean };

  // LaneOwner
  void answered(CallNumber number, const Answer& answer, Instant asked) override;
  void lost(CallNumber number, const Error& why) override;

  /// Asks as long as `give` says so, and waits for the answers.
  Result<void> work(Phase phase, const std::function<bool()>& give);
  bool give_one_of_each(std::string_view method);
  void give_load();
  void ask(std::uint64_t number, std::string_view method);

  BenchRunOptions options_;
  LanePool pool_;
  Prng prng_;
  std::string value_;
  BenchOutcome outcome_;
  Phase phase_ = Phase::fill;
  std::uint64_t given_ = 0;  // in this phase
  std::optional<Error> failure_;
};

}  // namespace kvs
