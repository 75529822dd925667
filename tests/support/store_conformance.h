// What every store must do, whoever implements it: one suite, instantiated with RocksDB's store and
// with the simulator's disk model.
//
// A driver is a default-constructible class with:
//   Result<void> open()              opens the (empty or used) folder
//   void close()                     orderly
//   void kill()                      as a kill -9: committed data stays
//   Result<void> commit(const Effects&)
//   Result<std::optional<Record>> get(Key)
//   const StoreView& view()
//   std::unique_ptr<RecordCursor> cursor()
//   Recovered recovered()            of the last open()
// Use: INSTANTIATE_TYPED_TEST_SUITE_P(Name, StoreConformance, MyDriver);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "core/effects.h"
#include "core/replica.h"
#include "core/store_view.h"

namespace kvs {

/// A record whose every field follows from `seq`, so that tests can predict it.
inline Record conformance_record(std::uint64_t seq, std::string value) {
  return {.header = {.version = {.stamp = {seq << 16U},
                                 .verdict = {},
                                 .uuid = {.high = seq * 3, .low = seq * 5},
                                 .dot = {.origin = Origin{7}, .seq = seq}},
                     .kind = RecordKind::value},
          .value = std::move(value)};
}

inline Record conformance_tombstone(std::uint64_t seq) {
  Record record = conformance_record(seq, "");
  record.header.kind = RecordKind::tombstone;
  return record;
}

/// Keeps the bytes that an Effects points to.
class ConformanceBatch {
 public:
  ConformanceBatch& put(const std::string& key, const Record& record,
                        RecordWrite::Kind kind = RecordWrite::Kind::store) {
    entries_.push_back({.key = key, .record = record, .kind = kind});
    return *this;
  }

  /// Valid until the next put.
  const Effects& effects() {
    effects_.writes.clear();
    for (const Entry& entry : entries_) {
      effects_.writes.push_back(
          {.key = Key::from_store(entry.key), .record = entry.record.view(), .kind = entry.kind});
    }
    return effects_;
  }

  Effects& state() { return effects_; }

 private:
  struct Entry {
    std::string key;
    Record record;
    RecordWrite::Kind kind{};
  };

  std::vector<Entry> entries_;
  Effects effects_;
};

template <class Driver>
class StoreConformance : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(driver_.open()); }

  void put(const std::string& key, const Record& record) {
    ASSERT_TRUE(driver_.commit(ConformanceBatch().put(key, record).effects()));
  }

  std::optional<Record> get(const std::string& key) {
    const auto record = driver_.get(Key::from_store(key));
    EXPECT_TRUE(record);
    return record ? *record : std::nullopt;
  }

  using Contents = std::map<std::string, Record>;

  static Contents rest_of(RecordCursor& cursor) {
    Contents contents;
    std::string last;
    for (; cursor.valid(); cursor.next()) {
      const std::string key(cursor.key().text());
      EXPECT_LT(last, key);
      last = key;
      const auto record = cursor.record();
      EXPECT_TRUE(record);
      contents[key] = {.header = record->header, .value = std::string(record->value)};
    }
    EXPECT_TRUE(cursor.status());
    return contents;
  }

  Contents contents_from(const std::string& begin) {
    const auto cursor = driver_.cursor();
    cursor->seek(begin);
    return rest_of(*cursor);
  }

  void reopen() {
    driver_.close();
    ASSERT_TRUE(driver_.open());
  }

  Driver driver_;
};

TYPED_TEST_SUITE_P(StoreConformance);

TYPED_TEST_P(StoreConformance, NewStoreIsEmpty) {
  EXPECT_EQ(this->get("a"), std::nullopt);
  EXPECT_TRUE(this->contents_from("").empty());
  const Recovered recovered = this->driver_.recovered();
  EXPECT_TRUE(recovered.knowledge.origins().empty());
  EXPECT_EQ(recovered.clock_reserve, Stamp{});
  EXPECT_FALSE(recovered.identity);
}

TYPED_TEST_P(StoreConformance, WhatWasCommittedIsFound) {
  const Record record = conformance_record(1, "{\"a\":1}");
  this->put("users/1", record);
  EXPECT_EQ(this->get("users/1"), record);
  EXPECT_EQ(this->get("users"), std::nullopt);
  EXPECT_EQ(this->get("users/11"), std::nullopt);
  const auto header = this->driver_.view().find(Key::from_store("users/1"));
  ASSERT_TRUE(header && *header);
  EXPECT_EQ(**header, record.header);
}

TYPED_TEST_P(StoreConformance, TheLastWriteOfAKeyWins) {
  this->put("k", conformance_record(1, "1"));
  this->put("k", conformance_record(2, "2"));
  EXPECT_EQ(this->get("k")->value, "2");
  this->put("k", conformance_tombstone(3));
  EXPECT_EQ(this->get("k"), conformance_tombstone(3));
  ConformanceBatch twice;
  twice.put("k", conformance_record(4, "4")).put("k", conformance_record(5, "5"));
  ASSERT_TRUE(this->driver_.commit(twice.effects()));
  EXPECT_EQ(this->get("k")->value, "5");
}

TYPED_TEST_P(StoreConformance, WhatIsDroppedOrLostIsGone) {
  const std::map<std::string, Record> held{{"a", conformance_record(1, "1")},
                                           {"b", conformance_record(2, "2")},
                                           {"c", conformance_record(3, "3")}};
  for (const auto& [key, record] : held) {
    this->put(key, record);
  }
  ConformanceBatch batch;
  batch.put("a", held.at("a"), RecordWrite::Kind::drop);
  batch.put("b", held.at("b"), RecordWrite::Kind::lose);
  ASSERT_TRUE(this->driver_.commit(batch.effects()));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(this->contents_from(""), (typename TestFixture::Contents{*held.find("c")}));
    EXPECT_EQ(this->get("a"), std::nullopt);
    EXPECT_EQ(this->get("b"), std::nullopt);
    this->reopen();
  }
  this->put("b", conformance_record(4, "4"));
  EXPECT_EQ(this->get("b"), conformance_record(4, "4"));
}

TYPED_TEST_P(StoreConformance, AnyBytesComeBack) {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all.push_back(static_cast<char>(i));
  }
  Record decided = conformance_record(2, all);
  decided.header.version.verdict = {.votes = 3, .oldest_join_ms = -7, .voters_hash = 99};
  const std::string long_key(1024, 'k');
  const Record large = conformance_record(3, std::string(std::size_t{3} << 20U, 'v'));
  const Record empty = conformance_record(4, "");
  this->put("\x20", decided);
  this->put("\xf4\x8f\xbf\xbf", empty);
  this->put(long_key, large);
  this->reopen();
  EXPECT_EQ(this->get("\x20"), decided);
  EXPECT_EQ(this->get("\xf4\x8f\xbf\xbf"), empty);
  EXPECT_EQ(this->get(long_key), large);
  EXPECT_EQ(this->contents_from("").size(), 3U);
}

TYPED_TEST_P(StoreConformance, CursorWalksInByteOrderFromWhereItIsPut) {
  for (const char* key : {"b", "a/b", "a", "a0", "a/b/c", "\xc3\xa4"}) {
    this->put(key, conformance_record(1, key));
  }
  std::vector<std::string> keys;
  for (const auto& [key, record] : this->contents_from("a/")) {
    keys.push_back(key);
    EXPECT_EQ(record.value, key);
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"a/b", "a/b/c", "a0", "b", "\xc3\xa4"}));
  EXPECT_TRUE(this->contents_from("\xc3\xa5").empty());
  EXPECT_EQ(this->contents_from("a/b").begin()->first, "a/b");
}

TYPED_TEST_P(StoreConformance, StateNeverShowsAmongRecords) {
  ConformanceBatch batch;
  batch.put("k", conformance_record(1, "1"));
  batch.state().knowledge.push_back({.origin = Origin{7}, .known = {.upto = 1, .beyond = {}}});
  batch.state().clock_reserve = Stamp{5};
  batch.state().identity = Identity{.instance = 1, .joined_ms = 2};
  ASSERT_TRUE(this->driver_.commit(batch.effects()));
  EXPECT_EQ(this->contents_from("").size(), 1U);
  EXPECT_EQ(this->contents_from(std::string("\0", 1)).size(), 1U);
}

TYPED_TEST_P(StoreConformance, CursorShowsOneMoment) {
  this->put("a", conformance_record(1, "1"));
  this->put("c", conformance_record(1, "1"));
  const auto cursor = this->driver_.cursor();
  this->put("a", conformance_record(2, "2"));
  this->put("b", conformance_record(2, "2"));
  cursor->seek("");
  const auto before = this->rest_of(*cursor);
  EXPECT_EQ(before.size(), 2U);
  EXPECT_EQ(before.at("a").value, "1");
  cursor->seek("b");
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->key().text(), "c");
  EXPECT_EQ(this->contents_from("").size(), 3U);
}

TYPED_TEST_P(StoreConformance, StateComesBack) {
  Effects effects;
  effects.knowledge.push_back(
      {.origin = Origin{7}, .known = {.upto = 5, .beyond = {{7, 7}, {9, 12}}}});
  effects.knowledge.push_back({.origin = Origin{~0ULL}, .known = {.upto = 1, .beyond = {}}});
  effects.clock_reserve = Stamp::from_ms(1234);
  effects.expiry_reserve = WallTime{5678};
  effects.identity = Identity{.instance = 42, .joined_ms = 77};
  ASSERT_TRUE(this->driver_.commit(effects));
  Effects later;
  later.knowledge.push_back({.origin = Origin{7}, .known = {.upto = 10, .beyond = {}}});
  later.root = Fingerprint{.high = 1, .low = ~0ULL, .count = 3};
  ASSERT_TRUE(this->driver_.commit(later));
  for (int round = 0; round < 2; ++round) {
    this->reopen();
    const Recovered recovered = this->driver_.recovered();
    EXPECT_EQ(recovered.knowledge.origins().size(), 2U);
    EXPECT_EQ(recovered.knowledge.of(Origin{7}).upto, 10U);
    EXPECT_EQ(recovered.knowledge.of(Origin{~0ULL}).upto, 1U);
    EXPECT_EQ(recovered.clock_reserve, Stamp::from_ms(1234));
    EXPECT_EQ(recovered.expiry_reserve, WallTime{5678});
    EXPECT_EQ(recovered.identity, (Identity{.instance = 42, .joined_ms = 77}));
    EXPECT_EQ(recovered.root, (Fingerprint{.high = 1, .low = ~0ULL, .count = 3}));
  }
}

TYPED_TEST_P(StoreConformance, WhatExpiresIsInTheIndexUntilItIsTakenOut) {
  const auto expiring = [](std::uint64_t seq, std::int64_t expires_ms) {
    Record record = conformance_record(seq, "1");
    record.header.expires_ms = expires_ms;
    return record;
  };
  const auto entry = [](const Record& record, const std::string& path) {
    return ExpiryEntry{.place = place_of(record.header), .path = path};
  };
  using Entries = std::vector<ExpiryEntry>;
  const auto entries = [this](const ExpiryPlace& after = {}, std::size_t max = 100) {
    const auto found = this->driver_.view().expiries(after, max);
    EXPECT_TRUE(found);
    return found.value_or(Entries{});
  };
  EXPECT_EQ(entries(), Entries{});
  const Record late = expiring(1, 70'000'000'000);
  const Record soon = expiring(2, 500);
  const Record same = expiring(3, 500);
  this->put("z", late);
  this->put("b", soon);
  this->put("a", same);
  this->put("stays", conformance_record(4, "1"));
  this->put("dead", conformance_tombstone(5));
  const Entries all{entry(soon, "b"), entry(same, "a"), entry(late, "z")};
  EXPECT_EQ(entries(), all);
  EXPECT_EQ(entries({}, 2), (Entries{all[0], all[1]}));
  EXPECT_EQ(entries(all[0].place), (Entries{all[1], all[2]}));
  EXPECT_EQ(entries(end_of({500})), (Entries{all[2]}));
  EXPECT_EQ(entries(all[2].place), Entries{});
  this->reopen();
  EXPECT_EQ(entries(), all);
  EXPECT_EQ(this->get("z"), late);

  this->put("b", conformance_record(6, "2"));
  EXPECT_EQ(entries(), all) << "the core takes entries out";
  Record freed = same;
  freed.header.kind = RecordKind::expired;
  freed.value.clear();
  ConformanceBatch batch;
  batch.put("a", freed);
  batch.state().expired = {all[0].place, all[1].place};
  ASSERT_TRUE(this->driver_.commit(batch.effects()));
  this->reopen();
  EXPECT_EQ(entries(), (Entries{all[2]}));
  const auto held = this->get("a");
  ASSERT_TRUE(held);
  EXPECT_EQ(*held, freed);
  EXPECT_EQ(held->header.kind, RecordKind::expired);
  EXPECT_EQ(held->header, same.header) << "it is the same record";
}

// Random commits, kills and reopenings against a map.
TYPED_TEST_P(StoreConformance, IsAMapThatSurvivesKills) {
  Prng prng(1);
  typename TestFixture::Contents model;
  std::uint64_t seq = 0;
  for (int round = 0; round < 12; ++round) {
    for (int commit = 0; commit < 30; ++commit) {
      ConformanceBatch batch;
      for (std::uint64_t i = prng.below(6); i > 0; --i) {
        const std::string key = "k/" + std::to_string(prng.below(100));
        ++seq;
        const Record record =
            prng.chance(1, 5)
                ? conformance_tombstone(seq)
                : conformance_record(seq, std::string(prng.below(3000), static_cast<char>(seq)));
        batch.put(key, record);
        model[key] = record;
      }
      batch.state().clock_reserve = prng.chance(1, 3) ? std::optional(Stamp{seq}) : std::nullopt;
      ASSERT_TRUE(this->driver_.commit(batch.effects()));
    }
    if (prng.chance(1, 2)) {
      this->driver_.kill();
      ASSERT_TRUE(this->driver_.open());
    } else {
      this->reopen();
    }
    ASSERT_EQ(this->contents_from(""), model);
    const std::string key = "k/" + std::to_string(prng.below(100));
    const auto it = model.find(key);
    EXPECT_EQ(this->get(key), it == model.end() ? std::nullopt : std::optional(it->second));
  }
}

REGISTER_TYPED_TEST_SUITE_P(StoreConformance, NewStoreIsEmpty, WhatWasCommittedIsFound,
                            TheLastWriteOfAKeyWins, WhatIsDroppedOrLostIsGone, AnyBytesComeBack,
                            CursorWalksInByteOrderFromWhereItIsPut, StateNeverShowsAmongRecords,
                            CursorShowsOneMoment, StateComesBack,
                            WhatExpiresIsInTheIndexUntilItIsTakenOut, IsAMapThatSurvivesKills);

}  // namespace kvs
