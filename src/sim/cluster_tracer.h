// Prints a run of a cluster as it happens, one line an event, to standard output.
#pragma once

#include <string>
#include <vector>

#include "sim/cluster_observer.h"

namespace kvs {

class ClusterTracer final : public ClusterObserver {
 public:
  void time_is(Instant now) override { now_ = now; }

  void asked(Machine machine, const Operation& operation) override;
  void called(Machine machine, const PeerCall& call) override;
  void returned(Machine machine, const PeerReturn& returned) override;
  void sent(Machine machine, const PeerSend& send) override;
  void traced(Machine machine, const Trace& trace) override;
  void closed(Machine machine, const Batch& batch) override;
  void durable(Machine machine, const Batch& batch) override;
  void failed(Machine machine, const Batch& batch, Errc why) override;
  void answered(Machine machine, const Operation& operation, const WriteOutcome& outcome) override;
  void asked_elsewhere(Machine machine, const Operation& operation) override;
  void got(Machine machine, const Reading& reading) override;
  void crashed(Machine machine, Crash crash) override;
  void swapped(Machine machine, Swap swap) override;
  void rotted(Machine machine, const std::string& key) override;
  void recovered(Machine machine, const Image& image) override;
  void unopened(Machine machine, Errc why) override;
  void watch_began(Machine machine, const Watching& watching) override;
  void watch_told(Machine machine, const Watching& watching, const WatchEvent& event) override;
  void watch_broke_off(Machine machine, const Watching& watching) override;
  void healed() override;
  void ended(const std::vector<FinalState>& states) override;

 private:
  void line(Machine machine, const std::string& text) const;

  Instant now_;
};

}  // namespace kvs
