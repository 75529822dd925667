// What a node believes of the members, and how news change it: the rules of SWIM around the table.
//
// Every row is checked before anything changes. News of this node itself are refuted by a higher
// incarnation. Whatever changes the table becomes a rumor. What others have to act on is handed out
// as an Outcome and as events; both are bounded.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/member_news.h"
#include "core/member_table.h"
#include "core/suspicion.h"

namespace kvs {

/// Something that happened to the membership. For the log, and for rooms that act on it.
struct MemberEvent {
  enum class Kind : std::uint8_t {
    appeared,  // a member that was not listed is listed now
    suspected,
    cleared,    // suspect or failed, and alive again
    restarted,  // another process of the same data folder
    failed,
    left,
    removed,           // failed for so long that it is not listed any more
    accused_self,      // somebody took this node for dead; refuted
    id_in_use,         // another live member has this node's id
    cluster_mismatch,  // the node at `address` belongs to another cluster
    twin,              // another process lives on a copy of this node's data folder
    isolated,          // too many targets miss: this node accuses nobody until it hears more
  };

  Kind kind{};
  Instance instance{};
  std::string node_id;
  std::string address;
  std::string detail;  // what that node said, if it refused
};

/// How rows came here, and from whom.
struct NewsSource {
  enum class Kind : std::uint8_t {
    rumors,  // on a ping or its answer
    list,    // a whole list: what it calls failed is suspect here
  };

  Kind kind = Kind::rumors;
  Instance sender{};
  std::uint64_t sender_run = 0;
};

struct LedgerStats {
  std::uint64_t rows_refused = 0;   // implausible
  std::uint64_t rows_overflow = 0;  // the table was full
  std::uint64_t refutations = 0;
  std::uint64_t suspicions = 0;
  std::uint64_t failures = 0;
  std::uint64_t events_lost = 0;
};

class MemberLedger {
 public:
  /// What the other rooms have to act on.
  struct Outcome {
    std::size_t refutations = 0;  // of accusations of this very process
    bool lost = false;            // a member failed
    std::string twin_address;     // where another process of this instance may be
  };

  MemberLedger(const Member& own, Duration probe_interval, Instant now,
               const MemberLimits& limits = {});

  /// News from a peer.
  void take(const Now& now, std::span<const Member> rows, const NewsSource& source);

  /// This node got no answer from a member.
  void accuse(const Now& now, Instance instance);

  /// Suspects whose time is up fail; members that failed before `failed_kept` are hidden.
  void tick(const Now& now, Duration failed_kept);

  [[nodiscard]] Instant next_deadline() const;

  /// The member is gone for good: everybody is told that it left.
  void retire(const Now& now, Instance instance);

  /// This node says that it leaves.
  void leave(const Now& now);

  /// A new instance for this node; the old one is another's.
  void become(const Now& now, const Member& own);

  /// What this node holds and lets clients do: rides on the next messages.
  void update_own(const StateDigest& digest, Mode mode);

  void note(MemberEvent event);

  [[nodiscard]] Outcome take_outcome();
  [[nodiscard]] std::vector<MemberEvent> take_events();

  [[nodiscard]] MemberTable& table() { return table_; }

  [[nodiscard]] const MemberTable& table() const { return table_; }

  [[nodiscard]] MemberNews& news() { return news_; }

  [[nodiscard]] const MemberNews& news() const { return news_; }

  /// Grows with each change of the list of members.
  [[nodiscard]] std::uint64_t version() const { return version_; }

  /// Grows with each change of a digest or mode.
  [[nodiscard]] std::uint64_t digest_version() const { return digest_version_; }

  [[nodiscard]] const LedgerStats& stats() const { return stats_; }

  static constexpr std::size_t kEventsMax = 4096;

 private:
  void take_row(const Now& now, const Member& row);
  void take_about_self(const Now& now, const Member& row);
  void take_from_itself(const Member& row);
  void confirm(const Now& now, const Member& row);
  void settle(const Now& now, const MemberEntry& before, MemberTable::Merged merged);
  void note(MemberEvent::Kind kind, const Member& member);
  void declare(const Now& now, Instance instance, MemberState state);
  void bring_news(const Member& row);

  MemberTable table_;
  MemberNews news_;
  Suspicions suspicions_;
  Duration probe_interval_;
  Instant next_removal_ = Instant::never();
  Outcome outcome_;
  std::vector<MemberEvent> events_;
  std::uint64_t version_ = 1;
  std::uint64_t digest_version_ = 0;
  Instance teller_{};  // whose rows are being taken; 0: nobody's
  Instance clash_{};   // who was last noted to have this node's id; 0: nobody
  LedgerStats stats_;
};

}  // namespace kvs
