#include "core/listing.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/prng.h"
#include "support/memory_store.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Depth = ListRequest::Depth;
using Names = std::vector<std::string>;

/// Keeps names; asks for a pause after every `patience` entries.
class Collector final : public ListSink {
 public:
  explicit Collector(std::size_t patience = ~std::size_t{0}) : patience_(patience) {}

  Appetite take(const ListEntry& entry) override {
    EXPECT_EQ(entry.version.has_value(), !entry.name.ends_with('/')) << entry.name;
    names.emplace_back(entry.name);
    values.emplace_back(entry.value);
    versions.push_back(entry.version);
    return names.size() % patience_ == 0 ? Appetite::enough_for_now : Appetite::more;
  }

  Names names;
  Names values;
  std::vector<std::optional<RecordHeader>> versions;

 private:
  std::size_t patience_;
};

struct Page {
  Names names;
  std::optional<std::string> next_after;
};

Page list_page(const MemoryStore& store, const ListRequest& request, std::size_t slice = 1000) {
  MemoryCursor cursor(store);
  Listing listing(cursor, request);
  Collector collector;
  for (;;) {
    const auto progress = listing.step(slice, collector);
    EXPECT_TRUE(progress) << progress.error().detail;
    if (!progress || *progress == Listing::Progress::done) {
      return {.names = collector.names, .next_after = listing.next_after()};
    }
  }
}

Names list(const MemoryStore& store, const ListRequest& request) {
  const Page page = list_page(store, request);
  EXPECT_EQ(page.next_after, std::nullopt);
  return page.names;
}

MemoryStore store_of(const Names& keys) {
  MemoryStore store;
  std::uint64_t seq = 0;
  for (const std::string& key : keys) {
    store.put(key, ++seq, "\"" + key + "\"");
  }
  return store;
}

TEST(Listing, NothingBelowGivesNoEntries) {
  EXPECT_THAT(list({}, {}), IsEmpty());
  const MemoryStore store = store_of({"users", "users0", "user/x"});
  EXPECT_THAT(list(store, {.path = "users"}), IsEmpty());
  EXPECT_THAT(list(store, {.path = "users", .depth = Depth::below}), IsEmpty());
}

TEST(Listing, AChildIsAKeyOrAFolderOrBoth) {
  const MemoryStore store = store_of({"users/ann", "users/john", "users/john/a", "users/john/b/c",
                                      "users/mary/x", "other", "users", "users-old/x"});
  EXPECT_THAT(list(store, {.path = "users"}), ElementsAre("ann", "john", "john/", "mary/"));
  EXPECT_THAT(list(store, {}), ElementsAre("other", "users", "users-old/", "users/"));
}

TEST(Listing, BelowNamesEveryKeyRelativeToThePath) {
  const MemoryStore store = store_of({"u/john/a", "u/john", "u/john/b/c", "u", "v"});
  EXPECT_THAT(list(store, {.path = "u", .depth = Depth::below}),
              ElementsAre("john", "john/a", "john/b/c"));
  EXPECT_THAT(list(store, {.depth = Depth::below}),
              ElementsAre("u", "u/john", "u/john/a", "u/john/b/c", "v"));
}

// '!' and '-' sort before '/', '0' and letters behind it.
TEST(Listing, NamesAreInByteOrderAroundTheSlash) {
  const MemoryStore store =
      store_of({"j", "j!", "j!/x", "j-1/x", "j/x", "j0", "j0/x", "jj/x", "\xc3\xa4", "a b"});
  EXPECT_THAT(list(store, {}),
              ElementsAre("a b", "j", "j!", "j!/", "j-1/", "j/", "j0", "j0/", "jj/", "\xc3\xa4"));
}

TEST(Listing, TombstonesDoNotShow) {
  MemoryStore store = store_of({"a/x", "b", "c/y"});
  store.put_tombstone("a", 10);
  store.put_tombstone("b", 11);
  store.put_tombstone("c/a", 12);
  EXPECT_THAT(list(store, {}), ElementsAre("a/", "c/"));
  EXPECT_THAT(list(store, {.depth = Depth::below}), ElementsAre("a/x", "c/y"));
}

TEST(Listing, AFolderOfTombstonesDoesNotShow) {
  MemoryStore store = store_of({"a", "z/1"});
  for (int i = 0; i < 100; ++i) {
    store.put_tombstone("gone/" + std::to_string(i), 10);
  }
  EXPECT_THAT(list(store, {}), ElementsAre("a", "z/"));
}

TEST(Listing, EntriesCarryVersionAndValue) {
  MemoryStore store = store_of({"a", "b/c"});
  MemoryCursor cursor(store);
  Listing listing(cursor, {});
  Collector collector;
  ASSERT_TRUE(listing.step(100, collector));
  ASSERT_THAT(collector.names, ElementsAre("a", "b/"));
  EXPECT_EQ(collector.versions[0]->version, MemoryStore::version_of(1));
  EXPECT_THAT(collector.values, ElementsAre("\"a\"", ""));
}

TEST(Listing, AChildsSubtreeIsJumpedOver) {
  MemoryStore store;
  for (int i = 0; i < 10'000; ++i) {
    store.put("big/" + std::to_string(i), 1);
  }
  store.put("z", 1);
  MemoryCursor cursor(store);
  Listing listing(cursor, {});
  Collector collector;
  ASSERT_TRUE(listing.step(100, collector));
  EXPECT_THAT(collector.names, ElementsAre("big/", "z"));
  EXPECT_LE(cursor.steps(), 4U + Listing::kStepsMax);
}

/// Folders with so many keys in each.
MemoryStore folders(int count, int keys) {
  MemoryStore store;
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j < keys; ++j) {
      store.put("folder-" + std::to_string(1000 + i) + "/" + std::to_string(j), 1);
    }
  }
  return store;
}

/// What the cursor does for a listing of all of them.
MemoryCursor::Moves moves_in(const MemoryStore& store, std::size_t names) {
  MemoryCursor cursor(store);
  Listing listing(cursor, {});
  Collector collector;
  EXPECT_TRUE(listing.step(10'000, collector));
  EXPECT_EQ(collector.names.size(), names);
  return cursor.moves();
}

TEST(Listing, SmallSubtreesAreWalkedAndLargeOnesJumpedOver) {
  const MemoryCursor::Moves small = moves_in(folders(100, 3), 100);
  EXPECT_LE(small.seeks, 2U) << "to the first, and past the last";
  EXPECT_EQ(small.steps, 300U);
  const MemoryCursor::Moves large = moves_in(folders(100, 100), 100);
  EXPECT_EQ(large.seeks, 101U);
  EXPECT_LE(large.steps, 100U + 2 * Listing::kStepsMax);
}

TEST(Listing, AFewLargeSubtreesDoNotEndTheWalkingOfSmallOnes) {
  MemoryStore store = folders(100, 3);
  for (int i = 0; i < 10; ++i) {
    for (int j = 0; j < 50; ++j) {
      store.put("folder-" + std::to_string(1005 + 10 * i) + "/large/" + std::to_string(j), 1);
    }
  }
  EXPECT_LE(moves_in(store, 100).seeks, 25U);
}

TEST(Listing, AFolderInWhichTheDiskFailsIsListedToo) {
  MemoryStore store = folders(3, 3);
  store.damage("folder-1001/1", Errc::io_error);
  EXPECT_EQ(list(store, {}).size(), 3U);
}

TEST(Listing, WhatFollowsAWalkedFolderIsNotLeftOut) {
  const MemoryStore store = store_of({"a/1", "a/2", "a0", "b", "b/1", "b/2/3", "b1", "c/1"});
  EXPECT_THAT(list(store, {}), ElementsAre("a/", "a0", "b", "b/", "b1", "c/"));
  EXPECT_THAT(list(store, {.path = "b"}), ElementsAre("1", "2/"));
  const MemoryStore last = store_of({"x/a/1", "x/a/2", "y"});
  EXPECT_THAT(list(last, {.path = "x"}), ElementsAre("a/"));
}

TEST(Listing, APageEndsAtItsLimitAndTellsWhereTheNextBegins) {
  const MemoryStore store = store_of({"a", "b/x", "b/y", "c"});
  const Page first = list_page(store, {.limit = 2});
  EXPECT_THAT(first.names, ElementsAre("a", "b/"));
  ASSERT_EQ(first.next_after, "b/");
  const Page second = list_page(store, {.limit = 2, .after = *first.next_after});
  EXPECT_THAT(second.names, ElementsAre("c"));
  EXPECT_EQ(second.next_after, std::nullopt);
}

TEST(Listing, AFullLastPageHasNoNext) {
  MemoryStore store = store_of({"a", "b"});
  store.put_tombstone("c", 9);
  store.put_tombstone("d/e", 9);
  EXPECT_EQ(list_page(store, {.limit = 2}).next_after, std::nullopt);
  EXPECT_EQ(list_page(store, {.path = "x", .limit = 1}).next_after, std::nullopt);
}

TEST(Listing, ResumesBetweenAKeyAndTheFolderOfItsName) {
  const MemoryStore store = store_of({"j", "j!", "j/x", "j0"});
  EXPECT_THAT(list(store, {.after = "j"}), ElementsAre("j!", "j/", "j0"));
  EXPECT_THAT(list(store, {.after = "j/"}), ElementsAre("j0"));
  EXPECT_THAT(list(store, {.depth = Depth::below, .after = "j"}), ElementsAre("j!", "j/x", "j0"));
}

TEST(Listing, ResumesWhereTheLastNameIsGone) {
  const MemoryStore store = store_of({"u/a", "u/c"});
  EXPECT_THAT(list(store, {.path = "u", .after = "b"}), ElementsAre("c"));
  EXPECT_THAT(list(store, {.path = "u", .after = "b/"}), ElementsAre("c"));
}

TEST(Listing, AForgedCursorNeverLeavesThePath) {
  const MemoryStore store = store_of({"a", "u/b", "u/c/d", "v", "z/z"});
  const std::string zeros(3, '\0');
  for (const std::string& after :
       Names{"/", "//", "\xff", "../v", "c/d", "0", "a/b/", "zzz", zeros}) {
    for (const Depth depth : {Depth::children, Depth::below}) {
      for (const std::string& name : list(store, {.path = "u", .depth = depth, .after = after})) {
        EXPECT_TRUE(name == "b" || name == "c/" || name == "c/d") << name;
      }
    }
  }
}

TEST(Listing, WorkComesInSlices) {
  MemoryStore store = store_of({"a", "b", "c"});
  for (int i = 0; i < 50; ++i) {
    store.put_tombstone("b" + std::to_string(i), 9);
  }
  MemoryCursor cursor(store);
  Listing listing(cursor, {});
  Collector collector;
  int slices = 0;
  for (auto progress = listing.step(5, collector); *progress == Listing::Progress::more;
       progress = listing.step(5, collector)) {
    ++slices;
    EXPECT_LE(cursor.steps(), 1U + 5U * static_cast<unsigned>(slices));
    ASSERT_LT(slices, 100);
  }
  EXPECT_GE(slices, 10);
  EXPECT_THAT(collector.names, ElementsAre("a", "b", "c"));
}

TEST(Listing, ASinkThatHasEnoughEndsTheSlice) {
  const MemoryStore store = store_of({"a", "b", "c"});
  MemoryCursor cursor(store);
  Listing listing(cursor, {});
  Collector collector(1);
  for (std::size_t i = 1; i <= 3; ++i) {
    ASSERT_EQ(listing.step(100, collector), Listing::Progress::more);
    EXPECT_EQ(collector.names.size(), i);
  }
  EXPECT_EQ(listing.step(100, collector), Listing::Progress::done);
}

TEST(Listing, DamageEndsTheListing) {
  MemoryStore store = store_of({"a", "b/1", "b/2", "c"});
  store.damage("b/2", Errc::corrupt_data);
  EXPECT_THAT(list(store, {}), ElementsAre("a", "b/", "c")) << "b/2 need not be read";
  MemoryCursor cursor(store);
  Listing listing(cursor, {.depth = Depth::below});
  Collector collector;
  const auto progress = listing.step(100, collector);
  ASSERT_FALSE(progress);
  EXPECT_EQ(progress.error().code, Errc::corrupt_data);
  EXPECT_THAT(collector.names, ElementsAre("a", "b/1"));
}

TEST(Listing, AFailedDiskIsNotTheEndOfTheListing) {
  MemoryStore store = store_of({"a", "b", "c"});
  store.damage("b", Errc::io_error);
  MemoryCursor cursor(store);
  Listing listing(cursor, {});
  Collector collector;
  const auto progress = listing.step(100, collector);
  ASSERT_FALSE(progress);
  EXPECT_EQ(progress.error().code, Errc::io_error);
}

/// What a listing must show, from the definition.
Names expected_names(const MemoryStore& store, std::string_view path, Depth depth) {
  const std::string prefix = path.empty() ? std::string() : std::string(path) + '/';
  std::set<std::string> names;
  for (const auto& [key, slot] : store.slots()) {
    if (!key.starts_with(prefix) || !slot.record.header.live()) {
      continue;
    }
    const std::string name = key.substr(prefix.size());
    const std::size_t slash = depth == Depth::below ? std::string::npos : name.find('/');
    names.insert(slash == std::string::npos ? name : name.substr(0, slash + 1));
  }
  return {names.begin(), names.end()};
}

std::string random_key(Prng& prng) {
  static constexpr std::string_view kLetters = "ab!-0.";
  std::string key;
  const std::uint64_t segments = 1 + prng.below(3);
  for (std::uint64_t i = 0; i < segments; ++i) {
    key += i == 0 ? "x" : "/x";  // no `.` segments
    for (std::uint64_t letters = prng.below(3); letters > 0; --letters) {
      key.push_back(kLetters[prng.below(kLetters.size())]);
    }
  }
  return key;
}

TEST(Listing, AgreesWithItsDefinitionOnRandomStores) {
  Prng prng(1);
  for (int round = 0; round < 300; ++round) {
    MemoryStore store;
    for (std::uint64_t i = prng.below(60); i > 0; --i) {
      const std::string key = random_key(prng);
      prng.chance(1, 3) ? store.put_tombstone(key, i) : store.put(key, i);
    }
    const std::string path = prng.chance(1, 3) ? std::string() : random_key(prng);
    const Depth depth = prng.chance(1, 2) ? Depth::children : Depth::below;
    const std::size_t limit = 1 + prng.below(8);
    Names names;
    std::optional<std::string> after = "";
    while (after) {
      const Page page =
          list_page(store, {.path = path, .depth = depth, .limit = limit, .after = *after},
                    1 + prng.below(5));
      ASSERT_TRUE(page.names.size() == limit || !page.next_after);
      names.insert(names.end(), page.names.begin(), page.names.end());
      after = page.next_after;
    }
    ASSERT_EQ(names, expected_names(store, path, depth)) << "round " << round;
  }
}

}  // namespace
}  // namespace kvs
