// One machine of a simulated cluster: a disk, a wall clock, and the process around a node.
//
// It keeps the contract of core/node.h as sim/shell does, and besides: sends and answers leave
// after each step; replies to peers leave with those to clients; the node is woken for its
// deadlines.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "core/node.h"
#include "core/watch_feed.h"
#include "sim/calm_disk.h"
#include "sim/cluster_observer.h"
#include "sim/cluster_scenario.h"
#include "sim/commit_line.h"
#include "sim/earlier_speech.h"
#include "sim/network.h"
#include "sim/wall_clock.h"
#include "sim/world.h"

namespace kvs {

/// Where answers to clients go.
class ClusterCallers {
 public:
  virtual ~ClusterCallers() = default;
  virtual void answered(Ticket ticket) = 0;
  virtual void connections_lost(std::uint32_t machine) = 0;

 protected:
  ClusterCallers() = default;
  ClusterCallers(const ClusterCallers&) = default;
  ClusterCallers& operator=(const ClusterCallers&) = default;
};

/// What the machines of a cluster share.
struct Premises {
  World& world;
  Network& network;
  Operations& operations;
  ClusterObservers& observers;
  Findings& findings;
};

class Machine final : public NetworkPeer, public BatchOwner {
 public:
  Machine(const ClusterScenario& scenario, std::uint32_t number, const Premises& premises);

  void set_callers(ClusterCallers& callers) { callers_ = &callers; }

  [[nodiscard]] std::uint32_t number() const { return number_; }

  /// True while requests are taken.
  [[nodiscard]] bool serving() const { return node_.has_value(); }

  /// True if nothing is on its way to the disk.
  [[nodiscard]] bool settled() const {
    return serving() && line_.empty() && (!open_ || content_ == Content::none);
  }

  /// True while readers see a commit of which the node, and whoever watches it, has not heard.
  [[nodiscard]] bool untold() const { return line_.untold(); }

  /// True if it has been serving for that long, with neither pause nor slow disk.
  [[nodiscard]] bool at_work_for(Duration span) const {
    return serving() && !premises_.world.process_paused(number_) &&
           premises_.world.now() - disturbed_ > span;
  }

  /// The machine was kept from its work until now.
  void disturb() { disturbed_ = premises_.world.now(); }

  /// Of a serving machine.
  [[nodiscard]] const Node& node() const;

  [[nodiscard]] Disk& disk() { return disk_; }

  [[nodiscard]] WallClock& wall_clock() { return wall_clock_; }

  /// What watchers of a serving machine go by; only in a run that has watchers.
  [[nodiscard]] const WatchFeed& feed() const;

  /// Shows watchers what time it is by the node's expiry clock (app/watch_board).
  void show_time();

  [[nodiscard]] Now now() const;

  /// Starts the process `delay` from now.
  void start_after(Duration delay);

  /// The process dies, and stays down until start_after().
  void crash(Crash crash);

  /// Replaces the folder of a process that is down.
  void swap_folder(Disk::Folder folder, Swap swap);

  /// The process dies and will never start again.
  void abandon();

  [[nodiscard]] bool abandoned() const { return abandoned_; }

  /// Tells the serving node to leave the cluster.
  void leave();

  /// Asks the serving node to take a member off the list.
  RemoveOutcome remove(std::uint32_t other);

  /// Flips a bit of some record in the folder.
  void rot();

  /// Reads all records, as somebody who lists everything; the node hears of damage.
  void read_all();

  /// Factor on the times that a write and a sync take.
  void slow_down(std::int64_t factor) {
    line_.slow_down(factor);
    disturbed_ = factor == 1 ? premises_.world.now() : Instant::never();
  }

  /// A client's request arrives. False: nobody listens.
  bool ask(Ticket ticket);

  void handle(const Wake& wake);

  [[nodiscard]] bool listens() const override { return serving(); }

  void called(PeerCall call) override;
  void returned(PeerReturn returned) override;

 private:
  void wake_in(Duration delay, Input input) override;
  void shown(const Batch& batch) override;
  void settled(Batch batch) override;
  void voided(std::deque<Batch> batches, Errc why) override;
  void doomed(const std::deque<Batch>& batches, Errc why) override;

  enum class Content : std::uint8_t { none, some };

  /// As node(), to be given inputs.
  Node& running();

  Effects& open(Content content);

  /// The batch that this step has opened.
  Batch& open_batch();

  void after_step();
  void pass_on(Effects& effects);
  void close_when_due();
  void close_batch();
  void watch_deadline();
  void deadline_passes();
  void tick(Instant instant);

  void recover();
  void refuse_to_start(const Error& error);
  void run_node(const Recovered& recovered);

  void read(const Operation& operation);
  void ask_elsewhere(const Operation& operation);
  void show(const Operation& operation, const Result<std::optional<Record>>& record);

  /// To a peer, or to a client whose read another machine has answered.
  void give(PeerReply reply);
  void send(const PeerSend& send);

  /// As readers have it in production (app/watch_board): the node's, and the time since it looked.
  WallTime expiry_clock();
  void found_damage(const std::string& key);
  void send_replies(Effects effects);
  void replies_leave();

  const ClusterScenario& scenario_;
  std::uint32_t number_;
  Premises premises_;
  ClusterCallers* callers_ = nullptr;
  Prng prng_;
  Disk disk_;
  CalmDisk calm_disk_{disk_};
  WallClock wall_clock_;
  std::uint64_t life_ = 0;
  Instant disturbed_;
  bool abandoned_ = false;
  std::uint64_t batch_number_ = 0;

  // Gone when the process dies.
  std::optional<Node> node_;
  std::optional<WatchFeed> feed_;
  std::uint64_t first_batch_ = 0;  // of this run: if it fails, the node must not be used
  std::optional<Batch> open_;
  Content content_ = Content::none;  // of the open batch
  bool close_due_ = false;
  CommitLine line_{disk_, *this, prng_};
  std::deque<Effects> outbox_;
  EarlierSpeech speech_;
  Instant woken_at_ = Instant::never();  // the deadline for which a wake is on its way
  Instant ticked_at_;
  std::uint64_t ticks_at_once_ = 0;
  Instant expiry_looked_at_;
  WallTime expiry_shown_;
};

}  // namespace kvs
