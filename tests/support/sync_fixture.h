// The room core/sync between two replicating nodes whose calls the test carries.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/sync.h"
#include "support/exchange_node.h"

namespace kvs {

inline constexpr WallTime kWall{1'000'000};
inline constexpr Duration kSecond = Duration::from_seconds(1);

/// The room between two replicating nodes: what it sends is answered by hand or by the other node.
class SyncTest : public testing::Test {
 protected:
  SyncTest() {
    now_.wall = kWall;
    set_view({there_member()});
  }

  // --- members

  [[nodiscard]] Member there_member() const {
    return {.instance = there_.instance(),
            .node_id = "there",
            .address = "there:1",
            .features = there_.features};
  }

  void set_view(const std::vector<Member>& others, std::int64_t joined_ms = 5) {
    View view{.members = others, .self = here_.instance()};
    view.members.push_back({.instance = here_.instance(), .joined_ms = joined_ms});
    std::ranges::sort(view.members, {}, &Member::instance);
    sync_.set_view(std::make_shared<const View>(view));
  }

  // --- time

  void pass(Duration time) {
    const Instant end = now_.instant + time;
    while (sync_.next_deadline() <= end && !asked_) {
      now_.instant = std::max(now_.instant, sync_.next_deadline());
      tick();
    }
    now_.instant = asked_ ? now_.instant : end;
  }

  void tick() {
    sync_.tick(now_, here_.open());
    commit();
  }

  // --- calls

  /// Commits what was decided, and keeps what was asked.
  void commit() {
    for (const PeerSend& send : here_.open().sends) {
      ASSERT_FALSE(asked_) << "one call at a time";
      asked_ = send;
      ++calls_;
    }
    here_.settle();
  }

  template <class Request>
  [[nodiscard]] const Request* asked() const {
    return asked_ ? std::get_if<Request>(asked_->request.get()) : nullptr;
  }

  void give(const PeerAnswer& answer) { give_back({.answer = answer}); }

  void give_back(PeerReturn returned) {
    ASSERT_TRUE(asked_);
    returned.id = std::exchange(asked_, std::nullopt)->id;
    sync_.returned(now_, returned, {.from = there_.instance()}, here_.open());
    commit();
  }

  /// The other node answers.
  void answer() {
    ASSERT_TRUE(asked_);
    EXPECT_EQ(asked_->envelope.receiver, there_.instance());
    const PeerAnswer given = there_.answer(*asked_->request, {.from = here_.instance()});
    there_.settle();
    give(given);
  }

  /// Until nothing is asked any more, or `calls` have been answered.
  void answer_all(int calls = 1000) {
    for (int i = 0; i < calls && asked_; ++i) {
      answer();
    }
  }

  /// An exchange begins within the time that a first one takes.
  void begin() {
    sync_.start(now_, Sync::Fill::complete);
    pass(Duration::from_seconds(3));
    ASSERT_NE(asked<Hello>(), nullptr);
  }

  [[nodiscard]] SyncStats::Sessions sessions(SyncKind kind = SyncKind::regular) const {
    return sync_.stats().sessions[static_cast<std::size_t>(kind)];
  }

  // --- data

  /// Each has something that the other lacks, and no journal tells of it.
  void differ(int records = 3) {
    for (int i = 0; i < records; ++i) {
      here_.put(kWall, fmt::format("here/{}", i));
      there_.put(kWall, fmt::format("there/{}", i));
      there_.put(kWall, fmt::format("there/{}", i));  // the first one K learns of by a join only
    }
    here_.settle();
    there_.settle();
    there_.restart();
  }

  /// Both hold the same paths with the same stamps, and no verdict.
  void tie(std::size_t paths) {
    for (std::size_t i = 0; i < paths; ++i) {
      here_.put(kWall, fmt::format("tie/{}", i));
      there_.put(kWall, fmt::format("tie/{}", i));
    }
    here_.settle();
    there_.settle();
  }

  void expect_equal() {
    EXPECT_EQ(here_.headers(), there_.headers());
    EXPECT_EQ(here_.known(), there_.known());
  }

  ExchangeNode here_{1};
  ExchangeNode there_{2};
  Prng prng_{3};
  Now now_;
  Sync sync_{{}, {.holdings = here_.holdings(), .replica = here_.replica(), .prng = prng_}};
  std::optional<PeerSend> asked_;
  int calls_ = 0;
};

}  // namespace kvs
