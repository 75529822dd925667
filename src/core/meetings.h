// How nodes find one another: joining by seeds at the start, comparing tables with random members
// now and then, and trying seeds and lost members again, so that halves that forgot one another
// meet.
//
// Seeds are tried with growing pauses until one lets this node in. A node's own address among the
// seeds is ignored. Comparisons, too, begin with short pauses, at the start and after a difference.
// Nothing here changes the table.
#pragma once

#include <string>
#include <vector>

#include "base/prng.h"
#include "core/member_calls.h"
#include "core/member_table.h"

namespace kvs {

struct MeetingOptions {
  std::string address;             // this node's own
  std::vector<std::string> seeds;  // host:port
  Duration interval_min = Duration::from_seconds(60);
  Duration interval_max = Duration::from_seconds(120);
};

class Meetings {
 public:
  enum class Joined : std::uint8_t {
    let_in,
    refused,      // id in use, other cluster: tried again rarely
    unreachable,  // nobody there, or nothing that makes sense
    itself,       // that seed is this node
  };

  /// All referenced outlive it.
  Meetings(const MeetingOptions& options, const MemberTable& table, MemberCalls& calls, Prng& prng);

  void start(Instant now);

  void tick(Instant now, Effects& effects);

  [[nodiscard]] Instant next_deadline() const;

  /// The return of a call of kind join.
  void join_returned(Instant now, const MemberCall& call, Joined joined);

  /// A comparison found different tables: the next one comes soon.
  void differed(Instant now);

  /// A member failed: for a while it is looked for often.
  void lost(Instant now);

  /// The node at this address is this node: it is no seed.
  void forget_seed(const std::string& address);

  /// From now on nobody is looked for.
  void stop();

  /// True if there is nobody to ask: no seeds, or none but this node.
  [[nodiscard]] bool without_seeds() const { return options_.seeds.empty(); }

  /// True once a seed let this node in, or there are no seeds to ask.
  [[nodiscard]] bool joined() const { return joined_; }

  static constexpr Duration kCallTimeout = Duration::from_seconds(5);
  static constexpr Duration kPauseMin = Duration::from_seconds(1);
  static constexpr Duration kPauseMax = Duration::from_seconds(60);
  static constexpr Duration kSearchInterval = Duration::from_seconds(1);
  static constexpr Duration kSearchTime = Duration::from_seconds(600);
  static constexpr std::size_t kSeedsAtOnce = 4;
  static constexpr Duration kComparePauseMin = Duration::from_seconds(2);

 private:
  void ask_seeds(Instant now, Effects& effects);
  void compare_with_members(Instant now, Effects& effects);
  void search(Instant now, Effects& effects);
  void compare(Instant now, Instance target, const std::string& address, Effects& effects);
  [[nodiscard]] std::vector<const std::string*> lost_addresses() const;
  [[nodiscard]] Duration jittered(Duration pause);
  [[nodiscard]] Duration next_compare_pause();

  MeetingOptions options_;
  const MemberTable& table_;
  MemberCalls& calls_;
  Prng& prng_;
  std::size_t next_seed_ = 0;
  std::size_t joins_open_ = 0;
  Duration pause_ = kPauseMin;
  bool joined_ = false;
  bool refused_ = false;
  Duration compare_pause_ = kComparePauseMin;
  Instant join_at_ = Instant::never();
  Instant compare_at_ = Instant::never();
  Instant search_at_ = Instant::never();
  Instant search_until_;
};

}  // namespace kvs
