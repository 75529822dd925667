#include "sim/oracle_commands.h"

#include <fmt/format.h>

namespace kvs {

namespace {

bool condition_holds(const Condition& condition, const Write* live) {
  switch (condition.kind) {
    case Condition::Kind::none:
      return true;
    case Condition::Kind::if_absent:
      return live == nullptr;
    case Condition::Kind::if_exists:
      return live != nullptr;
    case Condition::Kind::if_match:
      return live != nullptr && live->version().uuid == condition.uuid;
  }
  return false;
}

WriteStatus expected_on(const Operation& operation, const Write* basis) {
  const Write* live = basis != nullptr && basis->record.header.live() ? basis : nullptr;
  if (!condition_holds(operation.condition, live)) {
    return WriteStatus::version_mismatch;
  }
  if (operation.kind == Operation::Kind::put) {
    return live != nullptr ? WriteStatus::replaced : WriteStatus::created;
  }
  return live != nullptr ? WriteStatus::deleted : WriteStatus::not_found;
}

/// What follows when the stored record cannot be read.
WriteStatus expected_without_reading(const Operation& operation, Errc fault) {
  if (fault == Errc::io_error) {
    return WriteStatus::io_error;
  }
  const bool replaces =
      operation.kind == Operation::Kind::put && operation.condition.kind == Condition::Kind::none;
  return replaces ? WriteStatus::created : WriteStatus::corrupt_data;
}

WriteStatus expected(const Step& step, bool rotten) {
  const Decision& decision = step.decision;
  if (decision.mode != Mode::normal) {
    return decision.mode == Mode::read_only ? WriteStatus::read_only : WriteStatus::syncing;
  }
  const bool pending = step.basis != nullptr && step.basis_fate == Fate::pending;
  if (!pending && decision.read_fault) {
    return expected_without_reading(decision.operation, *decision.read_fault);
  }
  if (!pending && rotten) {
    return expected_without_reading(decision.operation, Errc::corrupt_data);
  }
  return expected_on(decision.operation, step.basis);
}

bool is_refusal_for(WriteStatus status, Errc why) {
  switch (status) {
    case WriteStatus::disk_full:
      return why == Errc::disk_full;
    case WriteStatus::overloaded:
      return why == Errc::overloaded;
    default:
      return !succeeded(status);
  }
}

}  // namespace

void ConditionsHold::decided(const Decision& decision) {
  const Step* step = history().step(decision.operation.ticket);
  if (!decision.outcome || step == nullptr) {
    return;  // RepliesWait misses the reply
  }
  const WriteStatus wanted = expected(*step, history().rotten(decision.operation.key));
  if (decision.outcome->status != wanted) {
    report(fmt::format("{}: operation {} ended with status {}, not {}", decision.operation.key,
                       static_cast<std::uint64_t>(decision.operation.ticket),
                       static_cast<int>(decision.outcome->status), static_cast<int>(wanted)));
  }
}

void DiskFullRefuses::failed(const Batch& batch, Errc why) {
  failed_[batch.number] = why;
  if (why == Errc::disk_full && !full_) {
    report("a batch failed for want of space, and there was space");
  }
}

void DiskFullRefuses::answered(const Operation& operation, const WriteOutcome& outcome) {
  const Step* step = history().step(operation.ticket);
  if (step == nullptr) {
    return;
  }
  const auto it = failed_.find(step->decision.batch);
  const bool right = it == failed_.end() ? outcome.status != WriteStatus::disk_full
                                         : is_refusal_for(outcome.status, it->second);
  if (!right) {
    report(fmt::format("{}: answered with status {}", operation.key,
                       static_cast<int>(outcome.status)));
  }
}

void RecoversByItself::asked(const Operation& operation) {
  if (healed_ && !first_after_) {
    first_after_ = operation.ticket;
  }
}

/// True if what the delete found was a deletion asked for before the faults had stopped. That it
/// answers so then, and only then, ConditionsHold checks.
bool RecoversByItself::came_too_late(const Operation& operation) const {
  const Step* step = history().step(operation.ticket);
  const Write* basis = step != nullptr ? step->basis : nullptr;
  return basis != nullptr && !basis->record.header.live() && first_after_ &&
         basis->ticket < *first_after_;
}

void RecoversByItself::answered(const Operation& operation, const WriteOutcome& outcome) {
  if (!first_after_ || operation.ticket < *first_after_ || succeeded(outcome.status)) {
    return;
  }
  if (outcome.status != WriteStatus::not_found || !came_too_late(operation)) {
    report(fmt::format("{}: refused with status {} although nothing is wrong", operation.key,
                       static_cast<int>(outcome.status)));
  }
}

}  // namespace kvs
