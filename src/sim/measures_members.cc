// How soon a crash is noticed, whether anything else is taken for one, and what members cost while
// nothing happens.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/measures.h"
#include "sim/meter.h"
#include "sim/spans.h"
#include "sim/trial.h"

namespace kvs {

namespace {

/// Who has come to suspect a member, or to hold it failed.
class OpinionWatch final : public ClusterObserver {
 public:
  explicit OpinionWatch(const Trial& trial) : trial_(trial) {}

  /// From now on opinions on this machine count.
  void expect(std::uint32_t victim) {
    subject_ = fmt::format("node-{} at ", victim);
    begun_ = trial_.now();
    suspecting_.clear();
    failing_.clear();
  }

  void traced(Machine machine, const Trace& trace) override {
    if (trace.kind == Trace::Kind::member_failed) {
      ++failures_;
    }
    suspicions_ += trace.kind == Trace::Kind::member_suspected ? 1U : 0U;
    if (subject_.empty() || !trace.text.starts_with(subject_)) {
      return;
    }
    const Duration since = trial_.now() - begun_;
    if (trace.kind == Trace::Kind::member_suspected || trace.kind == Trace::Kind::member_failed) {
      suspecting_.try_emplace(machine, since);
    }
    if (trace.kind == Trace::Kind::member_failed) {
      failing_.try_emplace(machine, since);
    }
  }

  using Times = std::map<Machine, Duration>;

  [[nodiscard]] const Times& suspecting() const { return suspecting_; }

  [[nodiscard]] const Times& failing() const { return failing_; }

  [[nodiscard]] std::uint64_t failures() const { return failures_; }

  [[nodiscard]] std::uint64_t suspicions() const { return suspicions_; }

 private:
  const Trial& trial_;
  std::string subject_;
  Instant begun_;
  Times suspecting_;
  Times failing_;
  std::uint64_t failures_ = 0;
  std::uint64_t suspicions_ = 0;
};

Duration last_of(const OpinionWatch::Times& times) {
  Duration last;
  for (const auto& [machine, time] : times) {
    last = std::max(last, time);
  }
  return last;
}

/// Until when all should suspect a crashed member, and hold it failed.
struct CrashGoal {
  Duration suspect;
  Duration fail;
};

CrashGoal crash_goal(std::uint32_t nodes) {
  const auto seconds = [](std::int64_t s) {
    return Duration::from_seconds(s);
  };
  return nodes <= 3     ? CrashGoal{.suspect = seconds(3), .fail = seconds(7)}
         : nodes <= 100 ? CrashGoal{.suspect = seconds(5), .fail = seconds(13)}
                        : CrashGoal{.suspect = seconds(5), .fail = seconds(17)};
}

/// The machine loses power: nothing comes from it any more, not even a refusal.
void crash_and_return(Trial& trial, OpinionWatch& watch, std::uint32_t victim) {
  watch.expect(victim);
  trial.cut_off(victim);
  trial.machine(victim).crash(Crash::power_loss);
  trial.run_until([&] { return watch.failing().size() + 1 == trial.size(); },
                  Duration::from_seconds(120), Duration::from_ms(100));
  trial.network().heal();
  trial.machine(victim).start_after({});
  trial.run_until([&] { return trial.together(); }, Duration::from_seconds(600),
                  Duration::from_ms(500));
  trial.run_for(Duration::from_seconds(10));
}

void crash_in(std::uint32_t nodes, const MeasureSize& size, const TakeFigure& take) {
  Trial trial({.machines = nodes, .seed = nodes});
  OpinionWatch watch(trial);
  trial.watch(watch);
  trial.gather();
  trial.run_for(Duration::from_seconds(30));
  const std::size_t crashes = size.quick ? 5 : nodes > 100 ? 10 : 40;
  Prng prng(nodes);
  std::vector<Duration> suspected;
  std::vector<Duration> failed;
  bool all = true;
  for (std::size_t i = 0; i < crashes; ++i) {
    crash_and_return(trial, watch, static_cast<std::uint32_t>(prng.below(nodes)));
    all = all && watch.failing().size() + 1 == nodes;
    suspected.push_back(last_of(watch.suspecting()));
    failed.push_back(last_of(watch.failing()));
  }
  const CrashGoal goal = crash_goal(nodes);
  const auto tell = [&](std::string_view what, const std::vector<Duration>& spans,
                        Duration wanted) {
    const Duration median = percentile(spans, 50);
    const Duration worst = percentile(spans, 100);
    const auto in_time =
        std::ranges::count_if(spans, [&](Duration span) { return span <= wanted; });
    take({.what = fmt::format("a machine of {} loses power: all others {}", nodes, what),
          .wanted = fmt::format("≤ {}", in_seconds(wanted)),
          .measured = fmt::format("{} in the median, {} at worst; {} of {} in time",
                                  in_seconds(median), in_seconds(worst), in_time, spans.size()),
          .met = all && worst <= wanted ? Figure::Met::yes : Figure::Met::no});
  };
  tell("suspect it", suspected, goal.suspect);
  tell("hold it failed", failed, goal.fail);
}

std::vector<std::uint32_t> crash_sizes(const MeasureSize& size) {
  if (size.nodes) {
    return {*size.nodes};
  }
  return size.quick ? std::vector<std::uint32_t>{3, 100} : std::vector<std::uint32_t>{3, 100, 1000};
}

void quiet_in(std::uint32_t nodes, const MeasureSize& size, const TakeFigure& take) {
  Trial trial({.machines = nodes, .seed = nodes});
  OpinionWatch watch(trial);
  trial.watch(watch);
  trial.gather();
  trial.run_for(Duration::from_seconds(10));
  const std::uint64_t before = watch.failures();
  const std::uint64_t suspicions = watch.suspicions();
  trial.network().faults().loss_rate = 50;
  const std::int64_t minutes = size.quick ? 5 : 60;
  trial.run_for(Duration::from_seconds(minutes * 60));
  const std::uint64_t false_ones = watch.failures() - before;
  take({.what = fmt::format("members of {} that others held failed in {} min, nobody crashed, 5 % "
                            "of all messages lost",
                            nodes, minutes),
        .wanted = "0",
        .measured = fmt::format("{} ({} times somebody was suspected)", false_ones,
                                watch.suspicions() - suspicions),
        .met = false_ones == 0 ? Figure::Met::yes : Figure::Met::no});
}

}  // namespace

void measure_crash(const MeasureSize& size, const TakeFigure& take) {
  for (const std::uint32_t nodes : crash_sizes(size)) {
    crash_in(nodes, size, take);
  }
}

void measure_quiet(const MeasureSize& size, const TakeFigure& take) {
  for (const std::uint32_t nodes : crash_sizes(size)) {
    quiet_in(nodes, size, take);
  }
}

void measure_rest(const MeasureSize& size, const TakeFigure& take) {
  const std::uint32_t nodes = size.nodes.value_or(size.quick ? 100 : 1000);
  Trial trial({.machines = nodes, .seed = nodes});
  trial.gather();
  for (std::uint32_t i = 0; i < 100; ++i) {
    trial.put(
        i % nodes, fmt::format("rest/{:04}/profile", i),
        fmt::format(R"({{"name":"somebody","number":{},"text":"{}"}})", i, std::string(60, 'x')));
    trial.run_for(Duration::from_ms(20));
  }
  trial.run_for(Duration::from_seconds(180));
  Meter meter(nodes, Compression::as_nodes_do);
  trial.network().set_meter(&meter);
  const std::int64_t seconds = size.quick ? 120 : 300;
  trial.run_for(Duration::from_seconds(seconds));
  trial.network().set_meter(nullptr);
  std::uint64_t most = 0;
  for (const Meter::Node& node : meter.nodes()) {
    most = std::max(most, node.sent + node.received);
  }
  const double mean =
      2.0 * static_cast<double>(meter.total()) / nodes / static_cast<double>(seconds);
  take({.what = fmt::format("bytes a node and second at rest, {} nodes, sent and received", nodes),
        .wanted = "≤ 2 KiB",
        .measured = fmt::format(
            "{:.2f} KiB in the mean, {:.2f} KiB of the busiest; half of it sent", mean / 1024,
            static_cast<double>(most) / 1024 / static_cast<double>(seconds)),
        .met = mean <= 2048 ? Figure::Met::yes : Figure::Met::no});
}

}  // namespace kvs
