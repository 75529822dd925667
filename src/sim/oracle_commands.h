// What the node decides about commands, and when it has to refuse or to recover.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "sim/oracle.h"

namespace kvs {

/// Every outcome follows from the mode, the condition, and the newest write before it.
class ConditionsHold final : public Oracle {
 public:
  ConditionsHold(const History& history, Findings& findings)
      : Oracle("conditions are checked right", history, findings) {}

  void decided(const Decision& decision) override;
};

/// P14: while the disk is full, writes are refused as `disk_full`, and only they; once there is
/// space again nothing is refused for want of it.
class DiskFullRefuses final : public Oracle {
 public:
  DiskFullRefuses(const History& history, Findings& findings)
      : Oracle("P14 a full disk refuses and recovers", history, findings) {}

  void failed(const Batch& batch, Errc why) override;
  void answered(const Operation& operation, const WriteOutcome& outcome) override;

  void space_gone() override { full_ = true; }

  void space_back() override { full_ = false; }

 private:
  bool full_ = false;
  std::map<std::uint64_t, Errc> failed_;
};

/// After the faults have stopped, every write that may succeed does. Requests from before may still
/// be under way: what a delete asks for one of them may have done meanwhile.
class RecoversByItself final : public Oracle {
 public:
  RecoversByItself(const History& history, Findings& findings)
      : Oracle("the healed node serves", history, findings) {}

  void healed() override { healed_ = true; }

  void asked(const Operation& operation) override;
  void answered(const Operation& operation, const WriteOutcome& outcome) override;

 private:
  [[nodiscard]] bool came_too_late(const Operation& operation) const;

  bool healed_ = false;
  std::optional<Ticket> first_after_;
};

}  // namespace kvs
