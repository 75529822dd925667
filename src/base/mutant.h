// Deliberate bugs: the simulator breaks one rule at a time to prove that its oracles notice.
//
// Only test builds (KVS_SIM_BUILD) contain them; elsewhere KVS_MUTATED is the constant false, and
// not even the names of the mutants are in the program. docs/testing.md says how to add one.
#pragma once

#ifdef KVS_SIM_BUILD

#include <cstdint>
#include <span>
#include <string_view>

namespace kvs {

enum class Mutant : std::uint8_t {
  none,
  // core/stamper
  stamp_follows_wall,
  stamp_repeats,
  stamp_ignores_reserve,
  reserve_never_raised,
  reserve_kept_after_failure,
  // core/pending
  pending_dropped_at_close,
  pending_dropped_by_older_batch,
  pending_kept_after_failure,
  // core/replica
  pending_not_consulted,
  condition_ignored,
  tombstone_is_live,
  damage_taken_for_absence,
  delete_writes_nothing,
  refusal_without_reply,
  knowledge_not_written,
  knowledge_runs_ahead,
  reserve_not_written,
  dot_reused_after_failure,
  knowledge_kept_after_failure,
  origin_kept_across_restarts,
  covered_record_taken,
  far_future_taken,
  clock_does_not_learn,
  tie_broken_alone,
  join_covers_ties,
  join_covers_deferred,
  damage_keeps_knowledge,
  join_while_forgetting,
  tie_outlives_damage,
  tie_beats_deferred,
  replaced_stays_unknown,
  condition_ignores_expiry,
  // core/expirer
  expiry_clock_goes_back,
  expiry_not_told,
  // core/reconciliation
  newest_only_exchange,
  dead_dropped_before_join,
  // core/sync_answers, core/collector, core/cluster_clock
  old_session_finished,
  collect_in_one_round,
  stamps_not_clamped,
  // core/watch_feed, core/watcher
  watch_resumes_behind,
  watch_forgets_buried,
  watch_ignores_emptied,
  watch_trusts_partial_knowledge,
  watch_forgets_told,
  watch_scan_leaves_out_deletions,
  watch_scan_forgets_newer,
  watch_scan_leaves_out_expiries,
  // core/merge
  merge_keeps_older,
  // core/verdict
  verdict_ignores_majority,
  verdict_prefers_young,
  // core/ballot
  syncing_votes,
  ballot_ignores_decided,
  verdict_without_value,
  many_ties_are_told,
  ballots_side_by_side,
  unclear_vote_is_none,
  // core/mode, core/node
  read_only_writes,
  identity_made_anew,
  failure_acknowledged,
  refusal_rests_on_failure,
  // core/write_ref, core/journal, core/ring, core/outbox
  older_version_told_as_newer,
  delta_skips_gaps,
  stretch_not_shrunk,
  lost_frame_stays_in_flight,
  // core/member_table, core/suspicion, core/member_ledger, core/failure_detector, core/meetings,
  // core/members
  member_state_ignores_incarnation,
  accuser_confirms_itself,
  accusation_not_refuted,
  member_list_kills,
  isolated_node_accuses,
  doubtful_node_probes_on,
  probes_by_chance,
  helper_waits_too_long,
  halves_never_meet,
  member_id_used_twice,
  // wire/record_codec
  damage_served,
  // sim/shell: rules that whoever drives the node has to keep
  reply_before_commit,
  reserve_not_synced,
  sync_error_retried,
  later_batches_committed,
  // sim/disk
  stale_read,
};

/// Who has to notice a mutant.
enum class MutantJudge : std::uint8_t {
  one_node,  // the simulator with one node
  cluster,   // the simulator with a cluster
  tests,     // unit tests and laws: no run of the simulator does yet
};

struct MutantInfo {
  Mutant mutant = Mutant::none;
  std::string_view name;
  std::string_view broken;  // the rule that no longer holds
  MutantJudge judge = MutantJudge::one_node;
};

/// All mutants but `none`, in the order of their numbers.
[[nodiscard]] std::span<const MutantInfo> mutants();

/// From now on this rule is broken, and only this one.
void set_mutant(Mutant mutant);

[[nodiscard]] bool mutated(Mutant mutant);

}  // namespace kvs

#define KVS_MUTATED(name) ::kvs::mutated(::kvs::Mutant::name)

#else

#define KVS_MUTATED(name) false

#endif
