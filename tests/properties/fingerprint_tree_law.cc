// The fingerprint tree says of every range what looking at each record in it says, whatever was
// written in between, and however far it was built when it was written.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "properties/generators.h"
#include "support/tree_driver.h"

namespace kvs {
namespace {

constexpr BlockLimits kSmall{.fill = 2, .max = 4, .chunk_max = 4};

/// Few of them, of different lengths, many with common beginnings.
rc::Gen<std::string> paths() {
  return rc::gen::nonEmpty(
      rc::gen::resize(6, rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab/")))));
}

struct Act {
  enum class Kind : std::uint8_t { put, bury, drop, end_batch, build };

  Kind kind = Kind::put;
  std::string path;
};

rc::Gen<std::vector<Act>> acts() {
  using Kind = Act::Kind;
  const auto kind = rc::gen::element(Kind::put, Kind::put, Kind::put, Kind::bury, Kind::drop,
                                     Kind::drop, Kind::end_batch, Kind::end_batch, Kind::build);
  const auto act = rc::gen::map(rc::gen::pair(kind, paths()), [](const auto& parts) {
    return Act{.kind = parts.first, .path = parts.second};
  });
  return rc::gen::scale(5, rc::gen::container<std::vector<Act>>(act));
}

void perform(const Act& act, TreeDriver& driver) {
  switch (act.kind) {
    case Act::Kind::put:
      driver.put(act.path);
      break;
    case Act::Kind::bury:
      driver.bury(act.path);
      break;
    case Act::Kind::drop:
      driver.drop(act.path);
      break;
    case Act::Kind::end_batch:
      driver.commit_and_apply();
      break;
    case Act::Kind::build:
      RC_ASSERT(driver.tree().build_some(act.path.size()).has_value());
      break;
  }
}

/// Everything written and applied, but perhaps not all built.
void perform_all(TreeDriver& driver) {
  for (const Act& act : *acts()) {
    perform(act, driver);
  }
  driver.commit_and_apply();
}

rc::Gen<KeyRange> ranges() {
  return rc::gen::map(rc::gen::pair(path_texts(), paths()), [](const auto& parts) {
    return KeyRange{.begin = parts.first, .end = parts.second.size() == 6 ? "" : parts.second};
  });
}

TEST(law_fingerprint_tree, RootIsTheSumOfAllRecords) {
  EXPECT_TRUE(rc::check([] {
    TreeDriver driver(kSmall);
    perform_all(driver);
    driver.build(1);
    RC_ASSERT(driver.tree().root() == driver.expected());
    RC_ASSERT(driver.tree().stats().splits_failed == 0U);
    RC_ASSERT(driver.tree().stats().corrected == 0U);
    RC_ASSERT(driver.tree().stats().unknown == 0U);
  }));
}

TEST(law_fingerprint_tree, EveryRangeIsExact) {
  EXPECT_TRUE(rc::check([] {
    TreeDriver driver(kSmall);
    perform_all(driver);
    driver.build(3);
    for (const KeyRange& range : *rc::gen::container<std::vector<KeyRange>>(ranges())) {
      const auto sum = driver.tree().of_range(range);
      RC_ASSERT(sum.has_value());
      RC_ASSERT(*sum == driver.expected(range));
    }
  }));
}

TEST(law_fingerprint_tree, HowItWasBuiltDoesNotMatter) {
  EXPECT_TRUE(rc::check([] {
    TreeDriver driver(kSmall);
    perform_all(driver);
    driver.build(2);
    FingerprintTree fresh(driver.store(), kSmall);
    RC_ASSERT(fresh.build_some(1'000'000).has_value());
    RC_ASSERT(fresh.built());
    RC_ASSERT(fresh.root() == driver.tree().root());
    const KeyRange range = *ranges();
    RC_ASSERT(*fresh.of_range(range) == *driver.tree().of_range(range));
  }));
}

TEST(law_fingerprint_tree, PartsMakeUpTheirRange) {
  EXPECT_TRUE(rc::check([] {
    TreeDriver driver(kSmall);
    perform_all(driver);
    driver.build(5);
    const KeyRange range = *ranges();
    const auto parts_max = *rc::gen::inRange<std::size_t>(1, 20);
    const auto parts = driver.tree().split(range, parts_max);
    RC_ASSERT(parts.has_value());
    RC_ASSERT((!parts->empty() && parts->size() <= parts_max));
    RC_ASSERT(parts->back().end == range.end);
    const std::uint64_t count = driver.expected(range).count;
    RC_ASSERT((parts->size() > 1) == (count > 1 && parts_max > 1));
    std::string begin = range.begin;
    for (const RangePart& part : *parts) {
      RC_ASSERT(part.fingerprint == driver.expected({.begin = begin, .end = part.end}));
      RC_ASSERT((parts->size() == 1 || part.fingerprint.count > 0));
      begin = part.end;
    }
  }));
}

TEST(law_fingerprint_tree, BlocksAreNeitherManyNorLarge) {
  EXPECT_TRUE(rc::check([] {
    TreeDriver driver(kSmall);
    driver.build();
    perform_all(driver);
    // With these limits only empty blocks are joined, and one beside a full one may stay.
    RC_ASSERT(driver.tree().blocks() <= 2 * driver.tree().root().count + 2);
    driver.store().take_reads();
    const KeyRange range = *ranges();
    RC_ASSERT(driver.tree().of_range(range).has_value());
    RC_ASSERT(driver.store().take_reads() <= 2 * (kSmall.max + 1));
  }));
}

}  // namespace
}  // namespace kvs
