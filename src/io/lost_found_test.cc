#include "io/lost_found.h"

#include <gtest/gtest.h>

#include "io/store.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

constexpr std::int64_t kNowMs = 1'700'000'000'000;

class LostFoundTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    store_.reset();
    store_ = Store::open({.data_dir = folder_.path() + "/d", .durability = Durability::os}).value();
  }

  static RecordHeader header(std::uint64_t seq) {
    RecordHeader header;
    header.version.stamp = Stamp::from_ms(kNowMs - 1000);
    header.version.dot = {.origin = Origin{3}, .seq = seq};
    return header;
  }

  void commit(RecordWrite write, std::int64_t at_ms) {
    Effects effects;
    effects.writes.push_back(write);
    effects.closed_at = {.ms = at_ms};
    ASSERT_TRUE(store_->commit(effects));
  }

  /// Stores a record, and loses it at that time.
  void lose(std::string_view path, std::string_view value, std::int64_t at_ms = kNowMs) {
    const Key key = Key::from_store(path);
    const RecordHeader made = header(++seq_);
    commit({.key = key, .record = {.header = made, .value = value}}, at_ms);
    commit({.key = key, .record = {.header = made, .value = {}}, .kind = RecordWrite::Kind::lose},
           at_ms);
  }

  /// Any commit.
  void pass(std::int64_t at_ms) {
    Effects effects;
    effects.closed_at = {.ms = at_ms};
    effects.clock_reserve = Stamp::from_ms(at_ms);
    ASSERT_TRUE(store_->commit(effects));
  }

  std::vector<std::string> paths(const LostRange& range = {.after = {}, .limit = 10'000}) {
    std::vector<std::string> found;
    const LostPage page = store_->lost(range).value();
    next_ = page.next;
    for (const LostRecord& lost : page.records) {
      found.push_back(lost.path);
    }
    return found;
  }

  using Paths = std::vector<std::string>;

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
  std::uint64_t seq_ = 0;
  std::string next_;
};

TEST_F(LostFoundTest, ADroppedLiveRecordIsKeptAsItWas) {
  EXPECT_TRUE(paths().empty());
  lose("users/john", R"({"a":1})");
  EXPECT_FALSE(*store_->get(Key::from_store("users/john")));
  for (int i = 0; i < 2; ++i) {
    const LostPage page = store_->lost({.after = {}, .limit = 10}).value();
    ASSERT_EQ(page.records.size(), 1U);
    EXPECT_EQ(page.records[0].path, "users/john");
    EXPECT_EQ(page.records[0].lost_ms, kNowMs);
    EXPECT_EQ(page.records[0].record.header, header(1));
    EXPECT_EQ(page.records[0].record.value, R"({"a":1})");
    EXPECT_EQ(page.next, "");
    EXPECT_EQ(store_->stats().lost_records, 1U);
    open();  // and after a restart
  }
}

TEST_F(LostFoundTest, SeveralVersionsOfOnePathAreAllKept) {
  lose("a", "1");
  lose("a", "2");
  lose("a/b", "3");
  EXPECT_EQ(paths(), (Paths{"a", "a", "a/b"}));
}

TEST_F(LostFoundTest, PagesGoOnWhereTheyEnded) {
  for (int i = 0; i < 5; ++i) {
    lose("k" + std::to_string(i), "1");
  }
  EXPECT_EQ(paths({.after = {}, .limit = 2}), (Paths{"k0", "k1"}));
  const std::string second = next_;
  EXPECT_EQ(paths({.after = second, .limit = 2}), (Paths{"k2", "k3"}));
  const std::string third = next_;
  EXPECT_EQ(paths({.after = third, .limit = 2}), (Paths{"k4"}));
  EXPECT_EQ(next_, "");
}

TEST_F(LostFoundTest, APageOfLargeRecordsIsShort) {
  const std::string large = '"' + std::string(700'000, 'x') + '"';
  for (int i = 0; i < 4; ++i) {
    lose("k" + std::to_string(i), large);
  }
  EXPECT_EQ(paths(), (Paths{"k0", "k1"}));
  EXPECT_FALSE(next_.empty());
}

TEST_F(LostFoundTest, EntriesGoAfterThirtyDays) {
  lose("old", "1", kNowMs);
  const std::int64_t later = kNowMs + kLostKept.ms();
  lose("new", "1", later - 1);
  EXPECT_EQ(paths(), (Paths{"new", "old"}));
  pass(later - 1 + LostSweep::kInterval.ms());
  EXPECT_EQ(paths(), (Paths{"new"}));
  EXPECT_EQ(store_->stats().lost_records, 1U);
  EXPECT_FALSE(*store_->get(Key::from_store("old")));
}

TEST_F(LostFoundTest, ManyEntriesGoInSteps) {
  Effects effects;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < LostSweep::kEntriesAtOnce + 500; ++i) {
    names.push_back("k" + std::to_string(10'000 + i));
  }
  for (const auto kind : {RecordWrite::Kind::store, RecordWrite::Kind::lose}) {
    effects.clear();
    effects.closed_at = {.ms = kNowMs};
    for (std::size_t i = 0; i < names.size(); ++i) {
      effects.writes.push_back({.key = Key::from_store(names[i]),
                                .record = {.header = header(i + 1), .value = "1"},
                                .kind = kind});
    }
    ASSERT_TRUE(store_->commit(effects));
  }
  EXPECT_EQ(store_->stats().lost_records, names.size());
  const std::int64_t later = kNowMs + kLostKept.ms() + LostSweep::kInterval.ms();
  pass(later);
  EXPECT_EQ(store_->stats().lost_records, 500U);
  pass(later);
  EXPECT_EQ(store_->stats().lost_records, 0U);
  EXPECT_TRUE(paths().empty());
}

}  // namespace
}  // namespace kvs
