// The failure detector: SWIM (Das 2002) with Lifeguard (Dadgar 2018), timed as in memberlist.
//
// One member is probed each interval, the one whose turn it is (core/probe_turns): a ping, and if
// it is not answered in time, pings through three others. Who answers none of them by the end of
// the interval is accused. A slow node blames itself first: unanswered requests for help make it
// wait longer for answers, and probe only every so many turns; at the others it sends a ping that
// accuses nobody. A node that misses more than half of its targets three rounds in a row accuses
// nobody any more.
// Accusations are handed out, not acted on; probes under way are bounded.
#pragma once

#include <vector>

#include "base/prng.h"
#include "core/member_calls.h"
#include "core/member_news.h"
#include "core/member_table.h"

namespace kvs {

struct DetectorOptions {
  Duration probe_interval = Duration::from_seconds(1);
  Duration probe_timeout = Duration::from_ms(500);
};

struct DetectorStats {
  std::uint64_t probes = 0;
  std::uint64_t probes_helped = 0;      // others were asked
  std::uint64_t probes_unanswered = 0;  // neither way
  std::uint64_t accusations_withheld = 0;
};

class FailureDetector {
 public:
  /// Whether the target itself answered a ping.
  enum class Pinged : std::uint8_t { answered, not_answered };

  /// What a member that was asked to help said of the target; `none`: it said nothing.
  enum class Help : std::uint8_t { answered, not_answered, none };

  /// All referenced outlive it.
  FailureDetector(const DetectorOptions& options, MemberTable& table, MemberNews& news,
                  MemberCalls& calls, Prng& prng);

  /// Probing begins. The wall clock here and in tick() is the cluster's, by which turns are taken.
  void start(const Now& now);

  void tick(const Now& now, Effects& effects);

  [[nodiscard]] Instant next_deadline() const;

  /// Something is wrong with this member: it is probed now, out of turn, unless it is already.
  void probe_at_once(Instant now, Instance instance, Effects& effects);

  /// The return of a call of kind probe.
  void probe_returned(Instant now, const MemberCall& call, Pinged pinged, Effects& effects);

  /// The return of a call of kind helped_probe.
  void help_returned(Instant now, const MemberCall& call, Help help);

  /// The member answered a ping, whatever it was sent for.
  void answered(Instance target);

  /// This node had to refute an accusation.
  void blame_self();

  /// Members that answered no probe, since the last time this was asked. None while isolated.
  [[nodiscard]] std::vector<Instance> take_accused();

  /// True while this node misses so many of its targets that it accuses nobody.
  [[nodiscard]] bool isolated() const { return bad_rounds_ >= kBadRounds; }

  /// 0: well; each step lets a probe take one interval more, and passes over one turn more. At most
  /// 7.
  [[nodiscard]] int awareness() const { return awareness_; }

  [[nodiscard]] const DetectorStats& stats() const { return stats_; }

  static constexpr std::size_t kHelpers = 3;
  static constexpr std::size_t kProbesMax = 8;
  static constexpr int kAwarenessMax = 7;
  static constexpr int kRoundProbes = 3;
  static constexpr int kBadRounds = 3;

 private:
  struct Probe {
    Instance target{};
    Instant begun;
    Instant helpers_at;
    Instant deadline;
    bool direct_open = true;  // the ping has not returned
    bool helpers_asked = false;
    std::size_t asked = 0;
    std::size_t help_open = 0;
    std::size_t well = 0;  // helpers that said they got no answer

    [[nodiscard]] bool hopeless() const { return !direct_open && helpers_asked && help_open == 0; }
  };

  [[nodiscard]] Probe* find(Instance target);
  [[nodiscard]] Probe* find(const MemberCall& call);
  [[nodiscard]] Duration probe_span() const;
  void plan_turn(const Now& now, std::int64_t epoch);
  void take_turn(const Now& now, Effects& effects);
  [[nodiscard]] Instance due_in(std::int64_t epoch) const;
  [[nodiscard]] const MemberEntry* turn_target(std::int64_t epoch);
  [[nodiscard]] std::vector<const MemberEntry*> living() const;
  [[nodiscard]] bool is_self(const MemberEntry& entry) const;
  [[nodiscard]] const MemberEntry* anybody();
  [[nodiscard]] bool has_room_for(Instance target);
  void begin(Instant now, const MemberEntry& entry, Effects& effects);
  void ask_helpers(Instant now, Probe& probe, Effects& effects);
  [[nodiscard]] std::vector<const Member*> helpers(Instance target);
  void conclude(Instant now);
  void missed(const Probe& probe);
  enum class Outcome : std::uint8_t { answered, missed };
  void count_round(Outcome outcome);
  void adjust(std::size_t blame);

  DetectorOptions options_;
  MemberTable& table_;
  MemberNews& news_;
  MemberCalls& calls_;
  Prng& prng_;
  std::vector<Probe> probes_;
  std::vector<Instance> accused_;
  Instant next_turn_ = Instant::never();
  std::int64_t next_epoch_ = 0;
  Instance next_target_{};  // this node itself: there was nobody else
  int turns_passed_ = 0;    // since the last probe
  int awareness_ = 0;
  int round_probes_ = 0;
  int round_misses_ = 0;
  int bad_rounds_ = 0;
  DetectorStats stats_;
};

}  // namespace kvs
