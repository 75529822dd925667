#include "base/mutant.h"

#ifdef KVS_SIM_BUILD

#include <array>

namespace kvs {

namespace {

constexpr std::array kMutants{
    MutantInfo{.mutant = Mutant::stamp_follows_wall,
               .name = "stamp_follows_wall",
               .broken = "a stamp is larger than the last one"},
    MutantInfo{.mutant = Mutant::stamp_repeats,
               .name = "stamp_repeats",
               .broken = "no stamp is given twice"},
    MutantInfo{.mutant = Mutant::stamp_ignores_reserve,
               .name = "stamp_ignores_reserve",
               .broken = "a restarted clock continues above its reserve"},
    MutantInfo{.mutant = Mutant::reserve_never_raised,
               .name = "reserve_never_raised",
               .broken = "stamps that outgrow the reserve raise it"},
    MutantInfo{.mutant = Mutant::reserve_kept_after_failure,
               .name = "reserve_kept_after_failure",
               .broken = "a reserve whose batch failed is written again"},
    MutantInfo{.mutant = Mutant::pending_dropped_at_close,
               .name = "pending_dropped_at_close",
               .broken = "a pending write is seen until its batch is durable"},
    MutantInfo{.mutant = Mutant::pending_dropped_by_older_batch,
               .name = "pending_dropped_by_older_batch",
               .broken = "a commit drops only what its own batch wrote last"},
    MutantInfo{.mutant = Mutant::pending_kept_after_failure,
               .name = "pending_kept_after_failure",
               .broken = "writes of a failed batch are forgotten"},
    MutantInfo{.mutant = Mutant::pending_not_consulted,
               .name = "pending_not_consulted",
               .broken = "a command sees the commands before it"},
    MutantInfo{.mutant = Mutant::condition_ignored,
               .name = "condition_ignored",
               .broken = "a write whose condition does not hold changes nothing"},
    MutantInfo{.mutant = Mutant::tombstone_is_live,
               .name = "tombstone_is_live",
               .broken = "a deleted key is not live"},
    MutantInfo{.mutant = Mutant::damage_taken_for_absence,
               .name = "damage_taken_for_absence",
               .broken = "a condition on a damaged record is refused"},
    MutantInfo{.mutant = Mutant::delete_writes_nothing,
               .name = "delete_writes_nothing",
               .broken = "a delete stores a tombstone"},
    MutantInfo{.mutant = Mutant::refusal_without_reply,
               .name = "refusal_without_reply",
               .broken = "every command is answered"},
    MutantInfo{.mutant = Mutant::knowledge_not_written,
               .name = "knowledge_not_written",
               .broken = "K is written with the records that it covers"},
    MutantInfo{.mutant = Mutant::knowledge_runs_ahead,
               .name = "knowledge_runs_ahead",
               .broken = "K covers only what the state reflects"},
    MutantInfo{.mutant = Mutant::reserve_not_written,
               .name = "reserve_not_written",
               .broken = "a due reserve is part of the batch"},
    MutantInfo{.mutant = Mutant::dot_reused_after_failure,
               .name = "dot_reused_after_failure",
               .broken = "the dots of a failed batch are never used again"},
    MutantInfo{.mutant = Mutant::knowledge_kept_after_failure,
               .name = "knowledge_kept_after_failure",
               .broken = "K does not cover what failed"},
    MutantInfo{.mutant = Mutant::origin_kept_across_restarts,
               .name = "origin_kept_across_restarts",
               .broken = "every run takes a new origin"},
    MutantInfo{.mutant = Mutant::covered_record_taken,
               .name = "covered_record_taken",
               .broken = "a record that K covers is never taken"},
    MutantInfo{.mutant = Mutant::far_future_taken,
               .name = "far_future_taken",
               .broken = "a record stamped too far ahead is not merged"},
    MutantInfo{.mutant = Mutant::clock_does_not_learn,
               .name = "clock_does_not_learn",
               .broken = "a clock runs ahead of every stamp that it has met"},
    MutantInfo{.mutant = Mutant::tie_broken_alone,
               .name = "tie_broken_alone",
               .broken = "a tie is decided by a ballot"},
    MutantInfo{.mutant = Mutant::join_covers_ties,
               .name = "join_covers_ties",
               .broken = "K does not cover a tied version that was not kept"},
    MutantInfo{.mutant = Mutant::merge_keeps_older,
               .name = "merge_keeps_older",
               .broken = "the larger version wins"},
    MutantInfo{.mutant = Mutant::verdict_ignores_majority,
               .name = "verdict_ignores_majority",
               .broken = "most votes win"},
    MutantInfo{.mutant = Mutant::verdict_prefers_young,
               .name = "verdict_prefers_young",
               .broken = "equal votes go to the version of the oldest voter"},
    MutantInfo{.mutant = Mutant::syncing_votes,
               .name = "syncing_votes",
               .broken = "a member that is still syncing has no vote"},
    MutantInfo{.mutant = Mutant::ballot_ignores_decided,
               .name = "ballot_ignores_decided",
               .broken = "a decided or newer version ends a ballot"},
    MutantInfo{.mutant = Mutant::verdict_without_value,
               .name = "verdict_without_value",
               .broken = "a verdict is written with the value that won"},
    MutantInfo{.mutant = Mutant::read_only_writes,
               .name = "read_only_writes",
               .broken = "a read-only node refuses client writes"},
    MutantInfo{.mutant = Mutant::identity_made_anew,
               .name = "identity_made_anew",
               .broken = "a data folder keeps its identity"},
    MutantInfo{.mutant = Mutant::failure_acknowledged,
               .name = "failure_acknowledged",
               .broken = "a failed batch is not acknowledged"},
    MutantInfo{.mutant = Mutant::refusal_rests_on_failure,
               .name = "refusal_rests_on_failure",
               .broken = "no answer rests on a write that failed"},
    MutantInfo{.mutant = Mutant::older_version_told_as_newer,
               .name = "older_version_told_as_newer",
               .broken = "a dot is told only beside a version that reflects it"},
    MutantInfo{.mutant = Mutant::delta_skips_gaps,
               .name = "delta_skips_gaps",
               .broken = "a whole delta holds every missing dot"},
    MutantInfo{.mutant = Mutant::stretch_not_shrunk,
               .name = "stretch_not_shrunk",
               .broken = "a member hands on to smaller stretches only"},
    MutantInfo{.mutant = Mutant::lost_frame_stays_in_flight,
               .name = "lost_frame_stays_in_flight",
               .broken = "a failed push frees its lane"},
    MutantInfo{.mutant = Mutant::damage_served,
               .name = "damage_served",
               .broken = "a stored record is checked wherever it is read"},
    MutantInfo{.mutant = Mutant::reply_before_commit,
               .name = "reply_before_commit",
               .broken = "replies leave after the commit"},
    MutantInfo{.mutant = Mutant::reserve_not_synced,
               .name = "reserve_not_synced",
               .broken = "a batch with a reserve is synced, whatever the durability"},
    MutantInfo{.mutant = Mutant::sync_error_retried,
               .name = "sync_error_retried",
               .broken = "a failed fsync ends the process"},
    MutantInfo{.mutant = Mutant::later_batches_committed,
               .name = "later_batches_committed",
               .broken = "batches decided on a failed one fail with it"},
    MutantInfo{.mutant = Mutant::stale_read,
               .name = "stale_read",
               .broken = "a read shows the newest durable write"},
};

// Set once by a test program, before anything runs.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
constinit Mutant active = Mutant::none;

}  // namespace

std::span<const MutantInfo> mutants() {
  return kMutants;
}

void set_mutant(Mutant mutant) {
  active = mutant;
}

bool mutated(Mutant mutant) {
  return active == mutant;
}

}  // namespace kvs

#endif
