// A RecordCursor over RocksDB, on a snapshot of its own. See docs/storage.md.
#pragma once

#include <cstdint>
#include <memory>

#include <rocksdb/db.h>

#include "core/store_view.h"

namespace kvs {

class StoreCursor final : public RecordCursor {
 public:
  /// Whether single reads and later cursors find what this one has read in memory.
  enum class Keeps : std::uint8_t { nothing, blocks };

  /// Of this moment, or of that of `snapshot`, which outlives the cursor.
  StoreCursor(rocksdb::DB& database, Keeps keeps, const rocksdb::Snapshot* snapshot = nullptr);

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
