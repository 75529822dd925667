// Who is in the cluster: one node's end of the membership protocol. SWIM with Lifeguard; joins by
// seeds, refutes what is wrong about itself, leaves, and finds members again that were lost.
//
// It publishes an immutable View. Requests are answered at once, except that the answer to
// PingOther follows the ping made for it, and the answer to Join may wait for a look at who holds
// the joiner's id. Every table, queue and list in it is bounded. Docs: docs/protocol.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "core/effects.h"
#include "core/failure_detector.h"
#include "core/meetings.h"
#include "core/member_calls.h"
#include "core/member_ledger.h"
#include "core/view.h"

namespace kvs {

struct MembersOptions {
  std::string node_id;
  std::string address;         // host:port at which others reach this node
  std::string cluster_name;    // nodes of other names are refused
  std::uint16_t protocol = 1;  // what this node tells of itself: the highest version it speaks
  std::uint64_t features = 0;  // and its features, as in Member
  std::vector<std::string> seeds;
  Duration probe_interval = Duration::from_seconds(1);
  Duration probe_timeout = Duration::from_ms(500);
  Duration gossip_interval_min = Duration::from_seconds(60);
  Duration gossip_interval_max = Duration::from_seconds(120);
  Duration failed_kept = Duration::from_seconds(600);  // a failed member stays listed so long
  MemberLimits limits;
  std::size_t joiners_max = 16;  // whose ids somebody has, who is looked for
};

/// Which data folder and which process this node is.
struct SelfIdentity {
  Instance instance{};
  std::int64_t joined_ms = 0;  // of the instance
  std::uint64_t run = 0;       // random, one a process
  std::int64_t started_ms = 0;
};

enum class RemoveOutcome : std::uint8_t { unknown, alive, removed };

/// Counters since the start, and how things stand.
struct MembersStats {
  LedgerStats ledger;
  DetectorStats detector;
  int awareness = 0;
  bool isolated = false;
  std::size_t rumors = 0;
  std::size_t hidden = 0;
  std::uint64_t calls_refused = 0;
};

/// What this node measured of a member itself.
struct MemberContact {
  std::int64_t last_seen_ms = 0;    // this node's wall clock when it last heard of it; 0: never
  std::int64_t clock_ahead_ms = 0;  // how far the member's wall clock is ahead of this node's
  Duration round_trip;              // 0: no ping returned yet
};

/// The name of a cluster as it stands in PeerEnvelope.
[[nodiscard]] std::uint64_t cluster_hash(std::string_view cluster_name);

class Members {
 public:
  /// `prng` outlives it.
  Members(const MembersOptions& options, const SelfIdentity& self, Prng& prng);
  ~Members() = default;
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  /// Joins the seeds and begins to probe.
  void start(const Now& now, Effects& effects);

  /// Members that an earlier run knew: they are looked for, and count as suspects until they answer
  /// or time is up. Call it after start().
  void remember(const Now& now, const std::vector<Member>& roster);

  void tick(const Now& now, Effects& effects);

  [[nodiscard]] Instant next_deadline() const;

  /// A membership request: Ping, PingOther, Join, CompareMembers or MemberRows.
  void called(const Now& now, const PeerCall& call, Effects& effects);

  /// What came of a call whose id is of Caller::members.
  void returned(const Now& now, const PeerReturn& returned, Effects& effects);

  /// Any message of a member came, request or answer: it was seen. May be repeated.
  void heard_from(const Now& now, const PeerEnvelope& envelope);

  /// True if this node's own wall clock was set since this was last asked, or has drifted: clocks
  /// were measured against it, so what is known of the others' moves the other way. Between two
  /// measurements the cluster's time runs on as the monotonic clock does.
  bool own_clock_was_set(const Now& now);

  /// A connection to this member was refused or reset: it is probed at once.
  void suspect_link(const Now& now, Instance instance, Effects& effects);

  /// What this node holds now; rides on the next messages.
  void update_self(const StateDigest& digest, Mode mode) { ledger_.update_own(digest, mode); }

  /// Says to several members that this node leaves. It goes on to answer.
  void leave(const Now& now, Effects& effects);

  /// True once leave() was called and as many were told as can be.
  [[nodiscard]] bool has_left() const;

  /// Takes a failed member off the list, at all members.
  RemoveOutcome remove(const Now& now, std::string_view node_id, Effects& effects);

  /// True if an older process lives on a copy of this data folder: this one has to take a new
  /// instance and say so by become().
  [[nodiscard]] bool new_instance_wanted() const { return new_instance_wanted_; }

  /// This node is another instance from now on. It joins anew.
  void become(const Now& now, const SelfIdentity& self, Effects& effects);

  /// True once a seed let this node in, or there was no other seed to ask.
  [[nodiscard]] bool joined() const { return meetings_.joined(); }

  /// True if no other node was named as a seed, as far as is known.
  [[nodiscard]] bool without_seeds() const { return meetings_.without_seeds(); }

  /// The members as of now. The list is made when it is first asked for after a change.
  [[nodiscard]] const std::shared_ptr<const View>& view() const;

  /// Another number for another view. Changed digests alone change it once a probe interval; and
  /// with more than kPromptMembers all that gathers for a while changes it once, for a view costs
  /// what its members do.
  [[nodiscard]] std::uint64_t view_version() const { return list_version() + digest_steps_; }

  /// The row of a member, with its newest digest; null if it is not listed.
  [[nodiscard]] const Member* find(Instance instance) const;

  /// Nothing if it is not listed.
  [[nodiscard]] std::optional<MemberContact> contact(Instance instance) const;

  /// The median of the members' clocks, this node's among them, relative to this node's.
  [[nodiscard]] std::int64_t cluster_clock_ahead_ms() const;

  /// What happened since the last time this was asked.
  [[nodiscard]] std::vector<MemberEvent> take_events() { return ledger_.take_events(); }

  [[nodiscard]] MembersStats stats() const;

  static constexpr Duration kSpreadInterval = Duration::from_ms(200);
  static constexpr std::size_t kSpreadTargets = 3;
  static constexpr std::size_t kFarewells = 5;
  static constexpr std::size_t kPromptMembers = 64;
  static constexpr std::size_t kHelpingMax = 64;
  static constexpr std::size_t kWholeTableRows = 128;
  static constexpr Duration kTwinCheckInterval = Duration::from_seconds(5);
  static constexpr std::int64_t kClockSetMs = 100;  // less is drift, and measured soon enough

 private:
  /// Somebody who wants in, while the present holder of its id is looked for.
  struct Joiner {
    Ticket ticket{};
    Member row;
    Instance holder{};
    std::uint64_t attempts = 0;
  };

  // Requests (members_calls.cc).
  void answer_ping(const Now& now, const PeerCall& call, const Ping& ping, Effects& effects);
  void answer_ping_other(const Now& now, const PeerCall& call, const PingOther& ask,
                         Effects& effects);
  void answer_join(const Now& now, const PeerCall& call, const Join& join, Effects& effects);
  void answer_compare(const PeerCall& call, const CompareMembers& compare, Effects& effects);
  void answer_rows(const Now& now, const PeerCall& call, const MemberRows& rows, Effects& effects);
  void reply(Ticket ticket, PeerAnswer answer, Effects& effects);
  void refuse(Ticket ticket, Errc code, std::string_view detail, Effects& effects);
  void open_door(const Now& now, Joiner joiner, Effects& effects);
  void admit(const Now& now, const Joiner& joiner, Effects& effects);
  [[nodiscard]] const Member* holder_of_id(const Member& joiner) const;

  // Returns (members_calls.cc).
  void dispatch(const Now& now, const MemberCall& call, const PeerReturn& returned,
                Effects& effects);
  void helped(const Now& now, const MemberCall& call, const PeerReturn& returned, Effects& effects);
  void doorstep_returned(const Now& now, const MemberCall& call, const PeerReturn& returned,
                         Effects& effects);
  void join_returned(const Now& now, const MemberCall& call, const PeerReturn& returned);
  void compare_returned(const Now& now, const MemberCall& call, const PeerReturn& returned,
                        Effects& effects);
  [[nodiscard]] std::vector<Member> rows_for(const std::vector<Member>& told,
                                             std::vector<Member> newer) const;
  void twin_returned(const PeerReturn& returned);
  void measure(const Now& now, const MemberCall& call, const PeerReturn& returned);
  [[nodiscard]] bool is_answer_of(const PeerReturn& returned, Instance target) const;

  void take(const Now& now, const std::vector<Member>& rows, NewsSource::Kind kind,
            const PeerEnvelope& envelope);
  void follow_up(const Now& now, Effects& effects);
  [[nodiscard]] bool has_news_for_others() const;

  [[nodiscard]] bool shows_at_once() const {
    return ledger_.table().listed_count() <= kPromptMembers;
  }

  /// The version of the list that is shown.
  [[nodiscard]] std::uint64_t list_version() const {
    return shows_at_once() ? ledger_.version() : list_shown_;
  }

  /// This moment by the cluster's clock.
  [[nodiscard]] Now cluster_time(const Now& now) const;

  void plan_views(const Now& now);
  void show_changes(const Now& now);
  void spread(const Now& now, Effects& effects);
  void look_for_twin(const Now& now, const std::string& address, Effects& effects);
  [[nodiscard]] std::int64_t median_clock_ahead_ms() const;
  enum class Among : std::uint8_t { all, those_to_hear_news };
  [[nodiscard]] std::vector<const Member*> some_peers(std::size_t most, Among among);
  [[nodiscard]] bool is_peer(const MemberEntry& entry) const;
  [[nodiscard]] bool leaving() const;

  MembersOptions options_;
  std::uint64_t cluster_;
  Prng& prng_;
  MemberLedger ledger_;
  MemberCalls calls_;
  FailureDetector detector_;
  Meetings meetings_;
  std::vector<Joiner> joiners_;
  Instant spread_at_ = Instant::never();
  Instant last_spread_;
  Instant twin_check_after_;
  bool new_instance_wanted_ = false;
  bool was_isolated_ = false;
  std::uint64_t calls_refused_ = 0;
  std::int64_t own_clock_lead_ms_ = 0;  // of the wall clock over the monotonic one
  std::uint64_t digests_shown_ = 0;
  std::uint64_t digest_steps_ = 0;
  Instant digest_step_at_ = Instant::never();
  std::uint64_t list_shown_ = 0;  // where changes are not shown at once
  Instant list_step_at_ = Instant::never();
  mutable std::size_t clocks_moved_ = 0;     // how many, since their median was taken
  mutable std::size_t clocks_heard_ = 0;     // of how many it was
  mutable std::int64_t clock_ahead_ms_ = 0;  // the median, as of clocked_version_
  mutable std::uint64_t clocked_version_ = 0;
  mutable std::shared_ptr<const View> view_;
  mutable std::uint64_t viewed_version_ = 0;
};

}  // namespace kvs
