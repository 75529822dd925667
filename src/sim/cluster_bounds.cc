#include "sim/cluster_bounds.h"

#include <algorithm>

#include "sim/scenario.h"

namespace kvs {

namespace {

/// Narrows each bound in half of the cases. Every bound is drawn, whether it is taken or not: one
/// more changes nothing of those before it.
class Narrowing {
 public:
  explicit Narrowing(std::uint64_t seed) : prng_(seed) {}

  /// To `least` or up to `span` more.
  template <class Number>
  void operator()(Number& bound, std::uint64_t least, std::uint64_t span) {
    const bool taken = prng_.chance(1, 2);
    const std::uint64_t narrow = least + prng_.below(span + 1);
    bound = taken ? static_cast<Number>(narrow) : bound;
  }

  void operator()(Duration& bound, std::int64_t least_ms, std::int64_t most_ms) {
    const bool taken = prng_.chance(1, 2);
    const Duration narrow = Duration::from_ms(prng_.between(least_ms, most_ms));
    bound = taken ? narrow : bound;
  }

 private:
  Prng prng_;
};

void narrow_holdings(Narrowing& narrow, HoldingsOptions& options) {
  narrow(options.journal.bytes_max, 100, 4000);
  narrow(options.journal.dots_max, 1, 20);
  narrow(options.journal.answer_bytes, 1, 1000);
  narrow(options.journal.answer_records, 1, 3);
  narrow(options.journal.latest_bytes, 0, 500);
  narrow(options.ranges.listed_items_max, 1, 2);
  narrow(options.ranges.hashed_items_max, 2, 3);
  options.ranges.hashed_items_max =
      std::max(options.ranges.hashed_items_max, options.ranges.listed_items_max);
  narrow(options.ranges.parts, 2, 3);
  narrow(options.ranges.question_bytes_max, 1, 200);
  narrow(options.ranges.report_bytes_max, 1, 200);
  narrow(options.blocks.fill, 1, 2);
  if (options.blocks.fill <= 3) {
    options.blocks.max = 2 * options.blocks.fill;
  }
  narrow(options.blocks.chunk_max, 4, 2);
}

void narrow_exchanges(Narrowing& narrow, NodeOptions& options) {
  ReconciliationLimits& exchange = options.sync.reconciliation;
  narrow(exchange.drops_max, 0, 3);
  narrow(exchange.dead_max, 4, 8);
  narrow(exchange.findings_max, 1, 3);
  narrow(exchange.message_bytes_max, 1, 500);
  narrow(options.sync_answers.answer_bytes_max, 1, 500);
  narrow(options.sync_answers.told_dead_max, 1, 3);
  narrow(options.outbox.frame_bytes, 1, 500);
  narrow(options.outbox.queues_max, 1, 1);
  narrow(options.outbox.parts, 1, 2);
  narrow(options.outbox.direct_members_max, 0, 2);
}

void narrow_ballots(Narrowing& narrow, BallotOptions& options) {
  narrow(options.open_max, 1, 2);
  narrow(options.keys_max, 2, 2);
  narrow(options.path_bytes_max, 1, 30);
  narrow(options.votes_max, 1, 10);
  narrow(options.in_work_max, 1, 3);
  narrow(options.slice, 1, 1);
  narrow(options.kept_bytes_max, 0, 20);
  narrow(options.ruling_bytes_max, 1, 100);
  narrow(options.deadline, 200, 5000);
  narrow(options.step_in, 100, 8000);
}

/// A read waits for no longer than a client does.
void narrow_reads(Narrowing& narrow, RemoteReadsOptions& options) {
  narrow(options.reads_max, 1, 1);
  narrow(options.calls_max, 1, 1);
  narrow(options.paths_per_call, 1, 1);
  options.attempts_max = 2;
  options.call_timeout = Duration::from_ms(500);
}

/// Every machine has a place. One that comes back anew may have to wait for it until the failed one
/// that it was before goes.
void narrow_members(Narrowing& narrow, std::uint64_t machines, MembersOptions& options) {
  MemberLimits& limits = options.limits;
  Duration failed_kept = options.failed_kept;
  narrow(limits.listed_max, machines, 1);
  narrow(failed_kept, 2000, 20'000);
  if (limits.listed_max <= machines + 1) {
    options.failed_kept = std::min(failed_kept, Duration::from_ms(20'000));
  }
  narrow(limits.hidden_max, 1, 1);
  narrow(options.joiners_max, 1, 0);
}

}  // namespace

void narrow_bounds(const ClusterScenario& scenario, std::uint32_t machine, NodeOptions& options) {
  Narrowing narrow(stream_seed(scenario.seed, Stream::bounds, machine));
  narrow_holdings(narrow, options.holdings);
  narrow_exchanges(narrow, options);
  narrow_ballots(narrow, options.ballot);
  narrow_reads(narrow, options.remote_reads);
  narrow_members(narrow, scenario.machines, options.members);
}

}  // namespace kvs
