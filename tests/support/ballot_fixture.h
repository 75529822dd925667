// The ballots of one node whose peers are played by the test.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/ballot.h"
#include "core/call.h"
#include "support/memory_store.h"

namespace kvs {

inline constexpr Stamp kTied = Stamp::from_ms(1000);
inline constexpr Instance kSelf{1};
inline constexpr std::size_t kKeptBytesMax = 100;

/// A version of the write `number` with the tied stamp.
inline RecordHeader candidate(std::uint64_t number) {
  return {.version = {.stamp = kTied,
                      .verdict = {},
                      .uuid = {.high = 7, .low = number},
                      .dot = {.origin = Origin{number}, .seq = 1}}};
}

inline RecordHeader decided(std::uint64_t number, std::uint32_t votes) {
  RecordHeader header = candidate(number);
  header.version.verdict = {.votes = votes, .oldest_join_ms = 1, .voters_hash = 1};
  return header;
}

inline Record record_of(const RecordHeader& header) {
  return {.header = header, .value = std::to_string(header.version.uuid.low)};
}

inline PeerRecord peer_record(const std::string& path, const RecordHeader& header) {
  return {.path = path, .record = record_of(header), .replaced = {}};
}

inline Member member(std::uint64_t number) {
  Member member;
  member.instance = Instance{number};
  member.node_id = "node" + std::to_string(number);
  member.address = "node" + std::to_string(number) + ":80";
  member.joined_ms = static_cast<std::int64_t>(number);
  return member;
}

/// The ballots of member 1 of `members`, whose store is a map and whose peers are played by the
/// test.
class BallotsTest : public ::testing::Test {
 protected:
  BallotsTest() { have_members(3); }

  void have_members(std::uint64_t count) {
    view_.members.clear();
    for (std::uint64_t number = 1; number <= count; ++number) {
      view_.members.push_back(member(number));
    }
    show_view();
  }

  void show_view() {
    view_.self = kSelf;
    ballots_.set_view(std::make_shared<const View>(view_));
  }

  /// This node holds `mine` under the path and has met `theirs`.
  void open(const std::string& path, const RecordHeader& mine, const RecordHeader& theirs) {
    store_.set(path, record_of(mine));
    ballots_.opened(now_, path, mine, peer_record(path, theirs));
  }

  /// Opens a tie whose other value found no room.
  void open_valueless(const std::string& path, const RecordHeader& mine,
                      const RecordHeader& theirs) {
    store_.set(path, record_of(mine));
    PeerRecord other = peer_record(path, theirs);
    other.record.value.assign(kKeptBytesMax + 1, 'x');
    ballots_.opened(now_, path, mine, other);
  }

  void pass(Duration time) {
    now_.instant = now_.instant + time;
    for (int turn = 0; turn < 100 && ballots_.next_deadline() <= now_.instant; ++turn) {
      ballots_.tick(now_, effects_);
    }
  }

  /// A path of which this node is the `rank`-th resolver.
  std::string path_of_rank(std::size_t rank) {
    for (int i = 0;; ++i) {
      std::string path = "key" + std::to_string(i);
      Ballots probe({}, store_, prng_);
      probe.set_view(std::make_shared<const View>(view_));
      probe.opened(now_, path, candidate(1), peer_record(path, candidate(2)));
      const Instant due = probe.next_deadline();
      if (due == now_.instant + BallotOptions{}.gather +
                     Duration::from_seconds(static_cast<std::int64_t>(rank))) {
        return path;
      }
    }
  }

  std::vector<PeerSend> take_sends() { return std::exchange(effects_.sends, {}); }

  void give(CallId id, PeerAnswer answer) {
    ballots_.returned(now_,
                      {.id = id,
                       .failure = PeerReturn::Failure::none,
                       .envelope = {},
                       .answer = std::move(answer)},
                      effects_);
    pass({});
  }

  void lose(CallId id) {
    ballots_.returned(
        now_,
        {.id = id, .failure = PeerReturn::Failure::timed_out, .envelope = {}, .answer = Done{}},
        effects_);
    pass({});
  }

  /// Answers the calls that ask for votes on one path, each member its own.
  void vote(const std::vector<std::optional<RecordHeader>>& votes) {
    std::size_t next = 0;
    for (const PeerSend& send : take_sends()) {
      const std::optional<RecordHeader>& vote = votes.at(next++);
      give(send.id, Votes{.votes = {vote ? CastVote(*vote) : CastVote()}});
    }
  }

  /// A tie of four members, whose winner's value this node has to fetch. Returns the path.
  std::string three_vote_for_a_value_elsewhere() {
    have_members(4);
    std::string path = path_of_rank(0);
    open_valueless(path, candidate(1), candidate(2));
    pass(BallotOptions{}.gather);
    vote({candidate(2), candidate(2), candidate(2)});
    return path;
  }

  static CastVote named(const std::string& path, const RecordHeader& header) {
    return short_hash(fingerprint_of(path, header));
  }

  MemoryStore store_;
  Prng prng_{1};
  Ballots ballots_{{.kept_bytes_max = kKeptBytesMax}, store_, prng_};
  View view_;
  Now now_{.instant = Instant{1'000'000'000}, .wall = WallTime{5000}};
  Effects effects_;
};

class BatchesTest : public BallotsTest {
 protected:
  /// `count` ties whose other value found no room; with two members half of them fall due at once.
  void open_many(int count) {
    have_members(2);
    for (int i = 0; i < count; ++i) {
      open_valueless("key" + std::to_string(i), candidate(1), candidate(2));
    }
    pass(Duration::from_seconds(1) + options_.gather);
  }

  static Votes all_for(const PeerSend& send, const RecordHeader& header) {
    return {.votes = std::vector(std::get<AskVotes>(*send.request).paths.size(), CastVote(header))};
  }

  const BallotOptions options_;
};

}  // namespace kvs
