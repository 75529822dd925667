// Watchers over nodes that replicate: whatever is lost, late or repeated, and on whatever node they
// go on, they are told every key's newest version, each once, none older after a newer one.
#include <string>

#include <gtest/gtest.h>

#include "base/mutant.h"
#include "support/exchange_world.h"
#include "support/law_seeds.h"
#include "support/sanitized.h"

namespace kvs {
namespace {

using Plan = ExchangeWorld::Plan;

constexpr Plan kStaying{.watchers = 4};
/// Cursors are younger than tombstones that go: differences are told, and not everything anew. No
/// restarts: nobody goes on at a node that has forgotten before it started.
constexpr Plan kYoung{
    .restarts = false, .tombstone_min_age = Duration::from_ms(160), .watchers = 4};
constexpr Plan kEverything{.returns = true, .restores = true, .damage = true, .watchers = 4};
constexpr Plan kExpiring{.expires = true, .watchers = 4};
constexpr Plan kYoungExpiring{
    .expires = true, .restarts = false, .tombstone_min_age = Duration::from_ms(160), .watchers = 4};
constexpr Plan kEverythingExpiring{
    .returns = true, .restores = true, .damage = true, .expires = true, .watchers = 4};

struct Outcome {
  std::string wrong;
  std::uint64_t seed = 0;
  std::size_t events = 0;
  std::size_t resumed = 0;
  std::size_t resets = 0;
  std::size_t caught_up = 0;
};

Outcome run(std::uint64_t first, std::uint64_t last, const Plan& plan) {
  Outcome outcome;
  for (std::uint64_t seed = first; seed <= last && outcome.wrong.empty(); ++seed) {
    ExchangeWorld world(seed, plan);
    outcome.wrong = world.run();
    outcome.seed = seed;
    outcome.events += world.crowd().events();
    outcome.resumed += world.crowd().resumed();
    outcome.resets += world.crowd().resets();
    outcome.caught_up += world.crowd().caught_up();
  }
  return outcome;
}

void expect_held(std::uint64_t seeds, const Plan& plan) {
  const Outcome outcome = run(1, seeds, plan);
  EXPECT_EQ(outcome.wrong, "") << "seed " << outcome.seed;
  EXPECT_GT(outcome.events, 50 * seeds);
  EXPECT_GT(outcome.resumed, 20 * seeds);
  EXPECT_GT(outcome.caught_up, 50 * seeds);
  ::testing::Test::RecordProperty("events", std::to_string(outcome.events));
  ::testing::Test::RecordProperty("resumed", std::to_string(outcome.resumed));
  ::testing::Test::RecordProperty("resets", std::to_string(outcome.resets));
}

constexpr std::uint64_t kSeeds = testing::kSanitized ? 20 : 100;

TEST(law_watch, MembersThatStay) {
  expect_held(kSeeds, kStaying);
}

TEST(law_watch, YoungCursors) {
  expect_held(kSeeds, kYoung);
}

TEST(law_watch, Everything) {
  expect_held(kSeeds, kEverything);
}

TEST(law_watch, ValuesThatExpire) {
  expect_held(kSeeds, kExpiring);
}

TEST(law_watch, YoungCursorsOfValuesThatExpire) {
  expect_held(kSeeds, kYoungExpiring);
}

TEST(law_watch, ValuesThatExpireAndEverything) {
  expect_held(kSeeds, kEverythingExpiring);
}

TEST(law_watch, SeedsThatFoundBugs) {
  // 3705, 3753, 4107: a verdict that repeats what was here before was kept from a client that had
  // been told of the other side of the tie elsewhere.
  // 18287: a client held what a dropped record had replaced.
  for (const auto seed : std::initializer_list<std::uint64_t>{3705, 3753, 4107, 18287}) {
    EXPECT_EQ(ExchangeWorld(seed, kStaying).run(), "") << "seed " << seed;
  }
  // As the first three, where differences are told although deletions are forgotten.
  for (const auto seed : std::initializer_list<std::uint64_t>{1143, 3612}) {
    EXPECT_EQ(ExchangeWorld(seed, kYoung).run(), "") << "seed " << seed;
  }
  // A restored node learnt K from an exchange, and kept what it knew to be deleted: the tombstone
  // was collected before it could be fetched.
  EXPECT_EQ(ExchangeWorld(5917, kEverything).run(), "");
  // The law's own: a client read a record that no K covered, after damage, and then watched.
  EXPECT_EQ(ExchangeWorld(13928, kEverything).run(), "");
}

// For hours of quiet: docs/testing.md
void expect_held_for_many_seeds(const Plan& plan) {
  const auto seeds = law_seeds_from_outside();
  ASSERT_TRUE(seeds) << "KVS_LAW_SEEDS is no range A..B";
  for (std::uint64_t seed = seeds->first; seed <= seeds->last; ++seed) {
    EXPECT_EQ(ExchangeWorld(seed, plan).run(), "") << "seed " << seed;
  }
}

TEST(law_watch, DISABLED_StayingManySeeds) {
  expect_held_for_many_seeds(kStaying);
}

TEST(law_watch, DISABLED_YoungManySeeds) {
  expect_held_for_many_seeds(kYoung);
}

TEST(law_watch, DISABLED_ExpiringManySeeds) {
  expect_held_for_many_seeds(kExpiring);
}

TEST(law_watch, DISABLED_YoungExpiringManySeeds) {
  expect_held_for_many_seeds(kYoungExpiring);
}

TEST(law_watch, DISABLED_EverythingExpiringManySeeds) {
  expect_held_for_many_seeds(kEverythingExpiring);
}

TEST(law_watch, DISABLED_EverythingManySeeds) {
  expect_held_for_many_seeds(kEverything);
}

#ifdef KVS_SIM_BUILD

class WithMutant {
 public:
  explicit WithMutant(Mutant mutant) { set_mutant(mutant); }

  WithMutant(const WithMutant&) = delete;
  WithMutant& operator=(const WithMutant&) = delete;

  ~WithMutant() { set_mutant(Mutant::none); }
};

void expect_found(Mutant mutant, const Plan& plan) {
  const WithMutant active(mutant);
  EXPECT_NE(run(1, 400, plan).wrong, "");
}

TEST(law_watch, FindsStreamsThatGoOnBehindTheirClients) {
  expect_found(Mutant::watch_resumes_behind, kStaying);
}

TEST(law_watch, FindsForgottenDeletions) {
  expect_found(Mutant::watch_forgets_buried, kStaying);
}

TEST(law_watch, FindsStreamsThatOutliveAnEmptiedK) {
  expect_found(Mutant::watch_ignores_emptied, kEverything);
}

TEST(law_watch, FindsVersionsToldTwice) {
  expect_found(Mutant::watch_forgets_told, kStaying);
}

TEST(law_watch, FindsTimesThatAreNotTold) {
  expect_found(Mutant::expiry_not_told, kYoungExpiring);
}

TEST(law_watch, FindsDifferencesWithoutWhatHasExpired) {
  expect_found(Mutant::watch_scan_leaves_out_expiries, kYoungExpiring);
}

TEST(law_watch, FindsDifferencesWithoutDeletions) {
  expect_found(Mutant::watch_scan_leaves_out_deletions, kYoung);
}

#endif

}  // namespace
}  // namespace kvs
