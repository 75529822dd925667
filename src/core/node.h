// The hall: every input of a node comes in here, goes to its room, and comes out as effects.
//
// The node is a deterministic state machine without I/O: it reads no clock, opens nothing, and is
// driven by one thread. Its shell (app in production, sim in simulation) obeys this contract:
//   - steps append to one Effects, the open batch; close_batch() ends it;
//   - batches are committed in the order in which they were closed, each atomically;
//   - after a commit: committed(), then the batch's replies and peer_replies leave; sends, answers,
//   traces and what is `watched` of an Effects leave at any time, whether its batch is committed or
//   fails;
//   - after a failed commit: commit_failed(); the replies of that batch, of every later closed
//   batch and of the open one are sent as refusals (see refuse()), and the open Effects are
//   cleared;
//   - the bytes that commands, calls and returns point to stay alive until their batch has been
//   committed or has failed;
//   - each send comes back as exactly one PeerReturn;
//   - tick() is called soon after next_deadline() has passed.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "core/ballot.h"
#include "core/cluster_clock.h"
#include "core/collector.h"
#include "core/expirer.h"
#include "core/holdings.h"
#include "core/members.h"
#include "core/mode.h"
#include "core/outbox.h"
#include "core/recent_dots.h"
#include "core/recent_verdicts.h"
#include "core/remote_reads.h"
#include "core/replica.h"
#include "core/sync.h"
#include "core/sync_answers.h"
#include "core/view.h"

namespace kvs {

struct NodeOptions {
  Mode mode = Mode::normal;  // normal or read_only
  std::int64_t clock_skew_ms_max = 5000;
  MembersOptions members;
  SyncOptions sync;
  OutboxOptions outbox;
  BallotOptions ballot;
  HoldingsOptions holdings;
  SyncAnswersOptions sync_answers;
  RemoteReadsOptions remote_reads;
  Duration tombstone_min_age = Duration::from_seconds(24LL * 3600);
  Duration expired_kept_for = Duration::from_seconds(300);  // see core/expirer
};

/// How far a member is behind this node, and how it stands.
struct PeerStanding {
  Instance instance{};
  std::uint64_t writes_behind = 0;  // as of what it told last
  std::uint64_t writes_owed = 0;    // pushed or to be pushed, and not confirmed
  std::int64_t clock_ahead_ms = 0;  // its wall clock to this node's
  std::int64_t last_seen_ms = 0;    // this node's wall clock when it last heard of it
  Duration round_trip;              // of a ping; 0: none returned yet
  bool knowledge_told = false;      // false: nothing is known of what it holds
};

/// A snapshot of what the node tells about itself. Counters since the start.
struct NodeStatus {
  Mode mode = Mode::normal;
  Sync::Fill fill = Sync::Fill::complete;
  Identity identity;
  std::int64_t clock_ahead_ms = 0;  // how far stamps run ahead of the wall clock; 0 if they do not
  std::int64_t cluster_ahead_ms = 0;  // how far cluster time is ahead of this node's clock
  bool stamps_held_back = false;      // this clock is too far ahead of the cluster's
  bool may_stop = false;              // this node has left the cluster and owes nothing
  bool may_lack_records = false;      // what is absent here may exist: see Node::read_elsewhere
  bool takes_expiry = true;           // every member reads records that expire
  std::uint64_t expired = 0;          // records whose time has come, as told to watchers
  StateDigest digest;
  std::uint64_t tree_bytes = 0;
  std::uint64_t journal_bytes = 0;
  std::uint64_t journal_writes = 0;
  std::uint64_t damage_found = 0;
  std::uint64_t open_ties = 0;
  ReplicaStats replica;
  MembersStats members;
  OutboxStats outbox;
  SyncStats sync;
  SyncAnswerStats sync_answers;
  BallotStats ballots;
  RemoteReadsStats remote_reads;
  std::shared_ptr<const std::vector<SettledConflict>> verdicts;  // of late, the newest first
};

class Node {
 public:
  /// `store` outlives the node. `seed` feeds its generator: in production entropy, in simulation
  /// the seed of the run.
  Node(const NodeOptions& options, const Recovered& recovered, const StoreView& store,
       std::uint64_t seed);

  /// The first step of a run: a new data folder gets its identity. If this batch fails, the node
  /// must not be used.
  void start(const Now& now, Effects& effects);

  /// A client's write. Exactly one reply follows, in the order of the calls.
  void step(const Now& now, const WriteCommand& command, Effects& effects);

  /// A call that a peer made. Its one reply is among the answers or the peer_replies of this batch
  /// or of a later one.
  void step(const Now& now, const PeerCall& call, Effects& effects);

  /// What came of a call that was among the sends.
  void step(const Now& now, const PeerReturn& returned, Effects& effects);

  /// Acts on deadlines that have passed. Called when next_deadline() <= now; oftener does no harm.
  void tick(const Now& now, Effects& effects);

  [[nodiscard]] Instant next_deadline() const;

  /// A reader met a damaged record: it is fetched again.
  void found_damage(const Now& now, std::string_view path, Effects& effects);

  /// True while the first fill is not complete: what this node has no record of may exist. A node
  /// that serves alone, because it found nobody to fetch from, lacks nothing that anybody has.
  [[nodiscard]] bool may_lack_records() const;

  /// Asks other members for a record that is absent here. One answer with this ticket follows, see
  /// RemoteReads::ask.
  void read_elsewhere(const Now& now, Ticket ticket, std::string path, Effects& effects);

  /// Begins to leave the cluster: clients' writes are refused from now on.
  void leave(const Now& now, Effects& effects);

  /// True once nothing is owed any more and the members were told.
  [[nodiscard]] bool may_stop() const;

  /// Takes a failed member off the list, at all members.
  RemoveOutcome remove_member(const Now& now, std::string_view node_id, Effects& effects);

  /// True if the open batch has something to store, although no step asked for it.
  [[nodiscard]] bool dirty() const { return replica_.dirty() || expirer_.wants_reserve(); }

  void close_batch(const Now& now, Effects& effects);

  /// The oldest closed batch is durable. What follows from it (pushes) is appended to the sends of
  /// `effects`, and what it did to `watched`; nothing else is.
  void committed(const Now& now, Effects& effects);

  /// The oldest closed batch failed. Only sends, answers, traces and what is
  /// `watched` are appended to `effects`.
  void commit_failed(const Now& now, Effects& effects);

  /// Who is in the cluster, as this node sees it now. Never null once start() was called.
  [[nodiscard]] std::shared_ptr<const View> view() const { return view_; }

  /// By this time readers judge which records have expired (RecordHeader::shows). It is to be told
  /// to them before what the step decided leaves.
  [[nodiscard]] WallTime expiry_clock() const { return expirer_.clock(); }

  [[nodiscard]] Mode mode() const;

  [[nodiscard]] NodeStatus status() const;

  /// All other members, by instance.
  [[nodiscard]] std::vector<PeerStanding> standings() const;

  [[nodiscard]] const Replica& replica() const { return replica_; }

 private:
  /// A push that is to be handed on: which of its batch's changes it made, and what of it an
  /// exchange had brought before.
  struct Onward {
    RingStretch stretch;
    std::size_t first = 0;
    std::size_t last = 0;
    std::vector<Change> known;
  };

  /// What has to be known of a closed batch once it is durable.
  struct ClosedBatch {
    std::vector<Onward> onwards;
    bool complete = false;  // the fill is, with this batch
    bool frees = false;     // values that have expired
  };

  /// What is there from start() on.
  [[nodiscard]] Members& members();
  [[nodiscard]] const Members& members() const;
  [[nodiscard]] Identity& identity();

  [[nodiscard]] std::optional<WriteStatus> refusal_for(const WriteCommand& command) const;
  [[nodiscard]] Replica::Terms terms(const Now& now, Change::Cause cause, Instance from) const;
  [[nodiscard]] const Refused* objection(const PeerEnvelope& envelope) const;
  void follow_clocks(const Now& now);
  [[nodiscard]] Now cluster_time(const Now& now) const;
  void tell_expired(Effects& effects);
  void free_expired(Effects& effects);
  void heard(const Now& now, const PeerEnvelope& envelope);
  void heard_digest(const Now& now, const Member& sender, Effects& effects);
  void note_learnt(std::span<const RecordWrite> writes);
  void take_push(const Now& now, const PeerCall& call, const Push& push, Effects& effects);
  void reply(const PeerCall& call, PeerAnswer answer, Effects& effects);
  void finish_step(const Now& now, Effects& effects);
  void open_ballots(const Now& now);
  void carry_out_rulings(const Now& now, Effects& effects);
  void follow_members(const Now& now, Effects& effects);
  void replace_identity(const Now& now, Effects& effects);
  void note_fill(Effects& effects);
  void note_damage(Effects& effects);
  void note_roster(Effects& effects);
  void compare_knowledge(const Member& member);
  const std::shared_ptr<const Knowledge>& told();
  void collect_tombstones(const Now& now, Effects& effects);
  void tell_watchers(std::vector<Change> changes, Effects& effects);
  void tell_watchers_if_emptied(Effects& effects);
  void watch_clock(const Now& now, Effects& effects);
  void stamp_envelopes(const Now& now, Effects& effects) const;

  NodeOptions options_;
  Prng prng_;
  Replica replica_;
  Holdings holdings_;
  SyncAnswers sync_answers_;
  Sync sync_;
  Outbox outbox_;
  Ballots ballots_;
  RecentVerdicts verdicts_;
  Collector collector_;
  Expirer expirer_;
  RemoteReads remote_reads_;
  ClusterClock clock_;
  std::optional<Identity> identity_;
  std::vector<Member> recovered_roster_;
  WallTime recovered_expiry_;
  std::uint64_t roster_hash_ = 0;   // of the list that was stored last
  std::optional<Members> members_;  // from start() on
  SelfIdentity self_;
  std::uint64_t cluster_;
  std::shared_ptr<const View> view_;
  bool takes_expiry_ = true;        // every member of it reads records that expire
  std::set<Instance> there_again_;  // since then: a large list shows them a little later
  std::uint64_t view_version_ = 0;
  std::vector<Onward> open_onward_;
  RecentDots learnt_;  // in exchanges: nobody has handed them on from here
  std::deque<ClosedBatch> closed_;
  std::shared_ptr<const Knowledge> told_;  // durable K as of told_hash_, shared by reports
  std::uint64_t told_hash_ = 0;
  std::uint64_t told_run_ = 0;  // of holdings_: after damage all is looked through again
  std::shared_ptr<const Knowledge> compared_;  // with what all members of this view told
  std::shared_ptr<const View> compared_view_;
  Instant next_collect_;
  std::uint64_t emptied_told_ = 0;  // Replica::emptied(), as watchers know
  std::int64_t clock_ahead_ms_ = 0;
  bool clock_warned_ = false;
  bool held_back_ = false;
  bool leaving_ = false;
  bool open_frees_ = false;  // the open batch frees values that have expired
};

/// Turns the replies of a batch that failed into refusals: what had succeeded gets `why`, and so
/// does what was refused because of the state, which may have been a write that failed ("not found"
/// after a delete that did not happen). Other refusals stay.
void refuse(std::span<Reply> replies, WriteStatus why);

/// Likewise for peers' calls: every reply that was to follow the commit becomes Refused with `why`.
void refuse(std::span<PeerReply> replies, Errc why);

}  // namespace kvs
