// Halves that were split and meet again: what each wrote alone, and what both wrote differently.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/measures.h"
#include "sim/meter.h"
#include "sim/spans.h"
#include "sim/trial.h"

namespace kvs {

namespace {

constexpr Duration kPoll = Duration::from_ms(10);

/// How long a split lasts: halves that still count on each other, or that have given each other up.
enum class Split : std::uint8_t { brief, lasting };

/// Each half gets `records` of its own, through up to ten machines of each.
void write_apart(Trial& trial, std::uint32_t records) {
  const std::uint32_t half = trial.size() / 2;
  const std::uint32_t doors = std::min(10U, half);
  constexpr std::uint32_t kAtOnce = 10;
  for (std::uint32_t i = 0; i < records; ++i) {
    trial.put(i % doors, fmt::format("left/{:06}", i), fmt::format(R"({{"left":{}}})", i));
    trial.put(half + i % doors, fmt::format("right/{:06}", i), fmt::format(R"({{"right":{}}})", i));
    if (i % kAtOnce == kAtOnce - 1) {
      trial.run_for(Duration::from_ms(3));
    }
  }
}

/// From the healing until all hold the same; `bound` if they do not.
Duration meet(const TrialOptions& options, Split split, std::uint32_t records, Duration bound) {
  Trial trial(options);
  trial.gather();
  trial.run_for(Duration::from_seconds(10));
  trial.split(options.machines / 2);
  write_apart(trial, records);
  trial.run_for(split == Split::lasting ? Duration::from_seconds(60) : Duration::from_ms(500));
  trial.network().heal();
  const Instant healed = trial.now();
  trial.run_until([&] { return trial.equal(); }, bound, kPoll);
  return trial.now() - healed;
}

void meet_often(std::uint32_t nodes, Split split, const MeasureSize& size, const TakeFigure& take) {
  // With a thousand nodes ten thousand records in all of them would not fit in memory.
  const std::uint32_t records = size.quick || nodes > 200 ? 1000 : 10'000;
  const std::uint64_t splits = size.quick ? 5 : nodes > 50 ? 2 : 10;
  std::vector<Duration> spans;
  for (std::uint64_t seed = 1; seed <= splits; ++seed) {
    spans.push_back(
        meet({.machines = nodes, .seed = seed}, split, records, Duration::from_seconds(600)));
  }
  const Duration worst = percentile(spans, 100);
  take({.what = fmt::format(
            "two halves of {} heal, {} new records each, {}", nodes, records,
            split == Split::brief ? "split for some seconds" : "each held the other failed"),
        .wanted = "≤ 2 s",
        .measured = fmt::format("{} in the median, {} at worst of {}",
                                in_seconds(percentile(spans, 50)), in_seconds(worst), splits),
        .met = worst <= Duration::from_seconds(2) ? Figure::Met::yes : Figure::Met::no});
}

/// Both halves write the same keys with the same stamps: their clocks stand still meanwhile.
void write_ties(Trial& trial, std::uint32_t ties) {
  constexpr std::uint32_t kLeft = 0;
  constexpr std::uint32_t kRight = 2;
  for (const std::uint32_t machine : {kLeft, kRight}) {
    trial.machine(machine).wall_clock().set_rate(trial.now(), 0);
  }
  constexpr std::uint32_t kAtOnce = 50;
  for (std::uint32_t i = 0; i < ties; ++i) {
    const std::string key = fmt::format("ties/{:06}", i);
    trial.put(kLeft, key, fmt::format(R"({{"left":{}}})", i));
    trial.put(kRight, key, fmt::format(R"({{"right":{}}})", i));
    if (i % kAtOnce == kAtOnce - 1) {
      trial.run_for(Duration::from_ms(3));
    }
  }
  for (const std::uint32_t machine : {kLeft, kRight}) {
    trial.machine(machine).wall_clock().heal();
  }
}

std::uint64_t open_ties(Trial& trial) {
  std::uint64_t ties = 0;
  for (std::uint32_t i = 0; i < trial.size(); ++i) {
    ties += trial.machine(i).node().status().open_ties;
  }
  return ties;
}

/// How many conflicts were decided by a vote, by all machines together.
std::uint64_t settled_ties(Trial& trial) {
  std::uint64_t settled = 0;
  for (std::uint32_t i = 0; i < trial.size(); ++i) {
    const BallotStats stats = trial.machine(i).node().status().ballots;
    settled += stats.by_majority + stats.by_oldest;
  }
  return settled;
}

double megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

/// What nodes sent until all was settled.
void tell_bytes(const Meter& meter, const TakeFigure& take) {
  const auto nodes = meter.nodes().size();
  const std::uint64_t most = std::ranges::max(meter.nodes(), {}, &Meter::Node::sent).sent;
  constexpr std::uint64_t kBytesWanted = 6'000'000;
  take({.what = "bytes that a node sends until then",
        .wanted = "≤ 6 MB",
        .measured = fmt::format("{:.1f} MB in the mean, {:.1f} MB at most",
                                megabytes(meter.total() / nodes), megabytes(most)),
        .met = most <= kBytesWanted ? Figure::Met::yes : Figure::Met::no});
  const std::uint64_t votes = meter.by_request().at(PeerRequest(AskVotes{}).index()) +
                              meter.by_answer().at(PeerAnswer(Votes{}).index());
  const std::uint64_t verdicts = meter.by_request().at(PeerRequest(Push{}).index());
  take({.what = "of that: votes; verdicts that are pushed; what the halves did not know",
        .wanted = "",
        .measured = fmt::format("{:.1f} MB; {:.1f} MB; {:.1f} MB", megabytes(votes / nodes),
                                megabytes(verdicts / nodes),
                                megabytes((meter.total() - votes - verdicts) / nodes)),
        .met = Figure::Met::open});
}

}  // namespace

void measure_halves(const MeasureSize& size, const TakeFigure& take) {
  std::vector<std::uint32_t> sizes{3, 10, 100};
  if (size.nodes) {
    sizes = {*size.nodes};
  } else if (size.quick) {
    sizes = {3};
  }
  for (const std::uint32_t nodes : sizes) {
    meet_often(nodes, Split::brief, size, take);
    meet_often(nodes, Split::lasting, size, take);
  }
}

void measure_ties(const MeasureSize& size, const TakeFigure& take) {
  const std::uint32_t nodes = size.nodes.value_or(5);
  const std::uint32_t ties = size.quick ? 2000 : 100'000;
  Trial trial({.machines = nodes, .seed = nodes});
  trial.gather();
  trial.run_for(Duration::from_seconds(10));
  trial.split(2);
  write_ties(trial, ties);
  trial.run_for(Duration::from_seconds(30));
  Meter meter(nodes, Compression::as_nodes_do);
  trial.network().set_meter(&meter);
  trial.network().heal();
  const Instant healed = trial.now();
  const bool settled = trial.run_until([&] { return trial.equal() && open_ties(trial) == 0; },
                                       Duration::from_seconds(900), kPoll);
  const Duration span = trial.now() - healed;
  trial.network().set_meter(nullptr);
  const std::uint64_t rulings = settled_ties(trial);
  const bool in_time = settled && rulings >= ties && span <= Duration::from_seconds(30);
  take({.what = fmt::format("{} ties after a split, {} nodes: all settled and equal", ties, nodes),
        .wanted = "≤ 30 s",
        .measured = settled ? fmt::format("{} ({} rulings)", in_seconds(span), rulings)
                            : fmt::format("not within 900 s ({} rulings)", rulings),
        .met = in_time ? Figure::Met::yes : Figure::Met::no});
  tell_bytes(meter, take);
}

}  // namespace kvs
