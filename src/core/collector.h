// When tombstones may go: once every member has seen them, and no older write of their path can be
// on its way any more.
//
// Two rounds, no timer. (1) From the K that every member (failed ones too) last reported: `low`,
// what all cover, and `high`, what any covers. (2) When what all cover has reached that `high`,
// tombstones whose dots are in `low` may go. A change of the membership starts over. Golding 1992
// (timestamped anti-entropy) with a second round: a member that covers the tombstone may still be
// sent an older write that another had issued before it saw the delete; once all cover what anyone
// knew in round 1, no such write is left. When exactly each node collects does not matter: where
// all is at rest, and the last sweep found that nothing may go, nobody sweeps again. A value whose
// time is over and whose bytes are gone is a tombstone here, as old as its expiry.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/knowledge.h"
#include "core/peer_message.h"
#include "core/store_view.h"
#include "core/view.h"

namespace kvs {

class Collector {
 public:
  explicit Collector(Duration tombstone_min_age) : min_age_(tombstone_min_age) {}

  /// Starts over if the members are others than before.
  void set_view(const View& view);

  /// A member covers this much. Reports of nobody's members are dropped.
  void report(Instance member, std::shared_ptr<const Knowledge> knowledge);

  /// `mine` is the durable K; another pointer if it, or what is stored, may have changed otherwise
  /// than by writes. Looks whether a round is over.
  void look(const std::shared_ptr<const Knowledge>& mine, WallTime wall);

  /// Tombstones that may go, among the next `records_max` records of the store; empty if there is
  /// nothing to go through.
  [[nodiscard]] std::vector<PeerItem> next(const StoreView& store, WallTime wall,
                                           std::size_t records_max);

  /// True if the last look found nothing new, and nothing that may go.
  [[nodiscard]] bool at_rest() const { return at_rest_; }

  /// True while next() has records to go through.
  [[nodiscard]] bool sweeping() const { return sweep_.has_value(); }

  /// The K that a member reported last; nullptr if it reported none.
  [[nodiscard]] std::shared_ptr<const Knowledge> reported(Instance member) const;

 private:
  struct Round {
    Knowledge low;
    Knowledge high;
  };

  struct Sweep {
    Knowledge low;
    std::string after;
    bool in_vain = true;                      // so far
    std::int64_t young_until_ms = INT64_MAX;  // from when on one may go that is too young
  };

  [[nodiscard]] Round round_of_now() const;
  void end_sweep();

  Duration min_age_;
  using Report = std::shared_ptr<const Knowledge>;

  [[nodiscard]] std::size_t place_of(Instance member) const;

  std::vector<Instance> members_;  // without this node; in order
  std::vector<Report> reports_;    // of each of them; null: none yet
  std::size_t reported_ = 0;       // how many have
  std::shared_ptr<const Knowledge> mine_;
  bool news_ = true;  // reports, or K, since the last look
  bool at_rest_ = false;
  std::optional<Round> round_;
  std::optional<Sweep> sweep_;
  std::optional<Sweep> vain_;  // the last sweep, if it was of what all cover now and found nothing
};

}  // namespace kvs
