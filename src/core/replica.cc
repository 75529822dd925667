#include "core/replica.h"

#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "base/probe.h"
#include "core/merge.h"

namespace kvs {

namespace {

bool holds(const Condition& condition, const std::optional<RecordHeader>& held) {
  const bool live = held && (held->live() || KVS_MUTATED(tombstone_is_live));
  switch (condition.kind) {
    case Condition::Kind::none:
      return true;
    case Condition::Kind::if_absent:
      return !live;
    case Condition::Kind::if_exists:
      return live;
    case Condition::Kind::if_match:
      return live && held->version.uuid == condition.uuid;
  }
  return false;
}

WriteStatus status_of(const WriteCommand& command, const std::optional<RecordHeader>& held) {
  if (!holds(command.condition, held) && !KVS_MUTATED(condition_ignored)) {
    return WriteStatus::version_mismatch;
  }
  const bool live = held && (held->live() || KVS_MUTATED(tombstone_is_live));
  if (command.kind == WriteCommand::Kind::put) {
    return live ? WriteStatus::replaced : WriteStatus::created;
  }
  return live ? WriteStatus::deleted : WriteStatus::not_found;
}

}  // namespace

Replica::Replica(const Recovered& recovered, const StoreView& store, Prng& prng)
    : store_(store),
      prng_(prng),
      stamper_(recovered.clock_reserve),
      knowledge_(recovered.knowledge),
      durable_(recovered.knowledge) {}

Result<std::optional<RecordHeader>> Replica::held(Key key) const {
  const auto pending = pending_.find(key);
  if (pending && !KVS_MUTATED(pending_not_consulted)) {
    KVS_PROBE("replica: a command met a pending write");
    return pending;
  }
  return store_.find(key);
}

WriteStatus Replica::decide(const WriteCommand& command, Effects& effects) {
  const auto found = held(command.key);
  if (found) {
    if (*found) {
      // What replaces a record is above it, even if damage took the reserve and the wall clock was
      // set back.
      stamper_.observe((*found)->version.stamp);
    }
    return status_of(command, *found);
  }
  // A damaged record must not make its key unusable: an unconditional PUT replaces it. Its stamp is
  // below the clock's like every stored one, so the new version wins everywhere.
  const bool can_replace = found.error().code == Errc::corrupt_data &&
                           command.kind == WriteCommand::Kind::put &&
                           command.condition.kind == Condition::Kind::none;
  if (can_replace) {
    KVS_PROBE("replica: a damaged record was replaced");
    ++stats_.damaged_replaced;
    effects.trace.push_back({.kind = Trace::Kind::damaged_record_replaced});
    return WriteStatus::created;
  }
  if (found.error().code == Errc::corrupt_data) {
    KVS_PROBE("replica: a damaged record refused a command");
    return KVS_MUTATED(damage_taken_for_absence) ? status_of(command, std::nullopt)
                                                 : WriteStatus::corrupt_data;
  }
  KVS_PROBE("replica: a record could not be read");
  return WriteStatus::io_error;
}

void Replica::write(WallTime wall, const WriteCommand& command, Effects& effects) {
  const WriteStatus status = decide(command, effects);
  const WriteOutcome outcome =
      succeeded(status) ? accept(wall, command, status, effects) : WriteOutcome{.status = status};
  if (KVS_MUTATED(refusal_without_reply) && status == WriteStatus::version_mismatch) {
    return;
  }
  effects.replies.push_back({.ticket = command.ticket, .outcome = outcome});
}

WriteOutcome Replica::accept(WallTime wall, const WriteCommand& command, WriteStatus status,
                             Effects& effects) {
  const bool put = command.kind == WriteCommand::Kind::put;
  const Version version{.stamp = stamper_.next(wall),
                        .verdict = {},
                        .uuid = make_uuid(prng_),
                        .dot = next_dot(effects)};
  const RecordHeader header{.version = version,
                            .kind = put ? RecordKind::value : RecordKind::tombstone};
  if (KVS_MUTATED(delete_writes_nothing) && !put) {
    return {.status = status, .uuid = version.uuid, .stamp = version.stamp};
  }
  store_record(command.key, {.header = header, .value = put ? command.value : std::string_view{}},
               effects);
  return {.status = status, .uuid = version.uuid, .stamp = version.stamp};
}

Dot Replica::next_dot(Effects& effects) {
  if (!origin_) {
    origin_ = KVS_MUTATED(origin_kept_across_restarts) ? Origin{1} : Origin{prng_.next() | 1U};
    ++stats_.origins_taken;
    effects.trace.push_back(
        {.kind = Trace::Kind::origin_taken, .number = static_cast<std::uint64_t>(*origin_)});
  }
  return {.origin = *origin_, .seq = knowledge_.of(*origin_).upto + 1};
}

void Replica::store_record(Key key, const RecordView& record, Effects& effects) {
  effects.writes.push_back({.key = key, .record = record});
  pending_.add(key, record.header);
  knowledge_.add(record.header.version.dot);
  changed_.insert(record.header.version.dot.origin);
  ++stats_.records_written;
}

void Replica::close_batch(Effects& effects) {
  for (const Origin origin : changed_) {
    effects.knowledge.push_back({.origin = origin, .known = knowledge_.of(origin)});
    if (KVS_MUTATED(knowledge_runs_ahead)) {
      ++effects.knowledge.back().known.upto;
    }
  }
  if (KVS_MUTATED(knowledge_not_written)) {
    effects.knowledge.clear();
  }
  changed_.clear();
  effects.clock_reserve = stamper_.take_due_reserve();
  if (KVS_MUTATED(reserve_not_written)) {
    effects.clock_reserve.reset();
  }
  closed_.push_back(effects.knowledge);
  pending_.close_batch();
}

void Replica::committed() {
  KVS_CHECK(!closed_.empty(), "a batch was committed that was never closed");
  for (KnowledgeWrite& change : closed_.front()) {
    durable_.set(change.origin, std::move(change.known));
  }
  closed_.pop_front();
  pending_.commit_oldest();
}

void Replica::commit_failed() {
  if (closed_.size() > 1) {
    KVS_PROBE("replica: a failed batch took later ones with it");
  }
  if (!KVS_MUTATED(knowledge_kept_after_failure)) {
    knowledge_ = durable_;
  }
  changed_.clear();
  closed_.clear();
  pending_.clear();
  if (!KVS_MUTATED(dot_reused_after_failure)) {
    origin_.reset();
  }
  stamper_.forget_reserve();
}

}  // namespace kvs
