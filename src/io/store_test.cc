#include "io/store.h"

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/store_conformance.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

namespace fs = std::filesystem;

/// Runs the conformance suite on RocksDB.
class RocksDriver {
 public:
  Result<void> open() {
    auto store = Store::open({.data_dir = folder_ / std::to_string(life_)});
    if (!store) {
      return std::unexpected(store.error());
    }
    store_ = std::move(*store);
    return {};
  }

  void close() { store_.reset(); }

  /// What a kill -9 leaves is what the files hold now: a copy of them, with no close.
  void kill() {
    const std::string before = folder_ / std::to_string(life_);
    ++life_;
    fs::copy(before, folder_ / std::to_string(life_), fs::copy_options::recursive);
    store_.reset();
    fs::remove_all(before);
  }

  Result<void> commit(const Effects& effects) { return store_->commit(effects); }

  Result<std::optional<Record>> get(Key key) {
    const auto record = store_->get(key);
    if (!record) {
      return std::unexpected(record.error());
    }
    return *record ? std::optional(
                         Record{.header = record->header(), .value = std::string(record->value())})
                   : std::nullopt;
  }

  const StoreView& view() { return *store_; }

  std::unique_ptr<RecordCursor> cursor() { return store_->cursor(); }

  Recovered recovered() { return store_->recovered(); }

 private:
  TemporaryFolder folder_;
  int life_ = 0;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(RocksDb, StoreConformance, RocksDriver);

class StoreTest : public ::testing::Test {
 protected:
  void open(Durability durability) {
    auto store = Store::open({.data_dir = folder_ / "d", .durability = durability});
    ASSERT_TRUE(store) << store.error().detail;
    store_ = std::move(*store);
  }

  void SetUp() override { open(Durability::os); }

  void put(const std::string& key, std::uint64_t seq) {
    ASSERT_TRUE(
        store_->commit(ConformanceBatch().put(key, conformance_record(seq, "1")).effects()));
  }

  std::uint64_t seq_of(const std::string& key) const {
    const auto record = store_->get(Key::from_store(key));
    return record && *record ? record->header().version.dot.seq : 0;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, TellsThatAFolderIsNew) {
  EXPECT_TRUE(store_->open_report().created);
  EXPECT_EQ(store_->open_report().damage, "");
  store_.reset();
  open(Durability::sync);
  EXPECT_FALSE(store_->open_report().created);
}

TEST_F(StoreTest, OneProcessAtATime) {
  const auto second = Store::open({.data_dir = folder_ / "d"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::data_dir_unusable);
}

TEST_F(StoreTest, SyncsWhatMustBeSynced) {
  put("k", 1);
  EXPECT_EQ(store_->stats().commits_synced, 0U);
  Effects reserve;
  reserve.clock_reserve = Stamp{1};
  ASSERT_TRUE(store_->commit(reserve));
  Effects identity;
  identity.identity = Identity{.instance = 1, .joined_ms = 1};
  ASSERT_TRUE(store_->commit(identity));
  EXPECT_EQ(store_->stats().commits_synced, 2U);
  EXPECT_EQ(store_->stats().commits, 3U);
  store_.reset();
  open(Durability::sync);
  put("k", 2);
  EXPECT_EQ(store_->stats().commits_synced, 1U);
}

TEST_F(StoreTest, CountsWhatItDoes) {
  ConformanceBatch batch;
  batch.put("a", conformance_record(1, "1")).put("b", conformance_record(2, "2"));
  ASSERT_TRUE(store_->commit(batch.effects()));
  EXPECT_EQ(seq_of("a"), 1U);
  EXPECT_EQ(seq_of("absent"), 0U);
  const StoreFigures stats = store_->stats();
  EXPECT_EQ(stats.records_estimate, 2U);
  EXPECT_EQ(stats.batch_records.sum, 2U);
  EXPECT_EQ(stats.batch_records.total, 1U);
  EXPECT_EQ(stats.commit_micros.total, 1U);
  EXPECT_EQ(stats.cache_hits, 1U);
  EXPECT_EQ(stats.cache_misses, 1U);
  EXPECT_EQ(stats.cache_records, 2U);
  EXPECT_GT(stats.memory_bytes, 0U);
  EXPECT_EQ(stats.commits_failed + stats.background_errors + stats.damaged_reads, 0U);
  EXPECT_FALSE(stats.disk_full || stats.stalled);
}

TEST_F(StoreTest, ReadsWarmTheCacheFindsDoNot) {
  put("k", 1);
  store_.reset();
  open(Durability::os);
  EXPECT_EQ(store_->find(Key::from_store("k")).value()->version.dot.seq, 1U);
  EXPECT_EQ(store_->stats().cache_records, 0U);
  EXPECT_EQ(seq_of("k"), 1U);
  EXPECT_EQ(store_->stats().cache_records, 1U);
  EXPECT_EQ(store_->find(Key::from_store("k")).value()->version.dot.seq, 1U);
}

TEST_F(StoreTest, ACursorKeepsItsMomentThroughFlushesAndCompaction) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    put("k/" + std::to_string(i), 1);
  }
  const auto cursor = store_->cursor();
  const std::string bulk(100'000, 'v');
  for (std::uint64_t i = 0; i < 600; ++i) {  // several memtables
    ASSERT_TRUE(store_->commit(ConformanceBatch()
                                   .put("k/" + std::to_string(i % 100),
                                        conformance_record(2 + i, bulk + std::to_string(i)))
                                   .effects()));
  }
  int count = 0;
  for (cursor->seek("k/"); cursor->valid(); cursor->next()) {
    ASSERT_EQ(cursor->record()->header.version.dot.seq, 1U);
    ++count;
  }
  EXPECT_EQ(count, 100);
}

// P7 and P8: whoever reads, by key or by cursor, never sees a key go back, and sees what was
// acknowledged before.
TEST_F(StoreTest, ReadersNeverSeeAKeyGoBack) {
  const std::vector<std::string> keys = {"a", "b", "c"};
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acknowledged = 0;
  std::atomic<std::uint64_t> went_back = 0;
  const auto walk = [&](std::map<std::string, std::uint64_t>& last) {
    const auto cursor = store_->cursor();
    for (cursor->seek(""); cursor->valid(); cursor->next()) {
      const std::uint64_t seq = cursor->record()->header.version.dot.seq;
      std::uint64_t& before = last[std::string(cursor->key().text())];
      went_back += seq < before ? 1 : 0;
      before = std::max(before, seq);
    }
  };
  const auto get_all = [&](std::map<std::string, std::uint64_t>& last) {
    for (const std::string& key : keys) {
      const std::uint64_t seq = seq_of(key);
      went_back += seq < last[key] ? 1 : 0;
      last[key] = std::max(last[key], seq);
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      std::map<std::string, std::uint64_t> last;
      while (!stop) {
        get_all(last);
        walk(last);
        const std::uint64_t seen = acknowledged;
        went_back += seq_of("a") < seen ? 1 : 0;
      }
    });
  }
  for (std::uint64_t seq = 1; seq <= 2000; ++seq) {
    ConformanceBatch batch;
    for (const std::string& key : keys) {
      batch.put(key, conformance_record(seq, "1"));
    }
    ASSERT_TRUE(store_->commit(batch.effects()));
    acknowledged = seq;
  }
  stop = true;
  for (std::thread& reader : readers) {
    reader.join();
  }
  EXPECT_EQ(went_back, 0U);
}

}  // namespace
}  // namespace kvs
