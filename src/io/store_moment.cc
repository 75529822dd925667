#include "io/store_moment.h"

#include "io/store_cursor.h"

namespace kvs {

StoreMoment::StoreMoment(rocksdb::DB& database)
    : database_(database), snapshot_(database.GetSnapshot()) {}

StoreMoment::~StoreMoment() {
  database_.ReleaseSnapshot(snapshot_);
}

std::unique_ptr<RecordCursor> StoreMoment::cursor() const {
  return std::make_unique<StoreCursor>(database_, StoreCursor::Keeps::nothing, snapshot_);
}

}  // namespace kvs
