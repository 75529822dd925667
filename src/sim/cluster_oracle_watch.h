// What watches promise (docs/consistency.md, W1 to W3), held against what clients were told.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/clock_skew.h"
#include "sim/cluster_oracle.h"
#include "sim/cluster_scenario.h"
#include "sim/watched_picture.h"

namespace kvs {

/// Filter: what a client is told is below its path, was written, and is told as it was written.
/// Order: no older version of a key after a newer one. No version twice, but in a snapshot. No gap:
/// who has caught up holds what the disk of the machine holds. All of it from cursor to cursor, on
/// whatever machines, until the client begins anew. What expires is told as gone at its time, but
/// for what clocks differ.
class WatchesAreTrue final : public ClusterOracle {
 public:
  WatchesAreTrue(const ClusterScenario& scenario, const ClusterLedger& ledger, Findings& findings);

  /// What a right clock shows; told before each event.
  void clocks_are_right(WallTime now) { now_ = now; }

  /// From now on all clocks show a time that is ages ahead. A node learns from the others that it
  /// was not only its own clock: until then nothing is over for it that was not.
  void ages_pass() { before_ages_ = before_ages_.value_or(now_); }

  void clock_struck(Machine machine, std::int64_t ahead_ms) override;
  void watch_began(Machine machine, const Watching& watching) override;
  void watch_told(Machine machine, const Watching& watching, const WatchEvent& event) override;
  void watch_caught_up(Machine machine, const Watching& watching) override;
  void watch_broke_off(Machine machine, const Watching& watching) override;

 private:
  /// A cursor with which the client went on, since it was last told everything.
  struct Resumed {
    Knowledge seen;
    WallTime made;
  };

  struct Client {
    WatchedPicture picture;
    std::vector<Resumed> resumed;
  };

  /// Whether clients are to be shown a record now.
  enum class Due : std::uint8_t { shown, perhaps, gone };

  [[nodiscard]] Due due(const RecordHeader& header) const;
  [[nodiscard]] bool fits(const WatchEvent& event, const ClusterWrite& write) const;

  void check_filter(Machine machine, const Watching& watching, const WatchEvent& event);
  void check_version(Machine machine, const Watching& watching, const WatchEvent& event,
                     const Version& version);
  void check_told(Machine machine, const Watching& watching, const WatchEvent& event);
  void check_missing(Machine machine, const Watching& watching, const Client& client);
  void check_left_over(Machine machine, const Client& client);

  [[nodiscard]] bool deletion_is_forgotten(const Client& client, const std::string& key,
                                           const RecordHeader& header) const;
  [[nodiscard]] bool covered_by_nobody(Dot dot) const;

  std::uint32_t machines_;
  bool clocks_lie_;
  ClockSkew skew_;
  WallTime now_;
  std::optional<WallTime> before_ages_;
  std::map<std::uint64_t, Client> clients_;
};

}  // namespace kvs
