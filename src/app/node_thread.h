// The shell around the core: one thread that owns the node, and one that commits its batches.
//
// Doors post writes and peers' calls, links what came of this node's own calls. The node's thread
// steps them into the open batch; as soon as the committing thread is free it closes the batch and
// hands it over, and gathers the next one meanwhile (group commit: the busier the disk, the larger
// the batches). Replies leave from the committing thread, after the commit. What rests on nothing
// in a batch (calls to peers, most answers to them) leaves at the end of the turn that decided it,
// so a stalled disk stalls only the committing thread: the node goes on taking mail and telling
// others that it lives. At most two batches are under way.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "app/errand.h"
#include "app/exits.h"
#include "app/mailbox.h"
#include "app/watch_board.h"
#include "app/write_request.h"
#include "base/histogram.h"
#include "core/node.h"
#include "core/view.h"
#include "io/committer.h"
#include "io/log.h"

namespace kvs {

/// A peer's call on its way from a door to the node's thread.
struct PeerLetter {
  PeerCall call;
  std::size_t bytes = 0;  // of its frame, for the bound on all calls under way
};

/// What the node's threads tell about themselves.
struct NodeThreadStatus {
  NodeStatus node;
  std::shared_ptr<const View> view;
  std::vector<PeerStanding> standings;  // by instance; as of a second ago, or less
  std::uint64_t batches = 0;
  std::uint64_t batches_failed = 0;
  std::uint64_t bytes_under_way = 0;       // of writes posted and not yet answered
  std::uint64_t peer_bytes_under_way = 0;  // of peers' calls, until nothing points into them
  Histogram batch_writes;                  // answers in a batch
  Histogram write_micros;                  // from posting to durable
  std::optional<Errc> last_failure;        // of the last commit; nothing if it succeeded
};

class NodeThread {
 public:
  /// Bytes of writes under way above which doors refuse more (503 overloaded); the same for the
  /// calls of peers.
  static constexpr std::size_t kBytesUnderWayMax = std::size_t{64} << 20U;

  struct Parts {
    const StoreView& records;
    Committer& committer;
    ReplySink& sink;
    CallSink& calls;
    Log& log;
    /// Called when a commit failed in a way that leaves durability unknown; must end the process.
    std::function<void(const Error&)> fatal;
    /// Called once, after the answers to those who asked, when this node has left the cluster or
    /// its time for that is over: the process is to end in good order. May be missing.
    std::function<void()> left;
    /// Called by the node's thread when there is something new for those who watch. May be missing.
    std::function<void()> watched;
  };

  /// How long a node that leaves may take to hand over what it owes.
  static constexpr Duration kLeaveTimeout = Duration::from_seconds(10);

  /// All parts outlive the object. Nothing runs before start().
  NodeThread(const NodeOptions& options, const Recovered& recovered, Parts parts);
  ~NodeThread();
  NodeThread(const NodeThread&) = delete;
  NodeThread& operator=(const NodeThread&) = delete;

  /// Makes the folder's identity durable and starts the threads. Error: what the first commit said.
  Result<void> start();

  /// Answers everything posted so far, makes it durable, and ends the threads. Post nothing after
  /// it.
  void stop();

  /// Queues a write; one reply will follow. Any thread.
  void post(WriteRequest request);

  /// Queues writes in their order, with one wake-up, and takes them out of `requests`. Any thread.
  void post_all(std::vector<WriteRequest>& requests);

  /// Likewise for peers' calls; to each comes one reply, in any order.
  void post_all(std::vector<PeerLetter>& calls);

  /// Queues an errand. Any thread.
  void post(Errand errand) { mailbox_.post(std::move(errand)); }

  /// Likewise for what came of this node's calls. After stop() they are dropped.
  void post_all(std::vector<PeerReturn>& returns);

  /// True while writes under way take more memory than they may.
  [[nodiscard]] bool overloaded() const {
    return bytes_under_way_.load(std::memory_order_relaxed) > kBytesUnderWayMax;
  }

  /// The same for peers' calls.
  [[nodiscard]] bool overloaded_by_peers() const {
    return peer_bytes_under_way_.load(std::memory_order_relaxed) > kBytesUnderWayMax;
  }

  /// Node::may_lack_records: false only after everything that the fill brought can be read. Ask it
  /// before looking a record up. Any thread.
  [[nodiscard]] bool may_lack_records() const {
    return may_lack_records_.load(std::memory_order_acquire);
  }

  /// Node::expiry_clock: whatever an answer tells of can be read by it. Any thread.
  [[nodiscard]] WallTime expiry_clock() const { return watch_board_.expiry_clock(); }

  /// True if clients see this record's value now. Any thread.
  [[nodiscard]] bool shows(const RecordHeader& header) const {
    return header.live() && (header.expires_ms == 0 || header.shows(expiry_clock()));
  }

  /// Any thread.
  [[nodiscard]] NodeThreadStatus status() const;

  /// What watchers go by. Any thread.
  [[nodiscard]] WatchBoard& watch_board() { return watch_board_; }

  /// Who is in the cluster. Any thread, once started.
  [[nodiscard]] std::shared_ptr<const View> view() const;

 private:
  struct CommitDone {
    Result<void> outcome;
  };

  struct Stop {};

  /// Empty: nothing points into it any more.
  using Mail =
      std::variant<std::monostate, WriteRequest, PeerLetter, PeerReturn, Errand, CommitDone, Stop>;

  /// Effects and the letters whose bytes they point to.
  struct Batch {
    Effects effects;
    std::vector<std::vector<Mail>> letters;
  };

  void run_node();
  void take_letters(std::vector<Mail>& letters);
  void take(Mail& mail);
  void run(const LeaveErrand& errand);
  void run(const RemoveErrand& errand);
  void run(const DamageErrand& errand);
  void run(const ReadErrand& errand);
  static void run(const PulseErrand& errand);
  void reply(Ticket ticket, PeerAnswer answer);
  void leave_if_done();
  void commit_done(const Result<void>& outcome);
  void let_go(Effects& effects);
  void hand_over();
  void refuse_batch(Batch& batch, Errc why);
  void finish(Batch& batch);
  void trace(const Effects& effects);
  void publish_node();
  void refresh_standings();

  void run_committer();
  /// Waits for the next batch; none at the end. False if it is time to see whether a disk that
  /// refused the last commit takes one again, so that health comes back although nobody writes.
  bool wait_for_batch(Batch*& batch);
  void probe();
  void require_harmless(const Result<void>& outcome) const;
  void remember(const Result<void>& outcome);
  void account(const Batch& batch, const Result<void>& outcome);

  // Constant after construction.
  Parts parts_;

  // Thread-safe by themselves.
  WatchBoard watch_board_;
  Mailbox<Mail> mailbox_;
  std::atomic<std::size_t> bytes_under_way_ = 0;
  std::atomic<std::size_t> peer_bytes_under_way_ = 0;
  std::atomic<bool> may_lack_records_ = true;

  // The node's thread only, once started.
  Node node_;
  Now now_{};
  Batch batches_[2];
  Batch* open_ = &batches_[0];
  Batch* committing_ = nullptr;
  bool stopping_ = false;
  Instant standings_due_;
  std::vector<Ticket> leavers_;  // who waits for the end of leaving
  Instant leave_until_ = Instant::never();
  unsigned batches_before_leaving_ = 0;  // hold writes that are to be handed over
  bool told_left_ = false;

  // The committing thread only.
  bool last_commit_failed_ = false;

  // Protected by commit_mutex_: the hand-over to the committing thread.
  std::mutex commit_mutex_;
  std::condition_variable commit_wanted_;
  Batch* to_commit_ = nullptr;
  bool no_more_commits_ = false;

  mutable std::mutex status_mutex_;
  NodeThreadStatus status_;  // protected by status_mutex_

  std::thread node_thread_;
  std::thread commit_thread_;
};

}  // namespace kvs
