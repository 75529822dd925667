// Ballots of five nodes that talk to one another, after a partition in which both halves wrote.
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/ballot.h"
#include "core/call.h"
#include "core/merge.h"
#include "support/memory_store.h"

namespace kvs {
namespace {

constexpr Stamp kTied = Stamp::from_ms(1000);
constexpr std::uint64_t kNodes = 5;
constexpr Duration kLink = Duration::from_ms(20);

std::string path_of(std::uint64_t number) {
  return "users/" + std::to_string(100'000 + number);
}

/// What half 1 or half 2 wrote.
Record written_by(std::uint64_t half, std::uint64_t number) {
  return {.header = {.version = {.stamp = kTied,
                                 .verdict = {},
                                 .uuid = {.high = half, .low = number},
                                 .dot = {.origin = Origin{half}, .seq = number + 1}}},
          .value = std::to_string(half)};
}

class Cluster {
 public:
  struct Node {
    Node(Instance instance, std::uint64_t seed)
        : self(instance), prng(seed), ballots({}, store, prng) {}

    Instance self{};
    MemoryStore store;
    Prng prng;
    Ballots ballots;
    std::uint64_t seq = 0;
    std::size_t sent_bytes = 0;  // of ballots alone
    Instant settled{};           // when its last tie was
  };

  /// Nodes 1 and 2 hold what half 1 wrote, the others what half 2 wrote.
  explicit Cluster(std::uint64_t ties) {
    View view;
    for (std::uint64_t number = 1; number <= kNodes; ++number) {
      Member& member = view.members.emplace_back();
      member.instance = Instance{number};
      member.node_id = std::to_string(number);
      member.address = std::to_string(number);
      member.joined_ms = static_cast<std::int64_t>(number);
    }
    for (std::uint64_t number = 1; number <= kNodes; ++number) {
      view.self = Instance{number};
      nodes_.push_back(std::make_unique<Node>(Instance{number}, number));
      nodes_.back()->ballots.set_view(std::make_shared<const View>(view));
      for (std::uint64_t i = 0; i < ties; ++i) {
        nodes_.back()->store.set(path_of(i), written_by(half_of(number), i));
      }
    }
  }

  static std::uint64_t half_of(std::uint64_t node) { return node <= 2 ? 1 : 2; }

  /// From now on this node alone meets ties.
  Cluster& only(std::uint64_t number) {
    only_ = number;
    return *this;
  }

  /// Every node meets all ties, the `i`-th one after `i` x `pace`.
  void meet_ties(std::uint64_t ties, Duration pace) {
    for (std::uint64_t i = 0; i < ties; ++i) {
      now_.instant = Instant{static_cast<std::int64_t>(i) * pace.ns};
      run_due();
      for (std::uint64_t number = 1; number <= kNodes; ++number) {
        Node& node = *nodes_[number - 1];
        if (only_ != 0 && only_ != number) {
          continue;
        }
        const RecordHeader held = node.store.slots().at(path_of(i)).record.header;
        const Record other = written_by(3 - half_of(number), i);
        if (merge(held.version, other.header.version) == MergeOutcome::tie) {
          node.ballots.opened(now_, path_of(i), held,
                              {.path = path_of(i), .record = other, .replaced = {}});
        }
      }
    }
  }

  /// Until nothing is to be done, or `end`.
  void run_until(Instant end) {
    for (Instant next = next_event(); next <= end; next = next_event()) {
      now_.instant = std::max(now_.instant, next);
      run_due();
    }
  }

  [[nodiscard]] const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }

 private:
  using Event = std::function<void()>;

  [[nodiscard]] Instant next_event() const {
    Instant next = events_.empty() ? Instant::never() : events_.begin()->first;
    for (const auto& node : nodes_) {
      next = std::min(next, node->ballots.next_deadline());
    }
    return next;
  }

  void run_due() {
    while (!events_.empty() && events_.begin()->first <= now_.instant) {
      const Event event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      event();
    }
    for (const auto& node : nodes_) {
      while (node->ballots.next_deadline() <= now_.instant) {
        Effects effects;
        node->ballots.tick(now_, effects);
        carry_out(*node, effects);
      }
    }
  }

  void later(Event event) { events_.emplace(now_.instant + kLink, std::move(event)); }

  void carry_out(Node& node, const Effects& effects) {
    for (const PeerSend& send : effects.sends) {
      node.sent_bytes += size_of(*send.request);
      later([this, &node, send] { call(node, send); });
    }
    for (const Ruling& ruling : node.ballots.take_rulings()) {
      publish(node, ruling);
    }
  }

  /// A call has reached the peer; its answer goes back.
  void call(Node& node, const PeerSend& send) {
    Node& peer = *nodes_[std::stoul(send.address) - 1];
    PeerAnswer answer = answer_of(peer, *send.request);
    peer.sent_bytes += size_of(answer);
    later([this, &node, id = send.id, answer = std::move(answer)] {
      Effects effects;
      node.ballots.returned(now_, {.id = id, .envelope = {}, .answer = answer}, effects);
      carry_out(node, effects);
    });
  }

  /// What core/replica and core/outbox do with a ruling.
  void publish(Node& node, const Ruling& ruling) {
    PeerRecord winner = ruling.winner;
    if (ruling.kind != Ruling::Kind::found) {
      winner.record.header.version.dot = {
          .origin = Origin{100 + static_cast<std::uint64_t>(node.self)}, .seq = ++node.seq};
    }
    take(node, winner);
    for (const auto& peer : nodes_) {
      if (peer.get() != &node) {
        later([this, &peer = *peer, winner] { take(peer, winner); });
      }
    }
  }

  void take(Node& node, const PeerRecord& theirs) const {
    const RecordHeader held = node.store.slots().at(theirs.path).record.header;
    const RecordHeader& header = theirs.record.header;
    if (merge(held.version, header.version) == MergeOutcome::take) {
      node.store.set(theirs.path, theirs.record);
      node.ballots.settled(std::vector{
          Change{.path = theirs.path, .before = held, .after = header, .replaced = {}}});
      node.settled = now_.instant;
    }
  }

  PeerAnswer answer_of(Node& node, const PeerRequest& request) const {
    if (const auto* question = std::get_if<AskVotes>(&request)) {
      return node.ballots.answer(now_, *question);
    }
    Fetched fetched;
    for (const std::string& path : std::get<Fetch>(request).paths) {
      fetched.records.push_back(
          {.path = path, .record = node.store.slots().at(path).record, .replaced = {}});
    }
    return fetched;
  }

  static std::size_t size_of(const std::vector<std::string>& paths) {
    std::size_t size = 0;
    for (const std::string& path : paths) {
      size += path.size() + 1;
    }
    return size;
  }

  /// About what a plain encoding takes.
  static std::size_t size_of(const PeerRequest& request) {
    const auto* question = std::get_if<AskVotes>(&request);
    return size_of(question != nullptr ? question->paths : std::get<Fetch>(request).paths);
  }

  static std::size_t size_of(const PeerAnswer& answer) {
    if (const auto* votes = std::get_if<Votes>(&answer)) {
      std::size_t size = 0;
      for (const CastVote& vote : votes->votes) {
        size += std::holds_alternative<RecordHeader>(vote) ? 42 : 1 + sizeof(ShortHash);
      }
      return size;
    }
    return std::get<Fetched>(answer).records.size() * 80;
  }

  Now now_{};
  std::uint64_t only_ = 0;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::multimap<Instant, Event> events_;
};

/// Every path has the larger half's value, with its three votes, and the same record as `other`.
void expect_settled(const Cluster::Node& node, const Cluster::Node& other) {
  for (const auto& [path, slot] : node.store.slots()) {
    ASSERT_EQ(slot.record, other.store.slots().at(path).record);
    ASSERT_EQ(slot.record.value, "2");
    ASSERT_EQ(slot.record.header.version.verdict.votes, 3U);
  }
}

TEST(BallotCluster, AHealedPartitionSettlesToTheLargerHalf) {
  constexpr std::uint64_t kTies = 10'000;
  Cluster cluster(kTies);
  cluster.meet_ties(kTies, Duration::from_ms(1));
  cluster.run_until(Instant{} + Duration::from_seconds(60));
  std::uint64_t rulings = 0;
  for (const auto& node : cluster.nodes()) {
    EXPECT_EQ(node->ballots.open_ties(), 0U);
    EXPECT_LE(node->settled, Instant{} + Duration::from_seconds(11));
    EXPECT_LE(node->sent_bytes, kTies * 60);
    rulings += node->ballots.stats().by_majority;
    expect_settled(*node, *cluster.nodes().front());
  }
  EXPECT_EQ(rulings, kTies);  // each by one resolver alone
}

TEST(BallotCluster, TheOtherResolversStepInForOneThatNeverMetTheTies) {
  constexpr std::uint64_t kTies = 1000;
  Cluster cluster(kTies);
  cluster.only(4).meet_ties(kTies, Duration::from_ms(1));
  cluster.run_until(Instant{} + Duration::from_seconds(60));
  for (const auto& node : cluster.nodes()) {
    EXPECT_LE(node->settled, Instant{} + Duration::from_seconds(6));
    for (const auto& [path, slot] : node->store.slots()) {
      ASSERT_EQ(slot.record.value, "2") << path;
    }
  }
}

}  // namespace
}  // namespace kvs
