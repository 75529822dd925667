// Rumors: rows that are news, each told to a few members and then left to the others to tell.
//
// They ride on messages that go out anyway. Those told least often go first, so that a flood of old
// news does not hold up the new ones. One rumor an instance: a newer row replaces the older.
// Neither its teller nor the member that it is about has to hear it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "core/member.h"

namespace kvs {

/// How often each node tells a rumor in a cluster of so many: 4 * ceil(log10(members + 1)), as
/// memberlist does; below ten members 3 times, which is one round of Members::spread().
[[nodiscard]] std::size_t retransmissions(std::size_t members);

class Rumors {
 public:
  /// Whom a message goes to, and the members that it knows the news of already.
  struct Listener {
    Instance instance{};  // 0: not known
    std::span<const Instance> knows;
  };

  /// `row` is news: it replaces what was told of this member. `teller` is who told it; 0: nobody.
  void add(const Member& row, Instance teller);

  void drop(Instance instance);

  /// Drops all others.
  void keep_only(Instance instance);

  /// At most `most` rows for one message; each counts as told once more, and is dropped after
  /// `limit` times.
  [[nodiscard]] std::vector<Member> take(std::size_t most, std::size_t limit,
                                         const Listener& listener);

  /// Whether there is a rumor that this member has to hear.
  [[nodiscard]] bool has_for(Instance listener) const;

  /// This row went out by itself.
  void told(Instance instance, std::size_t limit);

  [[nodiscard]] bool empty() const { return rows_.empty(); }

  [[nodiscard]] std::size_t size() const { return rows_.size(); }

 private:
  // How often told; the later it came, the smaller; the instance.
  using Turn = std::tuple<std::size_t, std::uint64_t, Instance>;

  struct Rumor {
    Turn turn;
    Member row;
    Instance teller;
  };

  [[nodiscard]] static bool is_for(const Rumor& rumor, Instance listener);

  std::map<Instance, Rumor> rows_;
  std::set<Turn> turns_;
  std::uint64_t next_order_ = UINT64_MAX;
};

}  // namespace kvs
