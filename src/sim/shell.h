// The process around the node: what app is in production, driven by the world.
//
// It keeps the contract of core/node.h: steps gather in one open batch; closed batches are
// committed in order, up to two of them waiting; replies leave after the commit; a failed batch
// takes the later ones and the open one with it. A write or sync error ends the process, as in
// production. Reads are answered from the disk's read side and never meet the node.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/prng.h"
#include "core/node.h"
#include "sim/commit_line.h"
#include "sim/disk.h"
#include "sim/observers.h"
#include "sim/scenario.h"
#include "sim/wall_clock.h"
#include "sim/world.h"

namespace kvs {

/// Where answers go.
class Callers {
 public:
  virtual ~Callers() = default;
  virtual void answered(Ticket ticket) = 0;
  virtual void connections_lost() = 0;

 protected:
  Callers() = default;
  Callers(const Callers&) = default;
  Callers& operator=(const Callers&) = default;
};

/// Everything around the process.
struct Surroundings {
  World& world;
  Disk& disk;
  WallClock& wall_clock;
  Operations& operations;
  Observers& observers;
};

class Shell final : public BatchOwner {
 public:
  Shell(const Scenario& scenario, const Surroundings& surroundings);

  /// All outlive the shell.
  void set_callers(Callers& callers) { callers_ = &callers; }

  /// True while requests are taken.
  [[nodiscard]] bool serving() const { return node_.has_value(); }

  /// True if the node runs and nothing that it took is unanswered.
  [[nodiscard]] bool idle() const {
    return serving() && inbox_.empty() && !open_ && line_.empty() && outbox_.empty();
  }

  /// The mode of the next start.
  void configure(Mode mode) { mode_ = mode; }

  [[nodiscard]] Mode mode() const { return mode_; }

  /// Starts the process `delay` from now.
  void start_after(Duration delay);

  /// Sends a request; it arrives after the network's delay, if the process still runs then.
  void send(Ticket ticket);

  void handle(const Wake& wake);

  /// The process dies; it starts again after `pause`.
  void crash(Crash crash, Duration pause);

  /// Factors on the times that a write and a sync take.
  void slow_down(std::int64_t factor) { line_.slow_down(factor); }

 private:
  void wake_in(Duration delay, Input input) override { wake_about(delay, input, 0); }

  void shown(const Batch& batch) override;
  void settled(Batch batch) override;
  void voided(std::deque<Batch> batches, Errc why) override;
  void doomed(const std::deque<Batch>& batches, Errc why) override;

  void wake_about(Duration delay, Input input, std::uint64_t subject);
  [[nodiscard]] Now now() const;

  void recover();
  void refuse_to_start(const Error& error);
  void run_node(const Recovered& recovered);

  void arrive(Ticket ticket);
  void read(const Operation& operation);
  void list(const Operation& operation);
  void pump();

  /// Of a process that runs.
  Node& node();

  /// The batch that steps go into.
  Batch& open();

  void step(Ticket ticket);
  void close_batch();
  void commit_voided(const Batch& batch);
  void send_replies(std::vector<Reply> replies);
  void replies_leave();

  const Scenario& scenario_;
  Surroundings around_;
  Callers* callers_ = nullptr;
  Prng prng_;
  Mode mode_ = Mode::normal;
  std::uint64_t life_ = 0;
  std::uint64_t batch_number_ = 0;

  // Gone when the process dies.
  std::optional<Node> node_;
  std::uint64_t first_batch_ = 0;  // of this run: if it fails, the node must not be used
  std::deque<Ticket> inbox_;
  std::optional<Batch> open_;
  Now open_now_;
  std::uint64_t open_steps_ = 0;
  bool close_due_ = false;
  CommitLine line_{around_.disk, *this, prng_};
  std::deque<std::vector<Reply>> outbox_;
};

}  // namespace kvs
