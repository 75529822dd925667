// How fast a write is everywhere, with links that lose nothing and with links that do.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sim/measures.h"
#include "sim/spans.h"
#include "sim/trial.h"

namespace kvs {

namespace {

/// When which machine came to hold which write, durably.
class WriteWatch final : public ClusterObserver {
 public:
  explicit WriteWatch(const Trial& trial) : trial_(trial) {}

  void expect(const std::string& key) {
    writes_.emplace(key, Write{.asked = trial_.now(), .held = std::vector<bool>(trial_.size())});
  }

  void durable(Machine machine, const Batch& batch) override {
    for (const RecordWrite& write : batch.effects.writes) {
      const auto it = writes_.find(write.key.text());
      if (it == writes_.end() || it->second.held[machine]) {
        continue;
      }
      it->second.held[machine] = true;
      if (++it->second.holders == trial_.size()) {
        spans_.push_back(trial_.now() - it->second.asked);
      }
    }
  }

  void called(Machine /*machine*/, const PeerCall& call) override {
    if (const auto* push = std::get_if<Push>(&call.request)) {
      pushed_ += push->records.size();
    }
  }

  /// Of each write that all hold: how long that took.
  [[nodiscard]] const std::vector<Duration>& spans() const { return spans_; }

  /// Copies that reached a member in a push.
  [[nodiscard]] std::uint64_t pushed() const { return pushed_; }

 private:
  struct Write {
    Instant asked;
    std::vector<bool> held;
    std::uint32_t holders = 0;
  };

  const Trial& trial_;
  std::map<std::string, Write, std::less<>> writes_;
  std::vector<Duration> spans_;
  std::uint64_t pushed_ = 0;
};

/// Hops to the last of `members` others below one that hands on.
std::uint32_t depth_below(std::uint32_t others) {
  constexpr std::uint32_t kParts = 8;
  std::uint32_t depth = 0;
  for (; others > 0; others = (others + kParts - 1) / kParts - 1) {
    ++depth;
  }
  return depth;
}

std::uint32_t depth_of(std::uint32_t nodes) {
  return nodes <= OutboxOptions{}.direct_members_max ? 1 : depth_below(nodes - 1);
}

std::vector<std::uint32_t> sizes(const MeasureSize& size) {
  if (size.nodes) {
    return {*size.nodes};
  }
  return size.quick ? std::vector<std::uint32_t>{3, 10, 100}
                    : std::vector<std::uint32_t>{3, 10, 100, 1000};
}

struct Plan {
  std::uint64_t writes = 200;
  Duration apart = Duration::from_ms(250);
  Duration patience = Duration::from_seconds(10);
};

/// Writes to one random machine after the other, and waits until all hold all.
void write_all(Trial& trial, WriteWatch& watch, const Plan& plan) {
  Prng prng(trial.size());
  for (std::uint64_t i = 0; i < plan.writes; ++i) {
    const std::string key = fmt::format("spread/{}", i);
    watch.expect(key);
    trial.put(static_cast<std::uint32_t>(prng.below(trial.size())), key,
              fmt::format(R"({{"write":{}}})", i));
    trial.run_for(plan.apart);
  }
  trial.run_until([&] { return watch.spans().size() == plan.writes; }, plan.patience,
                  Duration::from_ms(100));
}

void spread_over(std::uint32_t nodes, const MeasureSize& size, const TakeFigure& take) {
  Trial trial({.machines = nodes, .seed = nodes});
  WriteWatch watch(trial);
  trial.watch(watch);
  trial.gather();
  trial.run_for(Duration::from_seconds(10));
  const Plan plan{.writes = size.quick ? 50U : 200U};
  const std::uint64_t before = watch.pushed();
  write_all(trial, watch, plan);
  const Duration p99 = percentile(watch.spans(), 99);
  const Duration wanted{Duration::from_ms(26).ns * depth_of(nodes)};
  const bool all = watch.spans().size() == plan.writes;
  take({.what = fmt::format("a write reaches all {} members, 20 ms links, no loss", nodes),
        .wanted = fmt::format("p99 ≤ {} (1.3 × {} hops)", in_ms(wanted), depth_of(nodes)),
        .measured =
            fmt::format("{} (median {}; {} of {} writes)", in_ms(p99),
                        in_ms(percentile(watch.spans(), 50)), watch.spans().size(), plan.writes),
        .met = all && p99 <= wanted ? Figure::Met::yes : Figure::Met::no});
  const double copies =
      static_cast<double>(watch.pushed() - before) / static_cast<double>(plan.writes * (nodes - 1));
  const std::string rounded = fmt::format("{:.2f}", copies);
  take({.what = fmt::format("copies of a write that a node is pushed, {} whole nodes", nodes),
        .wanted = "1.00",
        .measured = fmt::format("{:.4f}", copies),
        .met = rounded == "1.00" ? Figure::Met::yes : Figure::Met::no});
}

void lose_over(std::uint32_t nodes, const MeasureSize& size, const TakeFigure& take) {
  Trial trial({.machines = nodes, .seed = nodes});
  WriteWatch watch(trial);
  trial.watch(watch);
  trial.gather();
  trial.run_for(Duration::from_seconds(10));
  trial.network().faults().loss_rate = 50;
  const Plan plan{.writes = size.quick ? 50U : 100U,
                  .apart = Duration::from_ms(1000),
                  .patience = Duration::from_seconds(300)};
  write_all(trial, watch, plan);
  const Duration p99 = percentile(watch.spans(), 99);
  const bool all = watch.spans().size() == plan.writes;
  const Duration wanted = Duration::from_seconds(5);
  take({.what = fmt::format("the same, 5 % of all messages lost: all {} hold it", nodes),
        .wanted = "p99 ≤ 5 s",
        .measured = fmt::format("{} (median {}; {} of {} writes)", in_seconds(p99),
                                in_seconds(percentile(watch.spans(), 50)), watch.spans().size(),
                                plan.writes),
        .met = all && p99 <= wanted ? Figure::Met::yes : Figure::Met::no});
}

}  // namespace

void measure_spread(const MeasureSize& size, const TakeFigure& take) {
  for (const std::uint32_t nodes : sizes(size)) {
    spread_over(nodes, size, take);
  }
}

void measure_loss(const MeasureSize& size, const TakeFigure& take) {
  for (const std::uint32_t nodes : sizes(size)) {
    lose_over(nodes, size, take);
  }
}

}  // namespace kvs
