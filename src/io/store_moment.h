// The records of one moment for as long as somebody wants them, in cursors that may be replaced.
//
// A cursor by itself keeps memory and files of its moment; a moment keeps only what was replaced
// since, on the disk, so a walk of minutes takes new cursors of it from time to time. The store
// outlives the moment, and the moment its cursors. Any thread.
#pragma once

#include <memory>

#include <rocksdb/db.h>

#include "core/store_view.h"

namespace kvs {

class StoreMoment {
 public:
  /// What is committed now.
  explicit StoreMoment(rocksdb::DB& database);
  StoreMoment(const StoreMoment&) = delete;
  StoreMoment& operator=(const StoreMoment&) = delete;
  ~StoreMoment();

  [[nodiscard]] std::unique_ptr<RecordCursor> cursor() const;

 private:
  rocksdb::DB& database_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace kvs
