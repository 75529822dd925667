// Interval delegation: every member gets exactly one copy when all see the same members, and never
// more than one, nor any message without end, whatever each of them sees.
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "core/ring.h"
#include "properties/generators.h"

namespace kvs {
namespace {

constexpr std::size_t kParts = 8;

rc::Gen<std::vector<Instance>> clusters() {
  // Few are large: a ring is built for every member that hands on.
  const auto sizes = rc::gen::weightedOneOf<std::size_t>({
      {90, rc::gen::inRange<std::size_t>(1, 40)},
      {9, rc::gen::inRange<std::size_t>(40, 300)},
      {1, rc::gen::inRange<std::size_t>(300, 2001)},
  });
  return rc::gen::map(rc::gen::pair(sizes, rc::gen::arbitrary<std::uint32_t>()),
                      [](const auto& parts) {
                        Prng prng(parts.second);
                        std::set<Instance> members;
                        while (members.size() < parts.first) {
                          members.insert(Instance{prng.next() | 1U});
                        }
                        return std::vector<Instance>(members.begin(), members.end());
                      });
}

struct Spread {
  std::map<Instance, int> copies;
  bool shrinks = true;
  std::size_t messages = 0;
};

struct Message {
  Instance from{};
  Instance to{};
  RingStretch stretch;
};

using SeenBy = std::function<Ring(Instance)>;
using Chooses = std::function<std::optional<Instance>(const RingPart&)>;

/// Sends from `source` until nobody hands anything on.
Spread spread(Instance source, std::size_t messages_max, const SeenBy& seen_by,
              const Chooses& delegate_of) {
  Spread result;
  std::deque<Message> on_the_way;
  const auto hand_on = [&](Instance from, const std::vector<RingPart>& parts) {
    for (const RingPart& part : parts) {
      if (const auto to = delegate_of(part)) {
        on_the_way.push_back({.from = from, .to = *to, .stretch = part.stretch()});
      }
    }
  };
  hand_on(source, seen_by(source).others(kParts));
  while (!on_the_way.empty() && result.messages <= messages_max) {
    const Message message = on_the_way.front();
    on_the_way.pop_front();
    ++result.messages;
    ++result.copies[message.to];
    const auto parts = seen_by(message.to).below(message.stretch, kParts);
    for (const RingPart& part : parts) {
      const RingStretch inner = part.stretch();
      result.shrinks = result.shrinks && contains(message.stretch, inner.first) &&
                       contains(message.stretch, inner.last) &&
                       !contains(inner, ring_position(message.to)) &&
                       inner.last - inner.first < message.stretch.last - message.stretch.first;
    }
    hand_on(message.to, parts);
  }
  return result;
}

/// The members that `prng` spares, and `always`.
std::vector<Instance> some_of(const std::vector<Instance>& all, Instance always, Prng& prng) {
  const std::uint64_t spared = prng.below(11);
  std::vector<Instance> some;
  for (const Instance instance : all) {
    if (instance == always || prng.below(10) < spared) {
      some.push_back(instance);
    }
  }
  return some;
}

TEST(law_ring, EveryMemberGetsExactlyOneCopyWhenAllSeeTheSame) {
  EXPECT_TRUE(rc::check([] {
    const auto all = *clusters();
    const Instance source = *rc::gen::elementOf(all);
    Prng prng(*rc::gen::arbitrary<std::uint32_t>());
    const auto live = some_of(all, source, prng);  // the others are known to be dead
    const Spread result = spread(
        source, live.size(), [&](Instance self) { return Ring(live, self); },
        [](const RingPart& part) { return part.members.front(); });
    RC_ASSERT(result.shrinks);
    RC_ASSERT(result.messages == live.size() - 1);
    RC_ASSERT(result.copies.size() == live.size() - 1);
    RC_ASSERT(!result.copies.contains(source));
  }));
}

TEST(law_ring, WhoDiedUnnoticedIsSkippedWithoutLossToOthers) {
  EXPECT_TRUE(rc::check([] {
    const auto all = *clusters();
    const Instance source = *rc::gen::elementOf(all);
    Prng prng(*rc::gen::arbitrary<std::uint32_t>());
    const auto live = some_of(all, source, prng);
    const auto answers = [&](Instance instance) {
      return std::ranges::binary_search(live, instance);
    };
    const Spread result = spread(
        source, live.size(), [&](Instance self) { return Ring(all, self); },
        [&](const RingPart& part) {
          const auto it = std::ranges::find_if(part.members, answers);
          return it == part.members.end() ? std::nullopt : std::optional(*it);
        });
    RC_ASSERT(result.shrinks);
    RC_ASSERT(result.messages == live.size() - 1);
    RC_ASSERT(result.copies.size() == live.size() - 1);
  }));
}

TEST(law_ring, NobodyGetsTwoCopiesWhateverEachSees) {
  EXPECT_TRUE(rc::check([] {
    const auto all = *clusters();
    const Instance source = *rc::gen::elementOf(all);
    const std::uint64_t seed = *rc::gen::arbitrary<std::uint32_t>();
    const Spread result = spread(
        source, all.size(),
        [&](Instance self) {
          Prng prng(seed ^ static_cast<std::uint64_t>(self));
          return Ring(some_of(all, self, prng), self);
        },
        [&](const RingPart& part) {
          Prng prng(seed ^ part.stretch().first);
          return std::optional(part.members[prng.below(part.members.size())]);
        });
    RC_ASSERT(result.shrinks);
    RC_ASSERT(result.messages < all.size());
    RC_ASSERT(result.messages == result.copies.size());
  }));
}

TEST(law_ring, AnyStretchIsHandedOnWithoutThisMemberAndAtMostOnceToOthers) {
  EXPECT_TRUE(rc::check([] {
    const auto all = *clusters();
    const Instance self = *rc::gen::elementOf(all);
    const RingStretch stretch{.first = *rc::gen::arbitrary<std::uint64_t>() << 32U,
                              .last = *rc::gen::arbitrary<std::uint64_t>() << 32U};
    const Ring ring(all, self);
    std::set<Instance> met;
    for (const RingPart& part : ring.below(stretch, kParts)) {
      for (const Instance member : part.members) {
        RC_ASSERT(member != self);
        RC_ASSERT(contains(stretch, ring_position(member)));
        RC_ASSERT(met.insert(member).second);
      }
    }
    const auto inside = std::ranges::count_if(
        all, [&](Instance member) { return contains(stretch, ring_position(member)); });
    const bool mine = contains(stretch, ring_position(self));
    RC_ASSERT(met.size() == (mine ? static_cast<std::size_t>(inside) - 1 : 0));
    RC_ASSERT(ring.trimmed(stretch).has_value() == (inside > 0));
  }));
}

}  // namespace
}  // namespace kvs
