// A RecordCursor over RocksDB, on a snapshot of its own. See docs/storage.md.
#pragma once

#include <memory>

#include <rocksdb/db.h>

#include "core/store_view.h"

namespace kvs {

class StoreCursor final : public RecordCursor {
 public:
  explicit StoreCursor(rocksdb::DB& database);

  void seek(std::string_view text) override;
  void next() override;
  [[nodiscard]] bool valid() const override;
  [[nodiscard]] Result<void> status() const override;
  [[nodiscard]] Key key() const override;
  [[nodiscard]] Result<RecordView> record() const override;

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;  // pins the state of the moment it was made
};

}  // namespace kvs
