// The conflicts of late whose end this node brought about, for people to look at. Never acted upon.
//
// At most kKept, each with at most kVersionsKept versions, so its memory is bounded.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/ballot.h"

namespace kvs {

/// A tie, and what came of it.
struct SettledConflict {
  struct Candidate {
    Uuid uuid;
    std::uint32_t votes = 0;
  };

  std::string path;
  WallTime settled;
  Ruling::Kind rule{};
  Uuid winner;
  Stamp stamp;                        // of the winner
  std::vector<Candidate> candidates;  // what was met; not all, if there were very many
};

class RecentVerdicts {
 public:
  static constexpr std::size_t kKept = 100;
  static constexpr std::size_t kVersionsKept = 8;

  /// Notes what was ruled just now.
  void note(const Now& now, const std::vector<Ruling>& rulings);

  /// The newest first; it does not change any more. Never null.
  [[nodiscard]] std::shared_ptr<const std::vector<SettledConflict>> all() const { return shown_; }

 private:
  std::deque<SettledConflict> kept_;  // the newest first
  std::shared_ptr<const std::vector<SettledConflict>> shown_ =
      std::make_shared<const std::vector<SettledConflict>>();
};

}  // namespace kvs
