#include "io/store.h"

#include <filesystem>

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

}  // namespace
}  // namespace kvs
