#include "sim/oracle_order.h"

#include <algorithm>

#include <fmt/format.h>

namespace kvs {

void StampsIncrease::decided(const Decision& decision) {
  if (!decision.outcome || !succeeded(decision.outcome->status)) {
    return;
  }
  const Stamp stamp = decision.outcome->stamp;
  if (stamp <= last_) {
    report(
        fmt::format("{}: stamp {:x} after {:x}", decision.operation.key, stamp.bits, last_.bits));
  }
  last_ = std::max(last_, stamp);
}

void StampsIncrease::durable(const Batch& batch) {
  for (const RecordWrite& write : batch.effects.writes) {
    left_ = std::max(left_, write.record.header.version.stamp);
  }
}

void StampsIncrease::crashed(Crash) {
  last_ = left_;
}

void StampsIncrease::recovered(const Image& image) {
  for (const auto& [key, record] : image.records) {
    left_ = record ? std::max(left_, record->header.version.stamp) : left_;
  }
  last_ = left_;
}

void DotsAreUnique::closed(const Batch& batch) {
  for (const RecordWrite& write : batch.effects.writes) {
    const Dot dot = write.record.header.version.dot;
    Seen& seen = origins_[dot.origin];
    if (seen.seq != 0 && seen.life != life_) {
      report(fmt::format("{}: an origin of an earlier run writes again", write.key.text()));
    }
    if (dot.seq != seen.seq + 1) {
      report(fmt::format("{}: dot {} follows dot {}", write.key.text(), dot.seq, seen.seq));
    }
    seen = {.life = life_, .seq = std::max(seen.seq, dot.seq)};
  }
}

void DotsAreUnique::crashed(Crash) {
  ++life_;
}

void RepliesWait::decided(const Decision& decision) {
  owed_.push_back(decision.operation.ticket);
}

void RepliesWait::durable(const Batch& batch) {
  if (failed_.contains(batch.number)) {
    report(fmt::format("batch {} failed and was committed later", batch.number));
  }
  if (batch.number <= last_durable_) {
    report(fmt::format("batch {} was committed after {}", batch.number, last_durable_));
  }
  last_durable_ = batch.number;
}

void RepliesWait::failed(const Batch& batch, Errc) {
  failed_.insert(batch.number);
}

void RepliesWait::check_order(Ticket ticket) {
  const bool in_order = !owed_.empty() && owed_.front() == ticket;
  if (!in_order) {
    report(fmt::format("operation {} was answered out of its turn",
                       static_cast<std::uint64_t>(ticket)));
  }
  std::erase(owed_, ticket);
}

void RepliesWait::check_basis(const Operation& operation, const WriteOutcome& outcome,
                              const Step& step) {
  const bool rests_on_state = succeeded(outcome.status) ||
                              outcome.status == WriteStatus::not_found ||
                              outcome.status == WriteStatus::version_mismatch;
  if (rests_on_state && step.basis != nullptr && step.basis->fate != Fate::durable) {
    report(fmt::format("{}: the answer to {} rests on a write that is not durable", operation.key,
                       static_cast<std::uint64_t>(operation.ticket)));
  }
}

void RepliesWait::answered(const Operation& operation, const WriteOutcome& outcome) {
  check_order(operation.ticket);
  const Step* step = history().step(operation.ticket);
  if (step == nullptr || !step->decision.outcome) {
    report(fmt::format("{}: answered before it was decided", operation.key));
    return;
  }
  if (succeeded(outcome.status)) {
    const Write* write = history().find(outcome.uuid);
    if (write == nullptr || write->fate != Fate::durable) {
      report(fmt::format("{}: acknowledged, and it is not durable", operation.key));
    }
  }
  check_basis(operation, outcome, *step);
  const bool changed = outcome != *step->decision.outcome;
  if (changed && (succeeded(outcome.status) || !failed_.contains(step->decision.batch))) {
    report(fmt::format("{}: the answer is not what the node decided", operation.key));
  }
}

void RepliesWait::crashed(Crash) {
  owed_.clear();
}

void RepliesWait::ended(const Image&) {
  if (!owed_.empty()) {
    report(fmt::format("{} commands were never answered", owed_.size()));
  }
}

}  // namespace kvs
