// Anti-entropy, seen from the side that begins: when to compare with whom, and which way.
//
// One exchange at a time. It opens with a greeting (K as a hash, root fingerprint, the newest
// records); what little is missing crosses as a delta from the journal, each way; else the two
// sides reconcile range by range (core/reconciliation). Where very much is missing, a part of this
// node's own is asked for first (core/own_part); if that brings many ties, the exchange ends there:
// their verdicts go to all. The three documented kinds differ in when
// they start: regular, every sync_interval with a random peer, comparing the records even if the
// journals had everything; catch-up, as soon as this node learns that it is behind, then every
// catchup_interval while it is; bootstrap, when its data folder is new: pages of recent records
// first, in mode syncing, then an exchange for the rest.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "core/effects.h"
#include "core/holdings.h"
#include "core/mode.h"
#include "core/reconciliation.h"
#include "core/replica.h"
#include "core/view.h"

namespace kvs {

struct SyncOptions {
  Duration sync_interval = Duration::from_seconds(300);
  Duration catchup_interval = Duration::from_seconds(120);
  Duration throttle_delay = Duration::from_ms(100);
  Duration fetch_delay = Duration::from_ms(50);
  Duration bootstrap_max_age = Duration::from_seconds(720LL * 3600);
  Duration call_timeout = Duration::from_seconds(10);  // at most: see Sync::patience_
  Duration behind_grace = Duration::from_seconds(1);   // pushes on their way are no lag
  ReconciliationLimits reconciliation;
};

enum class SyncKind : std::uint8_t { regular, catch_up, bootstrap };

inline constexpr std::size_t kSyncKinds = 3;

/// The kind's name in logs and metrics.
[[nodiscard]] std::string_view to_string(SyncKind kind);

/// Why an exchange broke off.
enum class SyncFailure : std::uint8_t {
  no_answer,
  refused,  // by the peer, or stopped here because it would have dropped many live records
  damage,   // found here
  disk,     // this node's disk refused a write
};

inline constexpr std::size_t kSyncFailures = 4;

/// The failure's name in metrics.
[[nodiscard]] std::string_view to_string(SyncFailure failure);

/// Counters since the start.
struct SyncStats {
  struct Sessions {
    std::uint64_t equal = 0;       // nothing to do
    std::uint64_t delta = 0;       // the journal had it
    std::uint64_t ties = 0;        // very many were met: they are settled first
    std::uint64_t reconciled = 0;  // range by range
    std::uint64_t failed = 0;
  };

  Sessions sessions[kSyncKinds];
  std::uint64_t failed_for[kSyncFailures]{};  // by SyncFailure
  std::uint64_t records_received = 0;
  std::uint64_t records_sent = 0;
  std::uint64_t divergences = 0;  // equal K, and live records that differ
  std::uint64_t drops_doubted = 0;
  std::uint64_t pages = 0;
  std::uint64_t calls = 0;
  bool under_way = false;  // at present
};

class Sync {
 public:
  struct Parts {
    Holdings& holdings;
    Replica& replica;
    Prng& prng;
  };

  /// How much of the cluster's data is here.
  enum class Fill : std::uint8_t {
    none,    // a new folder that has met nobody: mode syncing
    paging,  // recent records are being fetched: mode syncing
    recent,  // those are here; older ones may be missing yet
    complete,
  };

  Sync(const SyncOptions& options, const Parts& parts);

  /// `fill` is none or complete.
  void start(const Now& now, Fill fill);

  [[nodiscard]] Fill fill() const { return fill_; }

  void set_view(std::shared_ptr<const View> view) {
    view_ = std::move(view);
    refreshed_ = false;
  }

  /// What a peer says it holds.
  void heard(const Now& now, Instance peer, const StateDigest& digest);

  /// As heard(), of a member that was not there, or that a push did not reach: what differs is no
  /// matter of pushes on their way, and is compared at once. A greeting that has had no answer
  /// since before that is given up.
  void met(const Now& now, const Member& member, Effects& effects);

  void tick(const Now& now, Effects& effects);

  [[nodiscard]] Instant next_deadline() const;

  /// What came of a call of this room.
  void returned(const Now& now, const PeerReturn& returned, const Replica::Terms& terms,
                Effects& effects);

  /// There is nobody to fetch from.
  void serve_alone() { fill_ = Fill::complete; }

  /// The batch in which the fill became complete was not stored.
  void fill_failed() { fill_ = Fill::recent; }

  /// What was decided since the last durable batch is void, and the exchange under way with it.
  void commit_failed(const Now& now, Effects& effects);

  /// This node is another member from now on. An exchange that it began as the one before must not
  /// end: of what was offered under that name the peer may have put something off, and would not
  /// know this node by it.
  void identity_replaced(const Now& now, Effects& effects);

  /// True if a peer's writes are known to be missing here.
  [[nodiscard]] bool behind() const { return !awaited_.empty() || has_gaps(); }

  /// An exchange that meets so many ties for the first time ends, and leaves the rest to the
  /// ballots and to another one.
  static constexpr std::uint64_t kManyTies = 1024;

  /// True once after an exchange ended so: of these ties nobody was told yet.
  bool take_ties_met_alone() { return std::exchange(ties_met_alone_, false); }

  /// K that a peer told in full lately, and whose: for the collection of tombstones.
  struct Report {
    Instance peer{};
    Knowledge knowledge;
  };

  std::optional<Report> take_report() { return std::exchange(report_, std::nullopt); }

  [[nodiscard]] SyncStats stats() const {
    SyncStats stats = stats_;
    stats.calls = calls_;
    stats.under_way = session_ != nullptr;
    return stats;
  }

 private:
  enum class Stage : std::uint8_t { greeting, asking, giving, reconciling, paging };

  struct Session {
    Instance peer{};
    std::string address;
    std::string node_id;
    SyncKind kind{};
    Stage stage{};
    CallId call{};
    Instant called_at;
    Duration slowest;        // of the calls that were answered
    Knowledge mine;          // at the start
    StateDigest digest;      // at the start, of this node
    Knowledge theirs;        // at the start
    Knowledge told;          // with what it was given since, which it may not have taken
    Knowledge received;      // of that, what it told from its journal, taken or not
    Knowledge left_out;      // others' parts of what is missing: not asked for yet
    std::uint64_t ties = 0;  // met for the first time
    std::uint64_t run = 0;   // of exchanges here, as it began
    std::uint64_t peer_run = 0;
    bool equal_at_start = false;    // K was equal and the fingerprints were not
    bool compares_records = false;  // also if the journals have all that K tells
    bool from_journals = false;     // they had
    std::optional<Reconciliation> reconciliation;

    /// True if the greeting told of the dot, and nothing had brought it yet.
    bool note_told(Dot dot) { return theirs.covers(dot) && received.add(dot); }
  };

  /// A peer whose K is not this node's.
  struct Differing {
    std::uint64_t knowledge_hash = 0;
    Instant since;
    bool met = false;  // as met() says, and it has told no other K since
  };

  /// A write that a peer has and this node lacks.
  struct Awaited {
    Dot dot;
    Instant since;
  };

  [[nodiscard]] bool has_gaps() const { return parts_.replica.durable_gaps(); }

  [[nodiscard]] bool at_rest() const;
  [[nodiscard]] bool is_peer(Instance instance) const;
  void refresh_awaited();
  void be_patient(const Now& now);
  const Member* choose_peer() const;
  const Member* lagging_behind(const Now& now);
  [[nodiscard]] std::vector<Instance> late_peers(const Now& now) const;

  void begin(const Now& now, const Member& peer, SyncKind kind, Effects& effects);
  void begin_anew(const Now& now, Effects& effects);
  void call(const Now& now, const PeerRequest& request, Effects& effects);
  [[nodiscard]] bool told_the_same() const;
  void end(const Now& now, std::string_view outcome, Effects& effects);
  void close(const Now& now, std::string_view outcome, Effects& effects);
  void end_for_ties(const Now& now, Effects& effects);
  void fail(const Now& now, const Error& why, Effects& effects);

  void greet(const Now& now, Effects& effects);
  void take_greeting(const Now& now, const Greeting& greeting, const Replica::Terms& terms,
                     Effects& effects);
  void ask_delta(const Now& now, Effects& effects);
  void take_delta(const Now& now, const Delta& delta, const Replica::Terms& terms,
                  Effects& effects);
  bool take_records(const Delta& delta, const Replica::Terms& terms, Effects& effects);
  void give(const Now& now, Effects& effects);
  void reconcile(const Now& now, Effects& effects);
  void go_on_reconciling(const Now& now, Reconciliation& reconciliation, Effects& effects);
  void end_reconciled(const Now& now, const ReconciliationFigures& figures, Effects& effects);

  void look_for_donor(const Now& now, Effects& effects);
  void ask_page(const Now& now, Effects& effects);
  void take_page(const Now& now, const Page& page, const Replica::Terms& terms, Effects& effects);
  void become_recent(Effects& effects);

  SyncOptions options_;
  Parts parts_;
  std::shared_ptr<const View> view_;
  Fill fill_ = Fill::complete;
  std::unique_ptr<Session> session_;
  std::uint64_t calls_ = 0;
  std::map<Instance, Awaited> awaited_;
  std::map<Instance, Differing> differing_;
  bool refreshed_ = false;  // both, as of this view and of a K with this hash
  std::uint64_t refreshed_hash_ = 0;
  Instant late_at_ = Instant::never();  // before then no peer's writes have been missing too long
  Instant gaps_since_ = Instant::never();
  Instant next_regular_ = Instant::never();
  Instant next_catch_up_{};               // not before
  Instant next_look_ = Instant::never();  // unless there is nothing to look after
  Duration backoff_{};
  Duration patience_;  // of a call: grows while there is no answer, follows what exchanges take
  std::optional<Instance> drops_doubted_with_;  // once both have counted, an exchange may drop
  bool recount_told_ = false;                   // to that peer
  bool drops_left_ = false;                     // by the last that was reconciled: K hides them
  std::optional<Report> report_;
  bool ties_met_alone_ = false;
  Knowledge told_already_;  // by an exchange that ended for ties: the next one does not ask again,
  std::uint64_t told_already_in_ = 0;  // unless another run of exchanges began

  // Bootstrap.
  Instant fill_since_{};
  Instant page_due_ = Instant::never();
  std::string page_after_;
  std::uint64_t page_records_ = 0;
  std::uint64_t fetches_ = 0;

  SyncStats stats_;
};

}  // namespace kvs
