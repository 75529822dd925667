#include "core/expirer.h"

#include <gtest/gtest.h>

#include "support/memory_store.h"

namespace kvs {
namespace {

constexpr Duration kKept = Duration::from_seconds(300);
constexpr std::int64_t kStartMs = 1'000'000;

Now at(std::int64_t ms) {
  return {.instant = {(ms - kStartMs) * 1'000'000}, .wall = {ms}};
}

class ExpirerTest : public testing::Test {
 protected:
  /// Stores a value that expires then, as a batch that has become durable.
  void store(const std::string& path, std::uint64_t seq, std::int64_t expires_ms) {
    const RecordHeader header{.version = MemoryStore::version_of(seq), .expires_ms = expires_ms};
    store_.set(path, {.header = header, .value = "1"});
    Change change;
    change.path = path;
    change.after = header;
    expirer_.committed({&change, 1});
  }

  std::vector<std::string> told(const std::optional<ExpiryPlace>& pending = {}) {
    std::vector<std::string> paths;
    for (const Change& change : expirer_.tell(pending)) {
      EXPECT_EQ(change.cause, Change::Cause::expiry);
      EXPECT_EQ(change.before, change.after);
      paths.push_back(change.path);
    }
    return paths;
  }

  /// Frees what is to be freed, in a batch that becomes durable; its paths.
  std::vector<std::string> freed() {
    std::vector<std::string> paths;
    Effects effects;
    for (const ExpiryEntry& entry : expirer_.begin_freeing()) {
      paths.push_back(entry.path);
      effects.expired.push_back(entry.place);
    }
    store_.commit(effects);
    if (!paths.empty()) {
      expirer_.freed();
    }
    return paths;
  }

  using Paths = std::vector<std::string>;

  /// Looks at the clock every ten seconds until then.
  void pass_until(std::int64_t ms) {
    while (expirer_.clock().ms + 10'000 < ms) {
      expirer_.look(at(expirer_.clock().ms + 10'000));
    }
    expirer_.look(at(ms));
  }

  MemoryStore store_;
  Expirer expirer_{store_, kKept};
};

TEST_F(ExpirerTest, WhereNothingExpiresThereIsNothingToDo) {
  expirer_.start(at(kStartMs), {});
  expirer_.look(at(kStartMs + 5000));
  EXPECT_EQ(told(), Paths{});
  EXPECT_EQ(freed(), Paths{});
  EXPECT_EQ(expirer_.next_deadline(), Instant::never());
  EXPECT_FALSE(expirer_.in_use());
  EXPECT_EQ(expirer_.clock().ms, kStartMs + 5000);
}

TEST_F(ExpirerTest, TellsOnceAtTheInstantInTheOrderOfThePlaces) {
  expirer_.start(at(kStartMs), {});
  store("late", 1, kStartMs + 3000);
  store("b", 3, kStartMs + 2000);
  store("a", 2, kStartMs + 2000);
  EXPECT_EQ(expirer_.next_deadline(), Instant{} + Duration::from_ms(2000));
  expirer_.look(at(kStartMs + 1999));
  EXPECT_EQ(told(), Paths{});
  expirer_.look(at(kStartMs + 2000));
  EXPECT_EQ(told(), (Paths{"a", "b"}));
  EXPECT_EQ(told(), Paths{});
  EXPECT_EQ(expirer_.told(), end_of({kStartMs + 2000}));
  EXPECT_EQ(expirer_.next_deadline(), Instant{} + Duration::from_ms(3000));
  expirer_.look(at(kStartMs + 9000));
  EXPECT_EQ(told(), Paths{"late"});
  EXPECT_EQ(expirer_.expired(), 3U);
}

TEST_F(ExpirerTest, WhatWasReplacedIsNotTold) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  store_.put("a", 2);
  store("b", 3, kStartMs + 1000);
  store("b", 4, kStartMs + 8000);
  expirer_.look(at(kStartMs + 1000));
  EXPECT_EQ(told(), Paths{});
  expirer_.look(at(kStartMs + 8000));
  EXPECT_EQ(told(), Paths{"b"});
}

TEST_F(ExpirerTest, WhatCannotBeReadIsToldLaterAndHoldsUpWhatFollows) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  store("b", 2, kStartMs + 2000);
  store("c", 3, kStartMs + 3000);
  store_.damage("b", Errc::io_error);
  expirer_.look(at(kStartMs + 5000));
  EXPECT_EQ(told(), Paths{"a"});
  EXPECT_EQ(expirer_.told(), place_of(store_.find(Key::from_store("a")).value().value()));
  store_.set("b", store_.slots().at("b").record);  // readable again
  expirer_.look(at(kStartMs + 60'000));
  EXPECT_EQ(told(), (Paths{"b", "c"}));
  EXPECT_TRUE(expirer_.take_damaged().empty());
  EXPECT_EQ(expirer_.expired(), 3U);
}

TEST_F(ExpirerTest, WhatIsDamagedIsNamedAndHoldsUpNothing) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  store("b", 2, kStartMs + 2000);
  store_.damage("a", Errc::corrupt_data);
  expirer_.look(at(kStartMs + 5000));
  EXPECT_EQ(told(), Paths{"b"});
  EXPECT_EQ(expirer_.take_damaged(), Paths{"a"});
  EXPECT_TRUE(expirer_.take_damaged().empty());
}

TEST_F(ExpirerTest, WaitsForWhatIsNotDurableYet) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  store("c", 3, kStartMs + 1000);
  const RecordHeader under_way{.version = MemoryStore::version_of(2),
                               .expires_ms = kStartMs + 1000};
  expirer_.look(at(kStartMs + 1000));
  EXPECT_EQ(told(place_of(under_way)), Paths{"a"});
  EXPECT_EQ(expirer_.told(),
            place_of({.version = MemoryStore::version_of(1), .expires_ms = kStartMs + 1000}));
  EXPECT_GT(expirer_.next_deadline(), Instant{} + Duration::from_ms(1000))
      << "nothing can be told before the batch is durable";
  store("b", 2, kStartMs + 1000);
  EXPECT_EQ(told(), (Paths{"b", "c"}));
}

TEST_F(ExpirerTest, ABatchThatFailsIsWaitedForNoLonger) {
  expirer_.start(at(kStartMs), {});
  store("c", 3, kStartMs + 1000);
  expirer_.look(at(kStartMs + 1000));
  EXPECT_EQ(told(ExpiryPlace{.expires_ms = kStartMs + 1000, .dot = {}}), Paths{});
  expirer_.commit_failed();
  EXPECT_EQ(told(), Paths{"c"});
}

TEST_F(ExpirerTest, ManyAreToldInSlices) {
  expirer_.start(at(kStartMs), {});
  const std::size_t count = 2 * Expirer::kAtOnce + 10;
  for (std::size_t i = 0; i < count; ++i) {
    store("k" + std::to_string(i), i + 1, kStartMs + 1000);
  }
  expirer_.look(at(kStartMs + 1000));
  EXPECT_EQ(told().size(), Expirer::kAtOnce);
  EXPECT_EQ(expirer_.next_deadline(), Instant{} + Duration::from_ms(1000)) << "at once";
  EXPECT_EQ(told().size(), Expirer::kAtOnce);
  EXPECT_EQ(told().size(), 10U);
  EXPECT_EQ(told().size(), 0U);
}

TEST_F(ExpirerTest, ValuesAreFreedWhenTheyWereHiddenForLongEnough) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  store("b", 2, kStartMs + 200'000);
  pass_until(kStartMs + 1000 + kKept.ms() - 1);
  EXPECT_EQ(told(), (Paths{"a", "b"}));
  EXPECT_EQ(freed(), Paths{});
  pass_until(kStartMs + 1000 + kKept.ms() * 9 / 8 + 10'000);
  EXPECT_EQ(freed(), Paths{"a"});
  EXPECT_EQ(freed(), Paths{});
  pass_until(kStartMs + 200'000 + kKept.ms() - 1);
  EXPECT_EQ(freed(), Paths{});
  pass_until(kStartMs + 200'000 + kKept.ms() * 9 / 8 + 10'000);
  EXPECT_EQ(freed(), Paths{"b"});
  EXPECT_EQ(expirer_.next_deadline(), Instant::never());
}

TEST_F(ExpirerTest, AClockThatJumpsFreesNothingAtOnce) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  store("b", 2, kStartMs + 100'000'000);
  expirer_.look({.instant = {}, .wall = {kStartMs + 900'000'000}});
  EXPECT_EQ(told(), (Paths{"a", "b"})) << "hidden they are";
  EXPECT_EQ(freed(), Paths{});
  expirer_.look({.instant = Instant{} + Duration::from_seconds(100), .wall = {kStartMs + 100'000}});
  EXPECT_EQ(expirer_.clock().ms, kStartMs + 100'000);
  pass_until(kStartMs + 2'000'000);
  EXPECT_EQ(told(), Paths{}) << "of `a` it was told, and its time was over all along";
  EXPECT_EQ(freed(), Paths{"a"});
}

TEST_F(ExpirerTest, WhatIsNotToldIsNotFreed) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  pass_until(kStartMs + 1000 + 2 * kKept.ms());
  EXPECT_EQ(freed(), Paths{});
  EXPECT_EQ(told(), Paths{"a"});
  pass_until(kStartMs + 2000 + 2 * kKept.ms());
  EXPECT_EQ(freed(), Paths{"a"});
}

TEST_F(ExpirerTest, WhatWasNotFreedIsTriedAgain) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  pass_until(kStartMs + 1000 + 2 * kKept.ms());
  EXPECT_EQ(told(), Paths{"a"});
  pass_until(kStartMs + 2000 + 2 * kKept.ms());
  EXPECT_EQ(expirer_.begin_freeing().size(), 1U);
  EXPECT_EQ(expirer_.begin_freeing().size(), 0U) << "one batch at a time";
  expirer_.commit_failed();
  pass_until(kStartMs + 9000 + 2 * kKept.ms());
  EXPECT_EQ(freed(), Paths{"a"});
}

TEST_F(ExpirerTest, WhatComesLateIsFreedToo) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  pass_until(kStartMs + 1000 + 2 * kKept.ms());
  EXPECT_EQ(told(), Paths{"a"});
  EXPECT_EQ(freed(), Paths{"a"});
  store("older", 2, kStartMs + 500);
  EXPECT_EQ(told(), Paths{}) << "watchers were told with its coming";
  EXPECT_EQ(freed(), Paths{"older"});
}

TEST_F(ExpirerTest, ANewRunTellsNothingOfWhatExpiredBefore) {
  store("old", 1, kStartMs - 1);
  store("new", 2, kStartMs + 10);
  Expirer next(store_, kKept);
  next.start(at(kStartMs), {});
  EXPECT_TRUE(next.in_use());
  EXPECT_EQ(next.told(), end_of({kStartMs}));
  EXPECT_TRUE(next.tell({}).empty());
  next.look(at(kStartMs + 10));
  EXPECT_EQ(next.tell({}).size(), 1U);
  next.look(at(kStartMs + kKept.ms()));
  EXPECT_EQ(next.begin_freeing().size(), 1U);
}

TEST_F(ExpirerTest, TheClockDoesNotGoBack) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  expirer_.look(at(kStartMs + 1000));
  EXPECT_EQ(told(), Paths{"a"});
  expirer_.look({.instant = {}, .wall = {kStartMs + 1000 - kKept.ms()}});
  EXPECT_EQ(expirer_.clock().ms, kStartMs + 1000);
  EXPECT_FALSE(expirer_.take_set_back());
}

TEST_F(ExpirerTest, WhatWasHiddenStaysSoAcrossARestart) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  expirer_.look(at(kStartMs + 1000));
  EXPECT_FALSE(expirer_.wants_reserve()) << "nothing was told";
  EXPECT_EQ(told(), Paths{"a"});
  EXPECT_TRUE(expirer_.wants_reserve());
  const auto reserve = expirer_.take_due_reserve();
  EXPECT_EQ(reserve, WallTime{kStartMs + 2000}) << "a second ahead";
  EXPECT_EQ(expirer_.take_due_reserve(), std::nullopt);
  expirer_.commit_failed();
  EXPECT_FALSE(expirer_.wants_reserve()) << "not at once again";
  expirer_.look(at(kStartMs + 2001));
  EXPECT_EQ(expirer_.take_due_reserve(), WallTime{kStartMs + 3001}) << "it was not kept";

  Expirer next(store_, kKept);
  next.start(at(kStartMs - 30'000), *reserve);
  EXPECT_EQ(next.clock(), *reserve);
  Expirer right(store_, kKept);
  right.start(at(kStartMs), {kStartMs + kKept.ms() + 1});
  EXPECT_EQ(right.clock().ms, kStartMs) << "a reserve from far ahead was of a wrong clock";
}

TEST_F(ExpirerTest, AClockThatIsSetBackFarIsFollowed) {
  expirer_.start(at(kStartMs), {});
  store("a", 1, kStartMs + 1000);
  expirer_.look(at(kStartMs + 900'000'000));
  EXPECT_EQ(told(), Paths{"a"});
  expirer_.look({.instant = {}, .wall = {kStartMs}});
  EXPECT_EQ(expirer_.clock().ms, kStartMs);
  EXPECT_TRUE(expirer_.take_set_back());
  EXPECT_FALSE(expirer_.take_set_back());
  EXPECT_EQ(expirer_.told(), end_of({kStartMs}));
  expirer_.look(at(kStartMs + 1000));
  EXPECT_EQ(told(), Paths{"a"}) << "its time comes once more";
}

}  // namespace
}  // namespace kvs
