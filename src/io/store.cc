#include "io/store.h"

#include <utility>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "base/bytes.h"
#include "io/os.h"
#include "io/rocks_options.h"
#include "io/store_cursor.h"
#include "io/store_layout.h"
#include "wire/record_codec.h"

namespace kvs {

namespace {

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

std::string_view view(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

Error read_error(const rocksdb::Status& status) {
  return {status.IsCorruption() ? Errc::corrupt_data : Errc::io_error, status.ToString()};
}

Error write_error(const rocksdb::Status& status) {
  if (status.IsNoSpace()) {
    return {Errc::disk_full, "no space left on the device of the data folder"};
  }
  if (status.IsIncomplete()) {
    return {Errc::overloaded, "the disk cannot follow the writes"};
  }
  return {status.IsCorruption() ? Errc::corrupt_data : Errc::io_error, status.ToString()};
}

void put_state(const Effects& effects, rocksdb::WriteBatch& batch) {
  for (const KnowledgeWrite& write : effects.knowledge) {
    batch.Put(knowledge_key(write.origin), encode_knowledge(write.known));
  }
  if (effects.clock_reserve) {
    batch.Put(slice(kClockKey), encode_stamp(*effects.clock_reserve));
  }
  if (effects.identity) {
    batch.Put(slice(kIdentityKey), encode_identity(*effects.identity));
  }
}

void put_records(const Effects& effects, rocksdb::WriteBatch& batch) {
  std::string encoded;
  for (const RecordWrite& write : effects.writes) {
    encoded.clear();
    encode_record(write.key, write.record, encoded);
    batch.Put(slice(write.key.text()), encoded);
  }
}

}  // namespace

Store::Store(DataFolder folder) : folder_(std::move(folder)) {}

Store::~Store() {
  if (database_ != nullptr) {
    static_cast<void>(database_->Close());
  }
}

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  std::unique_ptr<Store> store(new Store(KVS_TRY(DataFolder::open(options.data_dir))));
  store->durability_ = options.durability;
  store->report_.created = store->folder_.created();
  rocksdb::DB* database = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(rocks_options(options.cache_bytes / 8),
                                                   store->folder_.database_path(), &database);
  if (!status.ok()) {
    return std::unexpected(read_error(status));
  }
  store->database_.reset(database);
  KVS_TRY(store->recover());
  return store;
}

Result<void> Store::recover() {
  const std::unique_ptr<rocksdb::Iterator> it(database_->NewIterator(rocksdb::ReadOptions()));
  for (it->SeekToFirst(); it->Valid() && is_state_key(view(it->key())); it->Next()) {
    const std::string_view key = view(it->key());
    if (key == kClockKey) {
      recovered_.clock_reserve = KVS_TRY(decode_stamp(view(it->value())));
    } else if (key == kIdentityKey) {
      recovered_.identity = KVS_TRY(decode_identity(view(it->value())));
    } else if (const auto origin = origin_of(key)) {
      recovered_.knowledge.set(*origin, KVS_TRY(decode_knowledge(view(it->value()))));
    }
  }
  if (!it->status().ok()) {
    return std::unexpected(read_error(it->status()));
  }
  return {};
}

Result<void> Store::commit(const Effects& effects) {
  const Instant begin = monotonic_now();
  rocksdb::WriteBatch batch;
  put_records(effects, batch);
  put_state(effects, batch);

  rocksdb::WriteOptions options;
  options.sync = durability_ == Durability::sync || effects.clock_reserve || effects.identity;
  options.no_slowdown = true;
  const rocksdb::Status status = database_->Write(options, &batch);
  counters_.disk_full = status.IsNoSpace();
  if (!status.ok()) {
    ++counters_.commits_failed;
    return std::unexpected(write_error(status));
  }
  ++counters_.commits;
  counters_.commits_synced += options.sync ? 1 : 0;
  counters_.batch_records.add(effects.writes.size());
  counters_.commit_micros.add(static_cast<std::uint64_t>((monotonic_now() - begin).ns / 1000));
  return {};
}

Result<std::optional<RecordHeader>> Store::find(Key key) const {
  const SharedRecord record = KVS_TRY(get(key));
  return record ? std::optional(record.header()) : std::nullopt;
}

Result<SharedRecord> Store::get(Key key) const {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = database_->Get(
      rocksdb::ReadOptions(), database_->DefaultColumnFamily(), slice(key.text()), &value);
  if (status.IsNotFound()) {
    return SharedRecord();
  }
  if (!status.ok()) {
    ++counters_.damaged_reads;
    return std::unexpected(read_error(status));
  }
  const auto record = decode_record(key, view(value));
  if (!record) {
    ++counters_.damaged_reads;
    return std::unexpected(record.error());
  }
  return SharedRecord(key, *record);
}

std::unique_ptr<RecordCursor> Store::cursor() const {
  return std::make_unique<StoreCursor>(*database_);
}

StoreStats Store::stats() const {
  StoreStats stats;
  const auto number = [this](const std::string& property) {
    std::uint64_t value = 0;
    database_->GetIntProperty(property, &value);
    return value;
  };
  stats.records_estimate = number("rocksdb.estimate-num-keys");
  stats.disk_bytes = number("rocksdb.total-sst-files-size");
  stats.memory_bytes = number("rocksdb.cur-size-all-mem-tables") +
                       number("rocksdb.estimate-table-readers-mem") +
                       number("rocksdb.block-cache-usage");
  stats.background_errors = number("rocksdb.background-errors");
  stats.stalled =
      number("rocksdb.is-write-stopped") != 0 || number("rocksdb.actual-delayed-write-rate") != 0;
  stats.commits = counters_.commits;
  stats.commits_synced = counters_.commits_synced;
  stats.commits_failed = counters_.commits_failed;
  stats.damaged_reads = counters_.damaged_reads;
  stats.disk_full = counters_.disk_full;
  stats.batch_records = counters_.batch_records.read();
  stats.commit_micros = counters_.commit_micros.read();
  return stats;
}

}  // namespace kvs
