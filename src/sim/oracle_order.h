// The order of things: stamps, dots, and which reply may leave when.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>

#include "sim/oracle.h"

namespace kvs {

/// Stamps increase strictly within a run of the process, and each run begins above every stamp that
/// was durable before, whatever the clock does.
class StampsIncrease final : public Oracle {
 public:
  StampsIncrease(const History& history, Findings& findings)
      : Oracle("stamps increase", history, findings) {}

  void decided(const Decision& decision) override;
  void durable(const Batch& batch) override;
  void crashed(Crash crash) override;
  void recovered(const Image& image) override;

 private:
  Stamp last_;  // given
  Stamp left_;  // durable, so that it may have been seen
};

/// Dots are dense from 1 in each origin, an origin belongs to one run of the process, and no dot
/// names two writes.
class DotsAreUnique final : public Oracle {
 public:
  DotsAreUnique(const History& history, Findings& findings)
      : Oracle("dots are unique", history, findings) {}

  void closed(const Batch& batch) override;
  void crashed(Crash crash) override;

 private:
  struct Seen {
    std::uint64_t life = 0;
    std::uint64_t seq = 0;
  };

  std::map<Origin, Seen> origins_;
  std::uint64_t life_ = 1;
};

/// Exactly one reply a command, in order; none before what it rests on is durable; none that rests
/// on a failed write.
class RepliesWait final : public Oracle {
 public:
  RepliesWait(const History& history, Findings& findings)
      : Oracle("replies wait for durability", history, findings) {}

  void decided(const Decision& decision) override;
  void durable(const Batch& batch) override;
  void failed(const Batch& batch, Errc why) override;
  void answered(const Operation& operation, const WriteOutcome& outcome) override;
  void crashed(Crash crash) override;
  void ended(const Image& image) override;

 private:
  void check_order(Ticket ticket);
  void check_basis(const Operation& operation, const WriteOutcome& outcome, const Step& step);

  std::deque<Ticket> owed_;
  std::set<std::uint64_t> failed_;
  std::uint64_t last_durable_ = 0;
};

}  // namespace kvs
