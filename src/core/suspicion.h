// How long a member stays suspect: long if only one accuses it, shorter with each further accuser.
//
// Lifeguard's suspicion (Dadgar 2018), with memberlist's numbers: the timeout falls from `most` to
// `least` with the logarithm of the number of confirmations. Bounded by the number of members.
#pragma once

#include <map>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace kvs {

struct SuspicionTimes {
  Duration least;
  Duration most;
  std::size_t confirmations = 0;  // that bring the timeout down to `least`
};

/// For a cluster of `members`: 4 * max(1, log10(members + 1)) probe intervals at least and six
/// times that at most. Where there are too few members to confirm anything, the least counts from
/// the start.
[[nodiscard]] SuspicionTimes suspicion_times(std::size_t members, Duration probe_interval);

/// The whole timeout after so many confirmations.
[[nodiscard]] Duration suspicion_timeout(const SuspicionTimes& times, std::size_t confirmations);

class Suspicions {
 public:
  /// `accuser` suspects `suspect`. True if that is news: the first to do so, or a confirmation that
  /// still shortens the timeout. `times` counts for the first only.
  bool accuse(Instant now, Instance suspect, Instance accuser, const SuspicionTimes& times);

  /// It is cleared, failed or gone.
  void end(Instance suspect) { next_known_ = suspects_.erase(suspect) == 0 && next_known_; }

  /// Those whose time is up; they are suspects no more.
  [[nodiscard]] std::vector<Instance> take_expired(Instant now);

  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] std::size_t size() const { return suspects_.size(); }

 private:
  struct Suspicion {
    Instant start;
    SuspicionTimes times;
    std::vector<Instance> accusers;  // the first one and those who confirmed
    Instant deadline;
  };

  std::map<Instance, Suspicion> suspects_;
  mutable bool next_known_ = false;  // asked for after each step, and there may be many suspects
  mutable Instant next_;
};

}  // namespace kvs
