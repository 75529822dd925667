#include "core/outbox.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/call.h"
#include "support/memory_store.h"

namespace kvs {
namespace {

using Failure = PeerReturn::Failure;

constexpr Instance kSelf{1};

std::string address_of(Instance instance) {
  return "node" + std::to_string(static_cast<std::uint64_t>(instance));
}

Member member(std::uint64_t number, MemberState state = MemberState::alive) {
  return {.instance = Instance{number}, .address = address_of(Instance{number}), .state = state};
}

std::shared_ptr<const View> view_of(std::vector<Member> members, Instance self = kSelf) {
  return std::make_shared<const View>(View{.members = std::move(members), .self = self});
}

std::shared_ptr<const View> first_nodes(std::uint64_t count, Instance self = kSelf) {
  std::vector<Member> members;
  for (std::uint64_t i = 1; i <= count; ++i) {
    members.push_back(member(i));
  }
  return view_of(std::move(members), self);
}

Now at(std::int64_t ms) {
  return {.instant = {Duration::from_ms(ms).ns}, .wall = {ms}};
}

Dot dot(std::uint64_t seq) {
  return {.origin = Origin{1}, .seq = seq};
}

const Push& push_of(const PeerSend& send) {
  return std::get<Push>(*send.request);
}

std::vector<std::string> paths_of(const PeerSend& send) {
  std::vector<std::string> paths;
  for (const PeerRecord& record : push_of(send).records) {
    paths.push_back(record.path);
  }
  return paths;
}

using Paths = std::vector<std::string>;

/// An outbox and the store that it reads.
struct Bench {
  explicit Bench(std::uint64_t nodes = 3, const OutboxOptions& options = {})
      : outbox(options, store) {
    outbox.set_view(first_nodes(nodes));
  }

  Change write(const std::string& path, Change::Cause cause = Change::Cause::client,
               std::string value = "1") {
    store.put(path, ++seq, std::move(value));
    return {.path = path,
            .before = {},
            .after = store.slots().at(path).record.header,
            .cause = cause,
            .replaced = {}};
  }

  void add(const std::string& path, Change::Cause cause = Change::Cause::client,
           std::string value = "1") {
    const Change change = write(path, cause, std::move(value));
    outbox.add({&change, 1});
  }

  std::vector<PeerSend> flush() {
    outbox.flush(at(now_ms), effects);
    return std::exchange(effects.sends, {});
  }

  std::vector<PeerSend> answer(const PeerSend& send, Failure failure = Failure::none,
                               PeerAnswer with = Done{}) {
    suspect = outbox.returned(
        at(now_ms), {.id = send.id, .failure = failure, .answer = std::move(with)}, effects);
    return std::exchange(effects.sends, {});
  }

  MemoryStore store;
  Outbox outbox;
  Effects effects;
  std::uint64_t seq = 0;
  std::int64_t now_ms = 1000;
  std::optional<Instance> suspect;
};

TEST(Outbox, SendsAWriteToEveryPeer) {
  Bench bench;
  bench.add("a");
  const auto sends = bench.flush();
  ASSERT_EQ(sends.size(), 2U);
  EXPECT_EQ(sends[0].address, "node2");
  EXPECT_EQ(sends[1].address, "node3");
  for (const PeerSend& send : sends) {
    EXPECT_EQ(paths_of(send), Paths{"a"});
    EXPECT_EQ(push_of(send).stretch, std::nullopt);
    EXPECT_EQ(send.channel, Channel::push);
    EXPECT_GE(send.timeout, OutboxOptions{}.timeout_min);
    EXPECT_EQ(caller_of(send.id), Caller::outbox);
  }
  EXPECT_NE(sends[0].id, sends[1].id);
  EXPECT_TRUE(bench.flush().empty());
}

TEST(Outbox, BuildsAFrameOnceForPeersAtTheSamePlace) {
  Bench bench(5);
  bench.add("a");
  const auto sends = bench.flush();
  ASSERT_EQ(sends.size(), 4U);
  for (const PeerSend& send : sends) {
    EXPECT_EQ(send.request, sends.front().request);
  }
  bench.add("b");
  const auto second = bench.answer(sends[0]);
  bench.add("c");
  const auto third = bench.answer(sends[1]);
  ASSERT_EQ(second.size(), 1U);
  ASSERT_EQ(third.size(), 1U);
  EXPECT_EQ(second[0].request, third[0].request) << "who comes to the same place later, too";
}

TEST(Outbox, VerdictsGoToAllAndWhatCameFromPeersDoesNot) {
  Bench bench(2);
  bench.add("client");
  bench.add("push", Change::Cause::push);
  bench.add("exchange", Change::Cause::exchange);
  bench.add("verdict", Change::Cause::verdict);
  const Change drop{.path = "client", .before = RecordHeader{}, .after = {}, .replaced = {}};
  bench.outbox.add({&drop, 1});
  const auto sends = bench.flush();
  ASSERT_EQ(sends.size(), 1U);
  EXPECT_EQ(paths_of(sends[0]), (Paths{"client", "verdict"}));
}

TEST(Outbox, WhatGathersMeanwhileFormsTheNextFrame) {
  Bench bench(2);
  bench.add("a");
  const auto first = bench.flush();
  bench.add("b");
  bench.add("c");
  EXPECT_TRUE(bench.flush().empty()) << "a frame is on its way";
  const auto second = bench.answer(first[0]);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(paths_of(second[0]), (Paths{"b", "c"}));
  EXPECT_TRUE(bench.answer(second[0]).empty());
  EXPECT_FALSE(bench.outbox.owes_anything());
}

TEST(Outbox, SendsTheNewestVersionWithTheDotsThatItReplaced) {
  Bench bench(2);
  bench.add("a");
  bench.add("b");
  bench.add("a");
  const auto sends = bench.flush();
  ASSERT_EQ(paths_of(sends[0]), (Paths{"a", "b"}));
  const PeerRecord& record = push_of(sends[0]).records[0];
  EXPECT_EQ(record.record.header.version.dot, dot(3));
  EXPECT_EQ(record.replaced, std::vector<Dot>{dot(1)});
}

TEST(Outbox, SkipsWhatIsGone) {
  Bench bench(2);
  bench.add("a");
  bench.add("b");
  bench.store.damage("a", Errc::corrupt_data);
  EXPECT_EQ(paths_of(bench.flush().at(0)), Paths{"b"});
}

TEST(Outbox, NothingLeftMakesNoFrame) {
  Bench bench(2);
  bench.add("a");
  bench.store.damage("a", Errc::corrupt_data);
  EXPECT_TRUE(bench.flush().empty());
  EXPECT_FALSE(bench.outbox.owes_anything());
  EXPECT_EQ(bench.outbox.stats().bytes, 0U);
}

TEST(Outbox, AFrameEndsWithTheRecordThatFillsIt) {
  Bench bench(2, {.frame_bytes = 10'000});
  for (int i = 0; i < 7; ++i) {
    bench.add("path" + std::to_string(i), Change::Cause::client, std::string(4000, 'x'));
  }
  auto sends = bench.flush();
  std::vector<std::size_t> sizes;
  while (!sends.empty()) {
    sizes.push_back(push_of(sends[0]).records.size());
    sends = bench.answer(sends[0]);
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3, 1}));
}

TEST(Outbox, ALonelyNodeKeepsNothing) {
  Bench bench(1);
  bench.add("a");
  EXPECT_EQ(bench.outbox.stats().bytes, 0U);
  EXPECT_TRUE(bench.flush().empty());
  EXPECT_FALSE(bench.outbox.owes_anything());
}

TEST(Outbox, WithoutAViewItKeepsNothing) {
  const MemoryStore store;
  Outbox outbox({}, store);
  const Change change{.path = "a", .before = {}, .after = RecordHeader{}, .replaced = {}};
  outbox.add({&change, 1});
  outbox.forward({.first = 0, .last = UINT64_MAX}, {&change, 1});
  EXPECT_FALSE(outbox.owes_anything());
}

TEST(Outbox, AFailedPeerIsPausedAndTheFrameIsLost) {
  Bench bench(2);
  bench.add("a");
  const auto first = bench.flush();
  bench.add("b");
  EXPECT_TRUE(bench.answer(first[0], Failure::timed_out).empty());
  EXPECT_EQ(bench.suspect, std::nullopt);
  EXPECT_EQ(bench.outbox.stats().failed, 1U);
  EXPECT_EQ(bench.outbox.stats().dropped, 1U);
  EXPECT_TRUE(bench.outbox.take_missed(Instance{2}));
  EXPECT_FALSE(bench.outbox.take_missed(Instance{2})) << "that was told";
  EXPECT_EQ(bench.outbox.next_deadline(), at(2000).instant);
  bench.outbox.tick(at(1999), bench.effects);
  EXPECT_TRUE(bench.effects.sends.empty());
  bench.outbox.tick(at(2000), bench.effects);
  ASSERT_EQ(bench.effects.sends.size(), 1U);
  EXPECT_EQ(paths_of(bench.effects.sends[0]), Paths{"b"});
  EXPECT_EQ(bench.outbox.next_deadline(), Instant::never());
}

TEST(Outbox, APeerThatIsHeardOfIsDueAtOnce) {
  Bench bench(2);
  bench.add("a");
  const auto first = bench.flush();
  bench.add("b");
  bench.answer(first[0], Failure::refused_connection);
  EXPECT_EQ(bench.suspect, Instance{2}) << "nobody listens there";
  EXPECT_TRUE(bench.flush().empty());
  bench.outbox.peer_heard(Instance{7});
  EXPECT_TRUE(bench.flush().empty());
  bench.outbox.peer_heard(Instance{2});
  EXPECT_LE(bench.outbox.next_deadline(), at(bench.now_ms).instant);
  ASSERT_EQ(bench.flush().size(), 1U);
}

TEST(Outbox, AnswersAreWaitedForAsLongAsTheyTakeAndSomeMore) {
  Bench bench(2);
  bench.add("a");
  auto sends = bench.flush();
  EXPECT_LT(sends[0].timeout, Duration::from_ms(1100));
  bench.now_ms += 800;
  EXPECT_TRUE(bench.answer(sends[0]).empty());
  bench.add("b");
  sends = bench.flush();
  EXPECT_GT(sends[0].timeout, Duration::from_ms(1600));
  bench.add("c", Change::Cause::client, std::string(200'000, 'x'));
  sends = bench.answer(sends[0], Failure::timed_out);
  EXPECT_TRUE(sends.empty()) << "the peer is paused";
  bench.outbox.peer_heard(Instance{2});
  sends = bench.flush();
  ASSERT_EQ(sends.size(), 1U);
  EXPECT_GT(sends[0].timeout, Duration::from_ms(3200 + 3000)) << "and a large frame takes longer";
  EXPECT_LE(sends[0].timeout, OutboxOptions{}.timeout_max);
}

TEST(Outbox, ARefusalIsAFailure) {
  Bench bench(2);
  bench.add("a");
  bench.answer(bench.flush()[0], Failure::none, Refused{.code = Errc::overloaded, .detail = {}});
  EXPECT_EQ(bench.outbox.stats().failed, 1U);
  EXPECT_GT(bench.outbox.next_deadline(), at(bench.now_ms).instant);
}

TEST(Outbox, OnePeerDoesNotWaitForAnother) {
  Bench bench(3);
  bench.add("a");
  const auto first = bench.flush();
  for (int i = 0; i < 5; ++i) {
    bench.add("more" + std::to_string(i));
    const auto next = i == 0 ? bench.answer(first[0]) : bench.flush();
    ASSERT_EQ(next.size(), 1U) << i;
    EXPECT_EQ(next[0].address, "node2");
    bench.answer(next[0]);
  }
  const auto late = bench.answer(first[1]);
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(paths_of(late[0]), (Paths{"more0", "more1", "more2", "more3", "more4"}));
}

TEST(Outbox, AnOverflowMovesTheSlowestAhead) {
  Bench bench(3, {.queue_bytes_max = 10'000});
  bench.add("a");
  auto sends = bench.flush();
  const PeerSend slow = sends[1];
  for (int i = 0; i < 1000; ++i) {
    sends = bench.answer(sends[0]);
    bench.add("path" + std::to_string(i));
    ASSERT_LE(bench.outbox.stats().bytes, 10'000U);
    const auto more = bench.flush();
    sends.insert(sends.end(), more.begin(), more.end());
    ASSERT_EQ(sends.size(), 1U) << "the fast one loses nothing";
    EXPECT_EQ(paths_of(sends[0]), Paths{"path" + std::to_string(i)});
  }
  EXPECT_GT(bench.outbox.stats().overflowed, 800U);
  EXPECT_EQ(bench.outbox.stats().dropped, bench.outbox.stats().overflowed);
  const auto rest = bench.answer(slow);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(paths_of(rest[0]).back(), "path999");
  EXPECT_EQ(paths_of(rest[0]).size() + bench.outbox.stats().overflowed, 1000U);
}

TEST(Outbox, ANewPeerGetsWhatIsWrittenFromThenOn) {
  Bench bench(2);
  bench.add("a");
  bench.outbox.set_view(first_nodes(3));
  bench.add("b");
  const auto sends = bench.flush();
  std::map<std::string, Paths> got;
  for (const PeerSend& send : sends) {
    got[send.address] = paths_of(send);
  }
  EXPECT_EQ(got["node2"], (Paths{"a", "b"}));
  EXPECT_EQ(got["node3"], Paths{"b"});
}

TEST(Outbox, APeerThatIsNotLiveGetsNothingAndHoldsNothing) {
  Bench bench(3);
  bench.add("a");
  const auto sends = bench.flush();
  bench.answer(sends[0]);
  EXPECT_TRUE(bench.outbox.owes_anything());
  bench.outbox.set_view(view_of({member(1), member(2), member(3, MemberState::failed)}));
  EXPECT_FALSE(bench.outbox.owes_anything());
  EXPECT_EQ(bench.outbox.stats().bytes, 0U);
  EXPECT_TRUE(bench.answer(sends[1]).empty()) << "an answer after all";
  bench.add("b");
  EXPECT_EQ(bench.flush().size(), 1U);
}

TEST(Outbox, ASuspectIsStillSentTo) {
  Bench bench(2);
  bench.outbox.set_view(view_of({member(1), member(2, MemberState::suspect)}));
  bench.add("a");
  EXPECT_EQ(bench.flush().size(), 1U);
}

TEST(Outbox, TellsHowFarPeersAreBehind) {
  Bench bench(3);
  bench.add("a");
  const auto sends = bench.flush();
  bench.add("b");
  bench.answer(bench.answer(sends[0]).at(0));
  const auto lags = bench.outbox.lags();
  ASSERT_EQ(lags.size(), 1U);
  EXPECT_EQ(lags[0].peer, Instance{3});
  EXPECT_EQ(lags[0].writes, 2U);
}

// --- more members than get their own lane

struct Reached {
  std::map<std::string, int> copies;
  int depth = 0;
};

/// Every node an outbox of its own over one store: what a push brings is durable at once.
class Tree {
 public:
  Tree(std::uint64_t nodes, const OutboxOptions& options) {
    for (std::uint64_t i = 1; i <= nodes; ++i) {
      const auto it = outboxes_.try_emplace(address_of(Instance{i}), options, store_).first;
      it->second.set_view(first_nodes(nodes, Instance{i}));
    }
  }

  Outbox& outbox(const std::string& address) { return outboxes_.at(address); }

  /// Node 1 writes; nobody answers for `dead`.
  Reached write(const std::string& path, const std::set<std::string>& dead = {}) {
    store_.put(path, ++seq_);
    const Change change = change_of(path, Change::Cause::client);
    outbox(address_of(kSelf)).add({&change, 1});
    Reached reached;
    std::map<std::string, Effects> out;
    outbox(address_of(kSelf)).flush(at(0), out[address_of(kSelf)]);
    while (hop(dead, out, reached)) {
      ++reached.depth;
    }
    return reached;
  }

 private:
  [[nodiscard]] Change change_of(const std::string& path, Change::Cause cause) const {
    return {.path = path,
            .before = {},
            .after = store_.slots().at(path).record.header,
            .cause = cause,
            .replaced = {}};
  }

  bool hop(const std::set<std::string>& dead, std::map<std::string, Effects>& out,
           Reached& reached) {
    std::map<std::string, Effects> next;
    bool any = false;
    for (auto& [from, effects] : out) {
      for (const PeerSend& send : effects.sends) {
        any = true;
        const bool lost = dead.contains(send.address);
        if (!lost) {
          ++reached.copies[send.address];
          deliver(send, next[send.address]);
        }
        outbox(from).returned(at(0),
                              {.id = send.id,
                               .failure = lost ? Failure::refused_connection : Failure::none,
                               .answer = Done{}},
                              next[from]);
      }
    }
    out = std::move(next);
    return any;
  }

  void deliver(const PeerSend& send, Effects& effects) {
    const Push& push = push_of(send);
    std::vector<Change> changes;
    for (const PeerRecord& record : push.records) {
      changes.push_back(change_of(record.path, Change::Cause::push));
    }
    ASSERT_TRUE(push.stretch);
    outbox(send.address).forward(*push.stretch, changes);
    outbox(send.address).flush(at(0), effects);
  }

  MemoryStore store_;
  std::map<std::string, Outbox> outboxes_;
  std::uint64_t seq_ = 0;
};

void expect_one_copy_each(const Reached& reached, std::size_t nodes) {
  EXPECT_EQ(reached.copies.size(), nodes);
  for (const auto& [address, copies] : reached.copies) {
    EXPECT_EQ(copies, 1) << address;
  }
}

TEST(OutboxTree, EveryMemberGetsOneCopy) {
  for (const std::uint64_t nodes : {17U, 18U, 80U, 200U}) {
    Tree tree(nodes, {});
    for (int i = 0; i < 3; ++i) {
      const Reached reached = tree.write("a");
      expect_one_copy_each(reached, nodes - 1);
      EXPECT_LE(reached.depth, 3) << nodes;
    }
    EXPECT_FALSE(tree.outbox("node1").owes_anything());
  }
}

TEST(OutboxTree, UpToSixteenGetItDirectly) {
  Bench bench(16);
  bench.add("a");
  EXPECT_EQ(bench.flush().size(), 15U);
  bench.outbox.set_view(first_nodes(17));
  Bench more(17);
  more.add("a");
  EXPECT_EQ(more.flush().size(), 8U);
}

TEST(OutboxTree, AnUnreachableDelegateIsSkipped) {
  Tree tree(100, {});
  std::set<std::string> dead;
  for (int i = 5; i <= 100; i += 5) {
    dead.insert("node" + std::to_string(i));
  }
  expect_one_copy_each(tree.write("a", dead), 99 - dead.size());
}

TEST(OutboxTree, AFrameToASuspectGoesToTheNextDelegate) {
  Bench bench(40);
  bench.add("a");
  const auto sends = bench.flush();
  ASSERT_EQ(sends.size(), 8U);
  View view = *first_nodes(40);
  Member* lost = nullptr;
  for (Member& candidate : view.members) {
    lost = candidate.address == sends[3].address ? &candidate : lost;
  }
  ASSERT_NE(lost, nullptr);
  lost->state = MemberState::suspect;
  bench.outbox.set_view(std::make_shared<const View>(view));
  const auto again = bench.flush();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_NE(again[0].address, sends[3].address);
  EXPECT_EQ(push_of(again[0]).stretch, push_of(sends[3]).stretch);
  EXPECT_EQ(paths_of(again[0]), Paths{"a"});
  EXPECT_TRUE(bench.answer(sends[3], Failure::timed_out).empty()) << "nobody waits for it";
}

TEST(OutboxTree, HandsOnOnlyWhatThePushChanged) {
  Bench bench(40);
  const std::vector<Change> changes{bench.write("client"), bench.write("push", Change::Cause::push),
                                    bench.write("exchange", Change::Cause::exchange)};
  const RingStretch all{.first = ring_position(kSelf), .last = ring_position(kSelf) - 1};
  bench.outbox.forward(all, changes);
  const auto sends = bench.flush();
  ASSERT_EQ(sends.size(), 8U);
  for (const PeerSend& send : sends) {
    EXPECT_EQ(paths_of(send), Paths{"push"});
  }
}

TEST(OutboxTree, CarriesReplacedDotsOn) {
  Bench bench(40);
  bench.seq = 8;
  Change change = bench.write("a", Change::Cause::push);
  change.replaced = {dot(3), dot(5)};
  const RingStretch all{.first = ring_position(kSelf), .last = ring_position(kSelf) - 1};
  bench.outbox.forward(all, {&change, 1});
  const auto sends = bench.flush();
  ASSERT_FALSE(sends.empty());
  EXPECT_EQ(push_of(sends[0]).records[0].replaced, (std::vector<Dot>{dot(3), dot(5)}));
}

TEST(OutboxTree, QueuesForStretchesAreBoundedAndGoWhenTheyAreEmpty) {
  Bench bench(40, {.queues_max = 3});
  for (std::uint64_t i = 0; i < 10; ++i) {
    const Change change = bench.write("a" + std::to_string(i), Change::Cause::push);
    const RingStretch stretch{.first = ring_position(kSelf),
                              .last = ring_position(Instance{2 + i})};
    bench.outbox.forward(stretch, {&change, 1});
  }
  EXPECT_EQ(bench.outbox.stats().overflowed, 7U);
  auto sends = bench.flush();
  while (!sends.empty()) {
    const auto more = bench.answer(sends.back());
    sends.pop_back();
    sends.insert(sends.end(), more.begin(), more.end());
  }
  bench.flush();
  EXPECT_FALSE(bench.outbox.owes_anything());
  const Change change = bench.write("b", Change::Cause::push);
  bench.outbox.forward({.first = ring_position(kSelf), .last = ring_position(kSelf) - 1},
                       {&change, 1});
  EXPECT_EQ(bench.outbox.stats().overflowed, 7U) << "there is room again";
}

TEST(OutboxTree, WhoLeavesOrComesDisturbsLittle) {
  Bench bench(30);
  bench.add("a");
  auto sends = bench.flush();
  bench.add("b");
  View view = *first_nodes(31);
  std::erase_if(view.members, [](const Member& m) { return m.instance == Instance{9}; });
  bench.outbox.set_view(std::make_shared<const View>(view));
  std::size_t frames_with_b = 0;
  while (!sends.empty()) {
    const auto paths = paths_of(sends.back());
    frames_with_b += static_cast<std::size_t>(std::ranges::count(paths, "b"));
    const auto more = bench.answer(sends.back());
    sends.pop_back();
    sends.insert(sends.end(), more.begin(), more.end());
    const auto flushed = bench.flush();
    sends.insert(sends.end(), flushed.begin(), flushed.end());
  }
  EXPECT_GE(frames_with_b, 8U);
  EXPECT_FALSE(bench.outbox.owes_anything());
}

}  // namespace
}  // namespace kvs
