#include "io/lost_found.h"

#include <memory>

#include "io/slices.h"
#include "io/store_errors.h"
#include "wire/record_codec.h"
#include "wire/store_keys.h"

namespace kvs {

namespace {

constexpr std::size_t kPageBytesMax = std::size_t{1} << 20U;

/// Walks the entries after `after`, a key without the prefix.
class LostCursor {
 public:
  LostCursor(rocksdb::DB& database, std::string_view after)
      : iterator_(database.NewIterator(rocksdb::ReadOptions())) {
    const std::string begin = std::string(kLostPrefix).append(after);
    iterator_->Seek(slice(begin));
    if (!after.empty() && valid() && view(iterator_->key()) == begin) {
      iterator_->Next();
    }
  }

  [[nodiscard]] bool valid() const {
    return iterator_->Valid() && view(iterator_->key()).starts_with(kLostPrefix);
  }

  void next() { iterator_->Next(); }

  [[nodiscard]] rocksdb::Slice key() const { return iterator_->key(); }

  [[nodiscard]] std::string place() const {
    return std::string(view(key()).substr(kLostPrefix.size()));
  }

  [[nodiscard]] std::string_view value() const { return view(iterator_->value()); }

  [[nodiscard]] rocksdb::Status status() const { return iterator_->status(); }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace

Result<LostPage> list_lost(rocksdb::DB& database, const LostRange& range) {
  LostPage page;
  std::size_t bytes = 0;
  LostCursor cursor(database, range.after);
  std::string last;
  for (; cursor.valid(); cursor.next()) {
    if (page.records.size() >= range.limit || bytes >= kPageBytesMax) {
      page.next = last;
      break;
    }
    last = cursor.place();
    const auto key = parse_lost_record_key(view(cursor.key()));
    const auto record = key ? decode_record(Key::from_store(key->path), cursor.value())
                            : fail(Errc::corrupt_data, "");
    if (key && record) {
      bytes += cursor.value().size();
      page.records.push_back(
          {.path = std::string(key->path),
           .lost_ms = key->lost_ms,
           .record = {.header = record->header, .value = std::string(record->value)}});
    }
  }
  if (!cursor.status().ok()) {
    return std::unexpected(read_error(cursor.status()));
  }
  return page;
}

std::uint64_t LostSweep::step(rocksdb::DB& database, WallTime wall, rocksdb::WriteBatch& batch) {
  if (wall.ms < next_ms_) {
    return 0;
  }
  std::uint64_t removed = 0;
  LostCursor cursor(database, after_);
  for (std::size_t seen = 0; cursor.valid() && seen < kEntriesAtOnce; ++seen, cursor.next()) {
    after_ = cursor.place();
    const auto key = parse_lost_record_key(view(cursor.key()));
    if (!key || key->lost_ms + kLostKept.ms() <= wall.ms) {
      batch.Delete(cursor.key());
      ++removed;
    }
  }
  if (!cursor.valid()) {
    after_.clear();
    next_ms_ = wall.ms + kInterval.ms();
  }
  return removed;
}

std::uint64_t count_lost(rocksdb::DB& database) {
  std::uint64_t count = 0;
  for (LostCursor cursor(database, {}); cursor.valid(); cursor.next()) {
    ++count;
  }
  return count;
}

}  // namespace kvs
