#include "io/store_cursor.h"

#include <algorithm>

#include "io/rocks_options.h"
#include "io/slices.h"
#include "wire/record_codec.h"
#include "wire/store_keys.h"

namespace kvs {

namespace {

rocksdb::ReadOptions scan_options(StoreCursor::Keeps keeps, const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.fill_cache = keeps == StoreCursor::Keeps::blocks;
  return options;
}

}  // namespace

StoreCursor::StoreCursor(rocksdb::DB& database, Keeps keeps, const rocksdb::Snapshot* snapshot)
    : iterator_(database.NewIterator(scan_options(keeps, snapshot))) {
  stop_counting_in_this_thread();
}

void StoreCursor::seek(std::string_view text) {
  const std::string_view target = std::max(text, kFirstRecordKey);
  iterator_->Seek({target.data(), target.size()});
}

void StoreCursor::next() {
  iterator_->Next();
}

bool StoreCursor::valid() const {
  return iterator_->Valid();
}

Result<void> StoreCursor::status() const {
  const rocksdb::Status status = iterator_->status();
  if (status.ok()) {
    return {};
  }
  return fail(status.IsCorruption() ? Errc::corrupt_data : Errc::io_error, status.ToString());
}

Key StoreCursor::key() const {
  return Key::from_store(view(iterator_->key()));
}

Result<RecordView> StoreCursor::record() const {
  return decode_record(key(), view(iterator_->value()));
}

}  // namespace kvs
