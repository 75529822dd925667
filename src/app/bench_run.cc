#include "app/bench_run.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/os.h"

namespace kvs {

namespace {

constexpr Duration kLookInterval = Duration::from_ms(100);

// What a call was is in its number.
constexpr std::uint64_t kIsRead = 1;

bool is_refusal(unsigned status) {
  return status == 503 || status == 507;
}

/// A JSON string of `bytes` bytes that hardly compresses.
std::string make_value(std::uint32_t bytes, Prng& prng) {
  std::string value = "\"";
  while (value.size() + 1 < bytes) {
    value += fmt::format("{:016x}", prng.next());
  }
  value.resize(std::max<std::size_t>(bytes, 2) - 1);
  return value += '"';
}

}  // namespace

BenchRun::BenchRun(BenchRunOptions options)
    : options_(std::move(options)),
      pool_(options_.pool, *this),
      prng_(options_.seed),
      value_(make_value(options_.value_bytes, prng_)) {}

Result<void> BenchRun::fill() {
  return work(Phase::fill, [this] { return give_one_of_each("PUT"); });
}

Result<void> BenchRun::clean() {
  failure_.reset();
  return work(Phase::clean, [this] { return give_one_of_each("DELETE"); });
}

Result<void> BenchRun::load(const Tell& tell) {
  const Instant begun = monotonic_now();
  const auto ended = work(Phase::load, [&] {
    const Duration elapsed = monotonic_now() - begun;
    const double by_time = static_cast<double>(elapsed.ns) / static_cast<double>(options_.time.ns);
    const double by_count = static_cast<double>(given_) / static_cast<double>(options_.count);
    tell(outcome_, std::max(by_time, by_count));
    if (elapsed >= options_.time || given_ >= options_.count) {
      return false;
    }
    give_load();
    return true;
  });
  outcome_.took = monotonic_now() - begun;
  return ended;
}

Result<void> BenchRun::work(Phase phase, const std::function<bool()>& give) {
  phase_ = phase;
  given_ = 0;
  KVS_TRY(pool_.open());
  bool goes_on = !outcome_.interrupted || phase == Phase::clean;
  while (!failure_ && (goes_on || pool_.under_way() > 0)) {
    while (goes_on && pool_.has_room()) {
      goes_on = give();
    }
    const Woken woken = pool_.turn(monotonic_now() + kLookInterval);
    if (woken == Woken::interrupted) {
      outcome_.interrupted = true;
      goes_on = false;
    }
    if (pool_.broken() && !failure_) {
      failure_ = pool_.broken();
    }
  }
  return failure_ ? std::unexpected(*failure_) : Result<void>();
}

/// False once each key had its turn.
bool BenchRun::give_one_of_each(std::string_view method) {
  if (given_ == options_.keys) {
    return false;
  }
  ask(given_, method);
  return true;
}

void BenchRun::give_load() {
  const bool reads = prng_.below(100) < options_.reads_percent;
  ask(prng_.below(options_.keys), reads ? "GET" : "PUT");
}

void BenchRun::ask(std::uint64_t number, std::string_view method) {
  const std::string key = fmt::format("{}/{:08}", options_.prefix, number);
  const bool reads = method == "GET";
  pool_.ask(reads ? kIsRead : 0,
            {.method = method,
             .target = key_target(Key::from_store(key)),
             .body = method == "PUT" ? std::string_view(value_) : std::string_view()});
  ++given_;
}

void BenchRun::answered(CallNumber number, const Answer& answer, Instant asked) {
  constexpr unsigned kNotFound = 404;
  if (answer.head.fine() || answer.head.status == kNotFound) {
    if (phase_ == Phase::load) {
      Latencies& latencies = number == kIsRead ? outcome_.gets : outcome_.puts;
      latencies.add(monotonic_now() - asked);
    }
    return;
  }
  if (phase_ == Phase::load && is_refusal(answer.head.status)) {
    ++outcome_.refused;
    return;
  }
  failure_ = error_of(answer.head, answer.body);
}

void BenchRun::lost(CallNumber /*number*/, const Error& why) {
  failure_ = why;
}

}  // namespace kvs
